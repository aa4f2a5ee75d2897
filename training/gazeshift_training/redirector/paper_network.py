"""The paper's own encoder: five strided convolutions that see the mask at every scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from gazeshift.operators import vector_size
from gazeshift_training.redirector.network import STYLE_SIZE, Prediction
from gazeshift_training.redirector.ranges import Bounding

if TYPE_CHECKING:
    from gazeshift_training.redirector.network import RedirectorDesign

WORKING_SIZE = (240, 320)
"""Rows and columns of the picture inside the network."""
WIDTHS = (64, 128, 256, 512, 1024)
"""Channels behind each convolution."""
SLOPE = 0.2
"""Slope of the leaky rectifier for negative numbers."""


class PaperNetwork(nn.Module):
    """Predict how to edit a photo so that a region draws more, or less, attention.

    Mask and style join the picture, and every map of features after it. A head per direction and
    region follows the global average. Our own additions: the last layer of each head starts at
    zero, and its numbers stay within the design's ranges.

    Parameters
    ----------
    design
        Gives the width of the heads and the ranges; what belongs to the other encoder is not used.

    References
    ----------
    Mejjati et al. (2020), Look here! A parametric learning based approach to redirect visual
    attention, section 4 and supplemental material.
    """

    def __init__(self, design: RedirectorDesign) -> None:
        super().__init__()
        self.design = design
        convolutions: list[nn.Module] = []
        norms: list[nn.Module] = []
        inputs, side = 3, 7
        for width in WIDTHS:
            convolutions.append(nn.Conv2d(inputs + 1 + STYLE_SIZE, width, side, 2, side // 2))
            norms.append(nn.InstanceNorm2d(width, affine=True))
            inputs, side = width, 3
        self.convolutions, self.norms = nn.ModuleList(convolutions), nn.ModuleList(norms)
        self.heads = nn.ModuleDict(
            {
                f"{direction}_{region}": _head(inputs, design.head)
                for direction in ("attract", "divert")
                for region in ("foreground", "background")
            }
        )
        self.bounding = Bounding(design.ranges)

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
        small = functional.interpolate(
            torch.cat((image, mask), 1), size=WORKING_SIZE, mode="bilinear", align_corners=False
        )
        features, region = 2.0 * small[:, :3] - 1.0, small[:, 3:]
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            size = (features.shape[2], features.shape[3])
            reduced = functional.interpolate(region, size=size, mode="area")
            tiled = style[:, :, None, None].expand(-1, -1, *size)
            features = norm(convolution(torch.cat((features, reduced, tiled), 1)))
            features = functional.leaky_relu(features, SLOPE)
        pooled = features.mean((2, 3))
        regions = {name: self.bounding(head(pooled)) for name, head in self.heads.items()}
        return Prediction(
            torch.cat((regions["attract_foreground"], regions["attract_background"]), 1),
            torch.cat((regions["divert_foreground"], regions["divert_background"]), 1),
        )


def _head(inputs: int, width: int) -> nn.Sequential:
    last = nn.Linear(width, vector_size())
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    layers: list[nn.Module] = []
    for size in (inputs, width):
        layers += [nn.Linear(size, width), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers, last)
