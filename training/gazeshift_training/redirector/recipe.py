"""The recipe of a redirector: every number that decides what training makes."""

from __future__ import annotations

from dataclasses import dataclass, field

from gazeshift_training.redirector.network import RedirectorDesign


@dataclass(frozen=True)
class LossWeights:
    """How the terms of the loss weigh against the gain in log attention share (weight 1)."""

    lpips_attract: float = 0.04
    """Mean LPIPS that attracting edits aim at; the weight of LPIPS is steered towards it."""
    lpips_divert: float = 0.04
    """The same for diverting edits."""
    lpips_start: float = 3.5
    """First weight of LPIPS."""
    lpips_rate: float = 0.015
    """How fast that weight follows."""
    lpips_limit: float = 0.065
    """Above this a photo's LPIPS costs steeply more."""
    lpips_excess: float = 250.0
    """Weight of the squared excess."""
    cast_limit: float = 1.0
    """Colour cast of neutral pixels, in CIELAB units, that is free."""
    cast: float = 0.05
    """Weight of the squared excess of the cast."""
    turn_limit_deg: float = 2.5
    """Hue turn of coloured pixels that is free."""
    turn: float = 0.01
    """Weight of the squared excess of the hue turn."""
    outside: float = 0.7
    """Factor on both colour terms outside the mask."""
    chroma: float = 0.02
    """Weight of chroma beyond 1.35 times the old one plus 5."""
    clipped_limit_inside: float = 0.08
    """Part of the mask that may newly come near white or black."""
    clipped_limit: float = 0.008
    """Part of the rest that may."""
    clipped: float = 4.0
    """Weight of the excess."""
    lightness_limit: float = 10.0
    """Mean change of a region's L* that is free."""
    lightness: float = 0.006
    """Weight of the squared excess."""
    curve: float = 1.0
    """Weight of curves that are too steep, too flat, or bend too sharply."""
    size: float = 0.01
    """Weight of the squared raw size of an edit, which breaks ties between equal edits."""
    style: float = 0.15
    """Weight of reading the style back from the parameters."""


@dataclass(frozen=True)
class PaperWeights:
    """Weights of the paper's losses against the adversary's verdict (weight 1)."""

    attention: float = 0.26
    """Weight of the prominence, the map's mean inside the mask over its mean everywhere. The
    paper's 20,000 for two directions, divided by the pixels of its map."""
    style: float = 10.0
    """Weight of reading the style back."""
    critic_rate: float = 1e-5
    """Peak learning rate of the adversary."""
    critic_beta1: float = 0.5
    """First decay of the adversary's Adam."""


@dataclass(frozen=True)
class RealismWeights:
    """Weights where a frozen network's verdict on plausibility multiplies the gain."""

    realism: float = 3.0
    """Growth of the loss when an edit turns an entirely plausible photo implausible."""


@dataclass(frozen=True)
class RedirectorRecipe:
    """How a redirector is trained."""

    name: str = "redirector"
    """Model id, written into the exported file."""
    version: str = "1"
    """Model version, written into the exported file."""
    design: RedirectorDesign = field(default_factory=RedirectorDesign)
    """What is built."""
    objective: str = "steered"
    """Which losses: `steered` (`weights`), `paper` (`paper`) or `realism` (`realism`)."""
    weights: LossWeights = field(default_factory=LossWeights)
    """What is asked for."""
    paper: PaperWeights = field(default_factory=PaperWeights)
    """What the paper's losses ask for."""
    realism: RealismWeights = field(default_factory=RealismWeights)
    """What the losses with a realism network ask for."""
    pretrained: bool = True
    """Start the encoder from ImageNet weights."""
    seed: int = 1
    """Decides the order of photos, masks, directions, styles and the first weights."""
    precision: str = "float32"
    """`float32`, or `bfloat16` or `float16` for the networks on a graphics processor; on the
    processor it is always float32."""
    steps: int = 1350
    """Optimiser steps."""
    batch: int = 8
    """Pairs per step."""
    area: int = 288 * 224
    """Pixels of a training picture."""
    attention_areas: tuple[int, ...] = (288 * 224, 352 * 256)
    """Working sizes of the attention network that training alternates between."""
    feature_dropout: float = 0.1
    """Part of the attention network's features that are dropped at random, against gaming."""
    varied_attention: bool = True
    """Ask the attention network in a different way each time; otherwise plainly."""
    both_directions: bool = False
    """Edit every photo of a step in both directions; otherwise in the one drawn for it."""
    held_out: int = 80
    """Training photos kept back to choose between checkpoints and recipes."""
    largest_attract_share: float = 0.5
    """Masks that already draw more are not asked to attract."""
    smallest_divert_share: float = 0.03
    """Masks that draw less are not asked to divert."""
    style_part: float = 0.3
    """Part of the pairs that carry a random style."""
    entry_rate: float = 3e-4
    """Peak learning rate of the layer that reads the 1,500 features."""
    style_rate: float = 1e-3
    """Peak learning rate of the two layers that the style passes through."""
    style_seen: str = "numbers"
    """What a style is read back from: `numbers`, an edit's parameters, as in the paper, or `look`,
    how an edit's curves and sharpening differ from those of the photo's default style."""
    style_readings: int = 0
    """With `look`: how many further random styles of each edit are read back without rendering
    them, so that the reader learns from more than the few that are."""
    style_noise: float = 0.0
    """Noise on what the style is read back from: styles must differ by more than this to be told
    apart. In parts of each range for `numbers`, in just visible steps for `look`."""
    head_rate: float = 1e-3
    """Peak learning rate of the layers behind it and the heads."""
    backbone_rate: float = 1e-4
    """Peak learning rate of the backbone's trained blocks."""
    frozen_blocks: int = 11
    """Blocks of the backbone that stay frozen."""
    weight_decay: float = 1e-3
    """AdamW's weight decay."""
    optimizer: str = "adamw"
    """`adamw`, or `adam` without weight decay."""
    beta1: float = 0.9
    """First decay of the optimizer."""
    schedule: str = "cosine"
    """`cosine` (a short rise, then a cosine fall) or `linear` (level, from half-way a straight
    fall towards zero)."""
    gradient_limit: float = 3.0
    """Longest gradient of the network; 0 sets no limit."""
    average: float = 0.995
    """Decay of the running average of the weights, which is what is evaluated and exported."""
    validate_every: int = 250
    """Steps between checkpoints and looks at the photos held out."""
    save_every: int = 100
    """Steps between checkpoints."""
