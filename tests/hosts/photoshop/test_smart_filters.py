"""Sharpening by Smart Filter: what the file holds, how near it comes, and what the panel says."""

from __future__ import annotations

import re

import numpy as np
import pytest
import scipy.ndimage
from tests.core.recipes.edits import strong_edit
from tests.hosts.photoshop import reader, smart_filters
from tests.hosts.photoshop.studio import (
    CONNECT,
    LARGEST,
    MEAN,
    Studio,
    apply_steps,
    deep,
    distances,
    predicted,
    small,
)

from gazeshift.decoder import apply_chain, blend, values_of
from gazeshift.operators.sharpening import sigma_for

NAME, FEATHER = "two-dogs", True
BY_FILTER = {"choose": ["sharpening", "smart"]}
EDIT = strong_edit()
AMOUNTS = [region.get("sharpening", "amount")[0] for region in (EDIT.foreground, EDIT.background)]


def filtered(pixels: np.ndarray, amount: float, radius_px: float) -> np.ndarray:
    """Unsharp masking of encoded values above zero, a blend with the blurred picture below."""
    blurred = scipy.ndimage.gaussian_filter(pixels, (radius_px, radius_px, 0), mode="nearest")
    sharper = pixels + amount * (pixels - blurred)
    softer = pixels - amount * (np.rint(blurred) - pixels)
    return np.rint(np.clip(sharper if amount > 0 else softer, 0, 255))


def expected_by_filters(pixels: np.ndarray, mask: np.ndarray, edit) -> np.ndarray:
    """The operators after the filters, as the core computes them."""
    radius_px = round(sigma_for(*mask.shape), 1)
    parts = []
    for region in edit.regions():
        values = values_of(region)
        amount = values.pop("sharpening")["amount"]
        base = filtered(pixels.astype(float), round(100 * float(amount)) / 100, radius_px)
        parts.append(apply_chain(base / 255, values))
    return 255 * blend(*parts, mask / 255)


def smart_layers(path) -> dict[str, tuple]:
    opened = reader.open_psd(path)
    found = {}
    for layer in opened.descendants():
        if layer.kind == "smartobject":
            ((name, settings, opacity),) = smart_filters.filters_of(layer)
            found[layer.parent.name] = (name, settings, opacity)
    return found


def message_numbers(message: str) -> list[float]:
    return [float(number) for number in re.findall(r"(?:largest|mean) (\d+\.\d+)", message)]


@pytest.fixture
def strong(predicting):
    return predicting(sharpening=True)


def test_smart_filters_hold_the_recipes_numbers_and_can_be_adjusted(tmp_path, strong) -> None:
    studio = Studio(tmp_path, strong.port)
    first, second = tmp_path / "first.psd", tmp_path / "second.psd"
    again = [{"press": "reopen"}, {"dial": 0.5}, {"press": "apply"}, {"save": str(second)}]
    studio.add(
        [*CONNECT, BY_FILTER, *apply_steps(1.0, first)[2:], *again], name=NAME, feather=FEATHER
    )

    seen = studio.run()[0]["seen"]

    pixels, mask = small(NAME, FEATHER)
    radius_px = pytest.approx(round(sigma_for(*mask.shape), 1))
    for path, strength in ((first, 1.0), (second, 0.5)):
        amounts = [strength * amount for amount in AMOUNTS]
        layers = smart_layers(path)
        name, settings, opacity = layers["GazeShift foreground"]
        assert (name, opacity) == ("UnsM", 1.0)
        assert settings == {"Amnt": pytest.approx(100 * amounts[0]), "Rds ": radius_px, "Thsh": 0.0}
        name, settings, opacity = layers["GazeShift background"]
        assert (name, settings) == ("GsnB", {"Rds ": radius_px})
        assert opacity == pytest.approx(-amounts[1], abs=0.002)

        edit = EDIT.with_strength(strength)
        shown = reader.composite(reader.open_psd(path))
        largest, mean = reader.difference(shown, expected_by_filters(pixels, mask, edit))
        assert largest <= LARGEST
        assert mean <= MEAN
        # Near the core's own render, but not equal: the panel and the documentation say so.
        farthest, apart = distances(path, pixels, mask, edit)
        assert farthest > LARGEST
        assert apart <= 5
    reopened = seen[-4]
    assert reopened["sharpening"] == "smart"
    assert reopened["note"].strip().startswith("It stays adjustable, but comes near only")
    assert seen[-1]["history"] == ["GazeShift", "Adjust GazeShift edit"]
    assert seen[-1]["live"] == 0


def test_the_panel_judges_the_rest_and_tells_how_near_the_filters_are(tmp_path, strong) -> None:
    studio = Studio(tmp_path, strong.port)
    for depth in (8, 16):
        steps = [*CONNECT, BY_FILTER, *apply_steps(1.0, tmp_path / f"{depth}.psd")[2:]]
        studio.add([*steps, {"press": "copy"}], name=NAME, feather=FEATHER, depth=depth)

    results = studio.run()

    for depth, one in zip((8, 16), results, strict=True):
        message = one["seen"][-2]["message"]
        assert message.startswith("Applied. The Smart Filters come near GazeShift's sharpening")
        assert "Apart from them it shows what GazeShift computed" in message
        _, near, largest, mean = message_numbers(message)
        pixels, mask = (deep if depth == 16 else small)(NAME, FEATHER)
        measured = distances(tmp_path / f"{depth}.psd", pixels, mask, EDIT)
        assert near == pytest.approx(measured[1], abs=0.02)
        assert largest <= LARGEST
        assert mean <= MEAN
        assert f"Smart Filters: largest {measured[0]:.1f}" in one["seen"][-1]["copied"]


MISTAKES = {
    "mask inverted": ("descriptors.ts", '_value: "revealSelection"', '_value: "hideSelection"'),
    "exposure without 2.2": (
        "descriptors.ts",
        "const exposure = layer.exposure;",
        "const exposure = layer.exposure / 2.2;",
    ),
    "radius ten times too large": (
        "descriptors.ts",
        "_value: sharpening.radius_px",
        "_value: 10 * sharpening.radius_px",
    ),
}


def test_mistakes_beside_smart_filters_are_caught(tmp_path, strong) -> None:
    studio = Studio(tmp_path, strong.port)
    for file, before, after in MISTAKES.values():
        steps = [*CONNECT, BY_FILTER, {"press": "look"}, {"press": "apply"}]
        mutant = {"file": file, "from": before, "to": after}
        studio.add(steps, name=NAME, feather=FEATHER, mutant=mutant)

    for mistake, one in zip(MISTAKES, studio.run(), strict=True):
        assert "shows something else" in one["seen"][-1]["message"], mistake


@pytest.mark.parametrize("refused", ["newPlacedLayer", "unsharpMask", "filterFX"])
def test_a_refused_smart_filter_leaves_the_document_as_it_was(tmp_path, strong, refused) -> None:
    studio = Studio(tmp_path, strong.port)
    steps = [*CONNECT, BY_FILTER, {"press": "look"}, {"press": "apply"}]
    studio.add(steps, options={"failOn": refused})

    seen = studio.run()[0]["seen"]

    assert "made to fail" in seen[-1]["message"]
    assert seen[-1]["tree"] == seen[0]["tree"]
    assert seen[-1]["history"] == []
    assert seen[-1]["live"] == 0


def test_nothing_sharpened_makes_no_smart_object(tmp_path, predicting) -> None:
    bridge = predicting(sharpening=False)
    studio = Studio(tmp_path, bridge.port)
    target = tmp_path / "plain.psd"
    studio.add([*CONNECT, BY_FILTER, *apply_steps(1.0, target)[2:]], name=NAME, feather=FEATHER)

    seen = studio.run()[0]["seen"]

    assert smart_layers(target) == {}
    assert seen[-1]["message"].startswith("Applied. Photoshop shows what GazeShift computed")
    pixels, mask = small(NAME, FEATHER)
    edit = predicted(bridge, NAME, FEATHER, 1.0)
    assert distances(target, pixels, mask, edit)[0] <= LARGEST
