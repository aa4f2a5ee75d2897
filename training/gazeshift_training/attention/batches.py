"""Batches for the attention network: photos of one shape, augmented, with their fixation maps."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from gazeshift_training.attention.edits import LOCAL_EDITS, LocalEdit, blur, edit_region
from gazeshift_training.attention.edits import is_applicable as edit_is_applicable
from gazeshift_training.attention.network import MAP_STRIDE
from gazeshift_training.fixations import PhotoFixations, blur_counts, count_fixations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazeshift_training.attention.packing import PhotoPack

MINIMUM_FIXATIONS = 20
"""A crop that keeps fewer fixations than this is not made."""


@dataclass(frozen=True)
class FixationBatch:
    """Photos with where people looked."""

    rgb: Tensor
    """Shape (B, 3, H, W), 0-1."""
    counts: Tensor
    """Shape (B, 1, H/4, W/4), fixations per cell."""
    density: Tensor
    """Shape (B, 1, H/4, W/4), blurred by one degree, sums to 1 per photo."""


@dataclass(frozen=True)
class EditPairBatch:
    """Photos before and after a local edit whose direction is known."""

    before: Tensor
    """Shape (B, 3, H, W), 0-1."""
    after: Tensor
    """Shape (B, 3, H, W), 0-1."""
    mask: Tensor
    """Shape (B, 1, H/4, W/4), 0-1: the region whose share must move."""
    direction: Tensor
    """Shape (B,), 1 or -1."""


def plan_batches(
    pack: PhotoPack, indices: Sequence[int], batch: int, generator: np.random.Generator
) -> list[list[int]]:
    """Cut shuffled photos into batches of one shape each, in shuffled order."""
    shapes: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index in generator.permutation(np.asarray(indices, np.int64)):
        entry = pack.photos[int(index)]
        shapes[(entry.height, entry.width)].append(int(index))
    batches = [
        group[start : start + batch]
        for group in shapes.values()
        for start in range(0, len(group), batch)
    ]
    return [batches[i] for i in generator.permutation(len(batches))]


def as_tensor(codes: NDArray[np.uint8]) -> Tensor:
    """Turn (H, W, 3) codes into (3, H, W), 0-1."""
    return torch.from_numpy(codes.copy()).permute(2, 0, 1).float() / 255.0


def vary_globally(rgb: Tensor, strength: float, generator: np.random.Generator) -> Tensor:
    """Change exposure, gamma, contrast, saturation and white balance a little, everywhere alike.

    Parameters
    ----------
    rgb
        Shape (3, H, W), 0-1.
    strength
        0 changes nothing; 0.15 is mild.
    generator
        Source of chance.
    """
    draws = generator.uniform(-1.0, 1.0, 7) * strength
    gains = torch.tensor(2.0 ** (draws[0] + 0.3 * draws[4:7]), dtype=rgb.dtype)
    varied = (rgb * gains[:, None, None]).clamp(1e-4, 1.0) ** float(2.0 ** draws[1])
    grey = varied.mean(0, keepdim=True)
    varied = grey + float(2.0 ** (2.0 * draws[2])) * (varied - grey)
    mean = varied.mean()
    return (mean + float(2.0 ** draws[3]) * (varied - mean)).clamp(0.0, 1.0)


def draw_fixation_batch(
    pack: PhotoPack,
    fixations: dict[str, PhotoFixations],
    indices: Sequence[int],
    smallest_crop: float,
    photometric: float,
    generator: np.random.Generator,
) -> FixationBatch:
    """Augment photos of one shape and make their fixation maps.

    Parameters
    ----------
    pack
        Where the photos are.
    fixations
        By photo path.
    indices
        Positions in the pack, all of one shape.
    smallest_crop
        Side of the smallest crop as a part of the photo's; 1 never crops.
    photometric
        Strength for `vary_globally`.
    generator
        Source of chance.
    """
    pictures: list[Tensor] = []
    maps: list[NDArray[np.float32]] = []
    for index in indices:
        entry = pack.photos[index]
        rgb = as_tensor(pack.rgb(index))
        points = fixations[entry.photo].points
        side = generator.uniform(smallest_crop, 1.0)
        left, top = generator.uniform(0.0, 1.0 - side, 2)
        cropped = (points - np.array([left, top], np.float32)) / np.float32(side)
        inside = np.all((cropped >= 0) & (cropped <= 1), axis=1)
        if side < 1.0 and inside.sum() >= MINIMUM_FIXATIONS:
            rgb, points = _crop(rgb, left, top, side), cropped[inside]
        if generator.random() < 0.5:
            rgb = rgb.flip(2)
            points = np.array([1.0, 0.0], np.float32) + points * np.array([-1.0, 1.0], np.float32)
        pictures.append(vary_globally(rgb, photometric, generator))
        maps.append(count_fixations(points, entry.height // MAP_STRIDE, entry.width // MAP_STRIDE))
    return FixationBatch(
        rgb=torch.stack(pictures),
        counts=torch.from_numpy(np.stack(maps))[:, None],
        density=torch.from_numpy(np.stack([blur_counts(counts) for counts in maps]))[:, None],
    )


def _crop(rgb: Tensor, left: float, top: float, side: float) -> Tensor:
    height, width = rgb.shape[1:]
    # grid_sample keeps the crop exact to a fraction of a pixel, as the fixations are.
    theta = torch.tensor(
        [[[side, 0.0, 2 * left + side - 1], [0.0, side, 2 * top + side - 1]]], dtype=torch.float32
    )
    grid = functional.affine_grid(theta, [1, 3, height, width], align_corners=False)
    return functional.grid_sample(rgb[None], grid, padding_mode="border", align_corners=False)[0]


def draw_edit_pairs(
    pack: PhotoPack, indices: Sequence[int], photometric: float, generator: np.random.Generator
) -> EditPairBatch:
    """Edit one instance, or its surroundings the other way round, in each photo.

    Parameters
    ----------
    pack
        Where photos and index masks are; each photo must have an instance.
    indices
        Positions in the pack, all of one shape.
    photometric
        Strength of a global change made before both.
    generator
        Source of chance.
    """
    before: list[Tensor] = []
    after: list[Tensor] = []
    masks: list[Tensor] = []
    directions: list[float] = []
    for index in indices:
        entry = pack.photos[index]
        number = entry.instances[int(generator.integers(len(entry.instances)))]
        mask = torch.from_numpy(pack.instance_index(index) == number).float()[None]
        rgb = as_tensor(pack.rgb(index))
        if generator.random() < 0.5:
            rgb, mask = rgb.flip(2), mask.flip(2)
        rgb = vary_globally(rgb, photometric, generator)
        direction = 1 if generator.random() < 0.5 else -1
        inside, outside = ((True, False), (False, True), (True, True))[int(generator.integers(3))]
        # Masks from users are hard, feathered or loose: the network must not learn their rim.
        feather = generator.uniform(0.0, 4.0)
        soft = blur(mask, feather) if feather > 0.5 else mask
        edited = rgb
        if inside:
            edited = _edit_once(edited, soft, direction, generator)
        if outside:
            edited = _edit_once(edited, 1.0 - soft, -direction, generator)
        before.append(rgb)
        after.append(edited)
        masks.append(functional.avg_pool2d(mask[None], MAP_STRIDE)[0])
        directions.append(float(direction))
    return EditPairBatch(
        torch.stack(before), torch.stack(after), torch.stack(masks), torch.tensor(directions)
    )


def _edit_once(rgb: Tensor, mask: Tensor, direction: int, generator: np.random.Generator) -> Tensor:
    strength = float(generator.random())
    kinds: list[LocalEdit] = [
        edit
        for edit in LOCAL_EDITS
        if edit.direction == direction and edit_is_applicable(rgb, mask, edit, strength)
    ]
    return edit_region(rgb, mask, kinds[int(generator.integers(len(kinds)))], strength)
