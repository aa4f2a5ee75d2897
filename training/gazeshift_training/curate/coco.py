"""The COCO format: instance annotations in one JSON file, decoded without further packages."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gazeshift.errors import ParamError

Segmentation = Sequence[Sequence[float]] | Mapping[str, Any]
"""Polygons (x0, y0, x1, y1, …), or run lengths `{"size": [h, w], "counts": …}`."""


@dataclass(frozen=True)
class CocoAnnotation:
    """One object."""

    category: str
    """Name of its category, with underscores."""
    segmentation: Segmentation
    """Its outline."""
    is_crowd: bool
    """Whether it stands for a group whose members are not outlined."""


@dataclass(frozen=True)
class CocoPhoto:
    """One photo and its objects."""

    file_name: str
    """Name inside the photo folder."""
    height: int
    """Rows."""
    width: int
    """Columns."""
    annotations: tuple[CocoAnnotation, ...]
    """In the file's order."""


def read_coco(path: Path) -> list[CocoPhoto]:
    """Read an `instances_*.json`.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of CocoPhoto
        In the file's order; photos without objects too.

    Raises
    ------
    ParamError
        If the file is missing or not in this format.
    """
    if not path.is_file():
        raise ParamError(
            f"There are no annotations at {path.name}.",
            hint="Name the folder that holds annotations/instances_train2017.json.",
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = {entry["id"]: entry["name"] for entry in content["categories"]}
        objects: dict[int, list[CocoAnnotation]] = defaultdict(list)
        for entry in content["annotations"]:
            objects[entry["image_id"]].append(
                CocoAnnotation(
                    names[entry["category_id"]].replace(" ", "_"),
                    entry["segmentation"],
                    bool(entry.get("iscrowd", 0)),
                )
            )
        return [
            CocoPhoto(
                entry["file_name"],
                int(entry["height"]),
                int(entry["width"]),
                tuple(objects[entry["id"]]),
            )
            for entry in content["images"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParamError(f"{path.name} is not in the COCO instances format: {error!r}.") from error


def decode_segmentation(segmentation: Segmentation, height: int, width: int) -> NDArray[np.bool_]:
    """Draw an outline.

    Parameters
    ----------
    segmentation
        Polygons, or run lengths as numbers or as COCO's text.
    height, width
        Size of the photo.

    Returns
    -------
    NDArray
        Shape (height, width).

    Raises
    ------
    ParamError
        If run lengths do not fill the photo.
    """
    if isinstance(segmentation, Mapping):
        return _decode_runs(segmentation["counts"], height, width)
    canvas = Image.new("1", (width, height))
    pen = ImageDraw.Draw(canvas)
    for polygon in segmentation:
        if len(polygon) >= 6:
            # COCO's coordinates are corners of pixels, the pen's are centres.
            points = [(x - 0.5, y - 0.5) for x, y in zip(polygon[::2], polygon[1::2], strict=True)]
            pen.polygon(points, fill=1)
    return np.array(canvas, np.bool_)


def _decode_runs(counts: Sequence[int] | str, height: int, width: int) -> NDArray[np.bool_]:
    runs = _unpack_runs(counts) if isinstance(counts, str) else list(counts)
    if sum(runs) != height * width or any(run < 0 for run in runs):
        raise ParamError(f"Run lengths cover {sum(runs)} pixels of {height} x {width}.")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    # COCO counts down the columns.
    return np.asarray(flat.reshape(width, height).T, np.bool_)


def _unpack_runs(text: str) -> list[int]:
    """Decode COCO's text: 5 bits a character, from the third run on as differences."""
    runs: list[int] = []
    number, shift = 0, 0
    for character in text:
        code = ord(character) - 48
        number |= (code & 0x1F) << shift
        shift += 5
        if not code & 0x20:
            if code & 0x10:
                number -= 1 << shift
            runs.append(number + runs[-2] if len(runs) > 2 else number)
            number, shift = 0, 0
    return runs
