"""Layered Photoshop files: structure, limits and refusals, read byte by byte.

Whether they look right is judged by an independent reader in tests/hosts/photoshop.
"""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from tests.core.recipes.edits import ramp_photo, soft_mask, strong_edit

from gazeshift.edit import Edit, RegionParameters
from gazeshift.errors import OutputError, ParamError
from gazeshift.recipes import psd, psd_file
from gazeshift.render import render


def make(photo=None, edit=None, mask=None) -> tuple[psd_file.Document, bytes]:
    photo = ramp_photo() if photo is None else photo
    edit = strong_edit() if edit is None else edit
    mask = soft_mask() if mask is None else mask
    document = psd.make_document(photo, mask, edit, render(photo.pixels, mask, edit))
    return document, b"".join(psd_file.write_document(document))


def names(layers) -> list:
    return [
        (layer.name, names(layer.layers)) if isinstance(layer, psd_file.Group) else layer.name
        for layer in layers
    ]


def resources(data: bytes) -> dict[int, bytes]:
    (end,) = struct.unpack_from(">I", data, 30)
    place, end, found = 34, 34 + end, {}
    while place < end:
        signature, number, length = struct.unpack_from(">4sHxxI", data, place)
        assert signature == b"8BIM"
        found[number] = data[place + 12 : place + 12 + length]
        place += 12 + length + length % 2
    return found


def test_layers_stand_in_the_order_of_application() -> None:
    document, _ = make()
    adjustments = ["Exposure", "Contrast", "Tone curve", "Color curves"]

    assert names(document.layers) == [
        "Photo",
        (
            "GazeShift",
            [
                ("GazeShift background", ["Base, sharpened", *adjustments]),
                ("GazeShift foreground", ["Base, sharpened", *adjustments]),
            ],
        ),
    ]


def test_only_the_selections_group_is_isolated_and_masked() -> None:
    mask = soft_mask()
    document, _ = make(mask=mask)
    background, foreground = document.layers[1].layers

    assert (background.blending, background.mask) == ("pass", None)
    assert foreground.blending == "norm"
    assert np.array_equal(foreground.mask, np.rint(255 * mask.astype(np.float64)))


def test_strength_zero_leaves_the_photo_alone() -> None:
    document, _ = make(edit=strong_edit().with_strength(0.0))

    assert names(document.layers) == ["Photo"]


def test_regions_without_sharpening_start_from_the_photo_itself() -> None:
    photo = ramp_photo()
    document, _ = make(photo, strong_edit(sharpening=False))
    background, foreground = document.layers[1].layers

    assert names(background.layers) == ["Exposure", "Contrast", "Tone curve", "Color curves"]
    assert np.array_equal(foreground.layers[0].pixels, photo.pixels)


@pytest.mark.parametrize(("dtype", "bits"), [(np.uint8, 8), (np.uint16, 16)])
def test_header_names_size_depth_and_rgb(dtype, bits) -> None:
    _, data = make(ramp_photo(dtype))

    # Signature, version 1, 3 channels, 60 rows, 80 columns, depth, mode 3 (RGB).
    assert struct.unpack(">4sH6xHIIHH", data[:26]) == (b"8BPS", 1, 3, 60, 80, bits, 3)


def test_transparency_is_a_fourth_channel() -> None:
    photo = ramp_photo()
    alpha = np.full(photo.pixels.shape[:2], 200, np.uint8)
    _, data = make(replace(photo, alpha=alpha))

    assert data[12:14] == b"\0\4"
    assert data.endswith(alpha.tobytes())


def test_profile_and_resolution_are_kept() -> None:
    # 300 pixels per inch are 300 / 25.4 per millimetre, and 300 in 16.16 fixed point.
    photo = ramp_photo(icc_profile=b"a profile", resolution_px_per_mm=(300 / 25.4, 150 / 25.4))
    found = resources(make(photo)[1])

    assert found[1039] == b"a profile"
    assert struct.unpack(">IHHIHH", found[1005]) == (300 << 16, 1, 2, 150 << 16, 1, 2)


def test_the_edit_can_be_read_back_from_the_documents_xmp() -> None:
    from xml.etree import ElementTree

    edit = strong_edit().with_strength(0.7)
    packet = resources(make(edit=edit)[1])[1060].decode()
    tree = ElementTree.fromstring(  # noqa: S314 - we wrote it
        packet[packet.index("<x:") : packet.index("<?xpacket end")]
    )
    (text,) = [
        value
        for element in tree.iter()
        for name, value in element.attrib.items()
        if name == f"{{{psd.XMP_NAMESPACE}}}edit"
    ]

    assert Edit.from_json(json.loads(text)) == edit


def test_merged_picture_comes_last_and_is_the_render() -> None:
    photo, mask, edit = ramp_photo(), soft_mask(), strong_edit()
    _, data = make(photo, edit, mask)
    pixels = render(photo.pixels, mask, edit)

    assert data.endswith(b"\0\0" + np.ascontiguousarray(pixels.transpose(2, 0, 1)).tobytes())


def test_curves_are_written_output_before_input() -> None:
    layer = psd_file.CurvesLayer("Tone", {"composite": [(0, 0), (100, 130), (255, 250)]})
    document = psd_file.Document([layer], psd_file.PixelLayer("", ramp_photo().pixels))
    data = b"".join(psd_file.write_document(document))
    place = data.index(b"8BIMcurv") + 12

    assert struct.unpack_from(">BHIH6H", data, place) == (0, 1, 1, 3, 0, 0, 130, 100, 250, 255)


def test_32_bit_photos_are_refused(tmp_path) -> None:
    photo = ramp_photo()
    deep = replace(photo, pixels=(photo.pixels / np.float32(255)).astype(np.float32))

    with pytest.raises(OutputError, match="32 bits"):
        psd.check_psd(tmp_path / "out.psd", deep)


def test_photos_beyond_photoshops_limit_are_refused(tmp_path) -> None:
    photo = ramp_photo()
    long = replace(photo, pixels=np.zeros((1, 30001, 3), np.uint8))

    with pytest.raises(OutputError, match="30001 pixels"):
        psd.check_psd(tmp_path / "out.psd", long)


def test_operators_without_a_layer_are_refused(tmp_path) -> None:
    edit = Edit(RegionParameters({"saturation": {"amount": 0.5}}))
    photo, mask = ramp_photo(), soft_mask()

    with pytest.raises(ParamError, match="saturation"):
        psd.write_psd(tmp_path / "out.psd", photo, mask, edit, photo.pixels)
    assert list(tmp_path.iterdir()) == []


def test_existing_files_stay_unless_forced(tmp_path) -> None:
    path = tmp_path / "out.psd"
    path.write_bytes(b"mine")
    photo, mask, edit = ramp_photo(), soft_mask(), strong_edit()

    with pytest.raises(OutputError, match="exists already"):
        psd.write_psd(path, photo, mask, edit, photo.pixels)
    assert path.read_bytes() == b"mine"
    psd.write_psd(path, photo, mask, edit, photo.pixels, force=True)
    assert path.read_bytes()[:4] == b"8BPS"
    assert list(tmp_path.iterdir()) == [path]
