"""The frozen networks that judge an edit in training, made hard to game."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gazeshift_training.attention.network import AttentionNetwork


class AttentionEnsemble:
    """Attention networks asked in many ways: mirrored, scaled, blurred, with features dropped.

    An edit that only works for one exact set of pixels and weights gains nothing here.

    Parameters
    ----------
    networks
        The frozen networks; one of them is asked each time, the first measures.
    areas
        Working sizes in pixels to choose from; the first is used when nothing is varied.
    dropout
        Part of the backbone's channels that are dropped at random.
    """

    def __init__(
        self, networks: Sequence[AttentionNetwork], areas: tuple[int, ...], dropout: float
    ) -> None:
        self.networks, self.areas, self.dropout = tuple(networks), areas, dropout
        self._kept: list[Tensor] | None = None
        for network in self.networks:
            network.backbone.register_forward_hook(self._drop)

    def _drop(self, module: Any, inputs: Any, levels: tuple[Tensor, ...]) -> Any:
        if self._kept is None:
            return None
        return tuple(level * kept for level, kept in zip(levels, self._kept, strict=True))

    def to(self, device: torch.device) -> AttentionEnsemble:
        """Move the networks to a device."""
        for network in self.networks:
            network.to(device)
        return self

    def ask(self, rgb: Tensor, mask: Tensor, generator: np.random.Generator | None) -> Tensor:
        """Return the attention share (B,) in one randomly chosen way of asking.

        Parameters
        ----------
        rgb
            Shape (B, 3, H, W), 0-1; gradients pass through.
        mask
            Shape (B, 1, H, W), 0-1.
        generator
            Source of chance; None asks plainly.
        """
        if generator is None:
            return self._share(self.networks[0], rgb, mask, self.areas[0])
        if generator.random() < 0.5:
            rgb, mask = rgb.flip(3), mask.flip(3)
        if generator.random() < 0.3:
            softened = functional.avg_pool2d(rgb, 3, 1, 1, count_include_pad=False)
            rgb = torch.lerp(rgb, softened, float(generator.uniform(0.2, 1.0)))
        area = self.areas[int(generator.integers(len(self.areas)))]
        network = self.networks[0]
        if len(self.networks) > 1:
            network = self.networks[int(generator.integers(len(self.networks)))]
        self._kept = [
            torch.from_numpy(
                (generator.random((1, count, 1, 1)) >= self.dropout).astype(np.float32)
            ).to(rgb.device)
            / (1.0 - self.dropout)
            for count in network.backbone.channels
        ]
        try:
            return self._share(network, rgb, mask, area)
        finally:
            self._kept = None

    @torch.no_grad()
    def measure(self, rgb: Tensor, mask: Tensor, area: int | None = None) -> Tensor:
        """Return the attention share (B,) without any variation."""
        return self._share(self.networks[0], rgb, mask, area or self.areas[0])

    def _share(self, network: AttentionNetwork, rgb: Tensor, mask: Tensor, area: int) -> Tensor:
        from gazeshift_training.redirector.losses import attention_share

        network.working_area = area
        maps = network(rgb.contiguous(memory_format=torch.channels_last))
        return attention_share(maps, mask)
