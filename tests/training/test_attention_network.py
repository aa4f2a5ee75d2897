from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from gazeshift.attention import AttentionModel
from gazeshift_training.attention.export import (
    PARITY_LIMIT,
    export_attention,
    measure_parity,
)
from gazeshift_training.attention.network import (
    AttentionDesign,
    AttentionNetwork,
    gaussian_kernel,
    load_attention,
    working_size,
)

TINY = AttentionDesign(channels=8, working_area=64 * 64)
PARALLEL = AttentionDesign("efficientnet_lite1", "parallel", 8, 64 * 64)


def export(design: AttentionDesign, path: Path) -> AttentionNetwork:
    torch.manual_seed(0)
    network = AttentionNetwork(design).eval()
    export_attention(
        network,
        path,
        model_id="tiny",
        version="3",
        data="made up",
        licence="MIT",
        revision="0123456789ab",
    )
    return network


def test_working_size_keeps_area_and_aspect_on_the_grid() -> None:
    # 448 x 336 to 110,592 pixels: scale sqrt(110592 / 150528) = 0.857, 384 x 288.
    assert working_size(336, 448, 384 * 288) == (288, 384)
    assert working_size(4000, 3000, 384 * 288) == (384, 288)
    # Never below two grid steps, however long the picture is.
    assert working_size(10, 4000, 384 * 288)[0] == 64


@pytest.mark.parametrize("size", [(64, 64), (75, 100), (300, 70)])
@pytest.mark.parametrize("design", [TINY, PARALLEL], ids=["pyramid", "parallel"])
def test_map_is_positive_and_sums_to_one(design: AttentionDesign, size: tuple[int, int]) -> None:
    with torch.no_grad():
        attention = AttentionNetwork(design)(torch.rand(2, 3, *size))
    assert attention.shape[:2] == (2, 1)
    assert float(attention.min()) >= 0
    torch.testing.assert_close(attention.sum((1, 2, 3)), torch.ones(2))


def test_gradient_reaches_the_photo() -> None:
    photo = torch.rand(1, 3, 64, 64, requires_grad=True)
    AttentionNetwork(TINY)(photo)[0, 0, :8].sum().backward()  # type: ignore[no-untyped-call]
    assert photo.grad is not None
    assert float(photo.grad.abs().sum()) > 0


def test_smoothing_keeps_a_flat_map_flat() -> None:
    assert float(gaussian_kernel(1.0, 7).sum()) == pytest.approx(1.0, abs=1e-6)


def test_unknown_decoder_is_refused() -> None:
    with pytest.raises(ValueError, match="decoder must be one of"):
        AttentionNetwork(AttentionDesign(decoder="magic"))


@pytest.mark.parametrize("design", [TINY, PARALLEL], ids=["pyramid", "parallel"])
def test_exported_file_equals_the_module_at_every_size(
    design: AttentionDesign, tmp_path: Path
) -> None:
    path = tmp_path / "tiny.onnx"
    network = export(design, path)
    loaded = load_attention(path)
    generator = np.random.default_rng(0)
    pictures = [
        generator.integers(0, 256, (*size, 3), dtype=np.uint8)
        for size in ((64, 64), (336, 448), (71, 203), (448, 298))
    ]
    assert measure_parity(path, loaded, pictures) < PARITY_LIMIT
    # Half-precision weights move the map by little.
    assert measure_parity(path, network, pictures) < 1e-2


def test_loaded_module_is_frozen_and_holds_the_trained_parameters(tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    network = export(TINY, path)
    loaded = load_attention(path)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert loaded.design == TINY
    for name, value in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value, rtol=1e-3, atol=1e-4)


def test_file_keeps_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    export(TINY, path)
    model = onnx.load(path)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert {key: metadata[key] for key in sorted(metadata) if key != "gazeshift.design"} == {
        "gazeshift.data": "made up",
        "gazeshift.git_revision": "0123456789ab",
        "gazeshift.licence": "MIT",
        "gazeshift.model_id": "tiny",
        "gazeshift.proxy_long_side": "448",
        "gazeshift.task": "attention",
        "gazeshift.version": "3",
    }
    assert json.loads(metadata["gazeshift.design"])["channels"] == 8
    assert model.opset_import[0].version >= 17
    weights = {entry.name: entry.data_type for entry in model.graph.initializer}
    assert weights["backbone.blocks.3.expand.weight"] == onnx.TensorProto.FLOAT16
    assert weights["backbone.blocks.3.expand.bias"] == onnx.TensorProto.FLOAT
    assert [entry.name for entry in model.graph.input] == ["image"]
    assert [entry.name for entry in model.graph.output] == ["attention"]


def test_core_runs_the_exported_file(tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    export(TINY, path)
    rgb = np.random.default_rng(1).random((90, 120, 3), np.float32)
    served = AttentionModel(path, provider="cpu").map(rgb)
    with torch.no_grad():
        trained = load_attention(path)(torch.from_numpy(rgb).permute(2, 0, 1)[None])[0, 0]
    np.testing.assert_allclose(served, trained.numpy(), rtol=1e-3, atol=1e-7)


def test_another_onnx_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    export(TINY, path)
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, path)
    with pytest.raises(ValueError, match=r"other\.onnx is no attention network"):
        load_attention(path)


def test_files_from_before_the_prefix_are_still_read(tmp_path: Path) -> None:
    path = tmp_path / "old.onnx"
    export(TINY, path)
    model = onnx.load(path)
    metadata = {entry.key.removeprefix("gazeshift."): entry.value for entry in model.metadata_props}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)
    assert load_attention(path).design == TINY
