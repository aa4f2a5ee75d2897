"""Curation, on a small excerpt in the COCO format that is made here."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tests.core.tiny_models import write_attention

from gazeshift.errors import ParamError
from gazeshift_training.cli.curate import command
from gazeshift_training.curate.coco import decode_segmentation, read_coco
from gazeshift_training.curate.convert import convert_coco
from gazeshift_training.curate.rules import ClutterRules, curate
from gazeshift_training.instances import Instance, read_instances


def instance(photo, number, area=0.1, split="train"):
    return Instance(f"{photo}.jpg", f"{photo}.png", split, number, "cup", 1.0, area)


def flat(saliency):
    return lambda group: [saliency] * len(group)


def test_rules_in_order_and_what_each_removed():
    table = [
        # few: two objects only
        *(instance("few", number) for number in (1, 2)),
        # sizes: one too small, one too large, two left
        instance("sizes", 1, 0.02), instance("sizes", 2, 0.41),
        instance("sizes", 3, 0.03), instance("sizes", 4, 0.40),
        # bright: two of three already stand out
        *(instance("bright", number) for number in (1, 2, 3)),
        # good: all three stay
        *(instance("good", number) for number in (1, 2, 3)),
        instance("other", 1, split="val"),
    ]  # fmt: skip

    def saliency(group):
        return [0.9 if one.photo == "bright.jpg" and one.number > 1 else 0.7 for one in group]

    pairs, report = curate(table, "train", saliency)
    assert [pair.instance.photo for pair in pairs] == ["good.jpg", "sizes.jpg"]
    assert pairs[1].instance.number in (3, 4)
    assert pairs[0].saliency == 0.7
    assert (report.photos, report.masks) == (4, 12)
    assert report.lines() == [
        "train: 4 photos, 12 masks",
        "  fewer than 3 objects in the photo: removed 1 photos, 2 masks; 3 photos, 10 masks left",
        "  area outside 3% to 40%: removed 0 photos, 2 masks; 3 photos, 8 masks left",
        "  saliency above 0.7: removed 0 photos, 2 masks; 3 photos, 6 masks left",
        "  fewer than 2 masks left: removed 1 photos, 1 masks; 2 photos, 5 masks left",
        "  one mask per photo, at random: removed 0 photos, 3 masks; 2 photos, 2 masks left",
    ]


def test_validation_keeps_every_mask():
    table = [instance("good", number, split="val") for number in (1, 2, 3)]
    pairs, report = curate(table, "val", flat(0.2))
    assert [pair.instance.number for pair in pairs] == [1, 2, 3]
    assert not any("random" in line for line in report.lines())


def test_the_choice_repeats_by_seed_and_differs_between_seeds():
    table = [instance(f"{photo:02d}", number) for photo in range(30) for number in range(1, 6)]
    chosen = [
        [
            pair.instance.number
            for pair in curate(table, "train", flat(0.2), ClutterRules(seed=s))[0]
        ]
        for s in (0, 0, 1)
    ]
    assert chosen[0] == chosen[1] != chosen[2]
    assert set(chosen[0]) == {1, 2, 3, 4, 5}


def test_least_saliency_drops_what_nobody_sees():
    table = [instance("good", number) for number in (1, 2, 3)]
    pairs, report = curate(table, "train", flat(0.05), ClutterRules(least_saliency=0.1))
    assert not pairs
    assert "saliency below 0.1: removed 1 photos, 3 masks" in "\n".join(report.lines())


def test_a_polygon_covers_the_pixels_inside_its_corners():
    mask = decode_segmentation([[2, 1, 6, 1, 6, 4, 2, 4]], 6, 8)
    expected = np.zeros((6, 8), bool)
    expected[1:4, 2:6] = True
    # The pen also draws its own outline, so a border of one pixel may be in.
    assert mask[expected].all()
    assert mask.sum() <= 4 * 5


def test_run_lengths_go_down_the_columns():
    # 2 rows, 3 columns: 1 off, 3 on, 2 off, so (1, 0), (0, 1), (1, 1) are on.
    expected = [[False, True, False], [True, True, False]]
    numbers = {"size": [2, 3], "counts": [1, 3, 2]}
    assert decode_segmentation(numbers, 2, 3).tolist() == expected
    # COCO's text: 48 + number for small numbers; the third and later runs as they are, the
    # fourth as a difference to the second.
    assert decode_segmentation({"counts": "132"}, 2, 3).tolist() == expected
    # 1 off, 2 on, 1 off, 2 on is "121" and a difference of 0.
    assert decode_segmentation({"counts": "1210"}, 2, 3).ravel(order="F").tolist() == [
        False, True, True, False, True, True,
    ]  # fmt: skip


def test_run_lengths_longer_than_five_bits_and_negative_differences():
    # 100 off, 40 on, 10 off, 30 on: 100 = 0b11 00100 → 4 + 32 | 3 → "T3"; 40 = "X1";
    # 10 = ":"; 30 - 40 = -10 = 0b10110 in five bits, its sign bit set: "F".
    mask = decode_segmentation({"counts": "T3X1:F"}, 18, 10)
    runs = mask.ravel(order="F")
    assert runs.sum() == 70
    assert not runs[:100].any()
    assert runs[100:140].all()
    assert not runs[140:150].any()


def test_run_lengths_that_do_not_fit_are_refused():
    with pytest.raises(ParamError, match="cover 5 pixels of 2 x 3"):
        decode_segmentation({"counts": [1, 3, 1]}, 2, 3)


def box(x, y, width, height):
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


@pytest.fixture
def coco(tmp_path):
    """Three training photos and one for validation; a crowd, an overlap, a missing file."""
    root = tmp_path / "coco"
    (root / "annotations").mkdir(parents=True)
    categories = [{"id": 1, "name": "cup"}, {"id": 2, "name": "dining table"}]
    rng = np.random.default_rng(0)
    for split, names in (("train2017", ("a", "b", "gone")), ("val2017", ("v",))):
        (root / split).mkdir()
        images, annotations = [], []
        for number, name in enumerate(names):
            images.append({"id": number, "file_name": f"{name}.jpg", "height": 90, "width": 120})
            if name != "gone":
                pixels = rng.integers(0, 255, (90, 120, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / f"{name}.jpg")
            outlines = [
                (1, box(10, 10, 30, 30)),
                (1, box(60, 15, 25, 30)),
                (1, box(75, 60, 30, 20)),
            ]
            if name == "a":
                outlines.append((2, box(5, 5, 60, 60)))
            for category, segmentation in outlines:
                annotations.append(
                    {
                        "image_id": number,
                        "category_id": category,
                        "segmentation": segmentation,
                        "iscrowd": 0,
                    }
                )
            crowd = {"size": [90, 120], "counts": [0, 10800]}
            annotations.append(
                {"image_id": number, "category_id": 1, "segmentation": crowd, "iscrowd": 1}
            )
        content = {"images": images, "annotations": annotations, "categories": categories}
        (root / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    return root


def test_conversion_writes_the_table_and_says_what_it_left_out(coco, tmp_path):
    report = convert_coco(coco, tmp_path / "data")
    rows = read_instances(tmp_path / "data/instances.csv")
    assert {row.photo for row in rows} == {"coco/a.jpg", "coco/b.jpg", "coco/v.jpg"}
    assert [row.split for row in rows if row.photo == "coco/v.jpg"] == ["val"] * 3
    lines = "\n".join(report.lines())
    assert "converting: 4 photos, 17 masks" in lines
    assert "photo missing or unreadable: removed 1 photos, 4 masks" in lines
    assert "crowd, no single object: removed 0 photos, 3 masks" in lines
    # The table is the largest, number 1; the cup on it keeps its pixels.
    on_a = {row.number: row for row in rows if row.photo == "coco/a.jpg"}
    assert on_a[1].category == "dining_table"
    with Image.open(tmp_path / "data/masks/coco/a.png") as index:
        values = np.asarray(index)
    assert values[20, 20] != 1
    assert values[50, 20] == 1
    for number, row in on_a.items():
        assert row.area == pytest.approx((values == number).mean(), abs=1e-4)
        assert row.score == 1.0


def test_command_makes_pairs_from_an_official_folder(coco, tmp_path):
    write_attention(tmp_path / "attention.onnx")
    arguments = ["--coco", str(coco), "--data", str(tmp_path / "data")]
    arguments += ["--out", str(tmp_path / "pairs.csv")]
    arguments += ["--attention", str(tmp_path / "attention.onnx")]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "train: 2 photos, 7 masks" in result.output
    assert "one mask per photo, at random" in result.output
    with (tmp_path / "pairs.csv").open(newline="") as stream:
        pairs = list(csv.DictReader(stream))
    counts = {photo: sum(pair["photo"] == photo for pair in pairs) for photo in
              ("coco/a.jpg", "coco/b.jpg", "coco/v.jpg")}  # fmt: skip
    assert counts == {"coco/a.jpg": 1, "coco/b.jpg": 1, "coco/v.jpg": 3}
    assert all(0 <= float(pair["saliency"]) <= 0.7 for pair in pairs)
    assert all(0.03 <= float(pair["area"]) <= 0.4 for pair in pairs)
    # The tables of a folder that is there already give the same pairs.
    again = CliRunner().invoke(command, arguments[2:], catch_exceptions=False)
    assert again.exit_code == 0
    with (tmp_path / "pairs.csv").open(newline="") as stream:
        assert list(csv.DictReader(stream)) == pairs


def test_wrong_folders_and_files_are_clear_errors(tmp_path):
    with pytest.raises(ParamError, match=r"instances_train2017\.json"):
        convert_coco(tmp_path, tmp_path / "data")
    (tmp_path / "broken.json").write_text('{"images": []}')
    with pytest.raises(ParamError, match="not in the COCO instances format"):
        read_coco(tmp_path / "broken.json")
    arguments = ["--data", str(tmp_path / "none"), "--out", str(tmp_path / "pairs.csv")]
    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, ParamError)
    assert "instances.csv" in str(result.exception)
