"""`gazeshift doctor`: what is found, what is missing, and what to do about it."""

from __future__ import annotations

import sys

import click

from gazeshift.cli.shared.group import ExampleCommand
from gazeshift.errors import EXIT_SOME_FAILED

_MARKS = {"good": "ok  ", "note": "note", "bad": "BAD "}


@click.command(cls=ExampleCommand, example="gazeshift doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per finding and line.")
def command(as_json: bool) -> None:
    """Look at this installation and say in plain words what is found and what is missing.

    The exit code is 1 if something is broken.
    """
    import json

    from gazeshift.checkup import look_around

    is_broken = False
    area_before = ""
    for area, finding in look_around():
        is_broken |= finding.level == "bad"
        if as_json:
            level, text, remedy = finding.level, finding.text, finding.remedy
            line = {"area": area, "level": level, "text": text, "remedy": remedy}
            click.echo(json.dumps(line, ensure_ascii=False))
            continue
        if area != area_before:
            click.echo(f"{area}:")
            area_before = area
        click.echo(f"  {_MARKS[finding.level]}  {finding.text}")
        if finding.remedy:
            click.echo(f"        {finding.remedy}")
    if is_broken:
        sys.exit(EXIT_SOME_FAILED)
