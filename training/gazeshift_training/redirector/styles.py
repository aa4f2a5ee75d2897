"""Reads the style back from an edit, which keeps styles different from each other."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gazeshift_training.redirector.network import STYLE_SIZE
from gazeshift_training.redirector.ranges import Bounding


class StyleReader(nn.Module):
    """Four layers of 256 and one of 10, as in the paper, on the 70 parameters and the direction."""

    def __init__(self, bounding: Bounding) -> None:
        super().__init__()
        # Every parameter is seen as a part of its range.
        self.identity: Tensor
        self.span: Tensor
        self.register_buffer("identity", bounding.identity.repeat(2))
        self.register_buffer("span", bounding.span.repeat(2))
        layers: list[nn.Module] = []
        inputs = len(self.identity) + 1
        for _ in range(4):
            layers += [nn.Linear(inputs, 256), nn.LeakyReLU(0.2)]
            inputs = 256
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, STYLE_SIZE))

    def forward(self, vector: Tensor, direction: Tensor) -> Tensor:
        """Guess the style (B, 10) from parameters (B, 70) and directions (B,)."""
        seen = 4.0 * (vector - self.identity) / self.span
        guess: Tensor = self.layers(torch.cat((seen, direction[:, None]), 1))
        return guess
