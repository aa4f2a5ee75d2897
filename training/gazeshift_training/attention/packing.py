"""Photos and instance masks decoded once into flat files, so that no step waits for a JPEG."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from gazeshift_training.attention.network import working_size

MINIMUM_MASK_AREA, MAXIMUM_MASK_AREA = 0.01, 0.35
"""Instances outside these parts of the picture are too small or too large to ask about."""


@dataclass(frozen=True)
class PackedPhoto:
    """Where one photo lies in the pack."""

    photo: str
    """Path below the photo folder."""
    height: int
    """Rows, the network's working height."""
    width: int
    """Columns, the network's working width."""
    offset: int
    """First pixel, counted over the whole pack."""
    split: str
    """Split of its instances: `train`, `val`, or empty where it has none."""
    instances: tuple[int, ...]
    """Values in the index mask whose area is neither tiny nor huge."""


class PhotoPack:
    """Read access to packed photos and their index masks.

    Parameters
    ----------
    folder
        A folder that `build_pack` filled.
    """

    def __init__(self, folder: Path) -> None:
        entries = json.loads((folder / "index.json").read_text(encoding="utf-8"))["photos"]
        self.photos = [
            PackedPhoto(**{**entry, "instances": tuple(entry["instances"])}) for entry in entries
        ]
        self.position = {entry.photo: index for index, entry in enumerate(self.photos)}
        self._pixels = np.memmap(folder / "pixels.u8", np.uint8, "r")
        self._masks = np.memmap(folder / "masks.u8", np.uint8, "r")

    def rgb(self, index: int) -> NDArray[np.uint8]:
        """Photo `index`, shape (H, W, 3), sRGB codes."""
        entry = self.photos[index]
        size = entry.height * entry.width
        codes = self._pixels[entry.offset * 3 : (entry.offset + size) * 3]
        return np.asarray(codes).reshape(entry.height, entry.width, 3)

    def instance_index(self, index: int) -> NDArray[np.uint8]:
        """Index mask of photo `index`, shape (H, W); 0 where there is no instance."""
        entry = self.photos[index]
        codes = self._masks[entry.offset : entry.offset + entry.height * entry.width]
        return np.asarray(codes).reshape(entry.height, entry.width)


def build_pack(data: Path, photos: list[str], folder: Path, area: int) -> PhotoPack:
    """Decode photos at the network's working size; an existing pack for the same list is reused.

    Parameters
    ----------
    data
        Folder with `photos`, `masks` and `instances.csv`.
    photos
        Paths below `data/photos`.
    folder
        Where the pack is kept.
    area
        The network's working area in pixels.

    Returns
    -------
    PhotoPack
        The pack, ready to read.
    """
    index = folder / "index.json"
    if index.exists():
        head = json.loads(index.read_text(encoding="utf-8"))
        if head["area"] == area and [entry["photo"] for entry in head["photos"]] == photos:
            return PhotoPack(folder)
    folder.mkdir(parents=True, exist_ok=True)
    instances = read_instances(data / "instances.csv")
    entries: list[dict[str, object]] = []
    offset = 0
    with (folder / "pixels.u8").open("wb") as pixels, (folder / "masks.u8").open("wb") as masks:
        for photo in tqdm(photos, desc="packing photos", unit="photo", disable=None):
            picture = Image.open(data / "photos" / photo).convert("RGB")
            height, width = working_size(picture.height, picture.width, area)
            split, mask_file, numbers = instances.get(photo, ("", "", []))
            pixels.write(picture.resize((width, height), Image.Resampling.BILINEAR).tobytes())
            if mask_file:
                mask = Image.open(data / "masks" / mask_file)
                small = mask.resize((width, height), Image.Resampling.NEAREST)
                masks.write(np.asarray(small, np.uint8).tobytes())
            else:
                masks.write(bytes(height * width))
            entries.append(
                {
                    "photo": photo,
                    "height": height,
                    "width": width,
                    "offset": offset,
                    "split": split,
                    "instances": numbers,
                }
            )
            offset += height * width
    partial = folder / "index.partial"
    partial.write_text(json.dumps({"area": area, "photos": entries}), encoding="utf-8")
    partial.replace(index)
    return PhotoPack(folder)


def read_instances(table: Path) -> dict[str, tuple[str, str, list[int]]]:
    """Read an instance table.

    Parameters
    ----------
    table
        CSV with columns photo, mask, split, instance and area.

    Returns
    -------
    dict
        Photo path to split, mask path and the instances of a usable area.
    """
    found: dict[str, tuple[str, str, list[int]]] = {}
    with table.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            entry = found.setdefault(row["photo"], (row["split"], row["mask"], []))
            if MINIMUM_MASK_AREA <= float(row["area"]) <= MAXIMUM_MASK_AREA:
                entry[2].append(int(row["instance"]))
    return found
