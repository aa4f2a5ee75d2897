"""GIMP 3.0 and 2.10: the edit as rendered pixel layers with a layer mask."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from build_gimp import SUITES
from core_of_machine import install_plugin, stop_core
from gimp_host import GimpHost
from photos import HostPhoto, write_all

from gazeshift.edit import Edit, RegionParameters
from gazeshift.render import render

HERE = Path(__file__).resolve().parent
# Rendered pixels go through one rounding, and the layer mask's blend through another.
LARGEST = 1.5


@pytest.fixture(scope="module")
def gimp30() -> Iterator[SimpleNamespace]:
    with GimpHost(SUITES["trixie"]) as host:
        state = install_plugin(host)
        photo = write_all(host.work)["two-dogs"]
        try:
            seen = host.run(
                "pixels_in_console",
                size=photo.rgb.shape[1::-1],
                plugin_folder=str(host.plugin_folder),
            )
            yield SimpleNamespace(seen=seen, photo=photo, work=host.work)
        finally:
            stop_core(state)


@pytest.fixture(scope="module")
def gimp210() -> Iterator[SimpleNamespace]:
    with GimpHost(SUITES["bookworm"]) as host:
        state = install_plugin(host)
        photo = write_all(host.work)["two-dogs"]
        plugin = host.profile / "plug-ins" / "hosttest.py"
        shutil.copy(HERE / "gimp2" / "hosttest.py", plugin)
        plugin.chmod(0o755)
        (host.work / "task.json").write_text(json.dumps({"size": photo.rgb.shape[1::-1]}))
        try:
            done = subprocess.run(
                host.command(
                    "gimp-console", "-i", "-d", "-f",
                    "-b", "(python-fu-gazeshift-hosttest RUN-NONINTERACTIVE)",
                    "-b", "(gimp-quit 1)",
                    # As GIMP 2.10 sets it for its own Python; the core must not see it.
                    PYTHONPATH="/opt/pygimp",
                ),
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )  # fmt: skip
            answer = host.work / "answer.json"
            assert answer.exists(), done.stderr[-2000:]
            yield SimpleNamespace(
                seen=json.loads(answer.read_text()),
                photo=photo,
                work=host.work,
                messages=done.stdout + done.stderr,
            )
        finally:
            stop_core(state)


def check(gimp: SimpleNamespace, name: str) -> Any:
    assert "trouble" not in gimp.seen, gimp.seen["trouble"]
    found = gimp.seen[name]
    assert "trouble" not in found, found
    return found


def shown(gimp: SimpleNamespace, file: str, like: np.ndarray, channels: int) -> np.ndarray:
    raw = (gimp.work / file).read_bytes()
    return np.frombuffer(raw, like.dtype).reshape(*like.shape[:2], channels)


def largest(one: np.ndarray, other: np.ndarray) -> float:
    span = 1.0 if one.dtype.kind == "f" else np.iinfo(one.dtype).max
    return float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max() * 255.0 / span)


def soft_mask(photo: HostPhoto) -> np.ndarray:
    return (photo.soft / np.float32(255)).astype(np.float32)


@pytest.mark.parametrize("strength", [100, -100])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_gimp_30_shows_what_the_core_renders(
    gimp30: SimpleNamespace, dtype: str, strength: int
) -> None:
    assert check(gimp30, "version") == [3, 0]
    answer = check(gimp30, "layers")[f"{dtype} {strength}"]
    assert answer["status"] == "success", answer["message"]
    edit = Edit.loads(answer["edit"])
    assert edit.signed_strength == strength / 100
    pixels = gimp30.photo.samples(dtype)
    expected = render(pixels, soft_mask(gimp30.photo), edit)
    seen = shown(gimp30, answer["file"], pixels, answer["channels"])[..., :3]
    assert largest(seen, expected) <= LARGEST


def test_gimp_30_group_has_two_layers_without_filters(gimp30: SimpleNamespace) -> None:
    answer = check(gimp30, "layers")["uint8 100"]
    group, photo = answer["tree"]
    assert (group["name"], photo["name"]) == ("GazeShift", "Photo")
    assert [child["name"] for child in group["children"]] == ["Selection", "Background"]
    assert [child["has_mask"] for child in group["children"]] == [True, False]
    assert [child["filters"] for child in group["children"]] == [[], []]
    assert answer["selection_kept"]
    assert answer["selected"] == ["Photo"]


def test_gimp_30_edits_grey_images(gimp30: SimpleNamespace) -> None:
    answer = check(gimp30, "layers")["grey"]
    assert answer["status"] == "success", answer["message"]
    edit = Edit.loads(answer["edit"])
    colourless = [
        RegionParameters({id_: region.arguments(id_) for id_ in region.active() if id_ != "color"})
        for region in (edit.foreground, edit.background)
    ]
    grey = np.repeat(gimp30.photo.samples("uint8", "grey")[..., None], 3, axis=2)
    expected = render(grey, soft_mask(gimp30.photo), Edit(*colourless))[..., 0]
    seen = shown(gimp30, answer["file"], grey, answer["channels"])[..., 0]
    assert largest(seen, expected) <= LARGEST


def test_gimp_30_keeps_the_numbers_of_a_wide_gamut_document(gimp30: SimpleNamespace) -> None:
    answer = check(gimp30, "wide_gamut")
    assert answer["status"] == "success", answer["message"]
    assert answer["numbers_kept"]
    pixels = gimp30.photo.rgb
    expected = render(pixels, soft_mask(gimp30.photo), Edit.loads(answer["edit"]))
    seen = shown(gimp30, answer["file"], pixels, answer["channels"])[..., :3]
    assert largest(seen, expected) <= LARGEST


def test_gimp_30_reopens_and_adjusts(gimp30: SimpleNamespace) -> None:
    answer = check(gimp30, "reopened")
    assert answer["status"] == "success", answer["message"]
    edit = Edit.loads(answer["edit"])
    assert edit.signed_strength == -0.5
    pixels = gimp30.photo.rgb
    expected = render(pixels, soft_mask(gimp30.photo), edit)
    seen = shown(gimp30, answer["file"], pixels, answer["channels"])[..., :3]
    assert largest(seen, expected) <= LARGEST
    gone = answer["without source"]
    assert gone["status"] == "execution-error"
    assert "is gone" in gone["message"]


def test_gimp_30_needs_a_selection(gimp30: SimpleNamespace) -> None:
    answer = check(gimp30, "no_selection")
    assert answer["status"] == "execution-error"
    assert "Nothing is selected" in answer["message"]
    assert answer["layers"] == 1


def test_gimp_210_registers_the_dialog_s_parameters(gimp210: SimpleNamespace) -> None:
    names = check(gimp210, "parameters")
    assert names == ["run-mode", "image", "drawable", "strength", "direction", "style"]


@pytest.mark.parametrize(
    ("name", "strength"), [("attract", 1.0), ("divert", -0.8), ("styled", 1.0)]
)
def test_gimp_210_shows_what_the_core_renders(
    gimp210: SimpleNamespace, name: str, strength: float
) -> None:
    answer = check(gimp210, name)
    assert answer["answer"] == "success"
    edit = Edit.loads(answer["edit"])
    assert edit.signed_strength == pytest.approx(strength)
    pixels = gimp210.photo.rgb
    expected = render(pixels, soft_mask(gimp210.photo), edit)
    seen = shown(gimp210, f"{name}.raw", pixels, answer["channels"])[..., :3]
    assert largest(seen, expected) <= LARGEST


def test_gimp_210_layers_stand_over_the_photo(gimp210: SimpleNamespace) -> None:
    found = check(gimp210, "attract")
    assert found["mask is selection"]
    image = found["image"]
    assert image["layers"] == ["GazeShift", "Photo"]
    assert image["children"] == [["Selection", True], ["Background", False]]
    assert image["active"] == "Photo"
    assert image["selection"]
    assert image["channels"] == []


def test_gimp_210_needs_a_selection(gimp210: SimpleNamespace) -> None:
    answer, image = check(gimp210, "no selection")
    assert answer != "success"
    assert image["layers"] == ["Photo"]


def test_gimp_210_makes_another_edit_in_another_style(gimp210: SimpleNamespace) -> None:
    edits = [Edit.loads(check(gimp210, name)["edit"]) for name in ("attract", "styled")]
    assert edits[0].foreground != edits[1].foreground


def test_gimp_210_keeps_the_strength_within_its_limits(gimp210: SimpleNamespace) -> None:
    assert check(gimp210, "too far") == "execution error"
    assert "must lie in 0 to 150 (look here) or 100 (look away)" in gimp210.messages


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("damaged", "core.json is missing or damaged"),
        ("gone", "GazeShift cannot be started: /nowhere/gazeshift"),
    ],
)
def test_gimp_210_says_what_is_broken_and_changes_nothing(
    gimp210: SimpleNamespace, case: str, sentence: str
) -> None:
    answer, image = check(gimp210, "broken core")[case]
    # Python-Fu gives callers the status alone; the sentence is GIMP's message to the user.
    assert answer == "execution error"
    assert sentence in gimp210.messages
    assert image["layers"] == ["Photo"]
    assert image["active"] == "Photo"
    assert image["selection"]
    assert image["channels"] == []
