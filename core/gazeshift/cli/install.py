"""`gazeshift install HOST`: puts the plug-in into an editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gazeshift.cli.shared.group import ExampleCommand, ExampleGroup

if TYPE_CHECKING:
    from gazeshift.hosts import Host


class HostGroup(ExampleGroup):
    """A group with one command per host that `gazeshift.hosts` finds."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the hosts' names."""
        from gazeshift.hosts import hosts

        return sorted(hosts())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Make one host's command."""
        from gazeshift.hosts import hosts

        host = hosts().get(cmd_name)
        return None if host is None else _host_command(host)


def _host_command(host: Host) -> click.Command:
    @click.command(
        host.name,
        cls=ExampleCommand,
        example=f"gazeshift install {host.name}\ngazeshift install {host.name} --dry-run",
        help=host.help,
    )
    @click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing.")
    @click.option("--uninstall", is_flag=True, help="Remove the plug-in again.")
    def install_host(dry_run: bool, uninstall: bool) -> None:
        for line in (host.uninstall if uninstall else host.install)(dry_run):
            click.echo(line)

    return install_host


@click.group(cls=HostGroup, example="gazeshift install gimp")
def command() -> None:
    """Put the GazeShift plug-in into an editor: gazeshift install gimp."""
