"""GIMP 3.2: an edit as the settings of GIMP's own non-destructive filters.

GIMP 3.0 and 2.10 cannot hold them; their plug-ins ask for rendered pixels instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np

from gazeshift.edit import Edit, RegionParameters
from gazeshift.errors import ParamError
from gazeshift.operators import OPERATORS
from gazeshift.operators.sharpening import sigma_for
from gazeshift.recipes.recipe import Recipe, Target
from gazeshift.schema import About
from gazeshift.tables import point_curves

SAMPLES = 256
"""Samples of a free curve in GIMP."""

TRC = "non-linear"
"""GIMP's word for values encoded as the document encodes them, whatever its profile."""

Channel = Literal["value", "red", "green", "blue"]


@dataclass(frozen=True)
class GimpPoint:
    """A control point of a GIMP curve, of type CORNER."""

    x: Annotated[float, About("Input, encoded.", 0, 1)]
    y: Annotated[float, About("Output, encoded.", 0, 1)]


@dataclass(frozen=True)
class GimpCurve:
    """One channel's curve of a gimp:curves filter: either corner points or free samples."""

    channel: Annotated[Channel, About("The channel the curve belongs to.")]
    points: Annotated[
        tuple[GimpPoint, ...], About("Points of a SMOOTH curve; empty for a FREE curve.")
    ]
    samples: Annotated[
        tuple[float, ...], About("256 outputs of a FREE curve; empty for a SMOOTH curve.")
    ]


@dataclass(frozen=True)
class GimpFilter:
    """One non-destructive filter with its settings."""

    operator: Annotated[str, About("Id of the operator it carries out.")]
    operation: Annotated[str, About("Name of the GEGL or GIMP operation.")]
    label: Annotated[str, About("Name shown in GIMP.")]
    opacity: Annotated[float, About("Opacity of the filter.", 0, 1)]
    properties: Annotated[
        dict[str, Any], About("Property name to number, true or false, or an enum value's nick.")
    ]
    curves: Annotated[tuple[GimpCurve, ...], About("Curves by channel, for gimp:curves.")]


@dataclass(frozen=True)
class GimpRecipe:
    """Both layers' filters at one dial position, in the order of application (first to last)."""

    strength: Annotated[float, About("Dial position that the settings belong to.", 0, 1.5)]
    foreground: Annotated[tuple[GimpFilter, ...], About("Filters of the selection's layer.")]
    background: Annotated[tuple[GimpFilter, ...], About("Filters of the background layer.")]


def make_recipe(edit: Edit, strength: float, target: Target) -> GimpRecipe:
    """Translate an edit into filters; operators that change nothing are left out.

    Raises
    ------
    ParamError
        If the edit uses an operator that no GIMP filter equals, or the strength is out of range.
    """
    regions = edit.at(strength)
    return GimpRecipe(
        strength,
        _filters(regions.foreground, target),
        _filters(regions.background, target),
    )


def _filters(region: RegionParameters, target: Target) -> tuple[GimpFilter, ...]:
    filters: list[GimpFilter] = []
    for id_ in region.active():
        make = _MAKERS.get(id_)
        if make is None:
            raise ParamError(
                f"GIMP has no filter equal to '{id_}'.",
                hint="Ask for rendered pixels instead, or leave this operator out.",
            )
        made = make(region, target)
        if made is not None:
            filters.append(made)
    return tuple(filters)


def _filter(
    id_: str,
    operation: str,
    properties: dict[str, Any],
    *,
    opacity: float = 1.0,
    curves: tuple[GimpCurve, ...] = (),
) -> GimpFilter:
    return GimpFilter(id_, operation, OPERATORS[id_].spec.label, opacity, properties, curves)


def _sharpening(region: RegionParameters, target: Target) -> GimpFilter:
    (amount,) = region.get("sharpening", "amount")
    sigma_px = sigma_for(target.height, target.width)
    if amount > 0.0:
        return _filter(
            "sharpening",
            "gegl:unsharp-mask",
            {"std-dev": _unsharp_std_dev(sigma_px), "scale": amount, "threshold": 0.0},
        )
    # GIMP mixes this filter's result in linear light, which is what a negative amount means.
    return _filter(
        "sharpening",
        "gegl:gaussian-blur",
        # The finite filter is the Gaussian itself; "auto" would take a recursive approximation.
        {"std-dev-x": sigma_px, "std-dev-y": sigma_px, "filter": "fir"},
        opacity=-amount,
    )


def _unsharp_std_dev(sigma_px: float) -> float:
    """Return the setting at which GIMP's unsharp mask comes closest to a Gaussian of `sigma_px`.

    Up to 1 px GIMP blurs exactly; above, its recursive filter is a little too wide. Measured in
    GIMP 3.2.6 for 0.6 to 14 px: the mean error of an amount of 0.8 falls from 0.4 to 0.2 of 255.
    """
    return sigma_px if sigma_px <= 1.0 else max(1.0, sigma_px - 0.17)


def _exposure(region: RegionParameters, target: Target) -> GimpFilter:
    (ev,) = region.get("exposure", "ev")
    return _filter(
        "exposure",
        "gimp:levels",
        {
            "trc": TRC,
            "channel": "value",
            "low-input": 0.0,
            "high-input": min(1.0, 2.0**-ev),
            "gamma": 1.0,
            "low-output": 0.0,
            "high-output": min(1.0, 2.0**ev),
            "clamp-input": True,
            "clamp-output": True,
        },
    )


def _contrast(region: RegionParameters, target: Target) -> GimpFilter:
    samples = _curve(region, "contrast", tuple(k / (SAMPLES - 1) for k in range(SAMPLES)))[0]
    return _curves("contrast", (GimpCurve("value", (), _rounded(samples)),))


def _tone(region: RegionParameters, target: Target) -> GimpFilter:
    return _curves("tone", (_corners("value", *_outputs(region, "tone", "slopes")),))


def _color(region: RegionParameters, target: Target) -> GimpFilter | None:
    if target.is_grey:
        return None
    positions, outputs = _outputs(region, "color", "red")
    channels: tuple[Channel, ...] = ("red", "green", "blue")
    return _curves(
        "color",
        tuple(
            _corners(channel, positions, outputs[k : k + 1])
            for k, channel in enumerate(channels)
            if len(set(region.get("color", channel))) > 1
        ),
    )


def _curves(id_: str, curves: tuple[GimpCurve, ...]) -> GimpFilter:
    return _filter(id_, "gimp:curves", {"trc": TRC}, curves=curves)


def _outputs(region: RegionParameters, id_: str, name: str) -> tuple[tuple[float, ...], Any]:
    count = len(region.get(id_, name))
    # GIMP samples a curve at 256 places and moves every corner to the nearest of them.
    last = SAMPLES - 1
    positions = tuple(round(k * last / count) / last for k in range(count + 1))
    return positions, _curve(region, id_, positions)


def _corners(channel: Channel, positions: tuple[float, ...], outputs: Any) -> GimpCurve:
    return GimpCurve(channel, tuple(map(GimpPoint, positions, _rounded(outputs[0]))), ())


def _curve(region: RegionParameters, id_: str, positions: tuple[float, ...]) -> Any:
    alone = RegionParameters({id_: region.arguments(id_)})
    return point_curves(alone, _array(positions))


@lru_cache(maxsize=8)
def _array(positions: tuple[float, ...]) -> Any:
    return np.asarray(positions, np.float64)


def _rounded(values: Any) -> tuple[float, ...]:
    # A millionth is 1/15 of a 16-bit code; more digits would only make the answer longer.
    return tuple(np.round(values, 6).tolist())


_MAKERS: dict[str, Callable[[RegionParameters, Target], GimpFilter | None]] = {
    "sharpening": _sharpening,
    "exposure": _exposure,
    "contrast": _contrast,
    "tone": _tone,
    "color": _color,
}

RECIPE = Recipe("gimp", "GIMP 3.2", GimpRecipe, make_recipe)
