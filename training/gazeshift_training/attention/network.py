"""The attention network: a photo goes in, a map of where people look comes out.

Two designs share this module. `pyramid` ships with GazeShift; `parallel` is built differently
and only ever judges edits, so that a figure does not come from the network that was optimised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from gazeshift_training.backbone import EfficientNetLite, SameConv2d

if TYPE_CHECKING:
    from pathlib import Path

GRID = 32
"""Working height and width are multiples of this many pixels."""
MAP_STRIDE = 4
"""Working pixels per cell of the attention map."""
CENTRE_BIAS_SHAPE = (9, 12)
"""Rows and columns of the learned centre bias; it is stretched to the map."""
SMOOTHING_SIDE = 7
"""Side of the blur on the map, in cells."""


@dataclass(frozen=True)
class AttentionDesign:
    """All that is needed to build an attention network before its weights are known."""

    backbone: str = "efficientnet_lite0"
    """Name out of `gazeshift_training.backbone.VARIANTS`."""
    decoder: str = "pyramid"
    """`pyramid` (coarse to fine, dense convolutions) or `parallel` (one logit map per level)."""
    channels: int = 96
    """Channels inside the decoder."""
    working_area: int = 384 * 288
    """Pixels the photo is resized to, whatever its own size; its aspect is kept."""
    smoothing_cells: float = 1.0
    """Standard deviation of the final blur, in cells of the map."""


def working_size(height: int, width: int, area: int) -> tuple[int, int]:
    """Choose the size a photo is resized to before the network looks at it.

    Parameters
    ----------
    height, width
        Size of the photo in pixels.
    area
        Wanted number of pixels.

    Returns
    -------
    tuple of int
        Height and width, multiples of `GRID`, at least two grid steps each.
    """
    scale = (area / (height * width)) ** 0.5
    rows, columns = (
        max(2, round(side * scale / GRID)) * GRID for side in (float(height), float(width))
    )
    return rows, columns


def gaussian_kernel(sigma: float, side: int) -> Tensor:
    """Make a normalised Gaussian of shape (1, 1, side, side)."""
    offsets = torch.arange(side, dtype=torch.float32) - side // 2
    line = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = torch.outer(line, line)
    return (kernel / kernel.sum())[None, None]


def _resize(features: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(features, size=size, mode="bilinear", align_corners=False)


class PyramidDecoder(nn.Module):
    """Coarse to fine: each level is joined with the enlarged level above it."""

    def __init__(self, levels: Sequence[int], channels: int) -> None:
        super().__init__()
        fine, middle, coarse = levels
        self.coarse = SameConv2d(coarse, channels, 1)
        self.middle = SameConv2d(channels + middle, channels, 3)
        self.fine = SameConv2d(channels + fine, channels // 2, 3)
        self.logit = SameConv2d(channels // 2, 1, 1)

    def forward(self, levels: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Turn features at strides 8, 16, 32 into logits (B, 1, H/8, W/8)."""
        fine, middle, coarse = levels
        joined = functional.relu(self.coarse(coarse))
        for features, convolution in ((middle, self.middle), (fine, self.fine)):
            size = (features.shape[2], features.shape[3])
            joined = torch.cat((_resize(joined, size), features), 1)
            joined = functional.relu(convolution(joined))
        logits: Tensor = self.logit(joined)
        return logits


class LevelReader(nn.Module):
    """Reads one level on its own: mix the channels, look around, give one logit map."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.mix = SameConv2d(inputs, channels, 1)
        self.around = SameConv2d(channels, channels, 5, groups=channels)
        self.further = SameConv2d(channels, channels, 5, groups=channels)
        self.remix = SameConv2d(channels, channels, 1)
        self.logit = SameConv2d(channels, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, inputs, h, w) to logits (B, 1, h, w)."""
        mixed = functional.relu(self.mix(features))
        mixed = mixed + functional.relu(self.further(functional.relu(self.around(mixed))))
        logits: Tensor = self.logit(functional.relu(self.remix(mixed)))
        return logits


class ParallelDecoder(nn.Module):
    """Each level votes for itself; the enlarged votes are added."""

    def __init__(self, levels: Sequence[int], channels: int) -> None:
        super().__init__()
        self.readers = nn.ModuleList(LevelReader(inputs, channels) for inputs in levels)

    def forward(self, levels: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Turn features at strides 8, 16, 32 into logits (B, 1, H/8, W/8)."""
        size = (levels[0].shape[2], levels[0].shape[3])
        logits: Tensor = self.readers[0](levels[0])
        for features, reader in zip(levels[1:], list(self.readers)[1:], strict=True):
            logits = logits + _resize(reader(features), size)
        return logits


class AttentionNetwork(nn.Module):
    """Predict where people look in a photo.

    Parameters
    ----------
    design
        What to build. Weights start random; see `load_attention` for trained ones.

    Raises
    ------
    ValueError
        If the design names an unknown decoder.
    """

    def __init__(self, design: AttentionDesign | None = None) -> None:
        super().__init__()
        self.design = design or AttentionDesign()
        self.working_area = self.design.working_area
        self.backbone = EfficientNetLite(self.design.backbone)
        decoders = {"pyramid": PyramidDecoder, "parallel": ParallelDecoder}
        if self.design.decoder not in decoders:
            raise ValueError(f"The decoder must be one of {sorted(decoders)}.")
        self.decoder = decoders[self.design.decoder](self.backbone.channels, self.design.channels)
        self.centre_bias = nn.Parameter(_centre_prior())
        kernel = gaussian_kernel(self.design.smoothing_cells, SMOOTHING_SIDE)
        self.smoothing: Tensor
        self.register_buffer("smoothing", kernel)

    def forward(self, rgb: Tensor) -> Tensor:
        """Predict the attention map.

        Parameters
        ----------
        rgb
            Shape (B, 3, h, w), sRGB 0-1, h and w at least 64. It is resized to the working area.

        Returns
        -------
        Tensor
            Shape (B, 1, h', w'), float32, sums to 1 per photo; a quarter of the working size.
        """
        size = working_size(rgb.shape[2], rgb.shape[3], self.working_area)
        if size != (rgb.shape[2], rgb.shape[3]):
            rgb = _resize(rgb, size)
        return self.attention_at_working_size(rgb)

    def attention_at_working_size(self, rgb: Tensor) -> Tensor:
        """Predict the map of a photo that was resized already; H and W multiples of `GRID`."""
        logits = self.logits(rgb)
        return logits.flatten(1).softmax(1).view_as(logits)

    def logits(self, rgb: Tensor) -> Tensor:
        """Predict the map before the softmax, for a photo already at its working size."""
        cells = (rgb.shape[2] // MAP_STRIDE, rgb.shape[3] // MAP_STRIDE)
        logits = _resize(self.decoder(self.backbone(rgb)).float(), cells)
        margin = SMOOTHING_SIDE // 2
        padded = functional.pad(logits, (margin, margin, margin, margin), mode="replicate")
        return functional.conv2d(padded, self.smoothing) + _resize(self.centre_bias, cells)


def _centre_prior() -> Tensor:
    """Start the centre bias as a wide Gaussian's logarithm, shape (1, 1, 9, 12)."""
    rows, columns = (
        (torch.arange(count, dtype=torch.float32) + 0.5) / count * 2 - 1
        for count in CENTRE_BIAS_SHAPE
    )
    return -1.5 * (rows[:, None] ** 2 + columns[None, :] ** 2)[None, None]


def load_attention(path: Path | str) -> AttentionNetwork:
    """Read an exported attention network back as a frozen torch module.

    The weights come straight from the ONNX file, so what a redirector is trained against is
    exactly what ships.

    Parameters
    ----------
    path
        ONNX file written by `gazeshift-train attention`.

    Returns
    -------
    AttentionNetwork
        In evaluation mode; no parameter requires a gradient, the input may.

    Raises
    ------
    ValueError
        If the file is no attention network of this project.
    """
    from gazeshift_training.attention.export import read_exported

    design, state = read_exported(path)
    network = AttentionNetwork(design)
    network.load_state_dict(state)
    network.requires_grad_(False)
    return network.eval()
