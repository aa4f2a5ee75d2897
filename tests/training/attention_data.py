"""A tiny data set with fixations and instance masks, made on the spot."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 72, 96
SQUARE = 16


def square_corner(index: int) -> tuple[int, int]:
    """Top and left of the white square that everybody looks at in photo `index`."""
    return 8 + 4 * (index % 8), 12 + 8 * (index % 8)


def make_data(folder: Path, train: int = 12, test: int = 2) -> Path:
    """Write photos, masks and tables: a white square on grey noise, looked at by four people."""
    generator = np.random.default_rng(3)
    for name in ("photos/osie", "photos/coco", "masks/osie", "masks/coco"):
        (folder / name).mkdir(parents=True)
    fixations: list[list[object]] = []
    instances: list[list[object]] = []
    for index in range(train + test + 2):
        source = "coco" if index >= train + test else "osie"
        photo = f"{source}/{index:03d}.png"
        codes = generator.integers(40, 120, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        top, left = square_corner(index)
        codes[top : top + SQUARE, left : left + SQUARE] = 250
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[top : top + SQUARE, left : left + SQUARE] = 1
        Image.fromarray(codes).save(folder / "photos" / photo)
        Image.fromarray(mask).save(folder / "masks" / photo)
        area = SQUARE * SQUARE / (HEIGHT * WIDTH)
        split = "val" if train <= index < train + test else "train"
        instances.append([photo, photo, split, 1, "square", 0.9, round(area, 4)])
        if source == "coco":
            continue
        for observer in range(4):
            for order in range(8):
                x = (left + generator.uniform(2, SQUARE - 2)) / WIDTH
                y = (top + generator.uniform(2, SQUARE - 2)) / HEIGHT
                kind = "train" if index < train else "test"
                fixations.append([photo, kind, observer, order, f"{x:.4f}", f"{y:.4f}"])
    with gzip.open(folder / "fixations.csv.gz", "wt", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["photo", "split", "observer", "order", "x", "y"])
        writer.writerows(fixations)
    with (folder / "instances.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["photo", "mask", "split", "instance", "category", "score", "area"])
        writer.writerows(instances)
    return folder
