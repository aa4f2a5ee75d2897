"""The redirector networks by name; a design's `encoder` chooses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch import nn

from gazeshift_training.backbone import load_imagenet_weights
from gazeshift_training.redirector.network import RedirectorDesign, RedirectorNetwork
from gazeshift_training.redirector.paper_network import PaperNetwork

if TYPE_CHECKING:
    from gazeshift_training.redirector.recipe import RedirectorRecipe

AnyRedirector = RedirectorNetwork | PaperNetwork
"""What can be trained, exported and evaluated: photo, mask and style in, both edits out."""

NETWORKS: dict[str, Callable[[RedirectorDesign], AnyRedirector]] = {
    "pooled": RedirectorNetwork,
    "paper": PaperNetwork,
}
"""Builders by the value of `RedirectorDesign.encoder`."""


def build_network(design: RedirectorDesign) -> AnyRedirector:
    """Build the network a design asks for.

    Raises
    ------
    ValueError
        If its encoder is not known, or cannot do what else it asks for.
    """
    if design.encoder not in NETWORKS:
        raise ValueError(f"The encoder must be one of {sorted(NETWORKS)}, not {design.encoder!r}.")
    standard = RedirectorDesign()
    if design.encoder != "pooled" and (
        (design.operators, design.regions, design.fixed, design.style_heads)
        != (standard.operators, standard.regions, standard.fixed, standard.style_heads)
    ):
        raise ValueError(
            "Only the pooled encoder can be held to some operators or regions or has style heads."
        )
    return NETWORKS[design.encoder](design)


def prepare_for_training(network: AnyRedirector, recipe: RedirectorRecipe) -> None:
    """Fill in pretrained weights and freeze what the recipe freezes; the paper's has neither."""
    if isinstance(network, RedirectorNetwork):
        if recipe.pretrained:
            load_imagenet_weights(network.backbone)
        network.backbone.freeze_until(recipe.frozen_blocks)


def parameter_groups(
    network: AnyRedirector, reader: nn.Module, recipe: RedirectorRecipe
) -> list[dict[str, Any]]:
    """Divide what is trained by learning rate; `peak` is the rate at its height."""
    if not isinstance(network, RedirectorNetwork):
        everything = [*network.parameters(), *reader.parameters()]
        return [{"params": everything, "peak": recipe.head_rate}]
    others = [
        parameter
        for name, parameter in network.named_parameters()
        if not name.startswith(("backbone.", "entry.", "style_"))
    ]
    style = [p for name, p in network.named_parameters() if name.startswith("style_")]
    backbone = [p for p in network.backbone.parameters() if p.requires_grad]
    return [
        {"params": [*others, *reader.parameters()], "peak": recipe.head_rate},
        {"params": list(network.entry.parameters()), "peak": recipe.entry_rate},
        {"params": backbone, "peak": recipe.backbone_rate},
        {"params": style, "peak": recipe.style_rate},
    ]
