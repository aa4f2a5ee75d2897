from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.redirector_data import RECIPE, make_data, make_lpips, make_trainer, write_photos

from gazeshift_training.redirector.inputs import StepDrawer, StepInputs, StepLoader
from gazeshift_training.redirector.objectives import Judged, Players
from gazeshift_training.redirector.rendering import Prepared, prepare, render_edit
from gazeshift_training.world import World

RECIPE_OF_FOUR = replace(RECIPE, batch=4, held_out=1, style_part=0.5)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.equal(one, other)


def test_the_parts_of_two_processes_make_up_the_step_of_one(tmp_path: Path) -> None:
    data = make_data(write_photos(tmp_path / "data"), tmp_path / "cache")
    for step in range(3):
        whole, *parts = (
            StepDrawer(data, RECIPE_OF_FOUR, world).draw(step)
            for world in (World(), World(0, 2), World(1, 2))
        )
        for name in ("rgb", "mask", "style", "styled", "direction", "share"):
            for rank, part in enumerate(parts):
                assert same(getattr(part, name), getattr(whole, name)[rank::2]), name
        assert {part.edits for part in parts} == {whole.edits}
        # What is drawn later in the step is the same everywhere.
        assert len({float(one.generator.random()) for one in (whole, *parts)}) == 1


def test_drawing_ahead_changes_nothing(tmp_path: Path) -> None:
    data = make_data(write_photos(tmp_path / "data"), tmp_path / "cache")
    drawer = StepDrawer(data, RECIPE_OF_FOUR, World())
    loader = StepLoader(StepDrawer(data, RECIPE_OF_FOUR, World()).draw)
    for step in (0, 1, 2, 7, 3):
        expected, found = drawer.draw(step), loader.take(step)
        assert same(expected.rgb, found.rgb)
        assert same(expected.style, found.style)
        assert expected.generator.random() == found.generator.random()
        assert loader.waited_s >= 0.0
    loader.close()


def on_meta(thing: object) -> object:
    """Move tensors to a device without numbers, where a tensor left behind is an error."""
    if isinstance(thing, torch.Tensor):
        return thing.to("meta")
    if isinstance(thing, tuple):
        return type(thing)(*(on_meta(part) for part in thing))
    return thing


@pytest.mark.parametrize("objective", ["steered", "paper"])
def test_a_step_leaves_no_tensor_on_another_device(objective: str, tmp_path: Path) -> None:
    recipe = replace(RECIPE, objective=objective, both_directions=objective == "paper")
    lpips = make_lpips(tmp_path)
    trainer = make_trainer(write_photos(tmp_path / "data"), lpips, tmp_path / "run", recipe)
    inputs: StepInputs = trainer.loader.take(0)
    trainer.loader.close()
    for module in (trainer.network, trainer.reader, trainer.lpips, trainer.attention.networks[0]):
        module.to("meta")
    if objective == "paper":
        trainer.objective.critic.to("meta")  # type: ignore[attr-defined]
    moved = {name: on_meta(value) for name, value in vars(inputs).items()}
    inputs = StepInputs(**moved)  # type: ignore[arg-type]
    players = Players(trainer.network, trainer.reader)
    row = None if inputs.in_order else inputs.row
    vector, missed = players(inputs.rgb, inputs.mask, inputs.style, row, inputs.direction)
    judged = trainer._render(inputs, vector)
    verdict = trainer.objective.judge(judged)
    assert isinstance(judged, Judged)
    figures = [vector, missed, judged.edited, judged.after, verdict.loss, *verdict.figures.values()]
    assert {one.device.type for one in figures} == {"meta"}


def test_a_tensor_left_behind_would_be_noticed() -> None:
    rgb, mask = torch.rand(1, 3, 64, 96), torch.ones(1, 1, 64, 96)
    prepared = on_meta(prepare(rgb))
    assert isinstance(prepared, Prepared)
    with pytest.raises(RuntimeError, match="device"):
        render_edit(prepared, mask, torch.ones(1, 70, device="meta"))


def test_the_processor_never_uses_short_numbers(tmp_path: Path) -> None:
    recipe = replace(RECIPE, precision="float16")
    data, lpips = write_photos(tmp_path / "data"), make_lpips(tmp_path)
    short = make_trainer(data, lpips, tmp_path / "short", recipe)
    plain = make_trainer(data, lpips, tmp_path / "plain", RECIPE)
    assert not short.precision.scaler.is_enabled()
    figures = [trainer.advance() for trainer in (short, plain)]
    for trainer in (short, plain):
        trainer.loader.close()
    assert figures[0] == figures[1]
    for name, value in plain.network.state_dict().items():
        assert torch.equal(value, short.network.state_dict()[name]), name
    assert np.isfinite(figures[0]["loss"])
