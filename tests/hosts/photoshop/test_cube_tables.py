"""`.cube` tables, applied by OpenColorIO and held to the core's render."""

from __future__ import annotations

import hashlib

import numpy as np
import PyOpenColorIO as ocio
import pytest
from tests.core.recipes.edits import ramp_photo, soft_mask, strong_edit

from gazeshift.decoder import apply_chain, blend, values_of
from gazeshift.edit import RegionParameters
from gazeshift.recipes.cube import cube_tables, cube_text


def apply_cube(text: str, rgb: np.ndarray, folder) -> np.ndarray:
    # OpenColorIO keeps what it has read by the file's name.
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()}.cube"
    path.write_text(text)
    transform = ocio.FileTransform(src=str(path), interpolation=ocio.INTERP_BEST)
    processor = ocio.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor()
    out = np.array(rgb, np.float32)
    processor.applyRGB(out)
    return out


def test_both_tables_and_the_mask_give_the_cores_render(tmp_path) -> None:
    edit = strong_edit(sharpening=False)
    rgb = (ramp_photo().pixels / np.float32(255)).astype(np.float32)
    tables = cube_tables(edit)

    parts = [apply_cube(text, rgb, tmp_path) for text in tables.values()]
    regions = (edit.foreground, edit.background)
    expected = [apply_chain(rgb.astype(np.float64), values_of(region)) for region in regions]

    mixed = blend(*parts, soft_mask()) - blend(*expected, soft_mask())
    assert np.abs(mixed).max() < 0.25 / 255


def test_exchanged_tables_are_seen(tmp_path) -> None:
    edit = strong_edit(sharpening=False)
    rgb = (ramp_photo().pixels / np.float32(255)).astype(np.float32)
    wrong = apply_cube(cube_tables(edit)["background.cube"], rgb, tmp_path)

    assert np.abs(wrong - apply_chain(rgb, values_of(edit.foreground))).max() > 0.1


def test_three_dimensional_tables_come_close(tmp_path) -> None:
    region = RegionParameters({"saturation": {"amount": 0.4}, "exposure": {"ev": 0.2}})
    rgb = (ramp_photo().pixels / np.float32(255)).astype(np.float32)

    out = apply_cube(cube_text(region, title="mixed"), rgb, tmp_path)

    assert np.abs(out - apply_chain(rgb, values_of(region))).mean() == pytest.approx(0, abs=1 / 255)
