"""The losses a recipe can choose between, each a function of judged edits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from gazeshift_training.redirector.data import ATTRACT, DIVERT, channels_last
from gazeshift_training.redirector.discriminator import (
    Discriminator,
    hinge_of_edited,
    hinge_of_untouched,
    pay_of_editor,
)
from gazeshift_training.redirector.losses import (
    fidelity_loss,
    log_gain,
    plausibility_factor,
    prominence,
    side_terms,
    weigh_terms,
)
from gazeshift_training.redirector.network import Prediction, RedirectorNetwork

if TYPE_CHECKING:
    from gazeshift_training.precision import Precision
    from gazeshift_training.redirector.realism import RealismNetwork
    from gazeshift_training.redirector.recipe import RedirectorRecipe
    from gazeshift_training.redirector.rendering import Prepared
    from gazeshift_training.redirector.styles import StyleReader
    from gazeshift_training.world import World

WARM_UP = 60
"""Steps over which the learning rates rise, and before which nothing is steered."""


class Judged(NamedTuple):
    """Edits of one process in one step, rendered, and how the attention network sees them."""

    rgb: Tensor
    """Shape (B, 3, H, W), the step's untouched photos, each once."""
    photos: int
    """Photos of the step over all processes."""
    prepared: Prepared
    """The photos before, one row per edit (A rows)."""
    edited: Tensor
    """Shape (A, 3, H, W), after."""
    mask: Tensor
    """Shape (A, 1, H, W)."""
    vector: Tensor
    """Shape (A, 70), the parameters."""
    direction: Tensor
    """Shape (A,), 1 attracts, -1 diverts."""
    before: Tensor
    """Shape (A,), attention share before."""
    after: Tensor
    """Shape (A,), attention share after."""
    size: Tensor
    """Shape (A,), squared raw size of the edit."""
    edits: int
    """Edits of the step over all processes."""


class Verdict(NamedTuple):
    """What an objective says."""

    loss: Tensor
    """Shape (A,), what each edit costs."""
    figures: dict[str, Tensor]
    """Figures for the log, each (A,)."""


class Objective:
    """Base of all: what the trainer asks for, and nothing to remember."""

    style_weight: float
    """Weight of reading the style back."""

    def judge(self, judged: Judged) -> Verdict:
        """Return what each edit costs; called once per step, before the networks move."""
        raise NotImplementedError

    def learn(self, judged: Judged, verdict: Verdict, step: int) -> dict[str, float]:
        """Learn from a step (`step` were taken) and return further figures for the log."""
        del judged, verdict, step
        return {}

    def state(self) -> dict[str, Any]:
        """Return all that a resumed run needs."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned."""
        del state


class SteeredObjective(Objective):
    """The shipped losses: gain, LPIPS steered to a budget, and what people would object to."""

    def __init__(
        self, recipe: RedirectorRecipe, distance: Callable[[Tensor, Tensor], Tensor], world: World
    ) -> None:
        self.weights, self.distance, self.world = recipe.weights, distance, world
        self.style_weight = recipe.weights.style
        start = math.log(recipe.weights.lpips_start)
        self.log_weight = {ATTRACT: start, DIVERT: start}

    def judge(self, judged: Judged) -> Verdict:
        """Weigh gain against LPIPS and the side terms."""
        weights = self.weights
        gain = log_gain(judged.before, judged.after, judged.direction)
        distance = self.distance(judged.prepared.rgb, judged.edited)
        attract, divert = (math.exp(self.log_weight[sign]) for sign in (ATTRACT, DIVERT))
        steered = torch.where(judged.direction > 0, attract, divert)
        terms = side_terms(judged.prepared, judged.edited, judged.mask, judged.vector, weights)
        loss = (
            -gain
            + fidelity_loss(distance, steered, weights)
            + weigh_terms(terms, weights)
            + weights.size * judged.size
        )
        return Verdict(loss, {"gain": gain, "lpips": distance, **terms._asdict()})

    def learn(self, judged: Judged, verdict: Verdict, step: int) -> dict[str, float]:
        """Raise LPIPS's weight where edits are stronger than wanted, lower it where weaker."""
        weights, distance = self.weights, verdict.figures["lpips"].detach()
        if step >= WARM_UP:
            for sign in (ATTRACT, DIVERT):
                chosen = distance[judged.direction == sign]
                count = chosen.new_tensor(float(len(chosen)))
                sums = self.world.total(torch.stack((chosen.sum(), count)))
                if float(sums[1]):
                    target = weights.lpips_attract if sign == ATTRACT else weights.lpips_divert
                    error = float(sums[0] / sums[1]) / target - 1.0
                    moved = self.log_weight[sign] + weights.lpips_rate * max(-1.0, min(1.0, error))
                    self.log_weight[sign] = max(math.log(0.5), min(math.log(60.0), moved))
        return {
            "weight_attract": round(math.exp(self.log_weight[ATTRACT]), 3),
            "weight_divert": round(math.exp(self.log_weight[DIVERT]), 3),
        }

    def state(self) -> dict[str, Any]:
        """Return the steered weights."""
        return {"log_weight": [self.log_weight[ATTRACT], self.log_weight[DIVERT]]}

    def restore(self, state: dict[str, Any]) -> None:
        """Take the steered weights over."""
        self.log_weight = dict(zip((ATTRACT, DIVERT), state["log_weight"], strict=True))


class PaperObjective(Objective):
    """The paper's losses: an adversary that learns along, and the mask's prominence."""

    def __init__(
        self,
        recipe: RedirectorRecipe,
        distance: Callable[[Tensor, Tensor], Tensor],
        world: World,
        precision: Precision,
    ) -> None:
        self.recipe, self.distance, self.world = recipe, distance, world
        self.precision = precision
        self.style_weight = recipe.paper.style
        self.critic = Discriminator().to(world.device)
        self.shared_critic = world.wrap(self.critic)
        self.optimizer = torch.optim.Adam(
            self.critic.parameters(),
            lr=recipe.paper.critic_rate,
            betas=(recipe.paper.critic_beta1, 0.999),
        )

    def judge(self, judged: Judged) -> Verdict:
        """Ask the adversary, and weigh the prominence against its verdict."""
        self.critic.requires_grad_(False)
        with self.precision.context():
            scores = self.critic(channels_last(judged.edited)).float()
        self.critic.requires_grad_(True)
        wanted = judged.direction * prominence(judged.after, judged.mask)
        loss = pay_of_editor(scores) - self.recipe.paper.attention * wanted
        with torch.no_grad():
            distance = self.distance(judged.prepared.rgb, judged.edited)
        gain = log_gain(judged.before, judged.after, judged.direction)
        return Verdict(loss, {"gain": gain, "lpips": distance, "adversary": scores.mean(0)})

    def learn(self, judged: Judged, verdict: Verdict, step: int) -> dict[str, float]:
        """Take one step of the adversary on the photos before and after."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.paper.critic_rate * rate_factor(self.recipe, step - 1)
        both = torch.cat((judged.rgb, judged.edited.detach()))
        with self.precision.context():
            scores = self.shared_critic(channels_last(both)).float()
        count = len(judged.rgb)
        # Gradients are averaged over the processes; the sums are divided by the step's whole size.
        loss = self.world.size * (
            hinge_of_untouched(scores[:, :count]).sum() / judged.photos
            + hinge_of_edited(scores[:, count:]).sum() / judged.edits
        )
        self.optimizer.zero_grad(set_to_none=True)
        self.critic_backward(loss)
        total = self.world.total(loss.detach() / self.world.size)
        return {"critic": round(float(total), 5)}

    def critic_backward(self, loss: Tensor) -> None:
        """Compute the adversary's gradients and take its step."""
        self.precision.backward(loss)
        self.precision.step(self.optimizer, self.critic, 0.0)

    def state(self) -> dict[str, Any]:
        """Return the adversary and its optimizer."""
        return {"critic": self.critic.state_dict(), "critic_optimizer": self.optimizer.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take the adversary and its optimizer over."""
        self.critic.load_state_dict(state["critic"])
        self.optimizer.load_state_dict(state["critic_optimizer"])


class RealismObjective(Objective):
    """Loss of plausibility, judged by a frozen network, times loss of attention."""

    def __init__(
        self,
        recipe: RedirectorRecipe,
        distance: Callable[[Tensor, Tensor], Tensor],
        precision: Precision,
        realism: RealismNetwork,
    ) -> None:
        self.recipe, self.distance, self.precision = recipe, distance, precision
        self.realism = realism
        self.style_weight = recipe.weights.style

    def judge(self, judged: Judged) -> Verdict:
        """Multiply the two."""
        with self.precision.context():
            with torch.no_grad():
                old = self.realism(channels_last(judged.prepared.rgb), judged.mask).float()
            new = self.realism(channels_last(judged.edited), judged.mask).float()
        gain = log_gain(judged.before, judged.after, judged.direction)
        loss = plausibility_factor(old, new, self.recipe.realism.realism) * (-gain).exp()
        with torch.no_grad():
            distance = self.distance(judged.prepared.rgb, judged.edited)
        figures = {"gain": gain, "lpips": distance, "plausible": new}
        return Verdict(loss + self.recipe.weights.size * judged.size, figures)


def rate_factor(recipe: RedirectorRecipe, step: int) -> float:
    """Return the learning rate of a step as a part of its peak.

    Raises
    ------
    ValueError
        If the recipe's schedule is not known.
    """
    if recipe.schedule == "cosine":
        fall = 0.5 * (1.0 + math.cos(math.pi * step / recipe.steps))
        return min(1.0, (step + 1) / WARM_UP) * fall
    if recipe.schedule == "linear":
        return min(1.0, 2.0 * (1.0 - step / recipe.steps))
    raise ValueError(f"The schedule must be cosine or linear, not {recipe.schedule!r}.")


def build_objective(
    recipe: RedirectorRecipe,
    distance: Callable[[Tensor, Tensor], Tensor],
    world: World,
    precision: Precision,
    realism: RealismNetwork | None,
) -> Objective:
    """Build the objective a recipe names.

    Raises
    ------
    ValueError
        If there is no such objective, or it needs a realism network and there is none.
    """
    if recipe.objective == "steered":
        return SteeredObjective(recipe, distance, world)
    if recipe.objective == "paper":
        return PaperObjective(recipe, distance, world, precision)
    if recipe.objective == "realism":
        if realism is None:
            raise ValueError("This recipe needs a realism network: --realism FILE.")
        return RealismObjective(recipe, distance, precision, realism.to(world.device))
    raise ValueError(f"The objective must be paper, realism or steered, not {recipe.objective!r}.")


class Players(nn.Module):
    """Network and style reader as one module, so that their gradients are averaged together."""

    def __init__(self, network: nn.Module, reader: StyleReader) -> None:
        super().__init__()
        self.network, self.reader = network, reader

    def forward(
        self,
        rgb: Tensor,
        mask: Tensor,
        style: Tensor,
        row: Tensor | None,
        direction: Tensor,
        noise: Tensor | None = None,
        readings: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Predict the edits asked for, (A, 70), and read their styles back.

        Noise (B, `seen_size`) hides differences that are too small to see. Readings
        (B, K, 10 + `seen_size`) are further styles, each with its noise, that are only read.

        Returns
        -------
        vector
            Shape (A, 70).
        missed
            Shape (A,): by how much the guesses miss the style on average.
        """
        rows = slice(None) if row is None else row
        if not self.reader.sees_look:
            vector = _asked_for(self.network(rgb, mask, style), rows, direction)
            guess = self.reader(vector, direction, None, noise if noise is None else noise[rows])
            return vector, _missed(guess, style[rows])
        if not isinstance(self.network, RedirectorNetwork):
            raise ValueError("Looks can only be read back with the pooled encoder.")
        described = self.network.describe(rgb, mask)
        vector = _asked_for(self.network.predict(described, style), rows, direction)
        with torch.no_grad():
            plain = self.network.predict(described, torch.zeros_like(style))
            default = _asked_for(plain, rows, direction)
        if readings is None:
            guess = self.reader(vector, direction, default, noise if noise is None else noise[rows])
            return vector, _missed(guess, style[rows])
        count = readings.shape[1]
        further = readings[rows].flatten(0, 1)
        styles, hidden = further[:, : style.shape[1]], further[:, style.shape[1] :]
        many = self.network.predict(described[rows].repeat_interleave(count, 0), styles)
        signs = direction.repeat_interleave(count)
        guess = self.reader(
            _asked_for(many, slice(None), signs), signs, default.repeat_interleave(count, 0), hidden
        )
        return vector, _missed(guess, styles).view(-1, count).mean(1)


def _missed(guess: Tensor, style: Tensor) -> Tensor:
    return (guess.float() - style).abs().mean(1)


def _asked_for(predicted: Prediction, rows: Tensor | slice, direction: Tensor) -> Tensor:
    """Choose the edits (A, 70) that were asked for."""
    attract, divert = predicted.attract[rows], predicted.divert[rows]
    return torch.where(direction[:, None] > 0, attract, divert).float()
