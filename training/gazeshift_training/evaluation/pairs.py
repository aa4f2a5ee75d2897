"""A photo and the mask of the region that attention is moved to or from."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from gazeshift.errors import ParamError
from gazeshift.proxy import Proxy, make_proxy
from gazeshift_training.instances import (
    LARGEST_SHARE_BEFORE,
    Instance,
    load_pair,
    read_instances,
    validation_candidates,
)

if TYPE_CHECKING:
    from gazeshift.attention import AttentionModel

FloatImage = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Pair:
    """One photo with one mask, at the size the networks look at."""

    name: str
    """Unique and stable, for example `coco/000000000139.jpg#3`."""
    rgb: FloatImage
    """Shape (H, W, 3), sRGB, 0-1."""
    mask: FloatImage
    """Shape (H, W), 0-1; 1 is the region."""

    @property
    def proxy(self) -> Proxy:
        """The pair as the core's networks take it."""
        return Proxy(self.rgb, self.mask)


@dataclass(frozen=True)
class PairSource:
    """Where one pair comes from; photos are read when they are needed."""

    name: str
    """Name of the pair."""
    load: Callable[[], Pair]
    """Reads it."""


def in_fixed_order(sources: Iterable[PairSource]) -> list[PairSource]:
    """Order pairs by a hash of their names, so that the first N are a fair sample of all."""
    return sorted(sources, key=lambda source: (zlib.crc32(source.name.encode()), source.name))


def read_pair(data: Path, instance: Instance) -> Pair:
    """Read a photo and the mask of one of its objects as a pair."""
    pixels, mask = load_pair(data, instance)
    proxy = make_proxy(pixels, mask)
    assert proxy.mask is not None  # noqa: S101  (a mask went in)
    return Pair(name_of(instance), proxy.rgb, proxy.mask)


def read_named_pair(data: Path, name: str) -> Pair:
    """Read the pair of a name that `name_of` gave.

    Raises
    ------
    ParamError
        If the table holds no such instance.
    """
    for instance in read_instances(data / "instances.csv"):
        if name_of(instance) == name:
            return read_pair(data, instance)
    raise ParamError(
        f"{data.name} holds no pair named {name}.",
        hint="Use the data that was evaluated.",
    )


def name_of(instance: Instance) -> str:
    """Name the pair of an instance: its photo and its number."""
    return f"{instance.photo}#{instance.number}"


def validation_sources(
    data: Path, attention: AttentionModel, limit: int | None = None
) -> list[PairSource]:
    """Choose the validation pairs: the candidates whose share before is small enough.

    Parameters
    ----------
    data
        Folder with `photos`, `masks` and `instances.csv`.
    attention
        The shipped attention network, which decides on the share before.
    limit
        Stop after this many.

    Returns
    -------
    list of PairSource
        In their fixed order.
    """
    candidates = [
        PairSource(name_of(instance), partial(read_pair, data, instance))
        for instance in validation_candidates(read_instances(data / "instances.csv"))
    ]
    kept: list[PairSource] = []
    progress = tqdm(in_fixed_order(candidates), "choosing pairs", unit="photo", disable=None)
    for source in progress:
        pair = source.load()
        if attention.share(pair.rgb, pair.mask) <= LARGEST_SHARE_BEFORE:
            kept.append(source)
        if len(kept) == limit:
            break
    return kept
