"""Attention maps as pictures: colours, legend, the mask's outline, labels."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from gazeshift.lettering import LINE_HEIGHT_PX, draw_text
from gazeshift.resample import resize

# Lightness, chroma and hue in OKLab (B. Ottosson, 2020): lightness rises evenly from dark violet
# over red to pale yellow, so that equal steps of attention look like equal steps.
_HUE_STOPS_DEG = (290.0, 340.0, 390.0, 430.0, 465.0)
_CHROMA_STOPS = (0.07, 0.17, 0.20, 0.16, 0.10)
_LIGHTNESS = (0.16, 0.96)
_COLOURS = 256

BACKGROUND = 0.11
"""Encoded grey of the strips between the panels."""
LABEL_PX = LINE_HEIGHT_PX + 14
"""Height of a strip with one line of text."""
_LEGEND_WIDTH_PX = 220
_MARGIN_PX = 10


def heat_colours(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colour numbers from dark violet (0) to pale yellow (1), evenly for the eye.

    Parameters
    ----------
    values
        Any shape, clipped to 0-1.

    Returns
    -------
    NDArray[np.float32]
        Shape (..., 3), sRGB 0-1.
    """
    index = np.rint(np.clip(values, 0.0, 1.0) * (_COLOURS - 1)).astype(np.intp)
    return _palette()[index]


def draw_attention(
    rgb: NDArray[np.float32], attention: NDArray[np.float32], *, peak: float
) -> NDArray[np.float32]:
    """Lay an attention map over a grey copy of the picture.

    Parameters
    ----------
    rgb
        Shape (h, w, 3), sRGB 0-1.
    attention
        Shape (h', w'), sums to 1.
    peak
        Density (attention per cell times the number of cells) that gets the brightest colour.

    Returns
    -------
    NDArray[np.float32]
        Shape (h, w, 3), sRGB 0-1.
    """
    height, width = rgb.shape[:2]
    density = resize(attention * np.float32(attention.size), height, width)
    level = np.clip(density / np.float32(max(peak, 1e-6)), 0.0, 1.0)
    grey = rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    ground = (0.08 + 0.5 * grey)[..., None]
    weight = np.clip(0.35 + 1.3 * level, 0.0, 0.85)[..., None]
    blended: NDArray[np.float32] = ground * (1 - weight) + heat_colours(level) * weight
    return blended


def density_peak(attention: NDArray[np.float32]) -> float:
    """Return the largest density of a map: 1 would be attention spread evenly."""
    return float(attention.max() * attention.size)


def draw_outline(rgb: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """Draw the edge of a mask, white with a black rim, so that it shows on any ground.

    Parameters
    ----------
    rgb
        Shape (h, w, 3), sRGB 0-1.
    mask
        Shape (h, w), 0-1; the edge runs where it crosses one half.

    Returns
    -------
    NDArray[np.float32]
        A new array of the shape of `rgb`.
    """
    inside = mask >= 0.5
    edge = inside & ~_all_neighbours(inside)
    line = _any_neighbour(edge)
    rim = _any_neighbour(_any_neighbour(line)) & ~line
    drawn: NDArray[np.float32] = rgb.copy()
    drawn[rim] = 0.0
    drawn[line] = 1.0
    return drawn


def label_strip(text: str, width: int, *, legend: bool = False) -> NDArray[np.float32]:
    """Draw a strip with one line of text, and the legend of the colours if there is room.

    Parameters
    ----------
    text
        One line; what does not fit is shrunk.
    width
        Width in pixels.
    legend
        Whether to draw the colours' legend at the right.

    Returns
    -------
    NDArray[np.float32]
        Shape (LABEL_PX, width, 3), sRGB 0-1.
    """
    strip = np.full((LABEL_PX, width, 3), BACKGROUND, np.float32)
    room = width - 2 * _MARGIN_PX
    if legend:
        drawn = _legend()
        if drawn.shape[1] + _LEGEND_WIDTH_PX <= room:
            top = (LABEL_PX - drawn.shape[0]) // 2
            right = width - _MARGIN_PX
            strip[top : top + drawn.shape[0], right - drawn.shape[1] : right] = drawn
            room -= drawn.shape[1] + _MARGIN_PX
    letters = draw_text(text)
    if letters.shape[1] > room > 0:
        scale = room / letters.shape[1]
        letters = resize(letters, max(1, round(letters.shape[0] * scale)), room)
    if room > 0:
        top = (LABEL_PX - letters.shape[0]) // 2
        area = strip[top : top + letters.shape[0], _MARGIN_PX : _MARGIN_PX + letters.shape[1]]
        area += letters[..., None] * (0.95 - area)
    return strip


def to_codes(rgb: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return sRGB codes for sRGB values 0-1."""
    codes: NDArray[np.uint8] = np.rint(np.clip(rgb, 0.0, 1.0) * 255.0).astype(np.uint8)
    return codes


def _legend() -> NDArray[np.float32]:
    low, high = (_white_on_ground(draw_text(word)) for word in ("less ", " more attention"))
    ramp = np.broadcast_to(
        heat_colours(np.linspace(0.0, 1.0, _LEGEND_WIDTH_PX // 2, dtype=np.float32)),
        (LINE_HEIGHT_PX, _LEGEND_WIDTH_PX // 2, 3),
    )
    full = np.concatenate((low, ramp, high), axis=1)
    scale = 0.75
    return resize(full, round(full.shape[0] * scale), round(full.shape[1] * scale))


def _white_on_ground(letters: NDArray[np.float32]) -> NDArray[np.float32]:
    shade = BACKGROUND + letters * (0.95 - BACKGROUND)
    return np.repeat(shade[..., None], 3, axis=2).astype(np.float32)


def _all_neighbours(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    padded = np.pad(cells, 1, mode="edge")
    return padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]


def _any_neighbour(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    padded = np.pad(cells, 1)
    sides = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
    return cells | sides


@functools.cache
def _palette() -> NDArray[np.float32]:
    place = np.linspace(0.0, 1.0, _COLOURS)
    stops = np.linspace(0.0, 1.0, len(_HUE_STOPS_DEG))
    hue = np.deg2rad(np.interp(place, stops, _HUE_STOPS_DEG))
    chroma = np.interp(place, stops, _CHROMA_STOPS)
    lightness = _LIGHTNESS[0] + place * (_LIGHTNESS[1] - _LIGHTNESS[0])
    lab = np.stack((lightness, chroma * np.cos(hue), chroma * np.sin(hue)), axis=-1)
    return _oklab_to_srgb(lab).astype(np.float32)


def _oklab_to_srgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    to_lms = np.array(
        [
            [1.0, 0.3963377774, 0.2158037573],
            [1.0, -0.1055613458, -0.0638541728],
            [1.0, -0.0894841775, -1.2914855480],
        ]
    )
    to_rgb = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip((lab @ to_lms.T) ** 3 @ to_rgb.T, 0.0, 1.0)
    encoded: NDArray[np.float64] = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return encoded
