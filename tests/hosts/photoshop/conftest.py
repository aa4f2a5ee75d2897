"""Bridges and studios for the tests of the panel."""

from __future__ import annotations

import pytest
from tests.core.bridge.live import running
from tests.core.recipes.edits import strong_edit
from tests.core.tiny_models import write_attention, write_redirector
from tests.hosts.photoshop.studio import Studio


@pytest.fixture(scope="module")
def bridge():
    """The real bridge with the shipped networks."""
    with running() as live:
        yield live


@pytest.fixture
def studio(tmp_path, bridge) -> Studio:
    return Studio(tmp_path, bridge.port)


@pytest.fixture
def predicting(tmp_path, monkeypatch):
    """Starts a bridge whose network always predicts one strong edit."""
    started = []

    def start(*, sharpening: bool):
        edit = strong_edit(sharpening=sharpening)
        numbers = [*edit.foreground.to_vector(), *edit.background.to_vector()]
        write_attention(tmp_path / "attention.onnx")
        write_redirector(tmp_path / "redirector.onnx", attract=numbers, divert=numbers)
        monkeypatch.setenv("GAZESHIFT_MODELS", str(tmp_path))
        started.append(running())
        return started[-1].__enter__()

    yield start
    for one in started:
        one.__exit__(None, None, None)
