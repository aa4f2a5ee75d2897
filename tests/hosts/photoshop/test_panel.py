"""The panel's real code in headless Chromium, with the real bridge and the shipped networks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.core.bridge.live import TOKEN, running
from tests.core.recipes.edits import strong_edit
from tests.core.tiny_models import write_attention, write_redirector
from tests.hosts.photoshop import reader
from tests.hosts.photoshop.chromium import PLUGIN, ROOT, chromium_program

from gazeshift.edit import Edit
from gazeshift.mask import read_mask
from gazeshift.photo import read_photo
from gazeshift.render import render

FAKE = Path(__file__).parent / "fake"
EXAMPLES = ROOT / "examples"
PHOTOS = ("dandelions", "two-dogs", "wine-and-drum")
LARGEST, MEAN = 4.0, 0.8
LONG_SIDE = 240


@pytest.fixture(scope="module")
def bridge():
    with running() as live:
        yield live


@cache
def small(name: str, feather: bool) -> tuple[np.ndarray, np.ndarray]:
    import scipy.ndimage

    photo = read_photo(EXAMPLES / f"{name}.jpg").pixels
    mask = read_mask(
        str(EXAMPLES / f"{name}-mask.png"), height=photo.shape[0], width=photo.shape[1]
    )
    step = -(-max(photo.shape[:2]) // LONG_SIDE)
    mask = (mask[::step, ::step] > 0.5).astype(np.float32)
    if feather:
        mask = np.clip(scipy.ndimage.gaussian_filter(mask, 6.0), 0, 1)
    coverage = np.rint(255 * mask).astype(np.uint8)
    return np.ascontiguousarray(photo[::step, ::step]), coverage


@cache
def deep(name: str, feather: bool) -> tuple[np.ndarray, np.ndarray]:
    """The same with 16 bits, all of them in use."""
    pixels, mask = small(name, feather)
    noise = np.random.default_rng(16).integers(-128, 129, pixels.shape)
    return np.clip(257 * pixels.astype(np.int64) + noise, 0, 65535).astype(np.uint16), mask


class Studio:
    """Collects cases, runs them in one Chromium, and gives what was seen."""

    def __init__(self, folder: Path, port: int | None) -> None:
        self.folder = folder
        self.port = port
        self.cases: list[dict[str, Any]] = []

    def add(
        self, steps: list[dict[str, Any]], *, name="dandelions", feather=False, depth=8, **more
    ) -> None:
        pixels, mask = (deep if depth == 16 else small)(name, feather)
        number = len(self.cases)
        pixel_file, mask_file = (self.folder / f"{number}.{end}" for end in ("rgb", "mask"))
        pixel_file.write_bytes(pixels.tobytes())
        mask_file.write_bytes(mask.tobytes())
        case = {
            "name": name,
            "height": pixels.shape[0],
            "width": pixels.shape[1],
            "depth": depth,
            "pixels": str(pixel_file),
            "mask": str(mask_file),
            "steps": steps,
        }
        self.cases.append({**case, **more})

    def run(self) -> list[dict[str, Any]]:
        config = self.folder / "config.json"
        results = self.folder / "results.json"
        config.write_text(
            json.dumps(
                {
                    "plugin": str(PLUGIN),
                    "root": str(ROOT),
                    "python": sys.executable,
                    "chromium": chromium_program(),
                    "port": self.port,
                    "cases": self.cases,
                    "results": str(results),
                }
            )
        )
        done = subprocess.run(
            ["node", str(FAKE / "drive.mjs"), str(config)],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found = json.loads(results.read_text())
        assert [one["errors"] for one in found] == [[]] * len(self.cases)
        return found


@pytest.fixture
def studio(tmp_path, bridge) -> Studio:
    return Studio(tmp_path, bridge.port)


CONNECT = [{"type": TOKEN}, {"press": "connect"}]


def apply_steps(strength: float, target: Path) -> list[dict[str, Any]]:
    return [
        *CONNECT,
        {"press": "look"},
        {"dial": strength},
        {"press": "apply"},
        {"save": str(target)},
    ]


def distances(path: Path, pixels: np.ndarray, mask: np.ndarray, edit: Edit) -> tuple[float, float]:
    opened = reader.open_psd(path)
    assert opened.depth == 8 * pixels.dtype.itemsize
    expected = render(pixels, mask, edit) * (255.0 / np.iinfo(pixels.dtype).max)
    return reader.difference(reader.composite(opened), expected)


def predicted(bridge, name: str, feather: bool, strength: float, depth: int = 8) -> Edit:
    pixels, mask = small(name, feather)
    if depth == 16:
        # The panel's small copy has 8 bits.
        pixels = np.rint(deep(name, feather)[0] / 257).astype(np.uint8)
    height, width = mask.shape
    header = {
        "image": {"width": width, "height": height, "channels": 3, "dtype": "uint8"},
        "mask": {"dtype": "uint8"},
    }
    answer = bridge.binary("/v1/predict", header, pixels, mask).json()["predictions"][0]
    edit = Edit.from_json(answer["attract" if strength >= 0 else "divert"])
    return edit.with_strength(abs(strength))


def test_layers_written_by_the_panel_render_like_the_core(studio, bridge) -> None:
    wanted = [
        (name, feather, strength)
        for name in PHOTOS
        for feather in (False, True)
        for strength in (1.0, -1.0)
    ]
    for k, (name, feather, strength) in enumerate(wanted):
        studio.add(apply_steps(strength, studio.folder / f"{k}.psd"), name=name, feather=feather)

    results = studio.run()

    for k, (name, feather, strength) in enumerate(wanted):
        pixels, mask = small(name, feather)
        edit = predicted(bridge, name, feather, strength)
        largest, mean = distances(studio.folder / f"{k}.psd", pixels, mask, edit)
        assert largest <= LARGEST, (name, feather, strength, largest)
        assert mean <= MEAN, (name, feather, strength, mean)
        seen = results[k]["seen"][-1]
        assert seen["history"] == ["GazeShift"]
        assert seen["live"] == 0
        assert seen["message"].startswith("Applied. Photoshop shows what GazeShift computed")
        # The picture really changed, so that the comparison says something.
        assert np.abs(render(pixels, mask, edit).astype(float) - pixels).mean() > 0.2


def test_sixteen_bits_stay_sixteen_bits_all_the_way(studio, bridge) -> None:
    wanted = [("two-dogs", True, 1.0), ("wine-and-drum", False, -1.0)]
    for k, (name, feather, strength) in enumerate(wanted):
        steps = apply_steps(strength, studio.folder / f"{k}.psd")
        studio.add(steps, name=name, feather=feather, depth=16)

    results = studio.run()

    for k, (name, feather, strength) in enumerate(wanted):
        pixels, mask = deep(name, feather)
        edit = predicted(bridge, name, feather, strength, depth=16)
        largest, mean = distances(studio.folder / f"{k}.psd", pixels, mask, edit)
        assert largest <= LARGEST, (name, largest)
        assert mean <= MEAN, (name, mean)
        base = reader.open_psd(studio.folder / f"{k}.psd")[0]
        assert base.name == "Background"
        # Photoshop's scale ends at 32768, so that every second code becomes its neighbour.
        whole = np.rint(65535 * base.numpy("color")).astype(int)
        assert np.abs(whole - pixels.astype(int)).max() <= 1
        assert "shows what GazeShift computed" in results[k]["seen"][-1]["message"]


MUTANTS = {
    "mask inverted": ("descriptors.ts", '_value: "revealSelection"', '_value: "hideSelection"'),
    "red and blue exchanged": (
        "descriptors.ts",
        'red: "red", green: "grain", blue: "blue"',
        'red: "blue", green: "grain", blue: "red"',
    ),
    "exposure without 2.2": (
        "descriptors.ts",
        "const exposure = layer.exposure;",
        "const exposure = layer.exposure / 2.2;",
    ),
    "one node moved by 8": (
        "descriptors.ts",
        "curve: curve.nodes.map(({ input, output }) => ({",
        "curve: curve.nodes.map(({ input, output: given }, k) => ({ k, output: k === 2 ? "
        "(given < 128 ? given + 8 : given - 8) : given, input })).map(({ input, output }) => ({",
    ),
    "foreground and background exchanged": (
        "layer_writer.ts",
        "plan.recipe.",
        "plan.recipe[0 as never] ?? ({ foreground: plan.recipe.background, "
        "background: plan.recipe.foreground } as typeof plan.recipe).",
    ),
}


@pytest.fixture
def strong_bridge(tmp_path, monkeypatch):
    """A bridge whose network always predicts one edit that uses every operator strongly."""
    edit = strong_edit(sharpening=False)
    numbers = [*edit.foreground.to_vector(), *edit.background.to_vector()]
    write_attention(tmp_path / "attention.onnx")
    write_redirector(tmp_path / "redirector.onnx", attract=numbers, divert=numbers)
    monkeypatch.setenv("GAZESHIFT_MODELS", str(tmp_path))
    with running() as live:
        yield live


def test_every_mutant_of_the_panel_is_caught(tmp_path, strong_bridge) -> None:
    # The shipped network may leave an operator alone, and then a mistake in it cannot be seen.
    bridge, studio = strong_bridge, Studio(tmp_path, strong_bridge.port)
    name, feather, strength = "dandelions", True, 1.0
    for k, (file, before, after) in enumerate(MUTANTS.values()):
        mutant = {"file": file, "from": before, "to": after}
        steps = apply_steps(strength, studio.folder / f"{k}.psd")
        studio.add(steps, name=name, feather=feather, mutant=mutant)
    sound = tmp_path / "sound.psd"
    studio.add(apply_steps(strength, sound), name=name, feather=feather)

    results = studio.run()

    pixels, mask = small(name, feather)
    edit = predicted(bridge, name, feather, strength)
    largest, mean = distances(sound, pixels, mask, edit)
    assert largest <= LARGEST
    assert mean <= MEAN
    for k, mutant in enumerate(MUTANTS):
        largest, mean = distances(studio.folder / f"{k}.psd", pixels, mask, edit)
        assert largest > LARGEST or mean > MEAN, mutant
        assert "shows something else" in results[k]["seen"][-1]["message"], mutant


def test_a_refused_command_leaves_the_document_as_it_was(studio) -> None:
    steps = [*CONNECT, {"press": "look"}, {"press": "apply"}]
    studio.add(steps, options={"failOn": "XMPMetadataAsUTF8"})

    seen = studio.run()[0]["seen"]

    assert 'Photoshop refused "set": made to fail' in seen[-1]["message"]
    assert seen[-1]["tree"] == seen[0]["tree"]
    assert seen[-1]["history"] == []
    assert seen[-1]["live"] == 0


def test_an_existing_edit_can_be_adjusted(studio, bridge) -> None:
    target = studio.folder / "adjusted.psd"
    more = [{"press": "reopen"}, {"dial": 0.5}, {"press": "apply"}, {"save": str(target)}]
    studio.add([*apply_steps(1.0, studio.folder / "first.psd"), *more], feather=True)

    seen = studio.run()[0]["seen"]

    assert seen[-1]["history"] == ["GazeShift", "Adjust GazeShift edit"]
    opened = reader.open_psd(target)
    assert [layer.name for layer in opened] == ["Background", "GazeShift"]
    pixels, mask = small("dandelions", True)
    edit = predicted(bridge, "dandelions", True, 0.5)
    largest, mean = distances(target, pixels, mask, edit)
    assert largest <= LARGEST
    assert mean <= MEAN


def test_heat_maps_and_shares_are_shown(studio) -> None:
    studio.add([*CONNECT, {"press": "look"}, {"press": "heat"}])

    seen = studio.run()[0]["seen"][-1]

    assert seen["maps"] == [True, True]
    assert re.fullmatch(r"\d+\.\d %", seen["before"])
    assert re.fullmatch(r"\d+\.\d %", seen["after"])


REFUSALS = [
    ({"noDocument": True}, "No document is open"),
    ({"document": {"mode": "CMYKColorMode"}}, "CMYK mode"),
    ({"document": {"mode": "LabColorMode"}}, "Lab mode"),
    ({"document": {"bitsPerChannel": "bitDepth32"}}, "8 or 16 bits"),
    ({"layer": {"kind": "smartObject"}}, "smart object"),
    ({"document": {"artboards": [{}]}}, "artboards"),
    ({"layer": {"isBackgroundLayer": False}}, "locked"),
    ({"layer": {"shown": False}}, "hidden"),
    ({"isBusy": True}, "busy"),
]


def test_what_cannot_be_edited_is_said(studio) -> None:
    for options, _ in REFUSALS:
        studio.add([*CONNECT, {"press": "look"}], options=options)
    studio.add([*CONNECT, {"press": "look"}], mask=None)

    messages = [one["seen"][-1]["message"] for one in studio.run()]

    for (_, sentence), message in zip(REFUSALS, messages[:-1], strict=True):
        assert sentence in message
    assert "Nothing is selected." in messages[-1]


def test_other_profiles_are_warned_about(studio) -> None:
    steps = [*CONNECT, {"press": "look"}]
    studio.add(steps, options={"document": {"colorProfileName": "Adobe RGB (1998)"}})

    assert "profile is Adobe RGB (1998)" in studio.run()[0]["seen"][-1]["message"]


def test_the_token_is_kept_and_a_wrong_one_explained(studio) -> None:
    studio.add([{"type": "0" * 64}, {"press": "connect"}, *CONNECT])

    seen = studio.run()[0]["seen"]

    assert "no token yet" in seen[0]["state"]
    assert "missing or wrong" in seen[1]["state"]
    assert "--print-token" in seen[1]["remedy"]
    assert seen[-1]["state"].startswith("Connected to GazeShift")
    assert seen[-1]["token"] == TOKEN


def test_without_a_bridge_the_panel_says_what_to_check(tmp_path) -> None:
    studio = Studio(tmp_path, None)
    studio.add([{"type": TOKEN}, {"press": "connect"}])

    seen = studio.run()[0]["seen"][-1]

    assert seen["state"] == "GazeShift does not answer on this computer."
    assert "gazeshift bridge" in seen["remedy"]
    assert "firewall" in seen["remedy"]
