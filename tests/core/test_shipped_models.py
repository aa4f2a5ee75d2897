"""The networks that come with the package, on the example photos."""

from __future__ import annotations

from pathlib import Path

import pytest

from gazeshift.attention import AttentionModel
from gazeshift.mask import read_mask
from gazeshift.photo import read_photo
from gazeshift.predict import Prediction, Redirector, is_effective
from gazeshift.proxy import make_proxy
from gazeshift.sessions import model_path

EXAMPLES = Path(__file__).parents[2] / "examples"
LARGEST_FILE = 20 * 2**20


@pytest.fixture(scope="module")
def redirector() -> Redirector:
    return Redirector(provider="cpu")


def predict(redirector: Redirector, name: str, style: int = 0) -> Prediction:
    photo = read_photo(EXAMPLES / f"{name}.jpg")
    height, width = photo.pixels.shape[:2]
    mask = read_mask(str(EXAMPLES / f"{name}-mask.png"), height=height, width=width)
    proxy = make_proxy(photo.pixels, mask, long_side=redirector.proxy_long_side)
    return redirector.predict_proxy(proxy, style)


@pytest.mark.parametrize("name", ["attention", "redirector"])
def test_network_files_are_small(name: str) -> None:
    assert 0 < model_path(name).stat().st_size <= LARGEST_FILE


@pytest.mark.parametrize("name", ["dandelions", "two-dogs", "wine-and-drum"])
def test_both_directions_work_on_the_examples(redirector: Redirector, name: str) -> None:
    prediction = predict(redirector, name)
    assert is_effective(prediction.attract) is True
    assert is_effective(prediction.divert) is True
    weaker = prediction.at(0.5).share_after
    assert weaker is not None
    assert prediction.attract.share_after is not None
    assert weaker < prediction.attract.share_after
    assert redirector.warnings == ()


def test_same_picture_gives_the_same_edit(redirector: Redirector) -> None:
    again = Redirector(provider="cpu")
    assert predict(redirector, "two-dogs").attract == predict(again, "two-dogs").attract


def test_attention_prefers_the_dogs_to_the_wall() -> None:
    photo = read_photo(EXAMPLES / "two-dogs.jpg")
    height, width = photo.pixels.shape[:2]
    model = AttentionModel(provider="cpu")
    rgb = make_proxy(photo.pixels).rgb
    shares = {}
    for name, source in (("dogs", "rect:28%,20%,42%,46%"), ("wall", "rect:55%,0%,45%,45%")):
        mask = read_mask(source, height=height, width=width)
        shares[name] = model.share(rgb, make_proxy(photo.pixels, mask).mask)  # type: ignore[arg-type]
    assert shares["dogs"] > 0.5
    assert shares["wall"] < 0.1
