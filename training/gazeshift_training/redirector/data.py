"""Pairs of photo and mask for the redirector: packed once, drawn by the seed and the step."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from gazeshift_training.attention.packing import PhotoPack, build_pack
from gazeshift_training.instances import (
    TRAINING_AREA,
    Instance,
    eligible,
    hold_out,
    read_instances,
)
from gazeshift_training.redirector.losses import attention_share

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gazeshift_training.attention.network import AttentionNetwork
    from gazeshift_training.redirector.recipe import RedirectorRecipe

ATTRACT, DIVERT = 1.0, -1.0


@dataclass(frozen=True)
class Pair:
    """One mask in one packed photo, with the direction it is asked for."""

    position: int
    """Place of the photo in the pack."""
    number: int
    """Value of the object's pixels in the index mask."""
    direction: float
    """1 attracts, -1 diverts."""


@dataclass(frozen=True)
class PairBatch:
    """Pairs of one shape."""

    rgb: Tensor
    """Shape (B, 3, H, W), sRGB 0-1."""
    mask: Tensor
    """Shape (B, 1, H, W), 0-1."""
    direction: Tensor
    """Shape (B,), 1 or -1."""
    share: Tensor
    """Shape (B,), attention share before any edit."""


@dataclass(frozen=True)
class RedirectorData:
    """Packed photos, their masks and how they are divided."""

    pack: PhotoPack
    """Photos and index masks."""
    shares: dict[tuple[int, int], float]
    """Attention share before any edit by (photo position, instance number)."""
    train: dict[int, list[int]]
    """Photo position to the instances it may be asked for."""
    held: dict[int, list[int]]
    """The same, of the photos that choose between checkpoints."""

    def manifest(self) -> dict[str, object]:
        """Describe the data so that two runs can be compared."""
        names = sorted(self.pack.photos[position].photo for position in self.train)
        return {
            "train_photos": len(self.train),
            "train_instances": sum(map(len, self.train.values())),
            "held_photos": len(self.held),
            "train_sha256": hashlib.sha256("\n".join(names).encode()).hexdigest(),
        }


def prepare_data(
    data: Path, cache: Path, recipe: RedirectorRecipe, attention: AttentionNetwork, tag: str
) -> RedirectorData:
    """Pack the training photos, measure their shares and divide them; `val` is never read.

    Parameters
    ----------
    data
        Folder with `instances.csv`, `photos` and `masks`.
    cache
        Where pack and shares are kept.
    recipe
        Gives the size of the pictures and the number held out.
    attention
        Measures the share before any edit.
    tag
        Names the attention network, so that shares of another one are not reused.
    """
    groups = eligible(read_instances(data / "instances.csv"), "train", TRAINING_AREA)
    photos = sorted(groups)
    pack = build_pack(data, photos, cache, recipe.area)
    shares = _measure_shares(pack, groups, attention, cache / f"shares-{tag}.npz")
    trained, held = hold_out(photos, min(recipe.held_out, len(photos) // 2))
    numbers = {
        pack.position[photo]: [one.number for one in group if _is_clean(pack, photo, one)]
        for photo, group in groups.items()
    }
    return RedirectorData(
        pack,
        shares,
        {pack.position[p]: numbers[pack.position[p]] for p in trained if numbers[pack.position[p]]},
        {pack.position[p]: numbers[pack.position[p]] for p in held if numbers[pack.position[p]]},
    )


def _is_clean(pack: PhotoPack, photo: str, instance: Instance) -> bool:
    """Say whether the packed mask still holds about the area the table promises."""
    index = pack.instance_index(pack.position[photo])
    return bool((index == instance.number).mean() >= 0.5 * instance.area)


@torch.no_grad()
def _measure_shares(
    pack: PhotoPack, groups: dict[str, list[Instance]], attention: AttentionNetwork, path: Path
) -> dict[tuple[int, int], float]:
    if path.exists():
        with np.load(path) as kept:
            return {
                (int(position), int(number)): float(share)
                for position, number, share in zip(
                    kept["position"], kept["number"], kept["share"], strict=True
                )
            }
    shares: dict[tuple[int, int], float] = {}
    batches = group_by_shape(pack, [pack.position[photo] for photo in sorted(groups)], 16)
    for batch in tqdm(batches, desc="measuring attention", unit="batch", disable=None):
        rgb = torch.stack([as_tensor(pack.rgb(position)) for position in batch])
        maps = attention(rgb.contiguous(memory_format=torch.channels_last))
        for row, position in enumerate(batch):
            index = pack.instance_index(position)
            for instance in groups[pack.photos[position].photo]:
                mask = torch.from_numpy((index == instance.number).astype(np.float32))
                share = attention_share(maps[row : row + 1], mask[None, None])
                shares[position, instance.number] = float(share)
    keys = np.array(list(shares), np.int64)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, position=keys[:, 0], number=keys[:, 1], share=np.array(list(shares.values())))
    partial.replace(path)
    return shares


def group_by_shape(pack: PhotoPack, positions: Sequence[int], batch: int) -> list[list[int]]:
    """Cut photos into batches of one shape each, in the given order."""
    shapes: dict[tuple[int, int], list[int]] = defaultdict(list)
    for position in positions:
        entry = pack.photos[position]
        shapes[entry.height, entry.width].append(position)
    return [
        group[start : start + batch]
        for group in shapes.values()
        for start in range(0, len(group), batch)
    ]


def as_tensor(codes: NDArray[np.uint8]) -> Tensor:
    """Turn (H, W, 3) codes into (3, H, W), 0-1."""
    return torch.from_numpy(codes.copy()).permute(2, 0, 1).float() / 255.0


class PairPlan:
    """Which pairs each step sees; step n is the same whether or not the run was broken.

    Parameters
    ----------
    data
        Where the pairs come from.
    recipe
        Gives batch, seed and the limits on shares.
    """

    def __init__(self, data: RedirectorData, recipe: RedirectorRecipe) -> None:
        self.data, self.recipe = data, recipe
        self._epoch = -1
        self._batches: list[list[Pair]] = []
        self.steps_per_epoch = max(1, sum(1 for _ in data.train) // recipe.batch)

    def pairs(self, step: int) -> list[Pair]:
        """Return the pairs of a step: one shape, half of them for each direction."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._draw_epoch(epoch)
        return self._batches[place % len(self._batches)]

    def _draw_epoch(self, epoch: int) -> list[list[Pair]]:
        generator = np.random.default_rng([self.recipe.seed, epoch, 7])
        order = [int(p) for p in generator.permutation(sorted(self.data.train))]
        groups = group_by_shape(self.data.pack, order, self.recipe.batch)
        batches = []
        for number in generator.permutation(len(groups)):
            pairs = []
            for row, position in enumerate(groups[int(number)]):
                wanted = ATTRACT if (row + epoch) % 2 else DIVERT
                pair = self._draw_pair(position, wanted, generator)
                if pair is not None:
                    pairs.append(pair)
            # A short batch would weigh its few photos too much.
            if 2 * len(pairs) > self.recipe.batch:
                batches.append(pairs)
        return batches or [
            [p for p in (self._draw_pair(q, ATTRACT, generator) for q in order) if p is not None]
        ]

    def _draw_pair(
        self, position: int, wanted: float, generator: np.random.Generator
    ) -> Pair | None:
        choices = candidates(self.data, self.recipe, position, self.data.train[position])
        fitting = [pair for pair in choices if pair.direction == wanted] or choices
        return fitting[int(generator.integers(len(fitting)))] if fitting else None


def candidates(
    data: RedirectorData, recipe: RedirectorRecipe, position: int, numbers: Sequence[int]
) -> list[Pair]:
    """List what a photo may be asked for: salient masks do not attract, unseen ones not divert."""
    pairs: list[Pair] = []
    for number in numbers:
        share = data.shares[position, number]
        if share <= recipe.largest_attract_share:
            pairs.append(Pair(position, number, ATTRACT))
        if share >= recipe.smallest_divert_share:
            pairs.append(Pair(position, number, DIVERT))
    return pairs


@dataclass(frozen=True)
class Variation:
    """How one pair is varied by chance."""

    mirrored: bool
    """Whether left and right change places."""
    window: tuple[int, int, int, int] | None
    """Top, left, rows and columns of the part that is enlarged; None keeps the whole."""
    feather: int
    """Pixels over which the mask's edge is softened, 0 for none."""


UNVARIED = Variation(False, None, 0)


def load_batch(
    data: RedirectorData,
    pairs: Sequence[Pair],
    generator: np.random.Generator | None,
    part: slice = slice(None),
) -> PairBatch:
    """Read pairs of one shape; with a generator, mirror, crop and feather them by chance.

    Parameters
    ----------
    data
        Where the pairs lie.
    pairs
        All pairs of a step.
    generator
        Source of chance. It is drawn from for all pairs, so that each pair is varied in the same
        way however the step is divided between processes.
    part
        Which of the pairs to read.
    """
    variations = [UNVARIED] * len(pairs)
    if generator is not None:
        shapes = (data.pack.photos[pair.position] for pair in pairs)
        variations = [draw_variation(shape.height, shape.width, generator) for shape in shapes]
    pictures: list[Tensor] = []
    masks: list[Tensor] = []
    for pair, variation in zip(pairs[part], variations[part], strict=True):
        rgb = as_tensor(data.pack.rgb(pair.position))
        index = torch.from_numpy(data.pack.instance_index(pair.position).copy())
        mask = (index == pair.number).float()[None]
        rgb, mask = vary(rgb, mask, variation)
        pictures.append(rgb)
        masks.append(mask)
    return PairBatch(
        torch.stack(pictures),
        torch.stack(masks),
        torch.tensor([pair.direction for pair in pairs[part]]),
        torch.tensor([data.shares[pair.position, pair.number] for pair in pairs[part]]),
    )


def draw_variation(height: int, width: int, generator: np.random.Generator) -> Variation:
    """Draw how a pair of `height` × `width` pixels is varied."""
    mirrored = generator.random() < 0.5
    window = None
    if generator.random() < 0.5:
        side = generator.uniform(0.8, 1.0)
        rows, columns = round(height * side), round(width * side)
        top = int(generator.integers(height - rows + 1))
        left = int(generator.integers(width - columns + 1))
        window = (top, left, rows, columns)
    # People's selections are hard, feathered by a pixel or two, or a loose brush stroke.
    return Variation(mirrored, window, int(generator.choice([0, 0, 1, 2, 4])))


def vary(rgb: Tensor, mask: Tensor, variation: Variation) -> tuple[Tensor, Tensor]:
    """Vary a photo (3, H, W) and its mask (1, H, W)."""
    if variation.mirrored:
        rgb, mask = rgb.flip(2), mask.flip(2)
    if variation.window is not None:
        rgb, mask = _crop(rgb, mask, variation.window)
    if variation.feather:
        side = 2 * variation.feather + 1
        for _ in range(2):
            mask = functional.avg_pool2d(
                mask[None], side, 1, variation.feather, count_include_pad=False
            )[0]
    return rgb, mask


def _crop(rgb: Tensor, mask: Tensor, place: tuple[int, int, int, int]) -> tuple[Tensor, Tensor]:
    """Enlarge a window that keeps nearly all of the mask to the whole size."""
    top, left, rows, columns = place
    height, width = rgb.shape[1:]
    window = (slice(None), slice(top, top + rows), slice(left, left + columns))
    if mask[window].sum() < 0.9 * mask.sum():
        return rgb, mask
    both = torch.cat((rgb, mask))[window][None]
    resized = functional.interpolate(
        both, size=(height, width), mode="bilinear", align_corners=False
    )[0]
    return resized[:3], resized[3:]


def channels_last(rgb: Tensor) -> Tensor:
    """Lay pictures out the way convolutions are fastest."""
    return rgb.contiguous(memory_format=torch.channels_last)
