"""The recipe of an attention network: every number that decides what training makes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import yaml

from gazeshift_training.attention.network import AttentionDesign

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class AttentionRecipe:
    """How an attention network is trained."""

    name: str = "attention"
    """Model id, written into the exported file."""
    version: str = "1"
    """Model version, written into the exported file."""
    design: AttentionDesign = field(default_factory=AttentionDesign)
    """What is built."""
    export_area: int = 416 * 320
    """Working area of the exported network. Training looks at smaller pictures to save time; the
    finished network gains from larger ones."""
    pretrained: bool = True
    """Start the backbone from ImageNet weights."""
    seed: int = 1
    """Decides the order of photos, the augmentation and the decoder's first weights."""
    epochs: int = 6
    """Passes over the training photos."""
    batch: int = 8
    """Photos with fixations per step."""
    repeats: dict[str, int] = field(default_factory=lambda: {"osie": 2, "eyecrowd": 1, "scene": 1})
    """How often a photo of each source folder is seen per epoch."""
    holdout: float = 0.05
    """Part of the training photos kept back to choose the checkpoint."""
    head_rate: float = 1e-3
    """Peak learning rate of decoder and centre bias."""
    backbone_rate: float = 1e-4
    """Peak learning rate of the backbone's trained blocks."""
    head_steps: int = 200
    """Steps at the start in which the whole backbone stays frozen."""
    frozen_blocks: int = 5
    """Blocks of the backbone that stay frozen throughout."""
    weight_decay: float = 1e-3
    """AdamW's weight decay."""
    average: float = 0.995
    """Decay of the running average of the weights, which is what is evaluated and exported."""
    nss_weight: float = 0.1
    """Weight of NSS, which is maximised, beside the divergence."""
    cc_weight: float = 0.3
    """Weight of 1 - CC."""
    pairs: int = 4
    """Photos per step that are edited locally and must move the right way; 0 turns this off."""
    pair_weight: float = 0.5
    """Weight of the hinge on edited photos."""
    pair_margin: float = 0.15
    """Wanted change of the log attention share of an edited region."""
    smallest_crop: float = 0.85
    """Side of the smallest crop, as a part of the photo's."""
    photometric: float = 0.15
    """Strength of the global photometric changes that leave fixations alone."""
    validate_every: int = 150
    """Steps between validations; a checkpoint is written at each."""


def load_recipe(path: Path) -> AttentionRecipe:
    """Read a recipe from YAML; what it leaves out keeps its default.

    Parameters
    ----------
    path
        YAML file with keys of `AttentionRecipe`.

    Returns
    -------
    AttentionRecipe
        The complete recipe.

    Raises
    ------
    ValueError
        If a key is not known or a value has the wrong type.
    """
    with path.open(encoding="utf-8") as stream:
        return recipe_from_mapping(yaml.safe_load(stream) or {})


def recipe_from_mapping(values: dict[str, Any]) -> AttentionRecipe:
    """Fill a recipe from plain values; see `load_recipe`."""
    filled: AttentionRecipe = _fill(AttentionRecipe(), values, "")
    return filled


def recipe_as_mapping(recipe: AttentionRecipe) -> dict[str, Any]:
    """Turn a recipe into plain values that YAML and JSON can hold."""
    return asdict(recipe)


def _fill(default: Any, values: Any, prefix: str) -> Any:
    if not isinstance(values, dict):
        raise ValueError(f"A recipe needs keys and values at {prefix or 'its top'!r}.")
    known = {entry.name for entry in fields(default)}
    changes: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if key not in known:
            raise ValueError(f"The recipe key {name!r} is not known; known are {sorted(known)}.")
        old = getattr(default, key)
        if is_dataclass(old):
            changes[key] = _fill(old, value, f"{name}.")
            continue
        wanted = type(old)
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not wanted:
            raise ValueError(f"The recipe key {name!r} must be {wanted.__name__}, not {value!r}.")
        changes[key] = value
    return replace(default, **changes)
