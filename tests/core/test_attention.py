"""Attention maps, shares, and what happens when a network file or an accelerator is no good."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tests.core.tiny_models import brightness_attention, write_attention, write_redirector

from gazeshift import sessions
from gazeshift.attention import AttentionModel, attention_share
from gazeshift.errors import MaskError, ModelError, ParamError
from gazeshift.providers import installed_runtimes


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(1).random((96, 128, 3), dtype=np.float32)


@pytest.fixture
def model(tmp_path: Path) -> AttentionModel:
    return AttentionModel(write_attention(tmp_path / "attention.onnx"))


def test_map_is_what_the_network_says_and_sums_to_one(
    model: AttentionModel, rgb: np.ndarray
) -> None:
    attention = model.map(rgb)
    assert attention.shape == (12, 16)
    assert attention.dtype == np.float32
    assert float(attention.sum(dtype=np.float64)) == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(attention, brightness_attention(rgb), rtol=1e-5)


def test_brightening_a_region_raises_its_share(model: AttentionModel, rgb: np.ndarray) -> None:
    mask = np.zeros(rgb.shape[:2], np.float32)
    mask[:48, :64] = 1.0
    brighter = np.clip(rgb + 0.2 * mask[..., None], 0, 1)
    assert model.share(brighter, mask) > model.share(rgb, mask) + 0.05


def test_share_counts_partly_covered_cells_by_area() -> None:
    attention = np.array([[0.1, 0.3], [0.2, 0.4]], np.float32)
    # 4 × 6 pixels on 2 × 2 cells: each cell is 2 × 3 pixels. Half of the first row's left cell.
    mask = np.zeros((4, 6), np.float32)
    mask[0, :3] = 1.0
    assert attention_share(attention, mask) == pytest.approx(0.05)
    # 3 columns on 2 cells: the middle pixel lies half in either column of cells.
    middle = np.array([[0.0, 1.0, 0.0]], np.float32)
    # left column .5 of (.1 + .2)·(2/3 of a cell is .5 pixel of 1.5) = 1/3, right the same.
    assert attention_share(attention, middle) == pytest.approx(1.0 / 3.0)


def test_share_of_a_soft_mask_is_weighted() -> None:
    attention = np.array([[0.25, 0.75]], np.float32)
    assert attention_share(attention, np.array([[0.5, 0.2]], np.float32)) == pytest.approx(0.275)


def test_share_of_everything_is_one_and_shares_of_parts_add_up(rgb: np.ndarray) -> None:
    attention = brightness_attention(rgb)
    mask = np.random.default_rng(2).random((50, 33)).astype(np.float32)
    assert attention_share(attention, np.ones((7, 5), np.float32)) == pytest.approx(1.0)
    parts = attention_share(attention, mask) + attention_share(attention, 1 - mask)
    assert parts == pytest.approx(1.0)


def test_share_needs_a_plane() -> None:
    with pytest.raises(MaskError, match="plane"):
        attention_share(np.ones((2, 2), np.float32), np.ones((2, 2, 3), np.float32))


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (63, 64)])
def test_very_small_pictures_are_enlarged_before_the_network_sees_them(
    model: AttentionModel, size: tuple[int, int]
) -> None:
    attention = model.map(np.full((*size, 3), 0.5, np.float32))
    assert min(attention.shape) >= 8
    assert float(attention.sum()) == pytest.approx(1.0, abs=1e-5)
    assert model.share(np.full((*size, 3), 0.5, np.float32), np.ones(size, np.float32)) == 1.0


def test_missing_file_is_a_model_error_that_names_it(tmp_path: Path, rgb: np.ndarray) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.onnx") as caught:
        AttentionModel(tmp_path / "nowhere.onnx").map(rgb)
    assert caught.value.exit_code == 4
    assert "GAZESHIFT_MODELS" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"not a network", b"\x08\x07" * 500])
def test_damaged_file_is_a_model_error(tmp_path: Path, rgb: np.ndarray, content: bytes) -> None:
    path = tmp_path / "attention.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"attention\.onnx"):
        AttentionModel(path).map(rgb)


def test_truncated_file_is_a_model_error(tmp_path: Path, rgb: np.ndarray) -> None:
    path = write_attention(tmp_path / "attention.onnx")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError):
        AttentionModel(path).map(rgb)


def test_network_of_another_kind_is_refused(tmp_path: Path, rgb: np.ndarray) -> None:
    with pytest.raises(ModelError, match="no output named 'attention'"):
        AttentionModel(write_redirector(tmp_path / "other.onnx")).map(rgb)


def test_network_without_the_input_is_refused(tmp_path: Path, rgb: np.ndarray) -> None:
    path = write_attention(tmp_path / "attention.onnx", image="photo")
    with pytest.raises(ModelError, match="no input named 'image'"):
        AttentionModel(path).map(rgb)


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path, rgb: np.ndarray) -> None:
    path = write_attention(tmp_path / "attention.onnx", gain=float("nan"))
    with pytest.raises(ModelError, match="not finite"):
        AttentionModel(path).map(rgb)


def test_unknown_provider_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ParamError, match="abacus"):
        AttentionModel(tmp_path / "attention.onnx", provider="abacus")


def test_folder_of_networks_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAZESHIFT_MODELS", str(tmp_path))
    assert AttentionModel().network.path == tmp_path / "attention.onnx"
    monkeypatch.delenv("GAZESHIFT_MODELS")
    assert AttentionModel().network.path.parent.name == "models"


def test_provider_that_is_not_there_falls_back_and_says_so(
    tmp_path: Path,
    rgb: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    model = AttentionModel(write_attention(tmp_path / "attention.onnx"), provider="cuda")
    with caplog.at_level(logging.WARNING):
        model.map(rgb)
    assert model.network.active_provider == "cpu"
    assert len(model.warnings) == 1
    assert "cuda is not available" in model.warnings[0]
    assert "cuda is not available" in caplog.text


def test_accelerator_that_fails_to_start_falls_back_and_says_so(
    tmp_path: Path,
    rgb: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import onnxruntime

    real = onnxruntime.InferenceSession

    def start(path: str, options: object, providers: list[str]) -> object:
        if providers[0] == "CUDAExecutionProvider":
            raise RuntimeError("no driver\nstack of calls")
        return real(path, options, providers=providers)

    monkeypatch.setattr(
        onnxruntime,
        "get_available_providers",
        lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"],
    )
    monkeypatch.setattr(onnxruntime, "InferenceSession", start)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print("no libraries"))
    model = AttentionModel(write_attention(tmp_path / "attention.onnx"))
    np.testing.assert_allclose(model.map(rgb), brightness_attention(rgb), rtol=1e-5)
    assert model.warnings == (
        "The CUDAExecutionProvider failed: no driver; the attention network runs on the "
        "processor instead.",
    )
    assert capsys.readouterr().out == ""


def test_accelerator_that_fails_while_running_falls_back_once(
    tmp_path: Path, rgb: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = AttentionModel(write_attention(tmp_path / "attention.onnx"))
    assert model.network.metadata["gazeshift.model_id"] == "tiny-attention"
    real = model.network._session

    def fail(names: list[str], feeds: object) -> None:
        raise RuntimeError("out of memory")

    broken = SimpleNamespace(
        run=fail,
        get_providers=lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"],
        get_inputs=real.get_inputs,
    )
    monkeypatch.setattr(model.network, "_session", broken)
    first, second = model.map(rgb), model.map(rgb)
    np.testing.assert_array_equal(first, second)
    assert len(model.warnings) == 1
    assert "out of memory" in model.warnings[0]


def test_threads_share_one_session(
    tmp_path: Path, rgb: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = AttentionModel(write_attention(tmp_path / "attention.onnx"))
    opened: list[int] = []
    real = sessions.Network._open

    def count(network: sessions.Network) -> object:
        opened.append(1)
        return real(network)

    monkeypatch.setattr(sessions.Network, "_open", count)
    maps: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: maps.append(model.map(rgb))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1
    assert len(maps) == 4
    for other in maps[1:]:
        np.testing.assert_array_equal(maps[0], other)


def test_installed_runtime_is_found() -> None:
    assert len(installed_runtimes()) == 1
