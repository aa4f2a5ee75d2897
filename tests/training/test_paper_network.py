import math
from pathlib import Path

import pytest
import torch

from gazeshift_training.redirector.network import STYLE_SIZE, RedirectorDesign
from gazeshift_training.redirector.networks import NETWORKS, build_network
from gazeshift_training.redirector.paper_network import WIDTHS, PaperNetwork

DESIGN = RedirectorDesign(encoder="paper", head=128)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def network_with_random_heads() -> PaperNetwork:
    torch.manual_seed(0)
    network = build_network(DESIGN)
    assert isinstance(network, PaperNetwork)
    for head in network.heads.values():
        torch.nn.init.normal_(head[-1].weight, std=0.3)
    return network.eval()


def photo_and_mask() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    mask = torch.zeros(1, 1, 60, 90)
    mask[..., 10:40, 20:50] = 1.0
    return torch.rand(1, 3, 60, 90, generator=generator), mask


def test_the_encoder_has_the_papers_size() -> None:
    network = build_network(DESIGN)
    total = sum(parameter.numel() for parameter in network.parameters())
    # What styles and the second direction add: 10 channels before every convolution, two heads.
    sides = [7, 3, 3, 3, 3]
    styles = sum(STYLE_SIZE * k * k * w for k, w in zip(sides, WIDTHS, strict=True))
    second = sum(p.numel() for p in network.heads["divert_foreground"].parameters()) * 2
    assert (total - styles - second) / 1e6 == pytest.approx(6.6, abs=0.05)


def test_a_new_network_changes_nothing() -> None:
    predicted = build_network(DESIGN)(*photo_and_mask(), torch.zeros(1, STYLE_SIZE))
    identity = build_network(DESIGN).bounding.identity.repeat(2)[None]
    for vector in predicted:
        assert torch.allclose(vector, identity, atol=1e-6)


def test_photo_mask_and_style_all_matter() -> None:
    network, (photo, mask) = network_with_random_heads(), photo_and_mask()
    style = torch.zeros(1, STYLE_SIZE)
    with torch.no_grad():
        base = network(photo, mask, style).attract
        others = [
            network(photo.flip(1) ** 2, mask, style).attract,
            network(photo, mask.flip(2), style).attract,
            network(photo, mask, style + 1.0).attract,
        ]
    for other in others:
        assert float((other - base).abs().max()) > 1e-3


def test_both_encoders_give_the_same_shapes() -> None:
    photo, mask = photo_and_mask()
    for name in NETWORKS:
        network = build_network(RedirectorDesign(encoder=name)).eval()
        with torch.no_grad():
            predicted = network(photo, mask, torch.zeros(1, STYLE_SIZE))
        assert [tuple(vector.shape) for vector in predicted] == [(1, 70), (1, 70)]


def test_the_papers_network_exports_with_parity(tmp_path: Path) -> None:
    from gazeshift_training.redirector.export import (
        PARITY_LIMIT_CODES,
        export_redirector,
        measure_parity,
    )

    network, path = network_with_random_heads(), tmp_path / "paper.onnx"
    export_redirector(
        network, path, model_id="paper", version="1", data="none", licence="MIT", revision="0"
    )
    photo, mask = photo_and_mask()
    codes = (photo[0] * 255).byte().permute(1, 2, 0).numpy()
    parity = measure_parity(path, network, [(codes, mask[0, 0].numpy())])
    assert math.isfinite(parity.parameters)
    assert parity.rendered_codes <= PARITY_LIMIT_CODES
