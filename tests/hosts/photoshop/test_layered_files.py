"""Layered Photoshop files, rendered by the independent reader and held to the core's render."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.core.recipes.edits import ramp_photo, soft_mask, strong_edit, very_strong_values
from tests.hosts.photoshop import reader

from gazeshift.edit import Edit, RegionParameters
from gazeshift.mask import read_mask
from gazeshift.photo import read_photo
from gazeshift.recipes import psd, psd_file
from gazeshift.render import render

FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES = Path(__file__).parents[3] / "examples"
LARGEST, MEAN = 4.0, 0.8


def layered(photo, mask, edit) -> tuple[psd_file.Document, np.ndarray]:
    pixels = render(photo.pixels, mask, edit)
    return psd.make_document(photo, mask, edit, pixels), pixels


def read_back(document: psd_file.Document):
    opened = reader.open_psd(io.BytesIO(b"".join(psd_file.write_document(document))))
    reader.check_ours(opened)
    return opened


def distance(document, pixels) -> tuple[float, float]:
    expected = pixels * (255.0 / np.iinfo(pixels.dtype).max)
    return reader.difference(reader.composite(read_back(document)), expected)


@pytest.mark.parametrize("name", ["curves_rgb", "exposure_rgb"])
def test_reader_equals_photoshops_own_render(name) -> None:
    opened = reader.open_psd(FIXTURES / f"{name}.psd")

    largest, mean = reader.difference(reader.composite(opened), reader.merged(opened))

    assert largest <= 1.001
    assert mean <= 0.02


def test_reader_renders_photoshops_nested_groups() -> None:
    opened = reader.open_psd(FIXTURES / "adjustment_nested_composition_1.psd")

    apart = np.abs(reader.composite(opened) - reader.merged(opened))

    # The file mixes blend modes that ours never use, such as Divide; they miss on single pixels.
    assert np.mean(apart > 1.001) < 0.001
    assert apart.mean() < 0.15


def test_without_rounding_the_reader_would_miss_photoshops_render() -> None:
    opened = reader.open_psd(FIXTURES / "curves_rgb.psd")
    colour, _, _ = reader.render_all_layers(opened, force=True)

    largest, _ = reader.difference(255.0 * colour[..., :3], reader.merged(opened))

    assert largest > 4


@pytest.mark.parametrize("sharpening", [False, True])
@pytest.mark.parametrize("feather_px", [0.0, 12.0])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_layers_render_like_the_core(dtype, feather_px, sharpening) -> None:
    edit = strong_edit(sharpening=sharpening)
    document, pixels = layered(ramp_photo(dtype), soft_mask(feather_px=feather_px), edit)

    largest, mean = distance(document, pixels)

    assert largest <= LARGEST
    assert mean <= MEAN


# The edits, of many drawn at random, at which layers that ignore each other miss the bar.
@pytest.mark.parametrize("seeds", [(6, 9), (9, 6)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_very_strong_edits_stay_within_the_bar(dtype, seeds) -> None:
    edit = Edit(*(RegionParameters(very_strong_values(seed)) for seed in seeds))
    document, pixels = layered(ramp_photo(dtype), soft_mask(), edit)

    largest, mean = distance(document, pixels)

    assert largest <= LARGEST
    assert mean <= MEAN


@pytest.mark.parametrize("strength", [0.25, 1.5])
def test_layers_follow_the_dial(strength) -> None:
    edit = strong_edit().with_strength(strength)
    document, pixels = layered(ramp_photo(), soft_mask(), edit)

    largest, mean = distance(document, pixels)

    assert largest <= LARGEST
    assert mean <= MEAN


@pytest.mark.parametrize("name", ["dandelions", "two-dogs", "wine-and-drum"])
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_layers_of_real_photos_render_like_the_core(name, strength) -> None:
    whole = read_photo(EXAMPLES / f"{name}.jpg")
    mask = read_mask(
        str(EXAMPLES / f"{name}-mask.png"),
        height=whole.pixels.shape[0],
        width=whole.pixels.shape[1],
    )
    step = max(1, max(whole.pixels.shape[:2]) // 500)
    photo = replace(whole, pixels=np.ascontiguousarray(whole.pixels[::step, ::step]))
    edit = strong_edit().with_strength(strength)
    document, pixels = layered(photo, np.ascontiguousarray(mask[::step, ::step]), edit)

    largest, mean = distance(document, pixels)

    assert largest <= LARGEST
    assert mean <= MEAN


def test_merged_picture_is_the_cores_render() -> None:
    document, pixels = layered(ramp_photo(), soft_mask(), strong_edit())

    assert np.array_equal(np.rint(reader.merged(read_back(document))), pixels)


def test_the_outer_groups_opacity_is_a_dial() -> None:
    photo, mask = ramp_photo(), soft_mask()
    document, pixels = layered(photo, mask, strong_edit())
    opened = read_back(document)
    opened[1].opacity = 128

    largest, mean = reader.difference(
        reader.composite(opened), photo.pixels + 128 / 255 * (pixels.astype(float) - photo.pixels)
    )

    assert largest <= LARGEST
    assert mean <= MEAN


def _regroup(document: psd_file.Document, change) -> psd_file.Document:
    photo, outer = document.layers
    return replace(document, layers=[photo, replace(outer, layers=change(list(outer.layers)))])


def _swap_mask(document):
    def change(groups):
        return [groups[0], replace(groups[1], mask=255 - groups[1].mask)]

    return _regroup(document, change)


def _swap_red_and_blue(document):
    def swapped(layer):
        if not isinstance(layer, psd_file.CurvesLayer) or "red" not in layer.curves:
            return layer
        both = {"red": layer.curves["blue"], "blue": layer.curves["red"]}
        return replace(layer, curves={**layer.curves, **both})

    return _regroup(
        document,
        lambda groups: [
            replace(group, layers=[swapped(layer) for layer in group.layers]) for group in groups
        ],
    )


def _forget_gamma(document):
    def plain(layer):
        if isinstance(layer, psd_file.ExposureLayer):
            return replace(layer, exposure=layer.exposure / 2.2)
        return layer

    return _regroup(
        document,
        lambda groups: [
            replace(group, layers=[plain(layer) for layer in group.layers]) for group in groups
        ],
    )


def _move_one_node(document):
    def change(groups):
        layers = list(groups[0].layers)
        place = next(k for k, one in enumerate(layers) if isinstance(one, psd_file.CurvesLayer))
        nodes = list(layers[place].curves["composite"])
        middle = len(nodes) // 2
        nodes[middle] = (nodes[middle][0], nodes[middle][1] + 8)
        layers[place] = replace(layers[place], curves={"composite": nodes})
        return [replace(groups[0], layers=layers), groups[1]]

    return _regroup(document, change)


def _exchange_regions(document):
    def change(groups):
        below, above = groups
        base = above.layers[0]
        return [
            replace(below, layers=above.layers[1:]),
            replace(above, layers=[base, *below.layers]),
        ]

    return _regroup(document, change)


@pytest.mark.parametrize(
    "mutate", [_swap_mask, _swap_red_and_blue, _forget_gamma, _move_one_node, _exchange_regions]
)
def test_every_mutant_is_caught(mutate) -> None:
    document, pixels = layered(ramp_photo(), soft_mask(), strong_edit(sharpening=False))

    largest, mean = distance(mutate(document), pixels)

    assert largest > LARGEST or mean > MEAN


def test_identity_of_one_region_leaves_its_layers_out() -> None:
    edit = Edit(RegionParameters({"exposure": {"ev": 0.5}}))
    document, pixels = layered(ramp_photo(), soft_mask(), edit)
    opened = read_back(document)

    assert reader.describe(opened) == [
        "Photo",
        ("GazeShift", [("GazeShift foreground", ["Base", "Exposure"])]),
    ]
    assert distance(document, pixels)[0] <= LARGEST


def test_transparent_photos_stay_transparent() -> None:
    photo = ramp_photo()
    alpha = np.full(photo.pixels.shape[:2], 255, np.uint8)
    alpha[:10] = 0
    document, _ = layered(replace(photo, alpha=alpha), soft_mask(), strong_edit())

    shape = read_back(document).numpy("shape")

    assert np.array_equal(np.rint(255 * shape[..., 0]), alpha)


def test_reader_refuses_what_it_cannot_render() -> None:
    document, _ = layered(ramp_photo(), soft_mask(), strong_edit())
    opened = read_back(document)
    opened[1].opacity = 200

    with pytest.raises(reader.UnknownLayer):
        reader.check_ours(opened)
