"""The answers are the core's own, whatever the layout of the pixels."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from tests.core.bridge.live import layout, running

import gazeshift
from gazeshift.attention import AttentionModel
from gazeshift.bridge import messages
from gazeshift.bridge.openapi import DOCUMENT, document_text
from gazeshift.edit import Edit
from gazeshift.mask import mask_from_array
from gazeshift.operators import OPERATORS
from gazeshift.predict import Redirector
from gazeshift.proxy import make_proxy
from gazeshift.recipes import recipes
from gazeshift.recipes.recipe import Target
from gazeshift.region import RegionParameters
from gazeshift.render import render
from gazeshift.schema import decode, encode

EDIT = Edit(
    RegionParameters(
        {
            "exposure": {"ev": 0.5},
            "sharpening": {"amount": 0.7},
            "color": {"red": [1, 1, 1, 1, 1, 1, 1, 1.2]},
        }
    ),
    RegionParameters({"contrast": {"amount": -0.4}}),
)
FULL = {"uint8": 255, "uint16": 65535}


def request(pixels: np.ndarray, mask: np.ndarray | None = None, **more) -> dict:
    header = {"image": layout(pixels), **more}
    if mask is not None:
        header["mask"] = {"dtype": str(mask.dtype)}
    return header


def as_dtype(values: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "float32":
        return values.astype(np.float32) / np.float32(255)
    return (values.astype(np.uint32) * (FULL[dtype] // 255)).astype(dtype)


def test_the_openapi_document_is_the_one_checked_in() -> None:
    # Made anew by: python -m gazeshift.bridge.openapi > core/gazeshift/bridge/openapi.json
    assert DOCUMENT.read_text("utf-8") == document_text()


def test_the_openapi_document_names_every_route() -> None:
    paths = json.loads(document_text())["paths"]
    assert sorted(paths) == [
        "/v1/attention",
        "/v1/identity",
        "/v1/operators",
        "/v1/predict",
        "/v1/preview/close",
        "/v1/preview/draw",
        "/v1/preview/open",
        "/v1/recipe/gimp",
        "/v1/recipe/photoshop",
        "/v1/render",
    ]


def test_identity_says_who_answers(bridge) -> None:
    answer = bridge.call("GET", "/v1/identity", headers={}).json()
    assert decode(messages.IdentityAnswer, answer) == messages.IdentityAnswer(
        "gazeshift", 1, gazeshift.__version__, bridge.server.instance
    )


def test_operators_are_the_specifications_in_their_order(bridge) -> None:
    answer = decode(messages.OperatorsAnswer, bridge.call("GET", "/v1/operators").json())
    assert [operator.id for operator in answer.operators] == list(OPERATORS)
    (exposure,) = next(o for o in answer.operators if o.id == "exposure").parameters
    assert (exposure.name, exposure.minimum, exposure.maximum) == ("ev", -2.0, 2.0)
    assert (answer.strength_minimum, answer.strength_maximum) == (-1.5, 1.5)
    assert (answer.model, answer.problem, answer.styles) == ("tiny-redirector 1", None, ())


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("mask_dtype", ["uint8", "uint16", "float32"])
def test_predict_equals_the_core(bridge, picture, mask, dtype, mask_dtype) -> None:
    pixels, selected = as_dtype(picture, dtype), as_dtype(mask, mask_dtype)
    reply = bridge.binary(
        "/v1/predict", request(pixels, selected, strengths=[-1.0, 0.0, 0.5]), pixels, selected
    )
    answer = decode(messages.PredictAnswer, reply.json())
    coverage = mask_from_array(selected, height=40, width=56)
    expected = Redirector().predict_proxy(make_proxy(pixels, coverage))
    (style,) = answer.predictions
    assert Edit.from_json(style.attract) == expected.attract
    assert Edit.from_json(style.divert) == expected.divert
    assert answer.share_before == expected.attract.share_before
    assert style.attract_share == expected.attract.share_after
    assert style.divert_share == expected.divert.share_after
    shares = {one.strength: one.share for one in style.shares}
    assert shares[0.0] == pytest.approx(answer.share_before)
    assert shares[-1.0] == style.divert_share
    assert shares[0.5] == expected.at(0.5).share_after
    assert style.divert_share < answer.share_before < style.attract_share


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_alpha_does_not_change_a_prediction(bridge, picture, mask, channels) -> None:
    grey = picture[..., :1]
    colours = grey if channels <= 2 else np.repeat(grey, 3, axis=2)
    alpha = [] if channels in (1, 3) else [picture[..., 1:2]]
    pixels = np.concatenate([colours, *alpha], axis=2)
    reply = bridge.binary("/v1/predict", request(pixels, mask), pixels, mask)
    plain = bridge.binary("/v1/predict", request(grey, mask), grey, mask)
    assert reply.json() == plain.json()


def test_an_unusable_profile_is_told_in_a_warning(bridge, picture, mask) -> None:
    profile = np.frombuffer(b"this is no profile" * 20, np.uint8)
    header = request(picture, mask, icc_bytes=len(profile))
    reply = bridge.binary("/v1/predict", header, picture, mask, profile)
    assert "profile" in reply.json()["warnings"][0]


def test_an_empty_mask_is_refused_in_words(bridge, picture, mask) -> None:
    reply = bridge.binary("/v1/predict", request(picture, mask), picture, mask * 0)
    assert (reply.status, reply.json()["code"]) == (400, "mask")
    assert "selects nothing" in reply.json()["message"]


def test_a_style_the_model_lacks_is_refused(bridge, picture, mask) -> None:
    reply = bridge.binary("/v1/predict", request(picture, mask, styles=[0, 3]), picture, mask)
    assert (reply.status, reply.json()["code"]) == (400, "parameter")


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_attention_equals_the_core(bridge, picture, mask, dtype) -> None:
    reply = bridge.binary("/v1/attention", request(picture, mask, dtype=dtype), picture, mask)
    header, raw = reply.split()
    answer = decode(messages.AttentionAnswer, header)
    proxy = make_proxy(picture, mask / np.float32(255))
    model = AttentionModel()
    expected = model.map(proxy.rgb)
    given = np.frombuffer(raw, dtype).reshape(answer.height, answer.width)
    if dtype == "float32":
        assert np.array_equal(given, expected)
    else:
        assert given.max() == 255
        assert np.abs(given / 255 - expected / expected.max()).max() <= 0.5 / 255 + 1e-6
    assert answer.share == pytest.approx(model.share(proxy.rgb, proxy.mask))


def test_attention_needs_no_mask(bridge, picture) -> None:
    header, _ = bridge.binary("/v1/attention", request(picture), picture).split()
    assert header["share"] is None


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("strength", [None, 0.0, 0.6, 1.5])
def test_render_equals_the_core(bridge, picture, mask, dtype, strength) -> None:
    pixels = as_dtype(picture, dtype)
    header = request(pixels, mask, edit=EDIT.to_json(), strength=strength)
    answer, raw = bridge.binary("/v1/render", header, pixels, mask).split()
    given = np.frombuffer(raw, dtype).reshape(pixels.shape)
    assert np.array_equal(given, render(pixels, mask, EDIT, strength))
    assert answer["image"] == layout(pixels)


def test_raw_samples_start_at_a_multiple_of_eight(bridge, picture, mask) -> None:
    header = request(picture, mask, edit=EDIT.to_json())
    reply = bridge.binary("/v1/render", header, picture, mask)
    assert (len(reply.body) - picture.size) % 8 == 0


def test_parts_are_one_regions_edit_on_every_pixel(bridge, picture) -> None:
    header = request(picture, edit=EDIT.to_json(), parts=["background", "foreground"])
    answer, raw = bridge.binary("/v1/render", header, picture).split()
    background, foreground = np.frombuffer(raw, np.uint8).reshape(2, *picture.shape)
    everywhere = np.ones(picture.shape[:2], np.float32)
    assert np.array_equal(foreground, render(picture, everywhere, EDIT))
    assert np.array_equal(background, render(picture, 1 - everywhere, EDIT))
    assert answer["parts"] == ["background", "foreground"]


def test_operators_limit_the_edit(bridge, picture) -> None:
    header = request(picture, edit=EDIT.to_json(), parts=["foreground"], operators=["sharpening"])
    _, raw = bridge.binary("/v1/render", header, picture).split()
    alone = Edit(RegionParameters({"sharpening": {"amount": 0.7}}))
    everywhere = np.ones(picture.shape[:2], np.float32)
    expected = render(picture, everywhere, alone)
    assert np.array_equal(np.frombuffer(raw, np.uint8).reshape(picture.shape), expected)


def test_alpha_travels_untouched_and_grey_stays_grey(bridge, picture, mask) -> None:
    pixels = np.ascontiguousarray(picture[..., :2])
    header = request(pixels, mask, edit=EDIT.to_json())
    _, raw = bridge.binary("/v1/render", header, pixels, mask).split()
    given = np.frombuffer(raw, np.uint8).reshape(pixels.shape)
    assert np.array_equal(given[..., 1], pixels[..., 1])
    without_color = Edit(
        RegionParameters({"exposure": {"ev": 0.5}, "sharpening": {"amount": 0.7}}),
        EDIT.background,
    )
    rgb = np.repeat(pixels[..., :1], 3, axis=2)
    assert np.array_equal(given[..., 0], render(rgb, mask, without_color)[..., 0])


def test_a_result_needs_a_mask(bridge, picture) -> None:
    reply = bridge.binary("/v1/render", request(picture, edit=EDIT.to_json()), picture)
    assert (reply.status, reply.json()["code"]) == (400, "parameter")


def test_pixels_that_are_no_numbers_are_refused(bridge, mask) -> None:
    pixels = np.full((40, 56, 3), np.nan, np.float32)
    reply = bridge.binary("/v1/render", request(pixels, mask, edit=EDIT.to_json()), pixels, mask)
    assert (reply.status, reply.json()["code"]) == (400, "image")


@pytest.mark.parametrize("host", ["gimp", "photoshop"])
def test_recipes_equal_the_cores(bridge, host) -> None:
    asked = {
        "edit": EDIT.to_json(),
        "width": 600,
        "height": 400,
        "strengths": [0.0, 0.5, 1.0],
    }
    given = bridge.json(f"/v1/recipe/{host}", asked).json()["recipes"]
    recipe = recipes()[host]
    expected = [recipe.make(EDIT, s, Target(600, 400)) for s in (0.0, 0.5, 1.0)]
    assert given == json.loads(json.dumps(encode(expected)))
    # The answer fits its own schema.
    assert [decode(recipe.answer, one) for one in given] == expected


def test_photoshop_recipes_are_few_at_a_time(bridge) -> None:
    asked = {"edit": EDIT.to_json(), "width": 9, "height": 9, "strengths": [1.0] * 9}
    assert bridge.json("/v1/recipe/photoshop", asked).status == 400


def test_a_missing_model_is_told_and_found_again(models, tmp_path, monkeypatch, picture, mask):
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("GAZESHIFT_MODELS", str(folder))
    with running(warm_up=True) as bridge:
        reply = bridge.binary("/v1/predict", request(picture, mask), picture, mask)
        assert (reply.status, reply.json()["code"]) == (503, "model")
        assert "redirector.onnx" in reply.json()["message"]
        operators = bridge.call("GET", "/v1/operators").json()
        assert operators["model"] is None
        assert operators["problem"]["code"] == "model"
        # Without a model the numbers of an edit are still there.
        asked = {"edit": EDIT.to_json(), "width": 9, "height": 9}
        assert bridge.json("/v1/recipe/gimp", asked).status == 200
        for path in models.iterdir():
            shutil.copy(path, folder)
        assert bridge.binary("/v1/predict", request(picture, mask), picture, mask).status == 200


def test_a_model_that_goes_away_in_the_middle_does_no_harm(
    models, tmp_path, monkeypatch, picture, mask
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(models, folder)
    monkeypatch.setenv("GAZESHIFT_MODELS", str(folder))
    with running() as bridge:
        before = bridge.binary("/v1/predict", request(picture, mask), picture, mask)
        shutil.rmtree(folder)
        after = bridge.binary("/v1/predict", request(picture, mask), picture, mask)
        assert before.status == after.status == 200
        assert before.json() == after.json()


def test_a_damaged_model_is_told(models, tmp_path, monkeypatch, picture, mask) -> None:
    folder = tmp_path / "models"
    shutil.copytree(models, folder)
    (folder / "redirector.onnx").write_bytes(b"not a network")
    monkeypatch.setenv("GAZESHIFT_MODELS", str(folder))
    with running() as bridge:
        reply = bridge.binary("/v1/predict", request(picture, mask), picture, mask)
        assert (reply.status, reply.json()["code"]) == (503, "model")
