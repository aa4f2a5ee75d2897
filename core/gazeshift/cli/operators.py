"""`gazeshift operators`: what an edit is made of, straight from the specifications."""

from __future__ import annotations

import click

from gazeshift.cli.shared import options
from gazeshift.cli.shared.group import ExampleCommand


@click.command(cls=ExampleCommand, example="gazeshift operators")
@options.as_json
@click.option("--markdown", is_flag=True, help="Print the documentation page docs/operators.md.")
def command(as_json: bool, markdown: bool) -> None:
    """List the operators: their order, parameters, units and ranges.

    With --json, one object per operator and line.
    """
    import dataclasses
    import json

    from gazeshift.operator_tables import markdown_page, text_table
    from gazeshift.operators import OPERATORS

    if as_json and markdown:
        raise click.UsageError("--json and --markdown exclude each other.")
    if as_json:
        for operator in OPERATORS.values():
            click.echo(json.dumps(dataclasses.asdict(operator.spec)))
    else:
        click.echo(markdown_page() if markdown else text_table(), nl=False)
