"""`gazeshift-train`: each command is one module of this package, imported when it is called."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence

import click

from gazeshift.errors import EXIT_INTERRUPTED, GazeShiftError


class CommandFolder(click.Group):
    """A group whose commands are the modules beside it; each offers `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name a command for each module: `evaluate_attention` is `evaluate-attention`."""
        modules = pkgutil.iter_modules(__path__)
        return sorted(module.name.replace("_", "-") for module in modules)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the module of a command; None if there is none."""
        if name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.group(cls=CommandFolder, context_settings={"help_option_names": ["-h", "--help"]})
def train_group() -> None:
    """Train, evaluate and export GazeShift's networks.

    Example: gazeshift-train attention --data DATA --run runs/attention
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with a documented code; see `gazeshift.errors`."""
    try:
        code = train_group.main(arguments, "gazeshift-train", standalone_mode=False)
    except GazeShiftError as error:
        click.echo(f"gazeshift-train: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("gazeshift-train: interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)
