"""Brief training of the paper's ablations, on tiny networks and photos made here."""

from __future__ import annotations

import csv
import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from gazeshift.errors import ParamError
from gazeshift.operators import DEFAULT_CHAIN
from gazeshift_training.ablation.programme import Programme
from gazeshift_training.ablation.results import read_finished
from gazeshift_training.ablation.variants import ORDERS, VARIANTS, Variant
from gazeshift_training.attention.export import export_attention
from gazeshift_training.attention.network import AttentionDesign, AttentionNetwork
from gazeshift_training.baselines.method import dial_of
from gazeshift_training.cli.ablate import RECIPE as SHIPPED_RECIPE
from gazeshift_training.cli.ablate import command
from gazeshift_training.evaluation.ablations import ablation_methods, edit_of
from gazeshift_training.evaluation.pairs import Pair
from gazeshift_training.lpips import Lpips
from gazeshift_training.recipe import read_recipe
from gazeshift_training.redirector.network import RedirectorDesign
from gazeshift_training.redirector.recipe import RedirectorRecipe

RECIPE = RedirectorRecipe(
    design=RedirectorDesign(working_side=64, trunk=16, head=8),
    pretrained=False,
    steps=3,
    batch=2,
    area=96 * 64,
    attention_areas=(96 * 64,),
    held_out=2,
    largest_attract_share=1.0,
    smallest_divert_share=0.0,
    head_rate=0.01,
    average=0.5,
    save_every=2,
)
BY_ID = {variant.id: variant for variant in VARIANTS}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six photos of noise with two rectangles each, an attention network, and small LPIPS."""
    generator = np.random.default_rng(5)
    for name in ("photos", "masks"):
        (tmp_path / "data" / name).mkdir(parents=True)
    with (tmp_path / "data/instances.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["photo", "mask", "split", "instance", "category", "score", "area"])
        for number in range(6):
            pixels = generator.integers(0, 256, (64, 96, 3)).astype(np.uint8)
            index = np.zeros((64, 96), np.uint8)
            index[4:24, 6:36], index[30:60, 50:90] = 1, 2
            Image.fromarray(pixels).save(tmp_path / "data/photos" / f"{number}.png")
            Image.fromarray(index).save(tmp_path / "data/masks" / f"{number}.png")
            for instance in (1, 2):
                area = round(float((index == instance).mean()), 4)
                row = [f"{number}.png", f"{number}.png", "train", instance, "thing", 0.9, area]
                writer.writerow(row)
    torch.manual_seed(0)
    network = AttentionNetwork(AttentionDesign(channels=8, working_area=RECIPE.area)).eval()
    about = {"model_id": "tiny", "version": "1", "data": "", "licence": "", "revision": ""}
    export_attention(network, tmp_path / "attention.onnx", **about)
    lpips = small_lpips(tmp_path)
    monkeypatch.setattr("gazeshift_training.ablation.programme.Lpips", lambda: lpips)
    return tmp_path


def small_lpips(folder: Path) -> Lpips:
    generator = np.random.default_rng(7)
    inputs = 3
    convolutions: dict[str, object] = {}
    content: dict[str, object] = {"AlexNet_0": convolutions}
    for index, side in enumerate((11, 5, 3, 3, 3)):
        kernel = generator.normal(0, 1 / side / inputs**0.5, (side, side, inputs, 8))
        convolutions[f"Conv_{index}"] = {"kernel": kernel.astype("f4"), "bias": np.zeros(8, "f4")}
        content[f"NetLinLayer_{index}"] = {"Conv_0": {"kernel": np.ones((1, 1, 8, 1), "f4")}}
        inputs = 8
    (folder / "alexnet.ckpt").write_bytes(pickle.dumps(content))
    return Lpips(folder / "alexnet.ckpt")


def programme(folder: Path, run: str = "run", recipe: RedirectorRecipe = RECIPE) -> Programme:
    return Programme(
        recipe, folder / "data", folder / run, folder / "attention.onnx", None, 0.04, 2
    )


def pair() -> Pair:
    rgb = np.random.default_rng(1).random((48, 64, 3), np.float32)
    mask = np.zeros((48, 64), np.float32)
    mask[8:30, 10:40] = 1.0
    return Pair("a#1", rgb, mask)


def test_the_table_has_the_papers_rows_beside_all_five_operators() -> None:
    assert VARIANTS[0].design(RECIPE.design) == RECIPE.design
    assert [variant.group for variant in VARIANTS].count("order") == len(ORDERS) == 4
    for variant in VARIANTS[1:]:
        assert variant.design(RECIPE.design) != RECIPE.design
    for order in ORDERS:
        assert sorted(order) == sorted(DEFAULT_CHAIN)
    assert BY_ID["with-saturation"].design(RECIPE.design).operators[-1] == "saturation"
    assert len(BY_ID) == len(VARIANTS) == 12


def test_the_shipped_recipe_is_read() -> None:
    recipe = read_recipe(SHIPPED_RECIPE, RedirectorRecipe())
    assert recipe.name == "ablation"
    assert recipe.design == RedirectorDesign()


@pytest.mark.parametrize("name", ["all", "color", "with-saturation", "foreground", "fixed"])
def test_a_variant_is_trained_and_predicts_what_it_may(folder: Path, name: str) -> None:
    line = programme(folder).run(BY_ID[name])
    assert line.startswith(f"{name}: 3 steps")
    finished = read_finished(folder / "run" / name)
    assert finished is not None
    assert finished.step == 3
    design = finished.network.design
    assert design == BY_ID[name].design(RECIPE.design)
    moved = [float(head[-1].bias.detach().abs().max()) for head in finished.network.heads.values()]
    assert max(moved) > 0.0
    (method,) = ablation_methods(folder / "run")
    assert method.id == f"ablation-{name}"
    assert method.kind == "ablation"
    shown = pair()
    edited = method.prepare(shown, "attract", None)(1.0)  # type: ignore[arg-type]
    assert edited.shape == shown.rgb.shape
    assert np.abs(edited - shown.rgb).max() > 0.0
    if name == "foreground":
        np.testing.assert_array_equal(edited[shown.mask == 0], shown.rgb[shown.mask == 0])


def test_a_broken_run_ends_with_the_weights_of_an_unbroken_one(folder: Path) -> None:
    from gazeshift_training.ablation.training import BriefTrainer

    def trainer(run: str) -> BriefTrainer:
        parts = programme(folder, run)
        return BriefTrainer(
            BY_ID["tone-color"], RECIPE, parts.lessons, parts.ensemble, parts.lpips, folder / run
        )

    whole = trainer("whole")
    whole.train()
    broken = trainer("broken")
    broken.train(until=1)
    again = trainer("broken")
    assert again.resume()
    assert again.step == 1
    again.train()
    for one, other in zip(
        whole.averaged().parameters(), again.averaged().parameters(), strict=True
    ):
        assert torch.equal(one, other)
    other_recipe = BriefTrainer(
        BY_ID["color"], RECIPE, again.lessons, again.attention, again.lpips, folder / "broken"
    )
    with pytest.raises(ValueError, match="another recipe"):
        other_recipe.resume()


def test_every_variant_sees_the_same_pairs_and_descriptions_are_kept(folder: Path) -> None:
    first = programme(folder).lessons
    kept = (folder / "run/described.pt").read_bytes()
    again = programme(folder).lessons
    assert (folder / "run/described.pt").read_bytes() == kept
    for step in range(RECIPE.steps):
        assert torch.equal(first.described[step], again.described[step])
        assert torch.equal(first.batch(step).rgb, again.batch(step).rgb)
    longer = programme(folder, recipe=replace(RECIPE, steps=4)).lessons
    assert len(longer.described) == 4
    assert torch.equal(longer.described[0], first.described[0])


def test_numbers_become_an_edit_in_the_variants_order() -> None:
    operators = ("tone", "exposure", "saturation")
    vector = torch.tensor([0.0, 0.25, 0.0, *[1.0] * 32, -0.5, 0.0, -0.25, 0.0, *[1.0] * 32, 0.5])
    edit = edit_of(vector, operators, "divert")
    assert edit.direction == "divert"
    assert edit.foreground.get("exposure", "ev") == (0.25,)
    assert edit.foreground.get("saturation", "amount") == (-0.5,)
    assert edit.background.get("saturation", "amount") == (0.5,)
    assert edit.foreground.active() == ("exposure", "saturation")
    shown = pair()
    orders = [operators, ("saturation", "exposure", "tone")]
    pictures = [dial_of(edit, shown, order)(1.0) for order in orders]
    assert np.abs(pictures[0] - pictures[1]).max() > 1e-3


def test_the_command_trains_what_is_named_and_skips_what_has_finished(folder: Path) -> None:
    recipe = folder / "recipe.yaml"
    recipe.write_text(
        "design: {working_side: 64, trunk: 16, head: 8}\npretrained: false\nsteps: 1\nbatch: 2\n"
        "area: 6144\nattention_areas: [6144]\nheld_out: 2\nlargest_attract_share: 1.0\n"
        "smallest_divert_share: 0.0\n"
    )
    arguments = ["--data", str(folder / "data"), "--run", str(folder / "run")]
    arguments += ["--recipe", str(recipe), "--attention", str(folder / "attention.onnx")]
    arguments += ["--calibration-pairs", "1", "--variants"]
    result = CliRunner().invoke(command, [*arguments, "background,color"], catch_exceptions=False)
    assert result.exit_code == 0
    assert [line.split(":")[0] for line in result.output.splitlines()] == ["background", "color"]
    about = json.loads((folder / "run/color/run.json").read_text())
    assert about["variant"] == "color"
    assert about["recipe"]["design"]["operators"] == ["color"]
    log = (folder / "run/color/log.jsonl").read_text().splitlines()
    again = CliRunner().invoke(command, [*arguments, "color"], catch_exceptions=False)
    assert again.output == "color: finished before\n"
    assert (folder / "run/color/log.jsonl").read_text().splitlines() == log
    # The table keeps its own order.
    methods = ablation_methods(folder / "run")
    assert [method.id for method in methods] == ["ablation-color", "ablation-background"]
    failed = CliRunner().invoke(command, [*arguments, "magic"])
    assert isinstance(failed.exception, ParamError)
    assert "'magic'" in str(failed.exception)


def test_a_folder_without_finished_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParamError, match="no finished ablation"):
        ablation_methods(tmp_path)


def test_variants_are_found_by_their_folders_names() -> None:
    assert all(variant.id == variant.id.lower() for variant in VARIANTS)
    assert isinstance(BY_ID["ton-col-sha-exp-con"], Variant)
