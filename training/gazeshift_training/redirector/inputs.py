"""What a training step works on, drawn by seed and step number, one step ahead in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from gazeshift_training.redirector.data import (
    ATTRACT,
    DIVERT,
    PairPlan,
    RedirectorData,
    load_batch,
)
from gazeshift_training.redirector.network import STYLE_SIZE
from gazeshift_training.redirector.styles import seen_size

if TYPE_CHECKING:
    from gazeshift_training.redirector.recipe import RedirectorRecipe
    from gazeshift_training.world import World


@dataclass(frozen=True)
class StepInputs:
    """One step's photos and edits, as far as they belong to this process."""

    rgb: Tensor
    """Shape (B, 3, H, W), sRGB 0-1."""
    mask: Tensor
    """Shape (B, 1, H, W), 0-1."""
    style: Tensor
    """Shape (B, 10), zeros where no style was drawn."""
    styled: Tensor
    """Shape (B,): whether a style was drawn."""
    noise: Tensor | None
    """Shape (B, `seen_size`): added to what the style is read back from."""
    readings: Tensor | None
    """Shape (B, K, 10 + `seen_size`): styles that are only read back, each with its noise."""
    row: Tensor
    """Shape (A,): the photo each edit belongs to; a photo may be edited in both directions."""
    direction: Tensor
    """Shape (A,): 1 attracts, -1 diverts."""
    share: Tensor
    """Shape (A,): attention share before any edit."""
    edits: int
    """Edits of the whole step, over all processes."""
    photos: int
    """Photos of the whole step, over all processes."""
    in_order: bool
    """Whether there is exactly one edit per photo, in order."""
    generator: np.random.Generator
    """Source of what is drawn later in the step; in the same state in every process."""


class StepDrawer:
    """Draws steps; what a step holds follows from the seed and the step's number alone.

    Parameters
    ----------
    data
        Where the pairs come from.
    recipe
        How they are drawn.
    world
        Which part of each step belongs to this process.
    """

    def __init__(self, data: RedirectorData, recipe: RedirectorRecipe, world: World) -> None:
        self.data, self.recipe, self.world = data, recipe, world
        self.plan = PairPlan(data, recipe)
        self.seen = seen_size(recipe.style_seen)

    def draw(self, step: int) -> StepInputs:
        """Draw one step."""
        recipe = self.recipe
        generator = np.random.default_rng([recipe.seed, step, 3])
        pairs = self.plan.pairs(step)
        part = self.world.part
        batch = load_batch(self.data, pairs, generator, part)
        styled = generator.random(len(pairs)) < recipe.style_part
        style = generator.normal(size=(len(pairs), STYLE_SIZE)) * styled[:, None]
        noise = readings = None
        if recipe.style_noise:
            drawn = recipe.style_noise * generator.normal(size=(len(pairs), self.seen))
            noise = torch.from_numpy(drawn[part]).float().to(self.world.device)
        if recipe.style_readings:
            further = generator.normal(
                size=(len(pairs), recipe.style_readings, STYLE_SIZE + self.seen)
            )
            further[..., STYLE_SIZE:] *= recipe.style_noise
            readings = torch.from_numpy(further[part]).float().to(self.world.device)
        shares = [self.data.shares[pair.position, pair.number] for pair in pairs]
        asked = [
            (position, direction)
            for position, (pair, share) in enumerate(zip(pairs, shares, strict=True))
            for direction in self._directions(pair.direction, share)
        ]
        # The photo's place among those of this process, for each edit that is its own.
        place = {position: row for row, position in enumerate(range(len(pairs))[part])}
        own = [(place[position], sign) for position, sign in asked if position in place]
        row = torch.tensor([position for position, _ in own])
        device = self.world.device
        return StepInputs(
            rgb=batch.rgb.to(device),
            mask=batch.mask.to(device),
            style=torch.from_numpy(style[part]).float().to(device),
            styled=torch.from_numpy(styled[part]).to(device),
            noise=noise,
            readings=readings,
            row=row.to(device),
            direction=torch.tensor([sign for _, sign in own]).to(device),
            share=batch.share[row].to(device),
            edits=len(asked),
            photos=len(pairs),
            in_order=row.tolist() == list(range(len(batch.rgb))),
            generator=generator,
        )

    def _directions(self, drawn: float, share: float) -> list[float]:
        """Return the directions a pair is edited in: the one drawn, or all that make sense."""
        if not self.recipe.both_directions:
            return [drawn]
        wanted = {
            ATTRACT: share <= self.recipe.largest_attract_share,
            DIVERT: share >= self.recipe.smallest_divert_share,
        }
        return [sign for sign, sensible in wanted.items() if sensible]


class StepLoader:
    """Hands out steps and draws the next one meanwhile, in a thread of its own.

    Parameters
    ----------
    draw
        Draws one step by its number, always the same.
    """

    def __init__(self, draw: Callable[[int], StepInputs]) -> None:
        self.draw = draw
        self.waited_s = 0.0
        self._thread = ThreadPoolExecutor(1, "draw-step")
        self._ahead: tuple[int, Future[StepInputs]] | None = None

    def take(self, step: int) -> StepInputs:
        """Return a step; the time it was waited for is kept in `waited_s`."""
        begun = time.monotonic()
        if self._ahead is None or self._ahead[0] != step:
            self._ahead = (step, self._thread.submit(self.draw, step))
        inputs = self._ahead[1].result()
        self.waited_s = time.monotonic() - begun
        self._ahead = (step + 1, self._thread.submit(self.draw, step + 1))
        return inputs

    def close(self) -> None:
        """Stop drawing; a later `take` starts again."""
        if self._ahead is not None:
            self._ahead[1].cancel()
            self._ahead = None
        self._thread.shutdown(wait=True)
        self._thread = ThreadPoolExecutor(1, "draw-step")
