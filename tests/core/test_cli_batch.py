"""Several photos at once, what is written beside them, and outputs that must not be."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from tests.core.tiny_models import region_numbers, write_models, write_redirector

from gazeshift.cli import group
from gazeshift.cli.shared.jobs import expand_photos
from gazeshift.edit import Edit
from gazeshift.files import write_picture
from gazeshift.photo import read_photo
from gazeshift.proxy import make_proxy
from gazeshift.region import RegionParameters
from gazeshift.render import render

SIZE = (48, 80)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three photos of different brightness, one mask each; the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAZESHIFT_MODELS", str(write_models(tmp_path / "models")))
    rng = np.random.default_rng(1)
    for folder in ("photos", "masks"):
        (tmp_path / folder).mkdir()
    for index, name in enumerate("abc"):
        pixels = rng.integers(20, 120 + 20 * index, (*SIZE, 3), np.uint8)
        write_picture(tmp_path / "photos" / f"{name}.png", pixels)
        mask = np.zeros((*SIZE, 3), np.uint8)
        mask[10:30, 20 + 5 * index : 50] = 255
        write_picture(tmp_path / "masks" / f"{name}-mask.png", mask)
    return tmp_path


def gaze(*arguments: str) -> Result:
    return CliRunner().invoke(group, list(arguments))


def objects(done: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_photo_gets_its_own_mask_and_output(workplace: Path) -> None:
    done = gaze(
        "redirect", "photos/*.png", "--masks", "masks", "--output-dir", "new/out", "--json"
    )  # fmt: skip
    assert done.exit_code == 0
    assert done.stderr == ""
    assert [data["photo"] for data in objects(done)] == [f"photos/{name}.png" for name in "abc"]
    assert names(workplace / "new/out") == ["a.png", "b.png", "c.png"]
    one = gaze(
        "redirect", "photos/b.png", "--mask", "masks/b-mask.png", "-o", "alone.png", "--json"
    )  # fmt: skip
    (alone,) = objects(one)
    assert objects(done)[1]["edit"] == alone["edit"]
    assert (workplace / "alone.png").read_bytes() == (workplace / "new/out/b.png").read_bytes()


def test_a_failing_photo_does_not_stop_the_rest(workplace: Path) -> None:
    (workplace / "photos/b.png").write_bytes(b"")
    done = gaze("redirect", "photos/*.png", "--masks", "masks", "--output-dir", "out", "--json")
    assert done.exit_code == 1
    assert names(workplace / "out") == ["a.png", "c.png"]
    first, failed, last = objects(done)
    assert failed["photo"] == "photos/b.png"
    assert failed["error"]["code"] == "image"
    assert first["share_after"] > first["share_before"]
    assert last["output"] == str(Path("out/c.png"))
    assert "photos/b.png" in done.stderr


def test_a_bug_in_one_photo_does_not_stop_the_rest(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make_proxy

    def fail_for_b(pixels: np.ndarray, *arguments: Any, **options: Any) -> Any:
        if pixels.max() == 139:
            raise ZeroDivisionError("a bug")
        return real(pixels, *arguments, **options)

    assert read_photo(workplace / "photos/b.png").pixels.max() == 139
    monkeypatch.setattr("gazeshift.proxy.make_proxy", fail_for_b)
    done = gaze("redirect", "photos/*.png", "--masks", "masks", "--output-dir", "out")
    assert done.exit_code == 1
    assert names(workplace / "out") == ["a.png", "c.png"]
    assert "photos/b.png: Something unexpected happened: ZeroDivisionError: a bug" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' names are always text")
def test_name_that_is_no_text_is_refused_and_does_not_stop_the_rest(workplace: Path) -> None:
    name = os.fsdecode(b"0-\xff.png")
    (workplace / "photos" / name).write_bytes((workplace / "photos/a.png").read_bytes())
    done = gaze(
        "redirect", "photos/*.png", "--mask", "masks/a-mask.png", "--output-dir", "out", "--json"
    )  # fmt: skip
    assert done.exit_code == 1
    assert names(workplace / "out") == ["a.png", "b.png", "c.png"]
    assert objects(done)[0]["error"]["message"] == "The name of a file is not valid text."
    assert objects(done)[0]["photo"] == f"photos/{name}"


def test_missing_and_doubtful_masks_name_the_photo(workplace: Path) -> None:
    (workplace / "masks/a-mask.png").unlink()
    (workplace / "masks/c.png").write_bytes((workplace / "masks/c-mask.png").read_bytes())
    done = gaze("redirect", "photos/*.png", "--masks", "masks", "--output-dir", "out")
    assert done.exit_code == 1
    assert names(workplace / "out") == ["b.png"]
    assert "no mask for a.png" in done.stderr
    assert "several masks for c.png: c.png, c-mask.png" in done.stderr


def test_photos_and_masks_may_share_a_folder(workplace: Path) -> None:
    for path in (workplace / "masks").iterdir():
        path.rename(workplace / "photos" / path.name)
    done = gaze("redirect", "photos/[abc].png", "--masks", "photos", "--output-dir", "out")
    assert done.exit_code == 0
    assert names(workplace / "out") == ["a.png", "b.png", "c.png"]


def test_a_network_that_cannot_be_used_stops_at_once(workplace: Path) -> None:
    (workplace / "models/redirector.onnx").write_bytes(b"broken")
    done = gaze("redirect", "photos/*.png", "--masks", "masks", "--output-dir", "out")
    assert done.exit_code == 4
    assert done.stderr.count("Error:") == 1


def test_two_photos_for_one_output_are_refused_before_work(workplace: Path) -> None:
    (workplace / "more").mkdir()
    (workplace / "more/a.png").write_bytes((workplace / "photos/a.png").read_bytes())
    done = gaze(
        "redirect", "photos/*.png", "more/a.png", "--masks", "masks", "--output-dir", "out"
    )  # fmt: skip
    assert done.exit_code == 2
    assert "would both be written" in done.stderr
    assert names(workplace / "out") == []


def test_output_folder_that_holds_the_photos_is_refused(workplace: Path) -> None:
    before = {path: path.read_bytes() for path in (workplace / "photos").iterdir()}
    done = gaze(
        "redirect", "photos/*.png", "--masks", "masks", "--output-dir", "photos", "--force"
    )  # fmt: skip
    assert done.exit_code == 2
    assert "never overwritten" in done.stderr
    assert {path: path.read_bytes() for path in (workplace / "photos").iterdir()} == before


def test_side_outputs_collide_with_nothing(workplace: Path) -> None:
    both = gaze(
        "redirect", "photos/a.png", "--mask", "masks/a-mask.png", "-o", "x.png",
        "--compare", "x.png",
    )  # fmt: skip
    assert both.exit_code == 2
    onto_mask = gaze(
        "redirect", "photos/a.png", "--mask", "masks/a-mask.png", "-o", "x.png",
        "--compare", "masks/a-mask.png", "--force",
    )  # fmt: skip
    assert onto_mask.exit_code == 2
    assert "never overwritten" in onto_mask.stderr
    assert not (workplace / "x.png").exists()


def test_existing_side_output_is_refused_before_work(workplace: Path) -> None:
    (workplace / "edit.json").write_text("mine")
    arguments = (
        "redirect", "photos/a.png", "--mask", "masks/a-mask.png", "-o", "x.png",
        "--edit-out", "edit.json",
    )  # fmt: skip
    refused = gaze(*arguments)
    assert refused.exit_code == 2
    assert not (workplace / "x.png").exists()
    assert gaze(*arguments, "--force").exit_code == 0
    assert (workplace / "edit.json").read_text() != "mine"


def test_side_outputs_of_several_photos_go_into_folders(workplace: Path) -> None:
    done = gaze(
        "redirect", "photos/*.png", "--masks", "masks", "--output-dir", "out",
        "--edit-out", "edits", "--compare", "compared", "--json",
    )  # fmt: skip
    assert done.exit_code == 0
    assert names(workplace / "edits") == ["a.json", "b.json", "c.json"]
    assert names(workplace / "compared") == ["a.jpg", "b.jpg", "c.jpg"]
    assert objects(done)[0]["edit_out"] == str(Path("edits/a.json"))


def test_saved_edit_renders_the_same_picture(workplace: Path) -> None:
    common = ("photos/a.png", "--mask", "masks/a-mask.png")
    first = gaze(
        "redirect", *common, "-o", "x.png", "--edit-out", "edit.json", "--strength", "0.7"
    )  # fmt: skip
    assert first.exit_code == 0
    for path in (workplace / "models").iterdir():
        path.unlink()
    again = gaze("render", *common, "--edit", "edit.json", "-o", "y.png", "--json")
    assert again.exit_code == 0
    assert (workplace / "x.png").read_bytes() == (workplace / "y.png").read_bytes()
    (data,) = objects(again)
    assert data["strength"] == 0.7
    weaker = gaze("render", *common, "--edit", "edit.json", "-o", "z.png", "--strength", "0")
    assert weaker.exit_code == 0
    unchanged = read_photo(workplace / "z.png").pixels
    np.testing.assert_array_equal(unchanged, read_photo(workplace / "photos/a.png").pixels)


def test_render_applies_exactly_the_edit(workplace: Path) -> None:
    edit = Edit(foreground=RegionParameters({"exposure": {"ev": 0.5}}))
    (workplace / "edit.json").write_text(edit.dumps())
    done = gaze(
        "render", "photos/a.png", "--mask", "rect:20,10,30,20", "--edit", "edit.json", "-o", "x.png"
    )  # fmt: skip
    assert done.exit_code == 0
    mask = np.zeros(SIZE, np.float32)
    mask[10:30, 20:50] = 1
    expected = render(read_photo(workplace / "photos/a.png").pixels, mask, edit)
    np.testing.assert_array_equal(read_photo(workplace / "x.png").pixels, expected)


def test_edit_file_is_never_overwritten(workplace: Path) -> None:
    text = Edit().dumps()
    (workplace / "edit.png").write_text(text)
    done = gaze(
        "render", "photos/a.png", "--mask", "masks/a-mask.png", "--edit", "edit.png",
        "-o", "edit.png", "--force",
    )  # fmt: skip
    assert done.exit_code == 2
    assert (workplace / "edit.png").read_text() == text


def test_edit_that_does_not_help_is_said_so(workplace: Path) -> None:
    darker = [*region_numbers(ev=-0.3), *region_numbers()]
    write_redirector(workplace / "models/redirector.onnx", attract=darker)
    arguments = ("redirect", "photos/a.png", "--mask", "masks/a-mask.png")
    told = gaze(*arguments, "-o", "x.png", "--compare", "c.png")
    assert told.exit_code == 0
    assert "this edit did not raise it" in told.stdout
    assert "(x" not in told.stdout
    (data,) = objects(gaze(*arguments, "-o", "y.png", "--json"))
    assert data["effective"] is False
    assert data["share_after"] < data["share_before"]


def test_diverting_edit_that_does_not_help_is_said_so(workplace: Path) -> None:
    brighter = [*region_numbers(ev=0.3), *region_numbers()]
    write_redirector(workplace / "models/redirector.onnx", divert=brighter)
    done = gaze(
        "redirect", "photos/a.png", "--mask", "masks/a-mask.png", "-o", "x.png",
        "--strength", "-1",
    )  # fmt: skip
    assert "this edit did not lower it" in done.stdout


def test_strength_zero_writes_the_photo_unchanged(workplace: Path) -> None:
    done = gaze(
        "redirect", "photos/a.png", "--mask", "masks/a-mask.png", "-o", "x.png",
        "--strength", "0", "--json",
    )  # fmt: skip
    (data,) = objects(done)
    assert data["effective"] is None
    assert data["share_after"] == data["share_before"]
    np.testing.assert_array_equal(
        read_photo(workplace / "x.png").pixels, read_photo(workplace / "photos/a.png").pixels
    )


def test_failed_accelerator_is_a_warning_on_stderr(workplace: Path) -> None:
    done = gaze(
        "redirect", "photos/a.png", "--mask", "masks/a-mask.png", "-o", "x.png",
        "--provider", "directml", "--json",
    )  # fmt: skip
    assert done.exit_code == 0
    (data,) = objects(done)
    assert len(data["warnings"]) == 2
    assert done.stderr.count("Warning: directml is not available") == 2


def test_attention_reports_share_and_peak(workplace: Path) -> None:
    pixels = np.full((64, 64, 3), 30, np.uint8)
    pixels[32:40, 16:24] = 250
    write_picture(workplace / "spot.png", pixels)
    done = gaze("attention", "spot.png", "--mask", "rect:16,32,8,8", "-o", "heat.png", "--json")
    assert done.exit_code == 0
    (data,) = objects(done)
    assert data["peak"] == [20, 36]
    # One cell of 64 is brighter by 220/255; the network's gain is 4.
    bright = np.exp(4 * 220 / 255)
    assert data["share"] == pytest.approx(bright / (bright + 63), rel=1e-4)
    heat = read_photo(workplace / "heat.png").pixels
    assert heat.shape[1] >= 450
    without = gaze("attention", "spot.png")
    assert "viewers look most at x 20, y 36" in without.stdout
    assert "mask" not in without.stdout


def test_attention_of_several_photos_goes_into_a_folder(workplace: Path) -> None:
    done = gaze("attention", "photos/*.png", "--masks", "masks", "--output-dir", "heat")
    assert done.exit_code == 0
    assert names(workplace / "heat") == [f"{name}-attention.png" for name in "abc"]
    assert done.stdout.count("attention on the mask") == 3


def test_patterns_are_expanded_in_order_and_plain_names_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.png", "a.png", "odd[1].png"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert expand_photos(["?.png"]) == ["a.png", "b.png"]
    assert expand_photos(["odd[1].png", "-", "missing.png"]) == ["odd[1].png", "-", "missing.png"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["photos/a.png", "photos/b.png", "--mask", "rect:1,1,9,9", "-o", "x.png"],
        ["photos/a.png", "--mask", "rect:1,1,9,9", "-o", "x.png", "--output-dir", "out"],
        ["photos/a.png", "--mask", "rect:1,1,9,9", "--masks", "masks", "-o", "x.png"],
        ["photos/a.png", "--masks", "nowhere", "-o", "x.png"],
        ["-", "--masks", "masks", "-o", "x.png"],
        ["-", "--mask", "rect:1,1,9,9", "--output-dir", "out"],
    ],
)
def test_contradicting_options_are_usage_errors(workplace: Path, arguments: list[str]) -> None:
    done = gaze("redirect", *arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith("Usage:")
    assert not (workplace / "x.png").exists()
