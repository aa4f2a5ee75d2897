"""Styles: what they move, and what they are read back from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.redirector_data import RECIPE, make_lpips, make_trainer, write_photos

from gazeshift_training.redirector.network import RedirectorDesign, RedirectorNetwork
from gazeshift_training.redirector.styles import StyleReader, look_of, seen_size
from gazeshift_training.redirector.train import load_trained

STYLED = replace(RECIPE.design, style_heads=True)
LOOKS = replace(RECIPE, design=STYLED, style_seen="look", style_noise=1.0, style_readings=3)
PHOTO = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(3))
MASK = torch.ones(2, 1, 64, 96)


def identity_edit() -> torch.Tensor:
    return RedirectorNetwork(STYLED).bounding.identity.repeat(2)[None].clone()


def test_style_heads_tell_styles_apart_before_any_training() -> None:
    style = torch.ones(2, 10)
    with torch.no_grad():
        without = RedirectorNetwork(RECIPE.design)(PHOTO, MASK, style).divert
        styled = RedirectorNetwork(STYLED)(PHOTO, MASK, style).divert
    assert torch.allclose(without, identity_edit().expand(2, -1), atol=1e-6)
    assert float((styled - identity_edit()).abs().max()) > 0.01


def test_the_default_style_does_not_pass_the_style_heads() -> None:
    network = RedirectorNetwork(STYLED)
    with torch.no_grad():
        plain = network(PHOTO, MASK, torch.zeros(2, 10))
        for head in network.style_heads.values():
            head.weight.fill_(7.0)
        again = network(PHOTO, MASK, torch.zeros(2, 10))
    assert torch.equal(plain.attract, again.attract)
    assert torch.equal(plain.divert, again.divert)


def test_a_look_counts_visible_steps() -> None:
    brighter, softer = identity_edit(), identity_edit()
    brighter[0, 1] = 0.25  # foreground exposure in stops
    softer[0, 35] = -0.3  # background sharpening
    looks = {
        name: (look_of(edit) - look_of(identity_edit()))[0]
        for name, edit in (("brighter", brighter), ("softer", softer))
    }
    half = seen_size("look") // 2
    assert float(looks["brighter"][:half].max()) > 1.0
    assert not looks["brighter"][half:].any()
    assert float(looks["softer"][-1]) == pytest.approx(-3.0, abs=1e-4)
    assert not looks["softer"][:-1].any()


def test_a_look_is_read_as_a_difference_from_the_default_style() -> None:
    reader = StyleReader(RedirectorNetwork(STYLED).bounding, "look")
    direction, one, other = torch.ones(1), identity_edit(), identity_edit()
    other[0, 1] = 0.5
    assert torch.allclose(reader(one, direction, one), reader(other, direction, other), atol=1e-6)
    assert not torch.allclose(reader(one, direction, one), reader(one, direction, other))
    with pytest.raises(ValueError, match="default style"):
        reader(one, direction)


def test_an_unknown_way_of_seeing_is_refused() -> None:
    with pytest.raises(ValueError, match="numbers, look"):
        seen_size("smell")


def test_a_run_can_add_style_heads_to_an_earlier_run(tmp_path: Path) -> None:
    data, lpips = write_photos(tmp_path / "data"), make_lpips(tmp_path)
    make_trainer(data, lpips, tmp_path / "first", RECIPE).train()
    second = make_trainer(data, lpips, tmp_path / "second", LOOKS)
    second.start_from(tmp_path / "first")
    earlier = load_trained(tmp_path / "first")[1]
    zero = torch.zeros(2, 10)
    with torch.no_grad():
        assert torch.equal(
            second.average(PHOTO, MASK, zero).attract, earlier(PHOTO, MASK, zero).attract
        )
    before = second.network.style_heads["divert_foreground"].weight.detach().clone()
    second.train()
    after = second.network.style_heads["divert_foreground"].weight.detach()
    assert float((after - before).abs().max()) > 1e-5
    assert load_trained(tmp_path / "second")[1].design == STYLED


def test_styles_that_were_learnt_are_taken_over(tmp_path: Path) -> None:
    data, lpips = write_photos(tmp_path / "data"), make_lpips(tmp_path)
    first = make_trainer(data, lpips, tmp_path / "first", LOOKS)
    first.train()
    second = make_trainer(data, lpips, tmp_path / "second", replace(LOOKS, seed=9))
    second.start_from(tmp_path / "first")
    for kind in ("network", "average", "reader"):
        earlier = getattr(first, kind).state_dict()
        for name, value in getattr(second, kind).state_dict().items():
            assert torch.equal(value, earlier[name]), f"{kind}: {name}"


def test_only_the_pooled_encoder_has_style_heads(tmp_path: Path) -> None:
    recipe = replace(RECIPE, design=RedirectorDesign(encoder="paper", style_heads=True))
    data, lpips = write_photos(tmp_path / "data"), make_lpips(tmp_path)
    with pytest.raises(ValueError, match="style heads"):
        make_trainer(data, lpips, tmp_path / "run", recipe)


def test_every_edit_is_read_in_further_styles(tmp_path: Path) -> None:
    data, lpips = write_photos(tmp_path / "data"), make_lpips(tmp_path)
    never_drawn = replace(LOOKS, style_part=0.0)
    trainer = make_trainer(data, lpips, tmp_path / "run", never_drawn)
    inputs = trainer.loader.take(0)
    assert inputs.readings is not None
    assert inputs.readings.shape == (2, 3, 10 + seen_size("look"))
    assert not inputs.style.any()
    figures = trainer.advance()
    trainer.loader.close()
    assert 0.3 < figures["style"] < 2.0
    for weight in trainer.network.style_heads.parameters():
        assert weight.grad is not None
        assert float(weight.grad.abs().max()) > 0.0
