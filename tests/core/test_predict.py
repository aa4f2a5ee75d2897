"""From a proxy to edits: both directions, measured shares, styles, and refused networks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.core.tiny_models import (
    brightness_attention,
    operator_versions,
    region_numbers,
    write_attention,
    write_models,
    write_redirector,
)

from gazeshift.attention import AttentionModel, attention_share
from gazeshift.edit import Edit
from gazeshift.errors import ModelError, ParamError
from gazeshift.predict import Redirector, is_effective
from gazeshift.proxy import Proxy, make_proxy
from gazeshift.region import RegionParameters


@pytest.fixture
def proxy() -> Proxy:
    rng = np.random.default_rng(3)
    rgb = rng.uniform(0.1, 0.6, (96, 128, 3)).astype(np.float32)
    mask = np.zeros((96, 128), np.float32)
    mask[24:56, 32:72] = 1.0
    return Proxy(rgb, mask)


@pytest.fixture
def redirector(tmp_path: Path) -> Redirector:
    return make_redirector(tmp_path)


def make_redirector(folder: Path, **options: object) -> Redirector:
    attention = AttentionModel(write_attention(folder / "attention.onnx"))
    return Redirector(
        write_redirector(folder / "redirector.onnx", **options),  # type: ignore[arg-type]
        attention=attention,
    )


def test_both_directions_carry_the_networks_numbers(redirector: Redirector, proxy: Proxy) -> None:
    prediction = redirector.predict_proxy(proxy)
    assert prediction.attract.direction == "attract"
    assert prediction.divert.direction == "divert"
    assert prediction.attract.foreground.to_vector() == pytest.approx(region_numbers(ev=0.4))
    assert prediction.attract.background.to_vector() == pytest.approx(region_numbers(ev=-0.2))
    assert prediction.divert.foreground.to_vector() == pytest.approx(region_numbers(ev=-0.4))
    assert prediction.attract.model == "tiny-redirector 1"


def test_shares_are_those_of_the_rendered_proxy(redirector: Redirector, proxy: Proxy) -> None:
    assert proxy.mask is not None
    prediction = redirector.predict_proxy(proxy)
    before = attention_share(brightness_attention(proxy.rgb), proxy.mask)
    inside, outside = proxy.rgb * 2**0.4, proxy.rgb * 2**-0.2
    after_rgb = np.clip(np.where(proxy.mask[..., None] > 0, inside, outside), 0, 1)
    after = attention_share(brightness_attention(after_rgb), proxy.mask)
    assert prediction.attract.share_before == pytest.approx(before, rel=1e-4)
    assert prediction.attract.share_after == pytest.approx(after, rel=1e-4)
    assert after > before * 1.2
    assert prediction.divert.share_after is not None
    assert prediction.divert.share_after < before


def test_share_is_measured_at_the_asked_strength(redirector: Redirector, proxy: Proxy) -> None:
    prediction = redirector.predict_proxy(proxy)
    half, full, over = (prediction.at(strength) for strength in (0.5, 1.0, 1.5))
    assert half.strength == 0.5
    assert half.share_before == full.share_before
    shares = [edit.share_after for edit in (half, full, over)]
    assert None not in shares
    assert shares == sorted(shares)  # type: ignore[type-var]
    measured = redirector.measure(proxy, half).share_after
    assert half.share_after == measured


def test_negative_strength_uses_the_other_direction(redirector: Redirector, proxy: Proxy) -> None:
    prediction = redirector.predict_proxy(proxy)
    away = prediction.at(-0.5)
    assert (away.direction, away.strength) == ("divert", 0.5)
    assert away.signed_strength == -0.5
    assert is_effective(away) is True


def test_strength_zero_changes_nothing(redirector: Redirector, proxy: Proxy) -> None:
    edit = redirector.predict_proxy(proxy).at(0.0)
    assert edit.is_identity
    assert edit.share_after == edit.share_before
    assert is_effective(edit) is None


@pytest.mark.parametrize("strength", [-1.51, 1.51, float("nan"), float("inf")])
def test_strength_out_of_range_is_refused(
    redirector: Redirector, proxy: Proxy, strength: float
) -> None:
    prediction = redirector.predict_proxy(proxy, measure=False)
    with pytest.raises(ParamError, match="strength"):
        prediction.at(strength)


def test_an_edit_that_does_not_help_is_not_effective(tmp_path: Path, proxy: Proxy) -> None:
    darker = [*region_numbers(ev=-0.3), *region_numbers()]
    redirector = make_redirector(tmp_path, attract=darker)
    edit = redirector.predict_proxy(proxy).attract
    assert edit.share_before is not None
    assert edit.share_after is not None
    assert edit.share_after < edit.share_before
    assert is_effective(edit) is False


def test_unmeasured_prediction_needs_no_attention_network(tmp_path: Path, proxy: Proxy) -> None:
    redirector = Redirector(
        write_redirector(tmp_path / "redirector.onnx"),
        attention=AttentionModel(tmp_path / "missing.onnx"),
    )
    prediction = redirector.predict_proxy(proxy, measure=False)
    assert prediction.attract.share_before is None
    assert is_effective(prediction.attract) is None
    with pytest.raises(ModelError, match=r"missing\.onnx"):
        prediction.at(0.7)


def test_mask_reaches_the_network(tmp_path: Path, proxy: Proxy) -> None:
    assert proxy.mask is not None
    redirector = make_redirector(tmp_path, mask_gain=1.0)
    edit = redirector.predict_proxy(proxy, measure=False).attract
    mean = float(proxy.mask.mean())
    assert edit.foreground.get("exposure", "ev") == pytest.approx((0.4 + mean,), abs=1e-5)


def test_tiny_proxies_work(redirector: Redirector) -> None:
    one = Proxy(np.full((1, 1, 3), 0.5, np.float32), np.ones((1, 1), np.float32))
    edit = redirector.predict_proxy(one).attract
    assert edit.share_before == 1.0
    assert is_effective(edit) is False


def test_proxy_without_mask_is_refused(redirector: Redirector, proxy: Proxy) -> None:
    with pytest.raises(ParamError, match="mask"):
        redirector.predict_proxy(Proxy(proxy.rgb, None))


def test_styles_are_reproducible_and_differ(tmp_path: Path, proxy: Proxy) -> None:
    redirector = make_redirector(tmp_path, style_gain=0.05)
    assert redirector.has_styles

    def ev(style: object) -> float:
        edit = redirector.predict_proxy(proxy, style, measure=False).attract  # type: ignore[arg-type]
        return edit.foreground.get("exposure", "ev")[0]

    assert ev(None) == ev(0) == pytest.approx(0.4)
    assert ev(7) == ev(7)
    assert ev(7) != ev(8)
    assert ev([2.0] + [0.0] * 9) == pytest.approx(0.5)


@pytest.mark.parametrize("style", [-1, 2**32, [1.0], [float("nan")] * 10])
def test_impossible_styles_are_refused(tmp_path: Path, proxy: Proxy, style: object) -> None:
    redirector = make_redirector(tmp_path, style_gain=0.05)
    with pytest.raises(ParamError, match="style"):
        redirector.predict_proxy(proxy, style)  # type: ignore[arg-type]


def test_style_of_a_network_without_styles_is_refused(redirector: Redirector, proxy: Proxy) -> None:
    with pytest.raises(ParamError, match="no styles"):
        redirector.predict_proxy(proxy, 3)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"gazeshift.operators": None}, "gazeshift.operators"),
        ({"gazeshift.operators": "{}"}, "was made for the operators"),
        ({"gazeshift.operators": "not json"}, "unreadable operator versions"),
        ({"gazeshift.operators": "[1, 2]"}, "unreadable operator versions"),
        ({"gazeshift.model_id": None}, "gazeshift.model_id"),
        ({"gazeshift.proxy_long_side": "large"}, "no numbers"),
        ({"gazeshift.proxy_long_side": "0"}, "proxy of 0 pixels"),
        (
            {"gazeshift.operators": json.dumps({**operator_versions(), "tone": 99})},
            "tone 99",
        ),
        (
            {"gazeshift.operators": json.dumps(dict(reversed(operator_versions().items())))},
            "was made for the operators color 1",
        ),
    ],
)
def test_network_with_other_metadata_is_refused(
    tmp_path: Path, proxy: Proxy, metadata: dict[str, str | None], words: str
) -> None:
    redirector = make_redirector(tmp_path, metadata=metadata)
    with pytest.raises(ModelError, match=words) as caught:
        redirector.predict_proxy(proxy)
    assert caught.value.exit_code == 4
    assert caught.value.hint


def test_operator_versions_may_be_a_list_of_pairs(tmp_path: Path, proxy: Proxy) -> None:
    pairs = json.dumps([list(pair) for pair in operator_versions().items()])
    redirector = make_redirector(tmp_path, metadata={"gazeshift.operators": pairs})
    assert redirector.predict_proxy(proxy).attract.direction == "attract"


def test_network_without_divert_is_refused(tmp_path: Path, proxy: Proxy) -> None:
    redirector = make_redirector(tmp_path, outputs=("attract", "other"))
    with pytest.raises(ModelError, match="no output named 'divert'"):
        redirector.predict_proxy(proxy)


def test_network_with_another_count_of_numbers_is_refused(tmp_path: Path, proxy: Proxy) -> None:
    path = write_attention(tmp_path / "redirector.onnx")
    with pytest.raises(ModelError, match="no input named 'mask'"):
        Redirector(path).predict_proxy(proxy)


def test_numbers_outside_the_hard_range_are_a_model_error(tmp_path: Path, proxy: Proxy) -> None:
    redirector = make_redirector(tmp_path, attract=[*region_numbers(ev=3.0), *region_numbers()])
    with pytest.raises(ModelError, match="impossible edit"):
        redirector.predict_proxy(proxy)


def test_long_side_comes_from_the_network(tmp_path: Path) -> None:
    redirector = make_redirector(tmp_path, metadata={"gazeshift.proxy_long_side": "64"})
    photo = np.random.default_rng(4).integers(0, 256, (200, 100, 3), np.uint8)
    mask = np.zeros((200, 100), bool)
    mask[:100] = True
    assert redirector.predict(photo, mask).proxy.rgb.shape == (64, 32, 3)


def test_arrays_and_proxies_give_the_same_edit(tmp_path: Path) -> None:
    photo = np.random.default_rng(5).integers(0, 256, (300, 500, 3), np.uint8)
    mask = np.zeros((300, 500), np.uint8)
    mask[50:200, 100:300] = 255
    write_models(tmp_path)
    redirector = make_redirector(tmp_path, mask_gain=1.0)
    by_hand = redirector.predict_proxy(make_proxy(photo, mask.astype(np.float32) / 255))
    assert redirector.predict(photo, mask).attract == by_hand.attract


def test_edit_survives_its_file(redirector: Redirector, proxy: Proxy) -> None:
    edit = redirector.predict_proxy(proxy).at(0.75)
    assert Edit.loads(edit.dumps()) == edit


def test_hand_made_edit_can_be_measured(redirector: Redirector, proxy: Proxy) -> None:
    edit = Edit(foreground=RegionParameters({"exposure": {"ev": 0.5}}))
    measured = redirector.measure(proxy, edit)
    assert measured.share_before is not None
    assert is_effective(measured) is True
