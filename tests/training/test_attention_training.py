from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.attention_data import make_data

from gazeshift.errors import EXIT_USAGE
from gazeshift_training.attention.network import AttentionDesign
from gazeshift_training.attention.recipe import AttentionRecipe
from gazeshift_training.attention.train import AttentionTrainer, prepare_data
from gazeshift_training.cli import main, train_group
from gazeshift_training.recipe import fill_recipe, read_recipe, recipe_as_mapping

RECIPE = AttentionRecipe(
    design=AttentionDesign(channels=8, working_area=64 * 64),
    export_area=64 * 96,
    pretrained=False,
    epochs=2,
    batch=3,
    repeats={"osie": 1},
    holdout=0.2,
    head_steps=1,
    pairs=2,
    validate_every=2,
)
RECIPES = Path(__file__).parents[2] / "training" / "recipes"


def run_cli(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    code = stopped.value.code
    assert isinstance(code, int)
    return code


def test_two_steps_train_and_leave_a_run_folder(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    trainer = AttentionTrainer(
        RECIPE, prepare_data(data, tmp_path / "pack", RECIPE), tmp_path / "run"
    )
    before = {name: value.clone() for name, value in trainer.network.state_dict().items()}
    trainer.train(2)
    after = trainer.network.state_dict()
    assert not torch.equal(before["decoder.logit.weight"], after["decoder.logit.weight"])
    # The second step trains the backbone beyond the frozen blocks, and only that.
    assert not torch.equal(
        before["backbone.blocks.15.project.weight"], after["backbone.blocks.15.project.weight"]
    )
    assert torch.equal(before["backbone.stem.weight"], after["backbone.stem.weight"])
    rows = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "loss" in row] == [1, 2]
    assert any("holdout_nss" in row for row in rows)
    recipe = json.loads((tmp_path / "run/recipe.json").read_text())
    assert recipe == recipe_as_mapping(RECIPE)
    assert (tmp_path / "run/checkpoint.pt").exists()
    assert not list((tmp_path / "run").glob("*.partial"))


def test_a_resumed_run_equals_an_unbroken_one(tmp_path: Path) -> None:
    data = prepare_data(make_data(tmp_path / "data"), tmp_path / "pack", RECIPE)
    unbroken = AttentionTrainer(RECIPE, data, tmp_path / "unbroken")
    unbroken.train(4)
    first = AttentionTrainer(RECIPE, data, tmp_path / "broken")
    # The third step is lost: the checkpoint was written after the second.
    first.train(3)
    second = AttentionTrainer(RECIPE, data, tmp_path / "broken")
    assert second.resume()
    assert second.step == 2
    second.train(4)
    for wanted, found in (
        (unbroken.network.state_dict(), second.network.state_dict()),
        (unbroken.average.state_dict(), second.average.state_dict()),
    ):
        assert all(torch.equal(wanted[name], found[name]) for name in wanted)
    assert second.best == unbroken.best


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    data = prepare_data(make_data(tmp_path / "data"), tmp_path / "pack", RECIPE)
    trainer = AttentionTrainer(RECIPE, data, tmp_path / "run")
    assert not trainer.resume()
    trainer.train(2)
    with pytest.raises(ValueError, match="another recipe"):
        AttentionTrainer(replace(RECIPE, seed=2), data, tmp_path / "run").resume()


def test_test_photos_are_never_read_and_the_holdout_is_apart(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", train=12, test=2)
    for photo in ("osie/012.png", "osie/013.png"):
        (data / "photos" / photo).unlink()
    divided = prepare_data(data, tmp_path / "pack", RECIPE)
    assert {entry.photo for entry in divided.pack.photos}.isdisjoint(
        {"osie/012.png", "osie/013.png"}
    )
    assert not set(divided.train) & set(divided.holdout)
    assert not set(divided.edited) & set(divided.holdout)
    assert len(divided.train) + len(divided.holdout) == 12
    # Photos with masks and no fixations serve for edits only.
    assert {divided.pack.photos[index].photo for index in divided.edited} >= {
        "coco/014.png",
        "coco/015.png",
    }


@pytest.mark.parametrize("name", ["attention", "judge"])
def test_shipped_recipes_load_and_round_trip(name: str) -> None:
    recipe = read_recipe(RECIPES / f"{name}.yaml", AttentionRecipe())
    assert recipe.name == name
    assert fill_recipe(AttentionRecipe(), recipe_as_mapping(recipe)) == recipe


def test_the_judge_is_built_differently() -> None:
    shipped, judge = (
        read_recipe(RECIPES / f"{name}.yaml", AttentionRecipe()) for name in ("attention", "judge")
    )
    assert judge.design.backbone != shipped.design.backbone
    assert judge.design.decoder != shipped.design.decoder
    assert judge.seed != shipped.seed


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epoch": 3}, "'epoch' is not known"),
        ({"design": {"colour": 1}}, r"'design\.colour' is not known"),
        ({"epochs": "3"}, "'epochs' must be int"),
        ({"pretrained": 1}, "'pretrained' must be bool"),
        ({"design": 3}, "needs keys and values"),
    ],
)
def test_a_wrong_recipe_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fill_recipe(AttentionRecipe(), values)


def test_whole_numbers_serve_where_a_fraction_is_asked() -> None:
    assert fill_recipe(AttentionRecipe(), {"pair_weight": 1}).pair_weight == 1.0


def test_commands_train_export_score_and_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, recipe = make_data(tmp_path / "data", train=8), tmp_path / "tiny.yaml"
    recipe.write_text(
        "name: tiny\npretrained: false\nepochs: 1\nbatch: 4\npairs: 2\nhead_steps: 1\n"
        "holdout: 0.2\nexport_area: 6144\ndesign: {channels: 8, working_area: 4096}\n"
    )
    run = tmp_path / "runs" / "tiny"
    assert run_cli("attention", "--data", data, "--run", run, "--recipe", recipe) == 0
    model = run / "tiny.onnx"
    assert "torch and onnxruntime differ by" in capsys.readouterr().out
    assert (run / "curves.png").stat().st_size > 1000
    arguments = ["--model", model, "--data", data]
    assert run_cli("evaluate-attention", *arguments, "--edit-photos", 2, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report["scores"]) == {"tiny/tiny.onnx", "centre prior", "half the people"}
    # People who all look at one square agree with each other more than with the centre.
    assert report["scores"]["half the people"]["nss"] > report["scores"]["centre prior"]["nss"]
    assert "darken inside" in report["edits"]["tiny/tiny.onnx"]
    assert run_cli("evaluate-attention", *arguments) == 0
    assert "| centre prior |" in capsys.readouterr().out
    sheet = tmp_path / "maps.png"
    assert run_cli("show-attention", *arguments, "--photos", 2, "--output", sheet) == 0
    assert sheet.exists()
    # A finished run is exported again without training.
    assert run_cli("attention", "--data", data, "--run", run, "--recipe", recipe) == 0


def test_a_recipe_with_an_unknown_key_ends_with_the_usage_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, recipe = make_data(tmp_path / "data", train=4), tmp_path / "wrong.yaml"
    recipe.write_text("speed: fast\n")
    code = run_cli("attention", "--data", data, "--run", tmp_path / "run", "--recipe", recipe)
    assert code == EXIT_USAGE
    assert "'speed' is not known" in capsys.readouterr().err


def test_each_command_is_a_module() -> None:
    import click

    context = click.Context(train_group)
    names = train_group.list_commands(context)
    assert {"attention", "evaluate-attention", "show-attention"} <= set(names)
    for name in names:
        command = train_group.get_command(context, name)
        assert command is not None
        assert command.help
    assert train_group.get_command(context, "nothing") is None
