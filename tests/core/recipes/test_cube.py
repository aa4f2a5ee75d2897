"""`.cube` tables: exact for point operators, readable by other programs."""

from __future__ import annotations

import numpy as np
import pytest
from tests.core.recipes.edits import strong_edit

from gazeshift.decoder import apply_chain, values_of
from gazeshift.edit import RegionParameters
from gazeshift.recipes.cube import ENTRIES, SIDE, cube_tables, cube_text


def rows(text: str) -> np.ndarray:
    lines = [line for line in text.splitlines() if line[:1].isdigit()]
    return np.array([[float(number) for number in line.split()] for line in lines])


def test_an_edit_gives_a_table_per_region() -> None:
    tables = cube_tables(strong_edit())

    assert list(tables) == ["foreground.cube", "background.cube"]
    assert tables["foreground.cube"] != tables["background.cube"]


def test_separable_chains_are_one_dimensional_and_exact_at_the_entries() -> None:
    region = strong_edit(sharpening=False).foreground
    text = cube_text(region, title="a")
    ramp = np.repeat(np.linspace(0, 1, ENTRIES)[None, :, None], 3, axis=2)

    assert f"LUT_1D_SIZE {ENTRIES}\n" in text
    assert np.abs(rows(text) - apply_chain(ramp, values_of(region))[0]).max() < 1e-7


def test_brightening_by_one_stop_doubles_every_entry() -> None:
    table = rows(cube_text(RegionParameters({"exposure": {"ev": 1.0}}), title="a"))

    # Entry k stands for k / 4095; clip(2 · k / 4095) = 1 from k = 2048 on.
    assert table[1024] == pytest.approx([2048 / 4095] * 3, abs=1e-7)
    assert table[2048:].min() == 1.0


def test_operators_that_mix_channels_make_a_three_dimensional_table() -> None:
    region = RegionParameters({"saturation": {"amount": -1.0}})
    text = cube_text(region, title="a")
    table = rows(text)

    assert f"LUT_3D_SIZE {SIDE}\n" in text
    assert len(table) == SIDE**3
    # The second row is the first step of red, green and blue still 0.
    step = np.array([[[1 / (SIDE - 1), 0.0, 0.0]]])
    assert table[1] == pytest.approx(apply_chain(step, values_of(region))[0, 0], abs=1e-7)


def test_the_dial_moves_the_table() -> None:
    half = cube_tables(strong_edit().with_strength(0.5))["foreground.cube"]
    whole = cube_tables(strong_edit())["foreground.cube"]
    ramp = np.repeat(np.linspace(0, 1, ENTRIES)[:, None], 3, axis=1)

    assert np.abs(rows(half) - ramp).mean() < 0.8 * np.abs(rows(whole) - ramp).mean()


def test_left_out_sharpening_is_said() -> None:
    assert "Sharpening is not in this table" in cube_text(strong_edit().foreground, title="a")
    assert "Sharpening" not in cube_text(strong_edit(sharpening=False).foreground, title="a")
