"""Colours of an attention map. Pure Python: a table look-up per byte, no arithmetic on pixels."""

from __future__ import annotations

from itertools import pairwise

# From the quiet to the most looked-at place: see-through violet, red, orange, pale yellow.
_STOPS = (
    (0, (60, 20, 110, 0)),
    (64, (120, 25, 120, 110)),
    (128, (205, 55, 75, 170)),
    (192, (248, 145, 35, 200)),
    (255, (252, 250, 190, 220)),
)


def _table(component: int) -> bytes:
    table = bytearray()
    for (start, low), (end, high) in pairwise(_STOPS):
        for value in range(start, end):
            part = (value - start) / (end - start)
            table.append(round(low[component] + part * (high[component] - low[component])))
    table.append(_STOPS[-1][1][component])
    return bytes(table)


_TABLES = tuple(_table(component) for component in range(4))


def heat_rgba(attention: bytes) -> bytes:
    """Colour an attention map.

    Parameters
    ----------
    attention
        One byte per place, 255 where viewers look most.

    Returns
    -------
    bytes
        Four bytes per place: red, green, blue, and an alpha that lets quiet places through.
    """
    coloured = bytearray(4 * len(attention))
    for component, table in enumerate(_TABLES):
        coloured[component::4] = attention.translate(table)
    return bytes(coloured)
