"""The table of instance masks, and which pairs of photo and mask train and evaluate the edit."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TRAINING_AREA = (0.02, 0.40)
"""Smallest and largest part of the picture that a training mask covers."""
VALIDATION_AREA = (0.02, 0.30)
"""Smallest and largest part of the picture that a validation mask covers."""
FEWEST_INSTANCES = 2
"""A photo with fewer instances has nothing else to look at."""
LARGEST_SHARE_BEFORE = 0.3
"""Validation masks that already draw more of the attention are left out."""
VALIDATION_SEED = 0
"""Decides which instance of a validation photo is taken."""


@dataclass(frozen=True)
class Instance:
    """One object in one photo."""

    photo: str
    """Path below `photos`."""
    mask: str
    """Path below `masks`, of the picture's index mask."""
    split: str
    """`train` or `val`."""
    number: int
    """Value of the object's pixels in the index mask."""
    category: str
    """COCO category."""
    score: float
    """Certainty of the network that made the mask, 0-1."""
    area: float
    """Part of the picture that the object covers."""


def read_instances(table: Path) -> list[Instance]:
    """Read `instances.csv`, in its order."""
    with table.open(encoding="utf-8", newline="") as stream:
        return [
            Instance(
                row["photo"],
                row["mask"],
                row["split"],
                int(row["instance"]),
                row["category"],
                float(row["score"]),
                float(row["area"]),
            )
            for row in csv.DictReader(stream)
        ]


def eligible(
    instances: Iterable[Instance], split: str, area: tuple[float, float]
) -> dict[str, list[Instance]]:
    """Group a split's usable instances by photo.

    Parameters
    ----------
    instances
        The whole table.
    split
        `train` or `val`.
    area
        Smallest and largest part of the picture.

    Returns
    -------
    dict
        Photo to its instances of that size, in the table's order; only photos that hold at
        least `FEWEST_INSTANCES` instances of any size.
    """
    by_photo: dict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        if instance.split == split:
            by_photo[instance.photo].append(instance)
    kept = {
        photo: [one for one in group if area[0] <= one.area <= area[1]]
        for photo, group in by_photo.items()
        if len(group) >= FEWEST_INSTANCES
    }
    return {photo: group for photo, group in kept.items() if group}


def validation_candidates(instances: Iterable[Instance]) -> list[Instance]:
    """Take one instance of every usable validation photo, by a fixed seed, in order of photos.

    The choice does not depend on a network, so a retrained one only changes which candidates
    `validation_pairs` keeps.
    """
    groups = eligible(instances, "val", VALIDATION_AREA)
    generator = np.random.default_rng(VALIDATION_SEED)
    return [groups[photo][int(generator.integers(len(groups[photo])))] for photo in sorted(groups)]


def validation_pairs(
    instances: Iterable[Instance], share_of: Callable[[Instance], float]
) -> list[Instance]:
    """Choose the pairs that every figure is reported on.

    Parameters
    ----------
    instances
        The whole table.
    share_of
        Attention share inside an instance before any edit, by the shipped attention network.

    Returns
    -------
    list of Instance
        One per photo, 2-30 % of the picture, share before at most 0.3.
    """
    return [
        one for one in validation_candidates(instances) if share_of(one) <= LARGEST_SHARE_BEFORE
    ]


def load_pair(data: Path, instance: Instance) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Read a photo and the mask of one of its objects.

    Parameters
    ----------
    data
        Folder with `photos` and `masks`.
    instance
        Which object.

    Returns
    -------
    tuple
        Pixels (H, W, 3), sRGB codes, and the mask (H, W), 0 or 1.
    """
    numbers = load_index(data, instance.mask)
    return load_photo(data, instance.photo), (numbers == instance.number).astype(np.float32)


def load_photo(data: Path, photo: str) -> NDArray[np.uint8]:
    """Read a photo's pixels (H, W, 3), sRGB codes."""
    with Image.open(data / "photos" / photo) as picture:
        return np.asarray(picture.convert("RGB"), np.uint8)


def load_index(data: Path, mask: str) -> NDArray[np.integer]:
    """Read an index mask (H, W): which object each pixel belongs to."""
    with Image.open(data / "masks" / mask) as picture:
        return np.asarray(picture)


def hold_out(photos: Sequence[str], count: int) -> tuple[list[str], list[str]]:
    """Divide training photos into those trained on and `count` that choose between recipes."""
    order = np.random.default_rng(VALIDATION_SEED).permutation(len(photos))
    held = {int(position) for position in order[:count]}
    return (
        [photo for position, photo in enumerate(photos) if position not in held],
        [photos[position] for position in sorted(held)],
    )
