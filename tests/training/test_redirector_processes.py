import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.redirector_data import RECIPE, make_lpips, make_trainer, write_photos
from tests.training.train_in_processes import PAPER, STEERED, awake_trainer, work

from gazeshift_training.world import World, choose_device

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same training by one process and by two, in one folder."""
    root = tmp_path_factory.mktemp("processes")
    write_photos(root / "data")
    work(root, World())
    paths = [str(ROOT), str(ROOT / "core"), str(ROOT / "training")]
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", "2", "-m", "tests.training.train_in_processes", str(root)),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    return root


def checkpoint(folder: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(folder / "checkpoint.pt", weights_only=True)
    return state


@pytest.mark.parametrize("objective", ["steered", "paper"])
def test_two_processes_have_the_gradients_of_one(runs: Path, objective: str) -> None:
    joined = torch.load(runs / f"{objective}-1-0.pt", weights_only=True)
    for rank in (0, 1):
        halved = torch.load(runs / f"{objective}-2-{rank}.pt", weights_only=True)
        assert halved.keys() == joined.keys()
        largest = max(float(gradient.norm()) for gradient in joined.values())
        for name, gradient in joined.items():
            # The sums are the same numbers in another order.
            difference = float((halved[name] - gradient).norm())
            assert difference <= 1e-3 * float(gradient.norm()) + 1e-7 * largest, name


@pytest.mark.parametrize("objective", ["steered", "paper"])
def test_two_processes_end_with_the_weights_of_one(
    runs: Path, objective: str, tmp_path: Path
) -> None:
    joined, halved = (checkpoint(runs / f"of-{size}" / objective) for size in (1, 2))
    recipe = {"steered": STEERED, "paper": PAPER}[objective]
    lpips = make_lpips(tmp_path)
    start = awake_trainer(runs, lpips, runs / "of-1" / "start", recipe, World())
    kinds = {"network": start.network, "average": start.average, "reader": start.reader}
    if objective == "paper":
        kinds["critic"] = start.objective.critic  # type: ignore[attr-defined]
    for kind, module in kinds.items():
        moved, apart = 0.0, 0.0
        for name, parameter in module.named_parameters():
            moved += float((joined[kind][name] - parameter.detach()).square().sum())
            apart += float((joined[kind][name] - halved[kind][name]).square().sum())
        # Adam takes full steps along gradients that are nearly nothing, and their rounding.
        assert apart**0.5 <= 0.02 * moved**0.5 > 0.0, kind
    assert joined["step"] == halved["step"] == RECIPE.steps


def test_two_processes_resume_to_the_weights_of_an_unbroken_run(runs: Path) -> None:
    whole, resumed = (checkpoint(runs / "of-2" / name) for name in ("steered", "broken"))
    for kind in ("network", "average", "reader"):
        for name, value in whole[kind].items():
            assert torch.equal(value, resumed[kind][name]), name
    assert whole["log_weight"] == resumed["log_weight"]


def test_one_process_writes_the_log_for_both(runs: Path) -> None:
    lines = (runs / "of-2" / "steered" / "log.jsonl").read_text().splitlines()
    alone = (runs / "of-1" / "steered" / "log.jsonl").read_text().splitlines()
    assert len(lines) == len(alone) == RECIPE.steps + 2


def test_a_batch_too_small_for_the_processes_is_refused(tmp_path: Path) -> None:
    data, lpips = write_photos(tmp_path / "data"), make_lpips(tmp_path)
    with pytest.raises(ValueError, match="too small for 2 processes"):
        make_trainer(data, lpips, tmp_path / "run", replace(RECIPE, batch=3), World(rank=0, size=2))


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no device named"):
        choose_device("toaster")
    with pytest.raises(ValueError, match="auto, cpu or cuda"):
        choose_device("meta")
    assert choose_device("cpu") == torch.device("cpu")
