"""The reference decoder: the chain of operators and its composition, for numpy and torch.

Slow and plain on purpose; `render` is fast and is tested against this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gazeshift.edit import RegionParameters
from gazeshift.errors import ParamError
from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift.operators.sharpening import SIGMA_PER_DIAGONAL, sigma_for
from gazeshift.operators.spec import Array, Value

Values = Mapping[str, Mapping[str, Value]]
"""Operator id → parameter name → a float, a sequence, or a batch of them as an array."""


def values_of(region: RegionParameters) -> Values:
    """Return the keyword arguments of every operator that changes something."""
    return {id_: region.arguments(id_) for id_ in region.active()}


def split_vector(vector: Array) -> Values:
    """Name the numbers of one region, without checking them, keeping gradients.

    Parameters
    ----------
    vector
        Shape (..., 35), the default chain's numbers in the order of application.

    Returns
    -------
    Values
        Numbers have shape (...), slopes shape (..., 8).

    Raises
    ------
    ParamError
        If the last axis has another length.
    """
    values: dict[str, dict[str, Value]] = {}
    position = 0
    for id_ in DEFAULT_CHAIN:
        values[id_] = {}
        for parameter in OPERATORS[id_].spec.parameters:
            piece = vector[..., position : position + parameter.count]
            values[id_][parameter.name] = piece[..., 0] if parameter.count == 1 else piece
            position += parameter.count
    if vector.shape[-1] != position:
        raise ParamError(f"A region takes {position} numbers; {vector.shape[-1]} were given.")
    return values


def apply_chain(
    rgb: Array,
    values: Values,
    *,
    order: Sequence[str] | None = None,
    diagonal_px: float | None = None,
) -> Array:
    """Apply one region's operators to the whole image.

    Parameters
    ----------
    rgb
        Shape (..., H, W, 3), encoded, 0-1.
    values
        Parameters by operator; operators that are left out change nothing.
    order
        Order of application; by default the operators' own.
    diagonal_px
        Diagonal of the whole picture in pixels when `rgb` is a part of it.

    Returns
    -------
    Array
        Shape of `rgb`; the very same array when nothing is applied.
    """
    sequence = [id_ for id_ in OPERATORS if id_ in values] if order is None else order
    for id_ in sequence:
        if id_ not in values:
            continue
        arguments = dict(values[id_])
        if id_ == "sharpening":
            arguments["sigma_px"] = (
                sigma_for(rgb.shape[-3], rgb.shape[-2])
                if diagonal_px is None
                else diagonal_px * SIGMA_PER_DIAGONAL
            )
        rgb = OPERATORS[id_].apply(rgb, **arguments)
    return rgb


def blend(foreground: Array, background: Array, mask: Array) -> Array:
    """Mix two images once, `m F + (1 - m) B`, in encoded values.

    Parameters
    ----------
    foreground, background
        Shape (..., H, W, 3).
    mask
        Shape (..., H, W), 0-1; 1 is foreground.
    """
    weight = mask[..., None]
    # Written so that equal images and the mask's ends come out bit for bit.
    return foreground * weight + background * (1.0 - weight)


def apply_regions(
    rgb: Array,
    mask: Array,
    foreground: RegionParameters | Values,
    background: RegionParameters | Values,
    *,
    order: Sequence[str] | None = None,
) -> Array:
    """Run the foreground's and the background's chain on the whole image and blend once.

    Parameters
    ----------
    rgb
        Shape (..., H, W, 3), encoded, 0-1.
    mask
        Shape (..., H, W), 0-1; 1 is foreground.
    foreground, background
        Parameters of the two regions, as applied (after the dial).
    order
        Order of application; by default the operators' own.

    Returns
    -------
    Array
        Shape of `rgb`. If neither region changes anything, the very same array.
    """
    chains = [
        values_of(region) if isinstance(region, RegionParameters) else region
        for region in (foreground, background)
    ]
    if not chains[0] and not chains[1]:
        return rgb
    first, second = (apply_chain(rgb, values, order=order) for values in chains)
    return blend(first, second, mask)
