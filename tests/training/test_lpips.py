import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import signal

from gazeshift.errors import ModelError
from gazeshift_training.lpips import Lpips, find_weight_file, read_layers

CHANNELS = (4, 5, 6, 5, 4)
SIDES = (11, 5, 3, 3, 3)


@pytest.fixture
def weight_file(tmp_path: Path) -> Path:
    generator = np.random.default_rng(7)
    inputs, convolutions = 3, {}
    content: dict[str, object] = {"AlexNet_0": convolutions}
    for index, (outputs, side) in enumerate(zip(CHANNELS, SIDES, strict=True)):
        scale = 1.0 / side / inputs**0.5
        convolutions[f"Conv_{index}"] = {
            "kernel": generator.normal(0, scale, (side, side, inputs, outputs)).astype("f4"),
            "bias": generator.normal(0, 0.1, outputs).astype("f4"),
        }
        head = generator.random((1, 1, outputs, 1)).astype("f4")
        content[f"NetLinLayer_{index}"] = {"Conv_0": {"kernel": head}}
        inputs = outputs
    path = tmp_path / "alexnet.ckpt"
    path.write_bytes(pickle.dumps(content))
    return path


def _oracle(path: Path, first: np.ndarray, second: np.ndarray) -> float:
    """LPIPS written with scipy, on (H, W, 3)."""
    content = pickle.loads(path.read_bytes())  # noqa: S301
    total = 0.0
    pictures = [
        ((rgb * 2 - 1) - (-0.030, -0.088, -0.188)) / (0.458, 0.448, 0.450)
        for rgb in (first, second)
    ]
    for index, (stride, padding) in enumerate(zip((4, 1, 1, 1, 1), (2, 2, 1, 1, 1), strict=True)):
        layer = content["AlexNet_0"][f"Conv_{index}"]
        lengths = []
        for side, current in enumerate(pictures):
            if index in (1, 2):
                rows, columns = ((n - 3) // 2 + 1 for n in current.shape[:2])
                current = np.stack(
                    [
                        [current[2 * i : 2 * i + 3, 2 * j : 2 * j + 3].max((0, 1))]
                        for i in range(rows)
                        for j in range(columns)
                    ]
                ).reshape(rows, columns, -1)
            padded = np.pad(current, ((padding, padding), (padding, padding), (0, 0)))
            kernel = layer["kernel"].astype(float)
            maps = [
                sum(
                    signal.correlate2d(padded[..., c], kernel[..., c, o], mode="valid")
                    for c in range(kernel.shape[2])
                )[::stride, ::stride]
                + layer["bias"][o]
                for o in range(kernel.shape[3])
            ]
            pictures[side] = np.maximum(np.stack(maps, -1), 0)
            length = np.sqrt((pictures[side] ** 2).sum(-1, keepdims=True))
            lengths.append(pictures[side] / (length + 1e-10))
        head = content[f"NetLinLayer_{index}"]["Conv_0"]["kernel"].reshape(-1)
        total += (((lengths[0] - lengths[1]) ** 2) * head).sum(-1).mean()
    return total


def test_distance_equals_an_independent_computation(weight_file: Path) -> None:
    generator = np.random.default_rng(1)
    first = generator.random((67, 83, 3))
    second = np.clip(first * 0.7 + 0.1 * generator.random((67, 83, 3)), 0, 1)
    distance = Lpips(weight_file)(
        *(torch.from_numpy(p).permute(2, 0, 1)[None].float() for p in (first, second))
    )
    assert float(distance) == pytest.approx(_oracle(weight_file, first, second), rel=1e-4)


def test_equal_pictures_have_distance_zero(weight_file: Path) -> None:
    picture = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Lpips(weight_file)(picture, picture), torch.zeros(2))


def test_masked_distance_ignores_what_is_outside(weight_file: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    first = torch.rand(1, 3, 64, 96, generator=generator)
    mask = torch.zeros(1, 1, 64, 96)
    mask[..., :48] = 1.0
    second = torch.where(mask > 0, first, torch.rand(1, 3, 64, 96, generator=generator))
    lpips = Lpips(weight_file)
    assert float(lpips(first, second, mask)) == 0.0
    assert float(lpips(first, second, 1.0 - mask)) > 0.0


def test_black_pictures_have_finite_gradients(weight_file: Path) -> None:
    black = torch.zeros(1, 3, 64, 64, requires_grad=True)
    grey = torch.full((1, 3, 64, 64), 0.5)
    Lpips(weight_file)(black, grey).sum().backward()
    assert black.grad is not None
    assert bool(torch.isfinite(black.grad).all())


def test_weights_are_frozen(weight_file: Path) -> None:
    assert not any(parameter.requires_grad for parameter in Lpips(weight_file).parameters())


def test_a_missing_package_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"not installed.*pip install"):
        find_weight_file()


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "alexnet.ckpt"
    path.write_bytes(pickle.dumps(Path("anything")))
    with pytest.raises(ModelError, match="no place in a weight file"):
        read_layers(path)
