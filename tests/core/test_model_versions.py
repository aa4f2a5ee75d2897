"""A new version of the network leaves edit files of older versions as they were."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.core.tiny_models import region_numbers, write_attention, write_redirector

from gazeshift.attention import AttentionModel
from gazeshift.edit import Edit
from gazeshift.predict import Redirector
from gazeshift.proxy import Proxy
from gazeshift.render import render

WRITTEN_BY_VERSION_1 = """{
  "format": "gazeshift-edit/1",
  "operators": {"exposure": 1, "tone": 1},
  "direction": "attract", "strength": 0.5, "model": "redirector 1",
  "share_before": 0.1, "share_after": 0.15,
  "foreground": {"exposure": {"ev": 0.5}},
  "background": {"tone": {"slopes": [0.8, 0.8, 0.8, 0.8, 1.2, 1.2, 1.2, 1.2]}}
}"""


def predict(folder: Path, version: str, ev: float, picture: Proxy) -> Edit:
    folder.mkdir()
    attention = AttentionModel(write_attention(folder / "attention.onnx"))
    numbers = [*region_numbers(ev=ev), *region_numbers(ev=-ev)]
    path = write_redirector(
        folder / "redirector.onnx", attract=numbers, metadata={"gazeshift.version": version}
    )
    return Redirector(path, attention=attention).predict_proxy(picture).attract


def picture() -> Proxy:
    rgb = np.random.default_rng(3).random((40, 56, 3), np.float32)
    mask = np.zeros((40, 56), np.float32)
    mask[10:30, 20:40] = 1.0
    return Proxy(rgb, mask)


def test_an_edit_file_renders_the_same_after_the_network_was_replaced(tmp_path: Path) -> None:
    proxy = picture()
    old = predict(tmp_path / "old", "1", 0.4, proxy)
    text = old.dumps()
    before = render(proxy.rgb, proxy.mask, old)
    new = predict(tmp_path / "new", "2", 0.7, proxy)
    assert (old.model, new.model) == ("tiny-redirector 1", "tiny-redirector 2")
    opened = Edit.loads(text)
    assert opened == old
    assert opened.model == "tiny-redirector 1"
    np.testing.assert_array_equal(render(proxy.rgb, proxy.mask, opened), before)
    assert np.abs(render(proxy.rgb, proxy.mask, new) - before).max() > 0.01


def test_a_file_of_the_first_network_still_means_what_it_said() -> None:
    edit = Edit.loads(WRITTEN_BY_VERSION_1)
    assert edit.model == "redirector 1"
    grey = np.full((8, 8, 3), 0.5, np.float32)
    mask = np.zeros((8, 8), np.float32)
    mask[:4] = 1.0
    edited = render(grey, mask, edit)
    # Half of 0.5 EV inside: 0.5 * 2 ** 0.25. Outside, at half the dial the lower four slopes are
    # 0.9 and the upper four 1.1: 0.5 becomes 4 * 0.9 / 8 = 0.45.
    assert edited[0, 0].tolist() == pytest.approx([0.5 * 2**0.25] * 3, abs=1e-5)
    assert edited[7, 7].tolist() == pytest.approx([0.45] * 3, abs=1e-5)
    assert json.loads(edit.dumps())["foreground"] == {"exposure": {"ev": 0.5}}
