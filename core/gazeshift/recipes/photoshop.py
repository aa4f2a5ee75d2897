"""Photoshop: an edit as the settings of Exposure and Curves layers, and of Smart Filters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from gazeshift.edit import Edit, RegionParameters
from gazeshift.errors import ParamError
from gazeshift.operators import OPERATORS
from gazeshift.operators.sharpening import sigma_for
from gazeshift.recipes.recipe import Recipe, Target
from gazeshift.recipes.spline_nodes import LEVELS, fit_nodes, natural_spline
from gazeshift.schema import About
from gazeshift.tables import point_curves

EXPOSURE_PER_EV = 2.2
"""Photoshop's Exposure works on values of pure gamma 2.2; one encoded stop is 2.2 of its stops."""

Channel = Literal["composite", "red", "green", "blue"]


@dataclass(frozen=True)
class PhotoshopNode:
    """A node of a Curves layer."""

    input: Annotated[int, About("Input level.", 0, 255)]
    output: Annotated[int, About("Output level.", 0, 255)]


@dataclass(frozen=True)
class PhotoshopCurve:
    """One channel's curve, a natural cubic spline through at most 14 nodes."""

    channel: Annotated[Channel, About("The channel the curve belongs to.")]
    nodes: Annotated[tuple[PhotoshopNode, ...], About("Inputs ascend from 0 to 255.", 2, 14)]
    mean_error: Annotated[float, About("Mean distance from the exact curve, in levels of 255.")]
    largest_error: Annotated[float, About("Largest distance, in levels of 255.")]


@dataclass(frozen=True)
class PhotoshopLayer:
    """One adjustment layer."""

    operator: Annotated[str, About("Id of the operator it carries out.")]
    name: Annotated[str, About("Name of the layer.")]
    kind: Annotated[Literal["exposure", "curves"], About("Kind of adjustment layer.")]
    exposure: Annotated[
        float | None, About("The Exposure layer's exposure; its offset is 0 and its gamma 1.")
    ]
    curves: Annotated[tuple[PhotoshopCurve, ...], About("The Curves layer's curves.")]


@dataclass(frozen=True)
class PhotoshopSharpening:
    """Sharpening, which no adjustment layer holds.

    Exact: a base copy rendered by the bridge with `operators` set to `["sharpening"]`.
    Approximate: a Smart Filter with the numbers here, because Photoshop filters encoded values.
    """

    name: Annotated[str, About("Name of the layer or filter.")]
    amount: Annotated[float, About("The edit's amount, -1 to 2.")]
    filter: Annotated[
        Literal["unsharpMask", "gaussianBlur"], About("The Smart Filter that comes closest.")
    ]
    radius_px: Annotated[float, About("Radius of the Smart Filter in pixels.")]
    amount_percent: Annotated[float | None, About("Amount of Unsharp Mask; null for the blur.")]
    opacity_percent: Annotated[float, About("Opacity of the Smart Filter.", 0, 100)]


@dataclass(frozen=True)
class PhotoshopRegion:
    """One region: its sharpening, then its layers from bottom to top."""

    sharpening: Annotated[PhotoshopSharpening | None, About("Null if nothing is sharpened.")]
    layers: Annotated[tuple[PhotoshopLayer, ...], About("In the order of application.")]


@dataclass(frozen=True)
class PhotoshopRecipe:
    """Both regions at one dial position."""

    strength: Annotated[float, About("Dial position that the settings belong to.", 0, 1.5)]
    foreground: Annotated[PhotoshopRegion, About("The selection's group.")]
    background: Annotated[PhotoshopRegion, About("The unmasked layers below it.")]


def make_recipe(edit: Edit, strength: float, target: Target) -> PhotoshopRecipe:
    """Translate an edit into layers; operators that change nothing are left out.

    Raises
    ------
    ParamError
        If the edit uses an operator that no layer equals, or the strength is out of range.
    """
    regions = edit.at(strength)
    return PhotoshopRecipe(
        strength, _region(regions.foreground, target), _region(regions.background, target)
    )


def _region(region: RegionParameters, target: Target) -> PhotoshopRegion:
    layers: list[PhotoshopLayer] = []
    for id_ in region.active():
        if id_ == "sharpening" or (id_ == "color" and target.is_grey):
            continue
        make = _MAKERS.get(id_)
        if make is None:
            raise ParamError(
                f"Photoshop has no adjustment layer equal to '{id_}'.",
                hint="Ask for rendered pixels instead, or leave this operator out.",
            )
        layers.append(make(region))
    return PhotoshopRegion(_sharpening(region, target), tuple(layers))


def _sharpening(region: RegionParameters, target: Target) -> PhotoshopSharpening | None:
    (amount,) = region.get("sharpening", "amount")
    if amount == 0.0:
        return None
    is_sharper = amount > 0.0
    return PhotoshopSharpening(
        name=OPERATORS["sharpening"].spec.label,
        amount=amount,
        filter="unsharpMask" if is_sharper else "gaussianBlur",
        radius_px=round(sigma_for(target.height, target.width), 2),
        amount_percent=round(100.0 * amount, 1) if is_sharper else None,
        opacity_percent=100.0 if is_sharper else round(-100.0 * amount, 1),
    )


def _exposure(region: RegionParameters) -> PhotoshopLayer:
    (ev,) = region.get("exposure", "ev")
    label = OPERATORS["exposure"].spec.label
    exposure = round(EXPOSURE_PER_EV * ev, 4)
    return PhotoshopLayer("exposure", label, "exposure", exposure, ())


def _contrast(region: RegionParameters) -> PhotoshopLayer:
    return _curves("contrast", (_fitted(region, "contrast", "composite"),))


def _tone(region: RegionParameters) -> PhotoshopLayer:
    return _curves("tone", (_fitted(region, "tone", "composite"),))


def _color(region: RegionParameters) -> PhotoshopLayer:
    channels: tuple[Channel, ...] = ("red", "green", "blue")
    return _curves(
        "color",
        tuple(
            _fitted(region, "color", channel)
            for channel in channels
            if len(set(region.get("color", channel))) > 1
        ),
    )


def _curves(id_: str, curves: tuple[PhotoshopCurve, ...]) -> PhotoshopLayer:
    return PhotoshopLayer(id_, OPERATORS[id_].spec.label, "curves", None, curves)


def _fitted(region: RegionParameters, id_: str, channel: Channel) -> PhotoshopCurve:
    alone = RegionParameters({id_: region.arguments(id_)})
    row = {"green": 1, "blue": 2}.get(channel, 0)
    curve = (LEVELS - 1) * point_curves(alone, np.arange(LEVELS) / (LEVELS - 1))[row]
    nodes, mean_error, largest_error = _fit(curve.tobytes())
    return PhotoshopCurve(channel, nodes, mean_error, largest_error)


@lru_cache(maxsize=256)
def _fit(curve_bytes: bytes) -> tuple[tuple[PhotoshopNode, ...], float, float]:
    curve: NDArray[np.float64] = np.frombuffer(curve_bytes, np.float64)
    inputs, outputs = fit_nodes(curve)
    error = np.abs(natural_spline(inputs, outputs) - curve)
    nodes = tuple(map(PhotoshopNode, inputs.tolist(), outputs.tolist()))
    return nodes, round(float(error.mean()), 3), round(float(error.max()), 3)


_MAKERS: dict[str, Callable[[RegionParameters], PhotoshopLayer]] = {
    "exposure": _exposure,
    "contrast": _contrast,
    "tone": _tone,
    "color": _color,
}

# Fitting nodes takes a tenth of a second per curve; a long list would hold up other callers.
RECIPE = Recipe("photoshop", "Photoshop", PhotoshopRecipe, make_recipe, most_strengths=8)
