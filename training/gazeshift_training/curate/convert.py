"""A COCO folder as the training's own: small photos, index masks, and the instance table."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from gazeshift.proxy import PROXY_LONG_SIDE, proxy_size
from gazeshift_training.curate.coco import CocoPhoto, Segmentation, decode_segmentation, read_coco
from gazeshift_training.curate.rules import RuleReport

JPEG_QUALITY = 86
MOST_INSTANCES = 255
"""An index mask is 8 bits deep; further objects of a photo are left out."""
SMALLEST_PX = 16
"""Objects that cover fewer pixels of the small photo are left out."""
SPLITS = {"train2017": "train", "val2017": "val"}
COLUMNS = ("photo", "mask", "split", "instance", "category", "score", "area")


def convert_coco(coco: Path, out: Path) -> RuleReport:
    """Write `photos`, `masks` and `instances.csv` from an official COCO folder.

    Parameters
    ----------
    coco
        Holds `annotations/instances_<split>.json` and the photos in `<split>`, for the splits
        train2017 and val2017; one of them may be absent.
    out
        Folder to fill. Photos that are there are not written again.

    Returns
    -------
    RuleReport
        What was left out, and why.

    Raises
    ------
    ParamError
        If there are no annotations, or they are in another format.
    """
    found = [name for name in SPLITS if (coco / f"annotations/instances_{name}.json").is_file()]
    report = RuleReport("converting")
    rows: list[list[str]] = []
    for name in found or list(SPLITS)[:1]:
        photos = read_coco(coco / f"annotations/instances_{name}.json")
        report.start(len(photos), sum(len(photo.annotations) for photo in photos))
        for photo in tqdm(photos, f"converting {name}", unit="photo", disable=None):
            rows += _convert_photo(photo, coco / name, out, SPLITS[name], report)
    table = out / "instances.csv"
    partial = out / "instances.csv.partial"
    with partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    partial.replace(table)
    return report


def _convert_photo(
    photo: CocoPhoto, folder: Path, out: Path, split: str, report: RuleReport
) -> list[list[str]]:
    try:
        with Image.open(folder / photo.file_name) as opened:
            picture = opened.convert("RGB")
    except (OSError, UnidentifiedImageError):
        report.drop("photo missing or unreadable", 1, len(photo.annotations))
        return []
    if (picture.height, picture.width) != (photo.height, photo.width):
        report.drop("photo of another size than its annotations", 1, len(photo.annotations))
        return []
    crowds = sum(annotation.is_crowd for annotation in photo.annotations)
    report.drop("crowd, no single object", 0, crowds)
    height, width = proxy_size(photo.height, photo.width, PROXY_LONG_SIDE)
    outlines = [
        (annotation.category, _shrink(annotation.segmentation, photo, height, width))
        for annotation in photo.annotations
        if not annotation.is_crowd
    ]
    # Smaller objects lie on larger ones: a cup on a table keeps its pixels.
    outlines.sort(key=lambda entry: -int(entry[1].sum()))
    report.drop("more objects than an index mask holds", 0, max(0, len(outlines) - MOST_INSTANCES))
    outlines = outlines[:MOST_INSTANCES]
    index = np.zeros((height, width), np.uint8)
    for number, (_, inside) in enumerate(outlines, start=1):
        index[inside] = number
    name = f"coco/{Path(photo.file_name).with_suffix('').name}"
    rows: list[list[str]] = []
    for number, (category, _) in enumerate(outlines, start=1):
        covered = int((index == number).sum())
        if covered < SMALLEST_PX:
            report.drop(f"fewer than {SMALLEST_PX} visible pixels", 0, 1)
            continue
        area = f"{covered / index.size:.4f}"
        rows.append([f"{name}.jpg", f"{name}.png", split, str(number), category, "1.0", area])
    if not rows:
        report.drop("no object left", 1, 0)
        return []
    _write(picture, index, out, name)
    return rows


def _shrink(
    segmentation: Segmentation, photo: CocoPhoto, height: int, width: int
) -> NDArray[np.bool_]:
    full = decode_segmentation(segmentation, photo.height, photo.width)
    picture = Image.fromarray(full.astype(np.uint8) * 255)
    return np.asarray(picture.resize((width, height), Image.Resampling.BOX)) >= 128


def _write(picture: Image.Image, index: NDArray[np.uint8], out: Path, name: str) -> None:
    height, width = index.shape
    small = picture.resize((width, height), Image.Resampling.BOX)
    for path, content in (
        (out / "photos" / f"{name}.jpg", small),
        (out / "masks" / f"{name}.png", Image.fromarray(index)),
    ):
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name("partial-" + path.name)
        # PNG has no such option and ignores it.
        content.save(partial, quality=JPEG_QUALITY)
        partial.replace(path)
