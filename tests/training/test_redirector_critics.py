"""The ensemble of attention networks that the redirector is trained against."""

from __future__ import annotations

import numpy as np
import torch

from gazeshift_training.attention.network import AttentionDesign, AttentionNetwork
from gazeshift_training.redirector.critics import AttentionEnsemble

AREA = 64 * 64


def tiny_attention(seed: int) -> AttentionNetwork:
    torch.manual_seed(seed)
    network = AttentionNetwork(AttentionDesign(channels=8, working_area=AREA))
    network.requires_grad_(False).eval()
    return network


def picture_and_mask() -> tuple[torch.Tensor, torch.Tensor]:
    rgb = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    mask = torch.zeros(1, 1, 64, 64)
    mask[:, :, 16:40, 8:32] = 1.0
    return rgb, mask


def test_every_network_is_asked_now_and_then() -> None:
    networks = [tiny_attention(1), tiny_attention(2)]
    asked: list[int] = []
    for number, network in enumerate(networks):
        network.register_forward_hook(lambda *_, number=number: asked.append(number))
    ensemble = AttentionEnsemble(networks, (AREA,), 0.1)
    generator = np.random.default_rng(5)
    for _ in range(12):
        ensemble.ask(*picture_and_mask(), generator)
    assert len(asked) == 12
    assert set(asked) == {0, 1}


def test_the_first_network_alone_measures() -> None:
    networks = [tiny_attention(1), tiny_attention(2)]
    both = AttentionEnsemble(networks, (AREA,), 0.1).measure(*picture_and_mask())
    alone = AttentionEnsemble(networks[:1], (AREA,), 0.1).measure(*picture_and_mask())
    other = AttentionEnsemble(networks[1:], (AREA,), 0.1).measure(*picture_and_mask())
    assert torch.equal(both, alone)
    assert not torch.equal(both, other)
