"""The edited picture in the panel: what it shows, and how it keeps up with the dial."""

from __future__ import annotations

import numpy as np
import pytest
from tests.hosts.photoshop.studio import CONNECT, Studio, predicted, small

from gazeshift.render import render

NAME, FEATHER = "two-dogs", True
# The panel's pictures are JPEG files, here of the best quality.
JPEG_MEAN = 1.0


def grabbed(path) -> np.ndarray:
    pixels, _ = small(NAME, FEATHER)
    return np.frombuffer(path.read_bytes(), np.uint8).reshape(pixels.shape).astype(float)


def mean_distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())


def draws(look: dict) -> int:
    return look["posts"].count("/v1/preview/draw")


@pytest.fixture
def strong(predicting):
    return predicting(sharpening=True)


def test_the_preview_is_the_cores_render_and_flips_to_the_picture_before(tmp_path, strong) -> None:
    studio = Studio(tmp_path, strong.port)
    full, half, before, zero = (tmp_path / f"{name}.rgb" for name in ("full", "half", "was", "0"))
    studio.add(
        [
            *CONNECT,
            {"press": "look", "grab": str(full)},
            {"dial": -0.5, "grab": str(half)},
            {"press": "flip", "grab": str(before)},
            {"dial": 0, "grab": str(zero)},
        ],
        name=NAME,
        feather=FEATHER,
    )

    seen = studio.run()[0]["seen"]

    pixels, mask = small(NAME, FEATHER)
    for path, strength in ((full, 1.0), (half, -0.5)):
        edit = predicted(strong, NAME, FEATHER, strength)
        assert mean_distance(grabbed(path), render(pixels, mask, edit)) <= JPEG_MEAN
        assert mean_distance(grabbed(path), pixels) > 2 * JPEG_MEAN
    assert mean_distance(grabbed(before), pixels) <= JPEG_MEAN
    assert mean_distance(grabbed(zero), pixels) <= JPEG_MEAN
    assert [one["preview"] for one in seen[1:]] == [
        None,
        *("Preview, after", "Preview, after", "Preview, before"),
        # Whoever moves the dial wants to see what it does.
        "Preview, after",
    ]
    assert seen[4]["flip"] == "Show after"


def test_a_fast_dial_sends_no_pixels_and_draws_its_last_position(tmp_path, strong) -> None:
    studio = Studio(tmp_path, strong.port)
    last = tmp_path / "last.rgb"
    slide = {"slide": [*range(100, -41, -2)], "grab": str(last)}
    studio.add([*CONNECT, {"press": "look", "drawn": True}, slide], name=NAME, feather=FEATHER)

    look, slid = studio.run()[0]["seen"][-2:]

    assert look["posts"].count("/v1/preview/open") == 1
    assert "/v1/preview/open" not in slid["posts"]
    # 71 positions at once: one drawing is under way, and then only the newest counts.
    assert 1 <= draws(slid) <= 2
    pixels, mask = small(NAME, FEATHER)
    edit = predicted(strong, NAME, FEATHER, -0.4)
    assert mean_distance(grabbed(last), render(pixels, mask, edit)) <= JPEG_MEAN


def test_a_preview_that_the_bridge_has_closed_is_opened_again(tmp_path, strong) -> None:
    studio = Studio(tmp_path, strong.port)
    after = tmp_path / "after.rgb"
    forget = {"forgetPreviews": True}
    moved = {"dial": 0.5, "grab": str(after)}
    studio.add(
        [*CONNECT, {"press": "look", "drawn": True}, forget, moved], name=NAME, feather=FEATHER
    )

    seen = studio.run()[0]["seen"]

    assert "/v1/preview/open" in seen[-1]["posts"]
    pixels, mask = small(NAME, FEATHER)
    edit = predicted(strong, NAME, FEATHER, 0.5)
    assert mean_distance(grabbed(after), render(pixels, mask, edit)) <= JPEG_MEAN


def test_a_new_scene_closes_the_preview_of_the_last(studio) -> None:
    again = [{"press": "look", "drawn": True}] * 2
    lost = [{"select": False}, {"press": "look", "drawn": True}]
    studio.add([*CONNECT, *again, *lost], name=NAME)

    first, second, _, third = studio.run()[0]["seen"][2:]

    assert "/v1/preview/close" not in first["posts"]
    assert second["posts"].count("/v1/preview/close") == 1
    assert third["preview"] is None
    assert third["posts"].count("/v1/preview/close") == 1
    assert third["live"] == 0
