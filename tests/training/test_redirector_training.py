import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.redirector_data import RECIPE, make_lpips, make_trainer, write_photos

from gazeshift_training.lpips import Lpips
from gazeshift_training.redirector.data import PairPlan, load_batch
from gazeshift_training.redirector.figures import plot_curves, read_log
from gazeshift_training.redirector.train import load_trained


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "data")


@pytest.fixture
def lpips(tmp_path: Path) -> Lpips:
    return make_lpips(tmp_path)


def test_two_steps_change_the_heads_and_leave_the_judges_alone(
    data: Path, lpips: Lpips, tmp_path: Path
) -> None:
    trainer = make_trainer(data, lpips, tmp_path / "run")
    judges = [
        parameter.clone()
        for network in (trainer.attention.networks[0], lpips)
        for parameter in network.parameters()
    ]
    trainer.train(until=2)
    # The rates rise from nearly zero, so two steps move the heads by little but surely.
    for head in trainer.network.heads.values():
        assert float(head[-1].bias.detach().abs().max()) > 0.0
    after = [p for network in (trainer.attention.networks[0], lpips) for p in network.parameters()]
    assert all(torch.equal(old, new) for old, new in zip(judges, after, strict=True))


def test_a_resumed_run_equals_an_unbroken_one(data: Path, lpips: Lpips, tmp_path: Path) -> None:
    whole = make_trainer(data, lpips, tmp_path / "whole")
    whole.train()
    broken = make_trainer(data, lpips, tmp_path / "broken")
    broken.train(until=2)
    resumed = make_trainer(data, lpips, tmp_path / "broken")
    assert resumed.resume()
    assert resumed.step == 2
    resumed.train()
    for kind in ("network", "average", "reader"):
        expected, found = (getattr(t, kind).state_dict() for t in (whole, resumed))
        for name, value in expected.items():
            assert torch.equal(value, found[name]), name
    assert resumed.log_weight == whole.log_weight


def test_a_checkpoint_of_another_recipe_is_refused(
    data: Path, lpips: Lpips, tmp_path: Path
) -> None:
    trainer = make_trainer(data, lpips, tmp_path / "run")
    trainer.train(until=2)
    path = tmp_path / "run" / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    state["recipe"]["seed"] = 99
    torch.save(state, path)
    with pytest.raises(ValueError, match="another recipe"):
        make_trainer(data, lpips, tmp_path / "run").resume()


def test_a_run_can_begin_with_the_networks_of_another(
    data: Path, lpips: Lpips, tmp_path: Path
) -> None:
    first = make_trainer(data, lpips, tmp_path / "first")
    first.train(until=2)
    second = make_trainer(data, lpips, tmp_path / "second")
    second.start_from(tmp_path / "first")
    assert second.step == 0
    for name, value in first.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name
    second.train(until=2)
    about = json.loads((tmp_path / "second" / "run.json").read_text())
    assert about["started_from"]["run"] == "first"
    assert about["started_from"]["step"] == 2


def test_the_curves_of_both_runs_are_joined(data: Path, lpips: Lpips, tmp_path: Path) -> None:
    make_trainer(data, lpips, tmp_path / "first").train(until=2)
    second = make_trainer(data, lpips, tmp_path / "second")
    second.start_from(tmp_path / "first")
    second.train(until=2)
    assert [row["step"] for row in read_log(tmp_path / "second")] == [1, 2, 2, 3, 4, 4]
    third = make_trainer(data, lpips, tmp_path / "third")
    third.start_from(tmp_path / "second")
    third.train(until=1)
    assert [row["step"] for row in read_log(tmp_path / "third")] == [1, 2, 2, 3, 4, 4, 5]
    plot_curves(tmp_path / "second", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 10_000


def test_a_run_cannot_begin_with_nothing(data: Path, lpips: Lpips, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        make_trainer(data, lpips, tmp_path / "run").start_from(tmp_path)


def test_the_run_folder_tells_what_was_done(data: Path, lpips: Lpips, tmp_path: Path) -> None:
    make_trainer(data, lpips, tmp_path / "run").train(until=2)
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    assert about["recipe"]["batch"] == 2
    assert about["data"]["train_photos"] == 4
    assert about["git"]
    text = (tmp_path / "run" / "log.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 2]
    assert {"attract_ratio", "divert_lpips"} <= {key.removeprefix("held_") for key in lines[-1]}


def test_a_checkpoint_from_before_a_key_existed_still_continues(
    data: Path, lpips: Lpips, tmp_path: Path
) -> None:
    make_trainer(data, lpips, tmp_path / "run").train(until=2)
    path = tmp_path / "run" / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    for key in ("objective", "paper", "realism", "precision", "schedule", "beta1"):
        del state["recipe"][key]
    del state["recipe"]["design"]["encoder"]
    del state["scaler"]
    torch.save(state, path)
    resumed = make_trainer(data, lpips, tmp_path / "run")
    assert resumed.resume()
    recipe, network, step = load_trained(tmp_path / "run")
    assert (recipe, step) == (RECIPE, 2)
    for name, value in resumed.average.state_dict().items():
        assert torch.equal(value, network.state_dict()[name]), name


def test_the_log_tells_the_time_spent_waiting_for_data(
    data: Path, lpips: Lpips, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_trainer(data, lpips, tmp_path / "run").train(until=2)
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()[:2]
    assert all(0.0 <= json.loads(line)["waited"] <= json.loads(line)["seconds"] for line in lines)
    assert "of the time was spent waiting for data" in capsys.readouterr().err


def test_the_inputs_are_scaled_to_the_training_photos(
    data: Path, lpips: Lpips, tmp_path: Path
) -> None:
    trainer = make_trainer(data, lpips, tmp_path / "run")
    trainer.train(until=1)
    assert float(trainer.network.input_mean.abs().max()) > 0.0
    assert torch.equal(trainer.network.input_mean, trainer.average.input_mean)


def test_held_out_photos_are_never_trained_on(data: Path, lpips: Lpips, tmp_path: Path) -> None:
    trainer = make_trainer(data, lpips, tmp_path / "run")
    seen = {pair.position for step in range(20) for pair in trainer.plan.pairs(step)}
    assert seen == set(trainer.data.train)
    assert not seen & set(trainer.data.held)


def test_a_plan_is_the_same_wherever_it_is_asked(data: Path, lpips: Lpips, tmp_path: Path) -> None:
    trainer = make_trainer(data, lpips, tmp_path / "run")
    forward = [trainer.plan.pairs(step) for step in range(8)]
    other = PairPlan(trainer.data, RECIPE)
    assert [other.pairs(step) for step in reversed(range(8))] == forward[::-1]


def test_augmented_pairs_keep_their_mask_on_the_object(
    data: Path, lpips: Lpips, tmp_path: Path
) -> None:
    trainer = make_trainer(data, lpips, tmp_path / "run")
    for seed in range(12):
        batch = load_batch(trainer.data, trainer.plan.pairs(seed), np.random.default_rng(seed))
        assert batch.rgb.shape[2:] == batch.mask.shape[2:]
        assert 0.03 < float(batch.mask.mean()) < 0.4
        assert float(batch.mask.min()) >= 0.0
        assert float(batch.mask.max()) <= 1.0 + 1e-6
