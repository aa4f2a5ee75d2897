import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.redirector_data import make_data, write_photos

from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift_training.redirector.realism import (
    RealismDesign,
    RealismNetwork,
    draw_edit,
    load_realism,
    save_realism,
)
from gazeshift_training.redirector.realism_training import RealismRecipe, train_realism

RECIPE = RealismRecipe(
    design=RealismDesign(working_side=64, trunk=16),
    pretrained=False,
    steps=12,
    batch=2,
    area=96 * 64,
    held_repeats=2,
    head_rate=3e-3,
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def operators_used(region: np.ndarray) -> dict[str, float]:
    """Give each operator that does something the largest part of its way to a limit."""
    used: dict[str, float] = {}
    position = 0
    for id_ in DEFAULT_CHAIN:
        for parameter in OPERATORS[id_].spec.parameters:
            values = region[position : position + parameter.count]
            position += parameter.count
            low, high = parameter.hard
            moved = values - parameter.identity
            part = np.where(
                moved > 0, moved / (high - parameter.identity), moved / (low - parameter.identity)
            )
            if float(np.abs(moved).max()) > 1e-6:
                used[id_] = max(used.get(id_, 0.0), float(part.max()))
    return used


@pytest.mark.parametrize(("plausible", "fewest", "most"), [(True, 1, 2), (False, 2, 4)])
def test_made_up_edits_use_as_many_operators_as_promised(
    plausible: bool, fewest: int, most: int
) -> None:
    counts = set()
    for seed in range(80):
        vector = draw_edit(np.random.default_rng(seed), plausible=plausible)
        regions = [operators_used(half) for half in (vector[:35], vector[35:])]
        edited = [used for used in regions if used]
        assert edited
        counts |= {len(used) for used in edited}
        for used in edited:
            for id_, part in used.items():
                # Slopes are divided by their mean, so theirs say less.
                if id_ not in ("tone", "color"):
                    assert part <= 0.15 + 1e-6 if plausible else 0.5 - 1e-6 <= part <= 1.0
    assert counts == set(range(fewest, most + 1))


def test_training_tells_extreme_edits_from_mild_ones_and_writes_the_run(tmp_path: Path) -> None:
    data = make_data(write_photos(tmp_path / "data"), tmp_path / "cache")
    run = tmp_path / "run"
    network, accuracy = train_realism(RECIPE, data, run, torch.device("cpu"))
    assert accuracy.edits == 2 * 2 * len(data.held)
    assert 0.0 <= accuracy.right <= 1.0
    losses = [line["loss"] for line in read_lines(run / "log.jsonl")]
    assert len(losses) == RECIPE.steps
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    read = load_realism(run / "realism.pt")
    rgb, mask = torch.rand(1, 3, 64, 96), torch.ones(1, 1, 64, 96)
    with torch.no_grad():
        assert torch.allclose(read(rgb, mask), network(rgb, mask), atol=1e-6)
    assert not any(parameter.requires_grad for parameter in read.parameters())


def test_training_twice_gives_the_same_network(tmp_path: Path) -> None:
    data = make_data(write_photos(tmp_path / "data"), tmp_path / "cache")
    recipe = replace(RECIPE, steps=2)
    one, other = (
        train_realism(recipe, data, tmp_path / name, torch.device("cpu"))[0] for name in "ab"
    )
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_its_verdict_has_a_gradient_for_the_picture() -> None:
    network = RealismNetwork(RECIPE.design)
    rgb = torch.rand(1, 3, 64, 96, requires_grad=True)
    network(rgb, torch.ones(1, 1, 64, 96)).sum().backward()
    assert rgb.grad is not None
    assert float(rgb.grad.abs().max()) > 0.0


def test_a_file_that_is_no_realism_network_is_refused(tmp_path: Path) -> None:
    network = RealismNetwork(RECIPE.design)
    save_realism(network, tmp_path / "good.pt", {})
    state = torch.load(tmp_path / "good.pt", weights_only=True)
    del state["design"]
    torch.save(state, tmp_path / "bad.pt")
    (tmp_path / "text.pt").write_text("no network")
    for name in ("bad.pt", "text.pt"):
        with pytest.raises(ValueError, match="no realism network"):
            load_realism(tmp_path / name)


def read_lines(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
