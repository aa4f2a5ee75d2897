"""`gazeshift bridge`: the local service that the plug-ins talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gazeshift.cli.shared.group import ExampleCommand

if TYPE_CHECKING:
    from gazeshift.bridge.starting import Started


@click.command(
    "bridge",
    cls=ExampleCommand,
    example="""gazeshift bridge
    gazeshift bridge --ensure
    gazeshift bridge --print-token""",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port on 127.0.0.1; 0 takes any free one.  [default: the first free of 47613-47615]",
)
@click.option(
    "--idle-minutes",
    type=click.FloatRange(0, 60 * 24 * 365),
    default=15.0,
    show_default=True,
    help="End after this time without a request; 0 for never.",
)
@click.option("--ensure", is_flag=True, help="Start it in the background unless it runs already.")
@click.option("--print-token", is_flag=True, help="Print the token for plug-ins and end.")
@click.option("--announce", is_flag=True, hidden=True, help="Print where it is, then go silent.")
def command(
    port: int | None, idle_minutes: float, ensure: bool, print_token: bool, announce: bool
) -> None:
    """Run the local service that the GIMP and Photoshop plug-ins talk to.

    It listens on 127.0.0.1 only and answers callers that know this installation's token. If one
    of the same version runs already, that one is used.
    """
    from gazeshift.bridge import starting
    from gazeshift.bridge.state import read_or_make_token

    idle_s = idle_minutes * 60.0 or None
    if print_token:
        click.echo(read_or_make_token())
    elif ensure:
        click.echo(starting.announcement(starting.ensure(port, idle_s)))
    else:
        starting.serve(port, idle_s, _announce if announce else _tell)


def _tell(started: Started) -> None:
    runtime = started.runtime
    where = f"127.0.0.1:{runtime.port} (process {runtime.pid})"
    if started.is_new:
        click.echo(f"GazeShift bridge {runtime.version} on {where}. Ctrl+C ends it.", err=True)
    else:
        click.echo(f"GazeShift bridge {runtime.version} already runs on {where}.", err=True)


def _announce(started: Started) -> None:
    from gazeshift.bridge import starting

    click.echo(starting.announcement(started))
    starting.detach_streams()
