"""Limits that single heads of the redirector keep besides the model's common ranges."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gazeshift_training.redirector.network import RedirectorDesign, RedirectorNetwork
from gazeshift_training.redirector.ranges import HeadSharpening, OutputRanges

DESIGN = RedirectorDesign(
    working_side=64, trunk=16, head=8, ranges=OutputRanges(sharpening=(-0.7, 1.0))
)
NARROW = replace(DESIGN, head_sharpening=HeadSharpening(divert_background=(-0.6, 0.15)))


def predict_far_out(design: RedirectorDesign, sign: float) -> dict[str, float]:
    """The sharpening of each head when its raw number is huge."""
    network = RedirectorNetwork(design)
    for head in network.heads.values():
        torch.nn.init.constant_(head[-1].bias, 100.0 * sign)
    edits = network(torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64), torch.zeros(1, 10))
    return {
        f"{direction}_{region}": float(vector[0, start].detach())
        for direction, vector in edits._asdict().items()
        for region, start in (("foreground", 0), ("background", 35))
    }


@pytest.mark.parametrize(("sign", "common", "own"), [(1.0, 1.0, 0.15), (-1.0, -0.7, -0.6)])
def test_only_the_head_that_has_own_limits_keeps_them(
    sign: float, common: float, own: float
) -> None:
    found = predict_far_out(NARROW, sign)
    assert found.pop("divert_background") == pytest.approx(own, abs=1e-5)
    assert list(found.values()) == pytest.approx([common] * 3, abs=1e-5)


def test_limits_cannot_widen_the_common_range() -> None:
    wide = HeadSharpening(attract_foreground=(-1.0, 2.0))
    assert wide.narrow(DESIGN.ranges, "attract_foreground") == DESIGN.ranges


def test_weights_of_a_design_without_own_limits_still_load() -> None:
    old = RedirectorNetwork(DESIGN).state_dict()
    assert not [name for name in old if name.startswith("narrower")]
    RedirectorNetwork(DESIGN).load_state_dict(old)
