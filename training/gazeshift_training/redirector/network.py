"""The redirector network: pretrained features, pooled by the mask, and four heads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift_training.backbone import EfficientNetLite
from gazeshift_training.redirector.ranges import (
    Bounding,
    HeadSharpening,
    OutputRanges,
    vector_ids,
)
from gazeshift_training.redirector.statistics import COUNT, describe_regions

STYLE_SIZE = 10
"""Numbers that choose a style; zeros are the default style."""
MASK_BLOCK = 10
"""The mask joins the features behind this block, at stride 16: the blocks before it can stay frozen
and then cost no backward pass."""

REGIONS = ("foreground", "background")
"""Halves of the vector, in its order."""
STYLE_REACH = 0.08
"""How far one style number moves a head's raw number at first, where it does so directly: ten of
them move a parameter by about a sixteenth of its range."""
LARGEST_INPUT = 4.0
"""Standard deviations at which an unusual photo's numbers are cut off."""


@dataclass(frozen=True)
class RedirectorDesign:
    """All that is needed to build a redirector before its weights are known."""

    encoder: str = "pooled"
    """`pooled` (this module) or `paper` (`paper_network.py`, which takes only `head`, `ranges`)."""
    backbone: str = "efficientnet_lite0"
    """Name out of `gazeshift_training.backbone.VARIANTS`."""
    working_side: int = 224
    """Side of the square the photo is resized to inside the network, a multiple of 32."""
    trunk: int = 384
    """Width of the shared layers."""
    head: int = 96
    """Width of each head's inner layer."""
    ranges: OutputRanges = field(default_factory=OutputRanges)
    """What the model may predict."""
    head_sharpening: HeadSharpening = field(default_factory=HeadSharpening)
    """Narrower limits of sharpening, head by head."""
    operators: tuple[str, ...] = DEFAULT_CHAIN
    """Which operators it predicts, in the order they are applied. Only a network with the default
    chain can ship; others are for comparison."""
    regions: str = "both"
    """Which regions it edits: `both`, `foreground` or `background`."""
    fixed: bool = False
    """Whether it predicts one edit for all photos."""
    style_heads: bool = False
    """Whether a style also moves every head's numbers directly, besides the shared layers."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Operators of one region's vector, in its order."""
        return vector_ids(self.operators)

    @property
    def is_restricted(self) -> bool:
        """Whether some numbers of the vector always stay at their identity."""
        return self.regions != "both" or not set(DEFAULT_CHAIN) <= set(self.operators)


class Prediction(NamedTuple):
    """Parameters for both directions, each (B, 70): the foreground's 35, the background's 35.

    A network that predicts more operators than the default chain has more numbers per region.
    """

    attract: Tensor
    divert: Tensor


class RedirectorNetwork(nn.Module):
    """Predict how to edit a photo so that a region draws more, or less, attention.

    Parameters
    ----------
    design
        What to build. The heads start at zero, so a new network predicts the identity.

    Raises
    ------
    ValueError
        If the design names operators or regions that there are not.
    """

    def __init__(self, design: RedirectorDesign | None = None) -> None:
        super().__init__()
        self.design = design or RedirectorDesign()
        _check_design(self.design)
        self.backbone = EfficientNetLite(self.design.backbone)
        channels = self.backbone.channels
        self.mask_stem = nn.Conv2d(1, channels[1], 3, padding=1, bias=False)
        nn.init.zeros_(self.mask_stem.weight)
        inputs = 3 * sum(channels) + COUNT
        self.input_mean: Tensor
        self.input_scale: Tensor
        self.register_buffer("input_mean", torch.zeros(inputs))
        self.register_buffer("input_scale", torch.ones(inputs))
        width = self.design.trunk
        self.entry = nn.Linear(inputs, width)
        self.middle = nn.Linear(width, width)
        # Without a bias a style of zeros changes nothing, by construction.
        self.style_scale = nn.Linear(STYLE_SIZE, width, bias=False)
        self.style_shift = nn.Linear(STYLE_SIZE, width, bias=False)
        nn.init.normal_(self.style_scale.weight, std=0.02)
        nn.init.normal_(self.style_shift.weight, std=0.05)
        sizes = [OPERATORS[id_].spec.size for id_ in self.design.ids]
        self.heads = nn.ModuleDict(
            {
                f"{direction}_{region}": _head(width, self.design.head, sum(sizes))
                for direction in ("attract", "divert")
                for region in REGIONS
            }
        )
        self.style_heads = nn.ModuleDict()
        if self.design.style_heads:
            for name in self.heads:
                layer = nn.Linear(STYLE_SIZE, sum(sizes), bias=False)
                nn.init.normal_(layer.weight, std=STYLE_REACH)
                self.style_heads[name] = layer
        self.bounding = Bounding(self.design.ranges, self.design.ids)
        # Only heads with limits of their own have one, so that files of older designs still load.
        self.narrower = nn.ModuleDict(
            {
                name: Bounding(own, self.design.ids)
                for name in self.heads
                if (own := self.design.head_sharpening.narrow(self.design.ranges, name))
                != self.design.ranges
            }
        )
        kept = [
            float(id_ in self.design.operators)
            for id_, size in zip(self.design.ids, sizes, strict=True)
            for _ in range(size)
        ]
        for region in REGIONS:
            is_edited = self.design.regions in ("both", region)
            numbers = torch.tensor(kept) * is_edited
            self.register_buffer(f"kept_{region}", numbers, persistent=False)

    def forward(self, image: Tensor, mask: Tensor, style: Tensor) -> Prediction:
        """Predict both edits.

        Parameters
        ----------
        image
            Shape (B, 3, h, w), sRGB 0-1, any size.
        mask
            Shape (B, 1, h, w), 0-1; 1 is the region meant.
        style
            Shape (B, 10); zeros for the default style, otherwise about standard normal.

        Returns
        -------
        Prediction
            In operator units, within the model's ranges.
        """
        return self.predict(self.describe(image, mask), style)

    def predict(self, described: Tensor, style: Tensor) -> Prediction:
        """Predict both edits from what `describe` gave."""
        hidden = self.join(described)
        hidden = hidden * (1.0 + self.style_scale(style)) + self.style_shift(style)
        hidden = functional.silu(hidden)
        regions: dict[str, Tensor] = {}
        for name, head in self.heads.items():
            raw = head(hidden)
            if name in self.style_heads:
                raw = raw + self.style_heads[name](style)
            regions[name] = self.bound(name, raw)
        return Prediction(
            torch.cat((regions["attract_foreground"], regions["attract_background"]), 1),
            torch.cat((regions["divert_foreground"], regions["divert_background"]), 1),
        )

    def bound(self, head: str, raw: Tensor) -> Tensor:
        """Turn what a head says (B, 35) into parameters in operator units."""
        if self.design.is_restricted:
            raw = raw * self.get_buffer(f"kept_{head.rpartition('_')[2]}")
        has_own = head in self.narrower
        bounding = self.narrower[head] if has_own else self.bounding
        bounded: Tensor = bounding(raw)
        return bounded

    def trunk(self, image: Tensor, mask: Tensor) -> Tensor:
        """Describe photo and mask in (B, trunk) numbers, before the style."""
        return self.join(self.describe(image, mask))

    def join(self, described: Tensor) -> Tensor:
        """Pass a description (B, inputs) through the shared layers: (B, trunk)."""
        described = (described - self.input_mean) * self.input_scale
        if self.design.fixed:
            described = torch.zeros_like(described)
        hidden = functional.silu(self.entry(described.clamp(-LARGEST_INPUT, LARGEST_INPUT)))
        trunk: Tensor = hidden + self.middle(hidden)
        return trunk

    @torch.no_grad()
    def standardise_inputs(self, described: Tensor) -> None:
        """Centre and scale what the shared layers see, by many photos' `describe` (N, inputs).

        Photos have far more in common than sets them apart; without this the network learns one
        edit for all of them and takes long to tell them apart.
        """
        self.input_mean.copy_(described.mean(0))
        self.input_scale.copy_(1.0 / (described.std(0) + 1e-3))

    def describe(self, image: Tensor, mask: Tensor) -> Tensor:
        """Return pooled features and plain statistics, shape (B, inputs)."""
        side = self.design.working_side
        small = functional.interpolate(
            torch.cat((image, mask), 1), size=(side, side), mode="bilinear", align_corners=False
        )
        rgb, region = small[:, :3], small[:, 3:]
        parts = [describe_regions(rgb, region)]
        parts += [_pool_regions(features, region) for features in self._levels(rgb, region)]
        return torch.cat(parts, 1)

    def _levels(self, rgb: Tensor, region: Tensor) -> list[Tensor]:
        """Features at strides 8, 16 and 32; the mask joins at stride 16."""
        backbone = self.backbone
        levels: list[Tensor] = []
        features = functional.relu6(backbone.stem((rgb * 255.0 - 127.0) / 128.0))
        for index, block in enumerate(backbone.blocks):
            features = block(features)
            if index == MASK_BLOCK:
                features = features + self.mask_stem(functional.avg_pool2d(region, 16))
            if index in backbone.level_ends:
                levels.append(features)
        return levels


def _check_design(design: RedirectorDesign) -> None:
    unknown = [id_ for id_ in design.operators if id_ not in OPERATORS]
    if unknown or len(set(design.operators)) < max(1, len(design.operators)):
        raise ValueError(f"The operators {list(design.operators)} must be some of {[*OPERATORS]}.")
    if design.regions not in ("both", *REGIONS):
        raise ValueError(f"The regions must be both, foreground or background: {design.regions}.")


def _head(width: int, inner: int, outputs: int) -> nn.Sequential:
    last = nn.Linear(inner, outputs)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(width, inner), nn.SiLU(), last)


def _pool_regions(features: Tensor, region: Tensor) -> Tensor:
    """Average features (B, C, h, w) inside the mask, outside it and everywhere: (B, 3C)."""
    stride = region.shape[3] // features.shape[3]
    inside = functional.avg_pool2d(region, stride)
    weights = torch.cat((inside, 1.0 - inside, torch.ones_like(inside)), 1).flatten(2)
    weights = weights / (weights.sum(2, keepdim=True) + 1e-3)
    return torch.einsum("bcs,brs->brc", features.flatten(2), weights).flatten(1)
