"""The evaluation, end to end on a small folder made here, and its parts by hand-worked rows."""

from __future__ import annotations

import csv
import itertools
import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from tests.core.tiny_models import region_numbers, write_attention, write_redirector

from gazeshift.errors import ParamError
from gazeshift_training.baselines.method import Method
from gazeshift_training.cli.contact_sheet import command as contact_sheet
from gazeshift_training.cli.evaluate import choose_methods, command
from gazeshift_training.evaluation.assemble import all_methods, model_at
from gazeshift_training.evaluation.encoder import measure_encoder
from gazeshift_training.evaluation.pairs import PairSource, in_fixed_order
from gazeshift_training.evaluation.run import Plan, content_digest, fingerprint

JUDGES = ("judge", "shipped")
METHODS = "model,identity,vignette,hor"


class MeanSquare(torch.nn.Module):
    """Stands in for LPIPS: the features are the picture."""

    def features(self, rgb):
        return [rgb]

    def distance(self, first, second):
        return (first[0] - second[0]).square().mean((1, 2, 3))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Four validation photos with two objects each, tiny networks, and a stand-in for LPIPS."""
    monkeypatch.setattr("gazeshift_training.lpips.Lpips", MeanSquare)
    rng = np.random.default_rng(2)
    rows = []
    for sub in ("photos", "masks"):
        (tmp_path / "data" / sub / "osie").mkdir(parents=True)
    for number in range(4):
        pixels = rng.integers(60, 190, (80, 96, 3), dtype=np.uint8)
        index = np.zeros((80, 96), np.uint8)
        index[10:30, 12:40], index[40:60, 50:80] = 1, 2
        Image.fromarray(pixels).save(tmp_path / "data/photos/osie" / f"{number}.png")
        Image.fromarray(index).save(tmp_path / "data/masks/osie" / f"{number}.png")
        for instance, area in ((1, 560 / 7680), (2, 600 / 7680)):
            name = f"osie/{number}.png"
            rows.append([name, name, "val", instance, "cup", 0.9, area])
    with (tmp_path / "data/instances.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["photo", "mask", "split", "instance", "category", "score", "area"])
        writer.writerows(rows)
    write_attention(tmp_path / "shipped.onnx", gain=4.0)
    write_attention(tmp_path / "judge.onnx", gain=2.0)
    write_redirector(tmp_path / "model.onnx")
    return tmp_path


def evaluate(folder, *extra):
    arguments = ["--data", str(folder / "data"), "--out", str(folder / "out"), "--workers", "1"]
    for option, name in (("model", "model"), ("attention", "shipped"), ("judge", "judge")):
        arguments += [f"--{option}", str(folder / f"{name}.onnx")]
    return CliRunner().invoke(command, [*arguments, *extra], catch_exceptions=False)


def test_command_writes_table_data_and_figures(folder):
    (folder / "docs").mkdir()
    options = ("--subset", "2", "--strength", "0.5", "--docs", str(folder / "docs"))
    result = evaluate(folder, "--methods", METHODS, *options)
    assert result.exit_code == 0, result.output
    data = json.loads((folder / "out/evaluation.json").read_text())
    assert data["format"] == "gazeshift-evaluation/2"
    rows = {(row["method"], row["direction"]): row for row in data["table"]}
    assert set(rows) == {
        (method, direction)
        for method in ("model", "model-at-0.5", "identity", "vignette", "hor")
        for direction in ("attract", "divert")
    }
    # The tiny networks: brightness draws the eye, and the model brightens inside to attract.
    model = rows["model", "attract"]
    assert model["pairs"] == 4
    assert model["attention"]["judge"]["ratio_of_means"] > 1.1
    assert model["attention"]["judge"]["moved"] == 1.0
    assert (
        model["attention"]["shipped"]["ratio_of_means"]
        > (model["attention"]["judge"]["ratio_of_means"])
    )
    assert rows["model", "divert"]["attention"]["judge"]["ratio_of_means"] < 0.95
    half = rows["model-at-0.5", "attract"]
    assert (
        1
        < half["attention"]["judge"]["ratio_of_means"]
        < (model["attention"]["judge"]["ratio_of_means"])
    )
    assert model["seconds"] > 0
    same = rows["identity", "attract"]
    assert same["attention"]["judge"]["ratio_of_means"] == 1.0
    assert same["attention"]["judge"]["moved"] == 0.0
    assert same["fidelity"]["lpips"] == same["fidelity"]["clipped"] == 0.0
    for judge in JUDGES:
        assert [point["strength"] for point in data["curves"][judge]["attract"]["model"]] == [
            0.25, 0.5, 0.75, 1.0, 1.25, 1.5,
        ]  # fmt: skip
        # Over the first two pairs, the same that the table on the subset shows.
        shown = next(row for row in data["subset_table"] if row["method"] == "model")
        at_one = data["curves"][judge]["attract"]["model"][3]
        assert at_one["ratio"] == pytest.approx(shown["attention"][judge]["ratio_of_means"])
    assert {duel["method"] for duel in data["duels"]} == {"vignette", "hor"}
    assert {bar["level"] for bar in data["bars"]} == {"first", "goal"}
    text = (folder / "out/evaluation.md").read_text()
    assert "| This model | 4 |" in text
    assert "ratio of mean shares | ≥ 1.35" in text
    assert "photos won against Vignette, at its LPIPS (n = 4)" in text
    size = (folder / "model.onnx").stat().st_size
    assert data["encoder"]["size_bytes"] == size
    assert f"| MB of the file | ≤ 20 | {size / 1e6:.4g} | met |" in text
    assert str(folder) not in text
    for direction in ("attract", "divert"):
        with Image.open(folder / f"out/evaluation-{direction}.png") as figure:
            assert figure.width > 600
        assert (folder / f"docs/figures/evaluation-{direction}.png").is_file()
        assert (
            f"(figures/evaluation-{direction}.png)"
            in (folder / "docs/evaluation-table.md").read_text()
        )
    assert json.loads((folder / "docs/evaluation-table.json").read_text()) == data


def test_rerun_measures_only_what_is_missing(folder, monkeypatch):
    evaluate(folder, "--methods", "model,vignette", "--no-curves", "--limit", "2")
    rows = folder / "out/rows/model.attract.jsonl"
    first = rows.read_text().splitlines()
    assert len(first) == 3
    # A kill cut the last line short.
    rows.write_text("\n".join([*first[:2], first[2][:40]]))
    measured = []
    from gazeshift_training.evaluation.measure import PairMeter

    kept = PairMeter.full

    def counted(self, edited):
        measured.append(self.pair.name)
        return kept(self, edited)

    monkeypatch.setattr(PairMeter, "full", counted)
    evaluate(folder, "--methods", "model,vignette", "--no-curves", "--limit", "2")
    assert measured == [json.loads(first[2])["pair"]]
    assert sorted(rows.read_text().splitlines()[1:]) == sorted(first[1:])


def test_another_model_drops_its_rows_but_not_those_of_baselines(folder):
    evaluate(folder, "--methods", "model,vignette", "--no-curves")
    folder_rows = folder / "out/rows"
    kept = (folder_rows / "vignette.attract.jsonl").read_text()
    before = (folder_rows / "model.attract.jsonl").read_text()
    stronger = [*region_numbers(ev=0.8), *region_numbers(ev=-0.4)]
    write_redirector(folder / "model.onnx", attract=stronger)
    evaluate(folder, "--methods", "model,vignette", "--no-curves")
    after = (folder_rows / "model.attract.jsonl").read_text()
    assert after.splitlines()[0] != before.splitlines()[0]
    assert after.splitlines()[1] != before.splitlines()[1]
    assert (folder_rows / "vignette.attract.jsonl").read_text() == kept
    header = fingerprint(
        all_methods()["vignette"],
        folder / "model.onnx",
        {"judge": folder / "judge.onnx", "shipped": folder / "shipped.onnx"},
    )
    assert json.loads((folder_rows / "vignette.attract.jsonl").read_text().splitlines()[0]) == {
        "fingerprint": header
    }
    assert "model" not in header


def test_photos_that_draw_the_eye_already_are_left_out(folder):
    # A network that sees one bright object alone.
    for number in range(3):
        path = folder / "data/photos/osie" / f"{number}.png"
        pixels = np.full((80, 96, 3), 10, np.uint8)
        pixels[8:32, 8:40] = pixels[40:64, 48:80] = 255
        Image.fromarray(pixels).save(path)
    write_attention(folder / "shipped.onnx", gain=9.0)
    evaluate(folder, "--methods", "identity", "--no-curves")
    data = json.loads((folder / "out/evaluation.json").read_text())
    assert [row["pairs"] for row in data["table"]] == [1, 1]


def test_unknown_method_is_a_usage_error():
    with pytest.raises(ParamError, match="'magic'") as caught:
        choose_methods("model,magic")
    assert caught.value.exit_code == 2
    assert "vignette" in caught.value.hint


def test_all_names_every_method_and_quick_the_four():
    assert [method.id for method in choose_methods("all")] == list(all_methods())
    assert [method.id for method in choose_methods("quick")] == METHODS.split(",")


def test_pairs_keep_their_order_when_others_are_added():
    sources = [PairSource(f"photo {number}", lambda: None) for number in range(20)]
    few = [source.name for source in in_fixed_order(sources[:10])]
    all_ = [source.name for source in in_fixed_order(reversed(sources))]
    assert [name for name in all_ if name in few] == few
    assert few != sorted(few)


def test_a_prediction_is_timed_on_the_file(folder):
    figures = measure_encoder(folder / "model.onnx", 48, 64)
    assert 0 < figures.milliseconds < 50
    assert (figures.height_px, figures.width_px) == (48, 64)
    assert figures.size_bytes == (folder / "model.onnx").stat().st_size


def test_subset_methods_and_curves_stay_on_the_subset():
    methods = all_methods()
    plan = Plan([methods["model"], methods["image-optimum"]], subset=2, curve_strengths=(0.5, 1.0))
    assert plan.strengths(methods["model"], 1) == {1.0: True, 0.5: False}
    # The model's curve is read at the others' LPIPS on every pair.
    assert plan.strengths(methods["model"], 2) == {1.0: True, 0.5: False}
    assert plan.strengths(methods["vignette"], 2) == {1.0: True}
    assert plan.strengths(methods["image-optimum"], 2) == {}
    assert plan.strengths(methods["identity"], 0) == {1.0: True}


def test_the_model_at_another_dial_position_is_a_row_of_its_own():
    assert isinstance(model_at(0.75), Method)
    assert model_at(0.75).strength == 0.75


def test_rows_of_other_weights_are_not_reused(folder):
    judges = {"judge": folder / "judge.onnx"}
    stamps = [
        fingerprint(replace(all_methods()["identity"], stamp=stamp), folder / "model.onnx", judges)
        for stamp in ("", "weights 1", "weights 2")
    ]
    assert len(set(stamps)) == 3


def test_new_notes_in_a_network_keep_the_rows_measured_with_it(folder):
    method, judges = all_methods()["model"], {"judge": folder / "judge.onnx"}
    before = fingerprint(method, folder / "model.onnx", judges)
    for name in ("model", "judge"):
        network = onnx.load(folder / f"{name}.onnx")
        onnx.helper.set_model_props(network, {"gazeshift.data": "said differently"})
        onnx.save(network, folder / f"{name}.onnx")
    assert fingerprint(method, folder / "model.onnx", judges) == before
    write_attention(folder / "judge.onnx", gain=2.5)
    assert fingerprint(method, folder / "model.onnx", judges) != before


def test_contact_sheets_of_the_model_and_of_its_worst_pairs(folder):
    evaluate(folder, "--methods", "model", "--no-curves")

    def draw():
        arguments = ["--data", str(folder / "data"), "--out", str(folder / "sheets")]
        arguments += ["--model", str(folder / "model.onnx"), "--count", "2", "--worst", "3"]
        arguments += ["--attention", str(folder / "shipped.onnx")]
        arguments += ["--evaluation", str(folder / "out")]
        arguments += ["--failures", str(folder / "failures.jpg")]
        return CliRunner().invoke(contact_sheet, arguments)

    result = draw()
    assert result.exit_code == 0, result.output
    pages = sorted(path.name for path in (folder / "sheets").iterdir())
    assert {"sheet-attract.png", "sheet-divert.png", "worst-gain-attract.png"} <= set(pages)
    assert not any("partial" in page for page in pages)
    with (
        Image.open(folder / "sheets/sheet-attract.png") as two,
        Image.open(folder / "sheets/worst-gain-attract.png") as three,
    ):
        assert three.height > two.height
    with Image.open(folder / "failures.jpg") as page:
        # The tiny photos have no greys or colours enough for all measures.
        assert page.format == "JPEG"
        assert page.height > two.height
    listed = (folder / "failures.md").read_text()
    assert "| attract | log gain " in listed
    assert "OSIE" in listed
    assert content_digest(folder / "model.onnx") in listed
    # Rows of another model say nothing about this one.
    write_redirector(folder / "model.onnx", attract=[*region_numbers(ev=0.1)] * 2)
    failed = draw()
    assert isinstance(failed.exception, ParamError)
    assert "another model" in str(failed.exception)


def test_styles_are_compared_by_parameters_pictures_and_effect(folder):
    # The first number of a style, times 0.1, is added to the exposure inside.
    write_redirector(folder / "model.onnx", style_gain=0.1)
    evaluate(folder, "--methods", "model", "--no-curves", "--styles", "2")
    data = json.loads((folder / "out/evaluation.json").read_text())
    attract, divert = data["styles"]
    assert (attract["direction"], divert["direction"]) == ("attract", "divert")
    firsts = [np.random.RandomState(style).standard_normal(10)[0] for style in range(1, 11)]
    apart = np.mean([abs(a - b) for a, b in itertools.combinations(firsts, 2)])
    # One of 70 numbers moves, its hard range is 4 stops wide.
    assert attract["distance"] == pytest.approx(0.1 * apart / 4 / 70, rel=1e-4)
    assert attract["photos"] == 2
    assert attract["difference_codes"] > 0.1
    assert attract["spread"] > 0.005
    assert attract["smallest_ratio"] < attract["ratio"] < attract["largest_ratio"]
    assert divert["ratio"] < 1 < attract["ratio"]
    assert "## Ten random styles" in (folder / "out/evaluation.md").read_text()


def test_a_model_without_styles_has_no_table_of_them(folder):
    evaluate(folder, "--methods", "model", "--no-curves")
    assert json.loads((folder / "out/evaluation.json").read_text())["styles"] == []
    assert "random styles" not in (folder / "out/evaluation.md").read_text()
