"""Contact sheets and the choice of the worst pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from gazeshift.edit import Edit, RegionParameters
from gazeshift_training.evaluation.pairs import Pair
from gazeshift_training.evaluation.sheet import GAP_PX, TILE_PX, SheetEntry, draw_sheet
from gazeshift_training.evaluation.worst import (
    FAILURES,
    MEASURES,
    describe,
    failure_lines,
    failures,
    worst_pairs,
)


class Brightest:
    """Attention is brightness."""

    def map(self, rgb):
        bright = rgb.mean(-1)[::4, ::4] + 0.01
        return (bright / bright.sum()).astype(np.float32)


def row(before, after, cast=1.0, turn=-3.0, lpips=0.03):
    return {
        "lpips": lpips,
        "clipped": 0.0,
        "cast_inside": cast,
        "cast_outside": 0.0,
        "turn_inside": turn,
        "turn_outside": 0.0,
        "share_before.judge": before,
        "share_after.judge": after,
    }


def test_sheet_shows_before_after_and_maps(tmp_path):
    rgb = np.full((60, 80, 3), 0.5, np.float32)
    mask = np.zeros((60, 80), np.float32)
    mask[20:40, 30:50] = 1
    edit = Edit(RegionParameters({"exposure": {"ev": 0.5}}), RegionParameters())
    entries = [SheetEntry(Pair("a.jpg#1", rgb, mask), edit, "note")] * 2
    draw_sheet(entries, Brightest(), "title", tmp_path / "sheet.png")
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
    with Image.open(tmp_path / "sheet.png") as page:
        codes = np.asarray(page)
    height = TILE_PX * 60 // 80
    assert codes.shape[0] > 2 * height
    centre = 18 + GAP_PX + 18 + height // 2
    before = codes[centre, GAP_PX + TILE_PX // 2]
    after = codes[centre, 2 * GAP_PX + TILE_PX + TILE_PX // 2]
    # 0.5 is code 128; half a stop more is 0.707, code 180.
    assert before == pytest.approx(128, abs=1)
    assert after == pytest.approx(180, abs=1)


def test_worst_pairs_come_worst_first():
    rows = {"up": row(0.1, 0.2), "flat": row(0.1, 0.1), "down": row(0.1, 0.05)}
    assert [name for name, _ in worst_pairs(rows, "gain", "attract", "judge", 2)] == [
        "down",
        "flat",
    ]
    assert [name for name, _ in worst_pairs(rows, "gain", "divert", "judge", 9)] == [
        "up",
        "flat",
        "down",
    ]


def test_captions_show_a_gain_as_a_gain():
    (found,) = worst_pairs({"up": row(0.1, 0.2)}, "gain", "attract", "judge", 1)
    assert describe("gain", found[1]) == "log gain +0.693"
    assert describe("lpips", 0.03) == "lpips 0.0300"


def test_turns_count_by_size_and_missing_figures_are_left_out():
    rows = {"a": row(0.1, 0.2, turn=-9.0), "b": row(0.1, 0.2, turn=4.0, cast=math.nan)}
    assert worst_pairs(rows, "turn-inside", "attract", "judge", 9) == [("a", 9.0), ("b", 4.0)]
    assert worst_pairs(rows, "cast-inside", "attract", "judge", 9) == [("a", 1.0)]
    for measure in MEASURES:
        assert worst_pairs(rows, measure, "attract", "judge", 1)


def test_failures_show_only_photos_that_may_be_published():
    rows = {
        "attract": {
            "coco/1.jpg#1": row(0.1, 0.05, lpips=0.09),
            "osie/1.jpg#2": row(0.1, 0.2, lpips=0.02),
            "scene/2.jpg#1": row(0.1, 0.15, lpips=0.04, cast=math.nan),
        },
        "divert": {"coco/1.jpg#1": row(0.1, 0.2)},
    }
    found = failures(rows, "judge")
    assert [one.measure for one in found] == list(FAILURES)
    assert {one.direction for one in found} == {"attract"}
    by_measure = {one.measure: one.pair for one in found}
    assert by_measure["gain"] == by_measure["lpips"] == "scene/2.jpg#1"
    assert by_measure["cast-inside"] == "osie/1.jpg#2"
    text = "\n".join(failure_lines(found, "tiny 1"))
    assert "OSIE" in text
    assert "Scene" in text
    assert "EyeCrowd" not in text
    assert "| attract | log gain +0.405 | scene/2.jpg#1 | log gain -0.693 | coco/1.jpg#1 |" in text
