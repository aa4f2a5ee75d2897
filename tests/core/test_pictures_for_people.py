"""Heat maps, outlines, labels and comparisons, and the small files they go into."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gazeshift.compare import PANEL_LONG_SIDE_PX, draw_comparison, draw_heatmap
from gazeshift.edit import Edit
from gazeshift.errors import OutputError
from gazeshift.files import write_file, write_picture
from gazeshift.heatmap import (
    BACKGROUND,
    density_peak,
    draw_attention,
    draw_outline,
    heat_colours,
    label_strip,
)
from gazeshift.lettering import LINE_HEIGHT_PX, draw_text
from gazeshift.photo import read_photo


def lightness(rgb: np.ndarray) -> np.ndarray:
    """CIE L* of sRGB 0-1, by its definition."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27)


def test_heat_colours_rise_evenly_in_lightness() -> None:
    colours = heat_colours(np.linspace(0, 1, 65, dtype=np.float32))
    assert colours.shape == (65, 3)
    assert colours.min() >= 0
    assert colours.max() <= 1
    steps = np.diff(lightness(colours.astype(float)))
    assert (steps > 0).all()
    assert steps.max() < 2.5 * steps.mean()
    assert steps.min() > 0.3 * steps.mean()


def test_heat_colours_clip_what_is_out_of_range() -> None:
    values = np.array([-1.0, 0.0, 1.0, 2.0], np.float32)
    first, zero, one, last = heat_colours(values)
    np.testing.assert_array_equal(first, zero)
    np.testing.assert_array_equal(one, last)


def test_attention_is_brightest_where_the_map_is() -> None:
    attention = np.full((6, 8), 0.5 / 47, np.float32)
    attention[1, 6] = 0.5
    peak = density_peak(attention)
    assert peak == pytest.approx(24)
    drawn = draw_attention(np.full((60, 80, 3), 0.4, np.float32), attention, peak=peak)
    row, column = divmod(int(lightness(drawn.astype(float)).argmax()), 80)
    assert (row // 10, column // 10) == (1, 6)


def test_same_scale_shows_the_same_density_in_the_same_colour() -> None:
    rgb = np.full((20, 20, 3), 0.5, np.float32)
    even = np.full((4, 4), 1 / 16, np.float32)
    strong = draw_attention(rgb, even, peak=1.0)
    weak = draw_attention(rgb, even, peak=10.0)
    assert lightness(strong.astype(float)).mean() > lightness(weak.astype(float)).mean() + 20
    np.testing.assert_array_equal(strong, draw_attention(rgb, even, peak=1.0))


def test_outline_runs_along_the_masks_edge_only() -> None:
    rgb = np.full((40, 60, 3), 0.5, np.float32)
    mask = np.zeros((40, 60), np.float32)
    mask[10:30, 20:50] = 1
    drawn = draw_outline(rgb, mask)
    assert (rgb == 0.5).all()
    assert (drawn[10, 20:50] == 1).all()
    assert (drawn[10:30, 49] == 1).all()
    assert (drawn[15:25, 26:44] == 0.5).all()
    assert (drawn[:5] == 0.5).all()
    assert (drawn == 0).any()
    np.testing.assert_array_equal(draw_outline(rgb, np.zeros((40, 60), np.float32)), rgb)


def test_letters_differ_and_have_ink() -> None:
    letters = "ABCabc0123456789%\u2192\u00d7."
    shapes = [draw_text(letter) for letter in letters]
    assert all(shape.shape[0] == LINE_HEIGHT_PX and shape.max() == 1 for shape in shapes)
    assert len({shape.tobytes() for shape in shapes}) == len(letters)
    assert draw_text(" ").max() == 0
    assert draw_text("").shape == (LINE_HEIGHT_PX, 0)
    np.testing.assert_array_equal(draw_text("\u4e2d"), draw_text("?"))
    together = draw_text("Ab")
    np.testing.assert_array_equal(
        together, np.concatenate((draw_text("A"), draw_text("b")), axis=1)
    )


@pytest.mark.parametrize("width", [10, 60, 300, 900])
def test_label_fits_any_width(width: int) -> None:
    strip = label_strip("A label that is long enough to be cut", width, legend=True)
    assert strip.shape[1] == width
    assert np.isfinite(strip).all()
    np.testing.assert_allclose(strip[:, :4], BACKGROUND)
    np.testing.assert_allclose(strip[:, -4:], BACKGROUND)


@pytest.mark.parametrize(
    ("size", "rows"), [((600, 900), 2), ((900, 600), 1), ((30, 40), 2), ((1, 1), 2), ((9, 900), 2)]
)
def test_comparison_shows_before_after_and_both_maps(size: tuple[int, int], rows: int) -> None:
    before = np.full((*size, 3), (200, 40, 40), np.uint8)
    after = np.full((*size, 3), (40, 40, 200), np.uint8)
    mask = np.ones(size, np.float32)
    attention = np.full((6, 8), 1 / 48, np.float32)
    edit = Edit(share_before=0.25, share_after=0.5)
    drawn = draw_comparison(before, after, mask, (attention, attention), edit=edit)
    assert drawn.dtype == np.uint8
    panel = max(PANEL_LONG_SIDE_PX // 2, min(max(size), PANEL_LONG_SIDE_PX))
    assert drawn.shape[1] >= panel * min(2, size[1] / max(size) * 4) * 0.9
    red = (drawn == (200, 40, 40)).all(axis=2)
    blue = (drawn == (40, 40, 200)).all(axis=2)
    assert red.sum() == blue.sum() > 0
    assert np.nonzero(red)[1].max() < np.nonzero(blue)[1].min()
    if rows == 2:
        assert np.nonzero(red)[0].max() < drawn.shape[0] * 0.6


def test_comparison_names_a_failed_edit() -> None:
    photo = np.full((300, 400, 3), 90, np.uint8)
    mask = np.zeros((300, 400), np.float32)
    mask[:100] = 1
    attention = np.full((6, 8), 1 / 48, np.float32)

    def drawn(after: float) -> np.ndarray:
        edit = Edit(share_before=0.25, share_after=after)
        return draw_comparison(photo, photo, mask, (attention, attention), edit=edit)

    assert (drawn(0.2) != drawn(0.3)).any()


def test_heatmap_uses_the_photos_profile() -> None:
    import pyvips

    photo = np.full((100, 150, 3), (120, 200, 60), np.uint8)
    attention = np.full((6, 8), 1 / 48, np.float32)
    plain = draw_heatmap(photo, attention)
    wide = draw_heatmap(
        photo, attention, icc_profile=bytes(pyvips.Image.profile_load("p3")), share=0.5
    )
    assert plain.shape == wide.shape
    assert (plain != wide).any()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_picture_files_hold_what_was_drawn(tmp_path: Path, suffix: str) -> None:
    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[:, 30:] = (250, 180, 20)
    path = tmp_path / f"picture{suffix}"
    write_picture(path, rgb)
    found = read_photo(path).pixels
    assert found.shape == rgb.shape
    np.testing.assert_allclose(found[:, 40:].astype(int).mean((0, 1)), (250, 180, 20), atol=4)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "edit.json"
    target.write_bytes(b"old")

    def fail(source: object, destination: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OutputError, match="No space left"):
        write_file(target, b"new", force=True)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["edit.json"]


def test_existing_files_folders_and_missing_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"old")
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    with pytest.raises(OutputError, match="exists already"):
        write_file(tmp_path / "there", b"new")
    with pytest.raises(OutputError, match="exists already"):
        write_file(tmp_path / "dangling", b"new")
    with pytest.raises(OutputError, match="is a folder"):
        write_file(tmp_path, b"new", force=True)
    with pytest.raises(OutputError, match="does not exist"):
        write_file(tmp_path / "nowhere" / "file", b"new")
    with pytest.raises(OutputError, match="must end in"):
        write_picture(tmp_path / "picture.bmp", np.zeros((4, 4, 3), np.uint8))
