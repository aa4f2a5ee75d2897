"""Fixtures: tiny networks, a private state folder, a running bridge, a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.core.bridge.live import running
from tests.core.tiny_models import write_models


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(autouse=True)
def _own_folders(models, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GAZESHIFT_MODELS", str(models))
    monkeypatch.setenv("GAZESHIFT_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def bridge():
    with running() as live:
        yield live


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 200, (40, 56, 3), np.uint8)


@pytest.fixture
def mask() -> np.ndarray:
    selected = np.zeros((40, 56), np.uint8)
    selected[8:24, 8:32] = 255
    return selected
