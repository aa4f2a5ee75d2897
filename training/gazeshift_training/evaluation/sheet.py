"""Contact sheets: before, after, both attention maps and the parameters, one pair a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gazeshift.attention import attention_share
from gazeshift.edit import Direction, Edit, RegionParameters
from gazeshift.tables import point_curves
from gazeshift_training.baselines.method import dial_of
from gazeshift_training.evaluation.measure import enlarge
from gazeshift_training.metrics.saliency import min_max

if TYPE_CHECKING:
    from gazeshift.attention import AttentionModel
    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.evaluation.tools import Tools

TILE_PX = 300
"""Long side of a picture on the sheet."""
GAP_PX = 6
CAPTION_PX = 18
JPEG_QUALITY = 75
_PAPER = (250, 250, 250)
_INK = (25, 25, 25)
_EDGE = (255, 230, 60)
_CHANNELS = ((200, 40, 40), (40, 150, 60), (50, 80, 210))


@dataclass(frozen=True, eq=False)
class SheetEntry:
    """One row of a sheet."""

    pair: Pair
    """The photo and its mask."""
    edit: Edit
    """What is shown."""
    note: str
    """Shown above the row: why it is here, and figures."""


def draw_sheet(
    entries: Sequence[SheetEntry], judge: AttentionModel, title: str, path: Path
) -> None:
    """Draw a page.

    Parameters
    ----------
    entries
        Rows from top to bottom, at least one.
    judge
        Whose attention maps are shown.
    title
        Stands at the top.
    path
        Picture file, written beside and renamed; its ending names the format.
    """
    rows = [_draw_row(entry, judge) for entry in entries]
    width = max(row.width for row in rows)
    height = CAPTION_PX + GAP_PX + sum(row.height + GAP_PX for row in rows)
    page = Image.new("RGB", (width, height), _PAPER)
    heading = f"{title}   (before, after, attention before, attention after, parameters)"
    ImageDraw.Draw(page).text((GAP_PX, 3), heading, fill=_INK, font=_font())
    top = CAPTION_PX + GAP_PX
    for row in rows:
        page.paste(row, (0, top))
        top += row.height + GAP_PX
    partial = path.with_name(f"{path.stem}.partial{path.suffix}")
    page.save(partial, quality=JPEG_QUALITY)
    partial.replace(path)


def model_entry(pair: Pair, direction: Direction, tools: Tools, note: str = "") -> SheetEntry:
    """Show the model's edit at dial 1."""
    both = tools.prediction(pair)
    return SheetEntry(pair, both.attract if direction == "attract" else both.divert, note)


def _draw_row(entry: SheetEntry, judge: AttentionModel) -> Image.Image:
    pair, edit = entry.pair, entry.edit
    edited = dial_of(edit, pair)(edit.strength)
    maps = [judge.map(rgb) for rgb in (pair.rgb, edited)]
    shares = [attention_share(attention, pair.mask) for attention in maps]
    tiles = [
        _tile(_outline(pair.rgb, pair.mask)),
        _tile(edited),
        *(_tile(_heat(pair.rgb, attention)) for attention in maps),
    ]
    height = tiles[0].height
    panels = [
        _parameters(region, name, height)
        for region, name in ((edit.foreground, "inside"), (edit.background, "outside"))
    ]
    pieces = [*tiles, *panels]
    width = sum(piece.width + GAP_PX for piece in pieces) + GAP_PX
    row = Image.new("RGB", (width, height + CAPTION_PX), _PAPER)
    change = shares[1] / shares[0] if shares[0] > 0 else float("nan")
    caption = (
        f"{pair.name}  {edit.direction}  share {shares[0]:.3f} to {shares[1]:.3f} "
        f"({change:.2f})  {entry.note}"
    )
    ImageDraw.Draw(row).text((GAP_PX, 2), caption, fill=_INK, font=_font())
    left = GAP_PX
    for piece in pieces:
        row.paste(piece, (left, CAPTION_PX))
        left += piece.width + GAP_PX
    return row


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(12)


def _tile(rgb: NDArray[np.floating]) -> Image.Image:
    codes = np.rint(np.clip(rgb, 0.0, 1.0) * 255).astype(np.uint8)
    picture = Image.fromarray(codes)
    scale = TILE_PX / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _outline(rgb: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
    inside = mask > 0.5
    shifted = np.zeros_like(inside)
    for axis in (0, 1):
        for step in (-1, 1):
            shifted |= np.roll(inside, step, axis)
    drawn: NDArray[np.float32] = rgb.copy()
    drawn[shifted & ~inside] = np.array(_EDGE, np.float32) / 255
    return drawn


def _heat(rgb: NDArray[np.float32], attention: NDArray[np.float32]) -> NDArray[np.float64]:
    level = min_max(enlarge(attention, rgb.shape[0], rgb.shape[1]))[..., None]
    grey = np.repeat(rgb.mean(-1, keepdims=True), 3, axis=-1)
    # Dark blue over red to yellow, drawn on the grey photo.
    warm = np.concatenate(
        (np.clip(2 * level, 0, 1), np.clip(2 * level - 1, 0, 1), 0.2 * (1 - level)), axis=-1
    )
    return np.asarray(0.45 * grey + 0.55 * warm, np.float64)


def _parameters(region: RegionParameters, name: str, height: int) -> Image.Image:
    side = min(150, height - 44)
    panel = Image.new("RGB", (side + 8, height), _PAPER)
    pen = ImageDraw.Draw(panel)
    numbers = (("sharpening", "amount"), ("exposure", "ev"), ("contrast", "amount"))
    sharpening, exposure, contrast = (region.get(*key)[0] for key in numbers)
    pen.text((2, 0), name, fill=_INK, font=_font())
    pen.text((2, 13), f"sh {sharpening:+.2f} ev {exposure:+.2f}", fill=_INK, font=_font())
    pen.text((2, 26), f"contrast {contrast:+.2f}", fill=_INK, font=_font())
    top = 42
    pen.rectangle((2, top, 2 + side, top + side), outline=(190, 190, 190))
    pen.line((2, top + side, 2 + side, top), fill=(220, 220, 220))
    positions = np.linspace(0.0, 1.0, side + 1)
    for curve, colour in zip(point_curves(region, positions), _CHANNELS, strict=True):
        points = [
            (2 + x, top + side - round(float(y) * side)) for x, y in enumerate(curve.tolist())
        ]
        pen.line(points, fill=colour)
    return panel
