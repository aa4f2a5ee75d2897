"""The recipe of an attention network: every number that decides what training makes."""

from __future__ import annotations

from dataclasses import dataclass, field

from gazeshift_training.attention.network import AttentionDesign


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
