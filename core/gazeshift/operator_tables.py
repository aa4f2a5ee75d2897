"""The operators' specifications as tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from gazeshift.operators import OPERATORS, OperatorSpec, Parameter

_HEADS = ("operator", "parameter", "numbers", "range", "changes nothing", "unit")


def text_table() -> str:
    """Return a table for the terminal, one line per parameter, in the order of application."""
    rows = [_HEADS, *(_row(spec, parameter) for spec, parameter in _every_parameter())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    optional = [operator.spec.id for operator in OPERATORS.values() if not operator.spec.is_default]
    lines.append("")
    lines.append("Applied from top to bottom.")
    if optional:
        lines.append(f"Never predicted, only for edits made by hand: {', '.join(optional)}.")
    return "\n".join(lines) + "\n"


def markdown_page() -> str:
    """Return the reference page of all operators, in Markdown."""
    specs = [operator.spec for operator in OPERATORS.values()]
    parts = [
        "# Operators",
        "Made by `gazeshift operators --markdown` from the specifications in "
        "`core/gazeshift/operators`; do not edit it by hand.",
        "An edit holds these parameters twice, for the selection (`foreground`) and for the rest "
        "(`background`). Each region's operators run over the whole picture in this order; the "
        "mask then blends the two results once.",
        _markdown_table(
            ("operator", "what it does", "predicted", "version"),
            [
                (f"[{spec.label}](#{spec.id})", spec.help, _yes(spec.is_default), str(spec.version))
                for spec in specs
            ],
        ),
    ]
    parts += [_section(spec) for spec in specs]
    return "\n\n".join(parts) + "\n"


def _section(spec: OperatorSpec) -> str:
    nature = (
        "one curve per channel"
        if spec.is_separable
        else "each pixel by itself"
        if spec.locality == "point"
        else "looks at neighbouring pixels"
    )
    rows = [
        (
            f"`{parameter.name}`",
            str(parameter.count),
            _range(parameter.hard),
            _range(parameter.ui),
            f"{parameter.identity:g}",
            parameter.unit or "–",  # noqa: RUF001 - typography of the page
            parameter.help,
        )
        for parameter in spec.parameters
    ]
    heads = ("parameter", "numbers", "range", "slider", "changes nothing", "unit", "meaning")
    text = f'<a id="{spec.id}"></a>\n\n## {spec.label}: `{spec.id}`\n\n{spec.help} Kind: {nature}.'
    return f"{text}\n\n{_markdown_table(heads, rows)}"


def _markdown_table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _every_parameter() -> list[tuple[OperatorSpec, Parameter]]:
    return [
        (operator.spec, parameter)
        for operator in OPERATORS.values()
        for parameter in operator.spec.parameters
    ]


def _row(spec: OperatorSpec, parameter: Parameter) -> tuple[str, ...]:
    return (
        spec.id,
        parameter.name,
        str(parameter.count),
        _range(parameter.hard),
        f"{parameter.identity:g}",
        parameter.unit,
    )


def _range(limits: tuple[float, float]) -> str:
    return f"{limits[0]:g} to {limits[1]:g}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
