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
    levels = _Levels.untouched()
    for id_ in region.active():
        if id_ == "sharpening" or (id_ == "color" and target.is_grey):
            continue
        make = _MAKERS.get(id_)
        if make is None:
            raise ParamError(
                f"Photoshop has no adjustment layer equal to '{id_}'.",
                hint="Ask for rendered pixels instead, or leave this operator out.",
            )
        layer, levels = make(region, levels)
        layers.append(layer)
    return PhotoshopRegion(_sharpening(region, target), tuple(layers))


@dataclass(frozen=True)
class _Levels:
    """Where every level of each channel has come to, below the next layer."""

    exact: NDArray[np.float64]
    """Shape (3, 256): by the operators, 0-255."""
    drawn: NDArray[np.int64]
    """Shape (3, 256): by Photoshop's layers, which keep whole levels."""

    @classmethod
    def untouched(cls) -> _Levels:
        every = np.tile(np.arange(LEVELS), (3, 1))
        return cls(every.astype(np.float64), every)

    def after(self, alone: RegionParameters) -> NDArray[np.float64]:
        """Return `exact` after one more operator."""
        last = LEVELS - 1
        return last * np.stack(
            [point_curves(alone, row / last)[k] for k, row in enumerate(self.exact)]
        )


def _sharpening(region: RegionParameters, target: Target) -> PhotoshopSharpening | None:
    (amount,) = region.get("sharpening", "amount")
    if amount == 0.0:
        return None
    is_sharper = amount > 0.0
    return PhotoshopSharpening(
        name=OPERATORS["sharpening"].spec.label,
        amount=amount,
        filter="unsharpMask" if is_sharper else "gaussianBlur",
        # Photoshop's dialogs take tenths of a pixel from 0.1 and whole percents from 1.
        radius_px=max(0.1, round(sigma_for(target.height, target.width), 1)),
        amount_percent=max(1.0, round(100.0 * amount)) if is_sharper else None,
        opacity_percent=100.0 if is_sharper else max(1.0, round(-100.0 * amount)),
    )


def _exposure(region: RegionParameters, levels: _Levels) -> tuple[PhotoshopLayer, _Levels]:
    (ev,) = region.get("exposure", "ev")
    label = OPERATORS["exposure"].spec.label
    exposure = round(EXPOSURE_PER_EV * ev, 4)
    drawn = np.rint(np.clip(levels.drawn * 2.0 ** (exposure / EXPOSURE_PER_EV), 0, LEVELS - 1))
    exact = levels.after(_alone(region, "exposure"))
    layer = PhotoshopLayer("exposure", label, "exposure", exposure, ())
    return layer, _Levels(exact, drawn.astype(np.int64))


def _contrast(region: RegionParameters, levels: _Levels) -> tuple[PhotoshopLayer, _Levels]:
    return _curves(region, "contrast", levels)


def _tone(region: RegionParameters, levels: _Levels) -> tuple[PhotoshopLayer, _Levels]:
    return _curves(region, "tone", levels)


def _color(region: RegionParameters, levels: _Levels) -> tuple[PhotoshopLayer, _Levels]:
    return _curves(region, "color", levels)


def _curves(region: RegionParameters, id_: str, levels: _Levels) -> tuple[PhotoshopLayer, _Levels]:
    alone = _alone(region, id_)
    exact = levels.after(alone)
    drawn = levels.drawn.copy()
    curves: list[PhotoshopCurve] = []
    for channel, rows in _CHANNELS_OF[id_].items():
        if id_ == "color" and len(set(region.get(id_, channel))) == 1:
            continue
        operator = (LEVELS - 1) * point_curves(alone, np.arange(LEVELS) / (LEVELS - 1))[rows[0]]
        wanted = _wanted(operator, levels.drawn[rows], exact[rows])
        nodes, spline, mean_error, largest_error = _fit(wanted.tobytes())
        curves.append(PhotoshopCurve(channel, nodes, mean_error, largest_error))
        drawn[rows] = np.rint(spline)[levels.drawn[rows]]
    layer = PhotoshopLayer(id_, OPERATORS[id_].spec.label, "curves", None, tuple(curves))
    return layer, _Levels(exact, drawn)


def _alone(region: RegionParameters, id_: str) -> RegionParameters:
    return RegionParameters({id_: region.arguments(id_)})


def _wanted(
    operator: NDArray[np.float64], drawn: NDArray[np.int64], exact: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the curve that also takes back what the layers below missed.

    Parameters
    ----------
    operator
        Shape (256,): the operator's own curve.
    drawn
        Shape (channels, 256): where levels lie below this layer.
    exact
        Shape (channels, 256): where the same levels shall lie above it.
    """
    reached = np.unique(drawn)
    middle = [(exact[drawn == level].min() + exact[drawn == level].max()) / 2 for level in reached]
    missed = np.array(middle) - operator[reached]
    return np.asarray(operator + np.interp(np.arange(LEVELS), reached, missed))


@lru_cache(maxsize=256)
def _fit(
    curve_bytes: bytes,
) -> tuple[tuple[PhotoshopNode, ...], NDArray[np.float64], float, float]:
    curve: NDArray[np.float64] = np.frombuffer(curve_bytes, np.float64)
    inputs, outputs = fit_nodes(curve)
    spline = natural_spline(inputs, outputs)
    error = np.abs(spline - curve)
    nodes = tuple(map(PhotoshopNode, inputs.tolist(), outputs.tolist()))
    return nodes, spline, round(float(error.mean()), 3), round(float(error.max()), 3)


_CHANNELS_OF: dict[str, dict[Channel, list[int]]] = {
    "contrast": {"composite": [0, 1, 2]},
    "tone": {"composite": [0, 1, 2]},
    "color": {"red": [0], "green": [1], "blue": [2]},
}

_Maker = Callable[[RegionParameters, _Levels], tuple[PhotoshopLayer, _Levels]]
_MAKERS: dict[str, _Maker] = {
    "exposure": _exposure,
    "contrast": _contrast,
    "tone": _tone,
    "color": _color,
}

# Fitting nodes takes a tenth of a second per curve; a long list would hold up other callers.
RECIPE = Recipe("photoshop", "Photoshop", PhotoshopRecipe, make_recipe, most_strengths=8)
