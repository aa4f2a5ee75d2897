"""What each process does in `test_redirector_processes.py`; torchrun starts it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from tests.training.redirector_data import RECIPE, make_lpips, make_trainer

from gazeshift_training.lpips import Lpips
from gazeshift_training.redirector.recipe import RedirectorRecipe
from gazeshift_training.redirector.train import RedirectorTrainer
from gazeshift_training.world import World, open_world

STEERED = replace(RECIPE, batch=4, held_out=1, gradient_limit=0.0, smallest_divert_share=0.0)
PAPER = replace(
    STEERED, objective="paper", both_directions=True, varied_attention=False, schedule="linear"
)


def awake_trainer(
    root: Path, lpips: Lpips, run: Path, recipe: RedirectorRecipe, world: World
) -> RedirectorTrainer:
    """Make a trainer whose network edits from the start.

    Where nothing is edited, what edited and untouched photos ask of the adversary cancels out,
    and only rounding is left of its gradient.
    """
    trainer = make_trainer(root / "data", lpips, run, recipe, world)
    torch.manual_seed(11)
    for head in trainer.network.heads.values():
        torch.nn.init.normal_(head[-1].weight, std=0.5)
        torch.nn.init.normal_(head[-1].bias, std=0.5)
    return trainer


def gradients_of_a_step(trainer: RedirectorTrainer) -> dict[str, torch.Tensor]:
    """Take one step; return the gradients it was taken with."""
    trainer.advance()
    modules = {"network": trainer.network, "reader": trainer.reader}
    critic = getattr(trainer.objective, "critic", None)
    if critic is not None:
        modules["critic"] = critic
    return {
        f"{kind}.{name}": parameter.grad.clone()
        for kind, module in modules.items()
        for name, parameter in module.named_parameters()
        if parameter.grad is not None
    }


def work(root: Path, world: World) -> None:
    """Train with both objectives, and once with a break; leave everything in `root`."""
    torch.set_num_threads(1)
    out = root / f"of-{world.size}"
    lpips = make_lpips(root) if world.leads else None
    world.wait()
    lpips = lpips or make_lpips(root / "data")
    for name, recipe in (("steered", STEERED), ("paper", PAPER)):
        trainer = awake_trainer(root, lpips, out / "one-step", recipe, world)
        gradients = gradients_of_a_step(trainer)
        trainer.loader.close()
        torch.save(gradients, out.parent / f"{name}-{world.size}-{world.rank}.pt")
        awake_trainer(root, lpips, out / name, recipe, world).train()
    broken = awake_trainer(root, lpips, out / "broken", STEERED, world)
    broken.train(until=2)
    resumed = make_trainer(root / "data", lpips, out / "broken", STEERED, world)
    if not resumed.resume():
        raise SystemExit("There is no checkpoint to continue from.")
    resumed.train()


if __name__ == "__main__":
    with open_world("cpu") as here:
        work(Path(sys.argv[1]), here)
