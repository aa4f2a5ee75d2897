"""The command line: `gazeshift COMMAND`.

Every module beside this file is one command: `my_command.py` holds the click command `command`
and becomes `gazeshift my-command`. It is loaded when it is called or listed. Packages beside
this file hold what several commands share.
"""

from __future__ import annotations

import click

from gazeshift import __version__
from gazeshift.cli.shared.group import CommandGroup


@click.group(
    cls=CommandGroup,
    package=__name__,
    folder=__path__,
    example="gazeshift redirect photo.jpg --mask mask.png -o out.jpg",
    epilog="Exit codes: 0 success, 1 some files failed, 2 usage, 3 unreadable input, "
    "4 model problem, 130 interrupted.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def group() -> None:
    """Edit a photo so that viewers look where you want them to."""


def main() -> None:
    """Run the program `gazeshift`."""
    group(prog_name="gazeshift")
