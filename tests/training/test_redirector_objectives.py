from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from tests.training.redirector_data import RECIPE, make_lpips, make_trainer, write_photos

from gazeshift_training.lpips import Lpips
from gazeshift_training.recipe import read_recipe
from gazeshift_training.redirector.discriminator import (
    Discriminator,
    hinge_of_edited,
    hinge_of_untouched,
    pay_of_editor,
)
from gazeshift_training.redirector.figures import plot_curves
from gazeshift_training.redirector.losses import plausibility_factor, prominence
from gazeshift_training.redirector.objectives import rate_factor
from gazeshift_training.redirector.realism import RealismDesign, RealismNetwork
from gazeshift_training.redirector.recipe import RedirectorRecipe

RECIPES = Path(__file__).parents[2] / "training" / "recipes"
PAPER = replace(
    RECIPE,
    objective="paper",
    both_directions=True,
    varied_attention=False,
    style_part=1.0,
    schedule="linear",
    optimizer="adam",
)
REALISM = replace(RECIPE, objective="realism")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "data")


@pytest.fixture
def lpips(tmp_path: Path) -> Lpips:
    return make_lpips(tmp_path)


def realism_network() -> RealismNetwork:
    torch.manual_seed(3)
    network = RealismNetwork(RealismDesign(working_side=64, trunk=8))
    return network.requires_grad_(False).eval()


def test_prominence_is_the_mean_inside_over_the_mean_everywhere() -> None:
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 0] = 1.0  # a quarter
    # A uniform map gives the mask a quarter of the attention; half of it is twice as much.
    assert float(prominence(torch.tensor([0.25]), mask)) == pytest.approx(1.0)
    assert float(prominence(torch.tensor([0.5]), mask)) == pytest.approx(2.0)


def test_only_lost_plausibility_raises_the_loss() -> None:
    factor = plausibility_factor(torch.tensor([0.9, 0.5]), torch.tensor([0.4, 0.8]), 3.0)
    # 1 + 3 · 0.5; a gain is free
    assert factor.tolist() == pytest.approx([2.5, 1.0])


def test_hinge_losses_are_summed_over_the_scales() -> None:
    scores = torch.tensor([[2.0, -1.0], [0.5, 0.0], [1.0, 1.0]])
    # max(0, 1 - s): 0 + 0.5 + 0; 2 + 1 + 0.  max(0, 1 + s): 3 + 1.5 + 2; 0 + 1 + 2
    assert hinge_of_untouched(scores).tolist() == [0.5, 3.0]
    assert hinge_of_edited(scores).tolist() == [6.5, 3.0]
    assert pay_of_editor(scores).tolist() == [-3.5, 0.0]


def test_the_adversary_has_the_papers_layers() -> None:
    critic = Discriminator()
    # Per scale: 4 × 4 kernels 3-64-128-256-512 with biases, then 512-128-1.
    widths = [3, 64, 128, 256, 512]
    convolutions = sum(16 * a * b + b for a, b in pairwise(widths))
    scale = convolutions + 512 * 128 + 128 + 128 + 1
    assert sum(p.numel() for p in critic.parameters()) == 3 * scale
    with torch.no_grad():
        assert critic(torch.rand(2, 3, 64, 96)).shape == (3, 2)


def test_the_adversary_learns_to_tell_edited_photos() -> None:
    torch.manual_seed(0)
    critic = Discriminator()
    optimizer = torch.optim.Adam(critic.parameters(), lr=2e-4, betas=(0.5, 0.999))
    photos = torch.rand(4, 3, 64, 64) * 0.5
    edited = photos + torch.tensor([0.3, 0.0, 0.0]).view(1, 3, 1, 1)
    for _ in range(12):
        scores = critic(torch.cat((photos, edited)))
        loss = (hinge_of_untouched(scores[:, :4]) + hinge_of_edited(scores[:, 4:])).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        assert bool((critic(photos) > critic(edited)).all())


def test_rates_rise_and_fall_as_the_recipe_says() -> None:
    cosine, linear = RedirectorRecipe(steps=1000), RedirectorRecipe(steps=1000, schedule="linear")
    # (1 / 60) · cos²(0); cos²(pi / 4)
    assert rate_factor(cosine, 0) == pytest.approx(1 / 60)
    assert rate_factor(cosine, 500) == pytest.approx(0.5)
    assert [rate_factor(linear, step) for step in (0, 500, 750, 1000)] == [1.0, 1.0, 0.5, 0.0]
    with pytest.raises(ValueError, match="cosine or linear"):
        rate_factor(replace(linear, schedule="wavy"), 0)


@pytest.mark.parametrize("recipe", [PAPER, REALISM], ids=["paper", "realism"])
def test_a_resumed_run_of_every_objective_equals_an_unbroken_one(
    recipe: RedirectorRecipe, data: Path, lpips: Lpips, tmp_path: Path
) -> None:
    realism = realism_network()
    whole = make_trainer(data, lpips, tmp_path / "whole", recipe, realism=realism)
    whole.train()
    broken = make_trainer(data, lpips, tmp_path / "broken", recipe, realism=realism)
    broken.train(until=2)
    resumed = make_trainer(data, lpips, tmp_path / "broken", recipe, realism=realism)
    assert resumed.resume()
    resumed.train()
    expected, found = (
        torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)
        for name in ("whole", "broken")
    )
    assert found.keys() == expected.keys()
    for kind in ("network", "reader", *(["critic"] if recipe is PAPER else [])):
        for name, value in expected[kind].items():
            assert torch.equal(value, found[kind][name]), name
    plot_curves(tmp_path / "whole", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 10_000


def test_the_adversary_learns_along_and_the_realism_network_does_not(
    data: Path, lpips: Lpips, tmp_path: Path
) -> None:
    realism = realism_network()
    before = [parameter.clone() for parameter in realism.parameters()]
    make_trainer(data, lpips, tmp_path / "a", REALISM, realism=realism).train(until=2)
    assert all(torch.equal(a, b) for a, b in zip(before, realism.parameters(), strict=True))
    trainer = make_trainer(data, lpips, tmp_path / "b", PAPER)
    critic = trainer.objective.critic  # type: ignore[attr-defined]
    start = critic.scales[0].verdict[0].weight.detach().clone()
    figures = [trainer.advance() for _ in range(2)]
    trainer.loader.close()
    assert not torch.equal(start, critic.scales[0].verdict[0].weight.detach())
    # At the first step nothing is edited, so the adversary can only pay 2 per scale or more.
    assert figures[0]["critic"] >= 6.0 - 1e-3


def test_both_directions_edit_each_photo_twice(data: Path, lpips: Lpips, tmp_path: Path) -> None:
    trainer = make_trainer(data, lpips, tmp_path / "run", PAPER)
    inputs = trainer.loader.take(0)
    trainer.loader.close()
    assert inputs.row.tolist() == [0, 0, 1, 1]
    assert inputs.direction.tolist() == [1.0, -1.0, 1.0, -1.0]
    assert (inputs.photos, inputs.edits) == (2, 4)
    # A mask that draws nearly nothing is not asked to divert: the paper drops it.
    strict = replace(PAPER, smallest_divert_share=0.999)
    trainer = make_trainer(data, lpips, tmp_path / "run", strict)
    assert set(trainer.loader.take(0).direction.tolist()) == {1.0}
    trainer.loader.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objective": "guess"}, "paper, realism or steered"),
        ({"objective": "realism"}, "needs a realism network"),
        ({"optimizer": "sgd"}, "adam or adamw"),
        ({"precision": "int8"}, "bfloat16"),
        ({"design": replace(RECIPE.design, encoder="eye")}, "encoder must be one of"),
        ({"design": replace(RECIPE.design, encoder="paper", fixed=True)}, "pooled"),
    ],
)
def test_unknown_choices_are_refused(
    change: dict[str, object], message: str, data: Path, lpips: Lpips, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        make_trainer(data, lpips, tmp_path / "run", replace(RECIPE, **change))


@pytest.mark.parametrize("name", ["paper", "paper-pooled", "realism", "redirector"])
def test_the_shipped_recipes_can_be_read(name: str) -> None:
    recipe = read_recipe(RECIPES / f"{name}.yaml", RedirectorRecipe())
    assert recipe.name == name
    expected = {"paper-pooled": "paper", "redirector": "steered"}.get(name, name)
    assert recipe.objective == expected


def test_the_papers_recipe_has_the_papers_numbers() -> None:
    recipe = read_recipe(RECIPES / "paper.yaml", RedirectorRecipe())
    assert (recipe.batch, recipe.steps, recipe.head_rate, recipe.beta1) == (4, 37500, 1e-5, 0.5)
    # 20,000, the weight for two directions, over the 240 × 320 pixels of the map.
    assert recipe.paper.attention == pytest.approx(2e4 / (240 * 320), abs=0.001)
    assert recipe.both_directions
    assert recipe.design.encoder == "paper"
