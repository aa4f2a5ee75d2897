"""A layered Photoshop file of an edited photo, for people without the plug-in.

The layers are those that the Photoshop panel makes: the photo, and above it one group with the
background's adjustments, unmasked, and the selection's group, which is isolated, starts from its
own copy of the photo and carries the mask. The outer group's opacity is a dial.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.edit import Edit, RegionParameters
from gazeshift.errors import OutputError
from gazeshift.files import check_target
from gazeshift.photo import Photo
from gazeshift.recipes import photoshop, psd_file
from gazeshift.recipes.recipe import Target

GROUP = "GazeShift"
BACKGROUND = "GazeShift background"
FOREGROUND = "GazeShift foreground"
BASE = "Base"
PHOTO = "Photo"

XMP_NAMESPACE = "https://gazeshift.invalid/xmp/1.0/"
"""A name, not an address."""


def check_psd(path: Path, photo: Photo, *, force: bool = False) -> None:
    """Refuse a photo or a target that no Photoshop file can be written for.

    Raises
    ------
    OutputError
        If the photo is too large or has 32 bits, or the file must not be written there.
    """
    check_target(path, force=force)
    if photo.pixels.dtype not in (np.uint8, np.uint16):
        raise OutputError(
            f"{photo.name} has 32 bits per channel; Photoshop files are written with 8 or 16.",
            hint="Write a TIFF file instead.",
        )
    longest = max(photo.pixels.shape[:2])
    if longest > psd_file.LONGEST_SIDE_PX:
        raise OutputError(
            f"{photo.name} is {longest} pixels long; Photoshop files hold at most "
            f"{psd_file.LONGEST_SIDE_PX}.",
            hint="Write a TIFF file instead.",
        )


def write_psd(
    path: Path,
    photo: Photo,
    mask: NDArray[np.float32],
    edit: Edit,
    pixels: NDArray[Any],
    *,
    force: bool = False,
) -> None:
    """Write the layered file, beside its target and renamed.

    Parameters
    ----------
    path
        Where the file goes.
    photo
        The photo before the edit: its alpha, profile and resolution go into the file.
    mask
        Shape (H, W), 0-1; 1 is selected.
    edit
        At the strength that the layers shall have.
    pixels
        Shape (H, W, 3): the edit as the core renders it, for the merged picture.
    force
        Whether an existing file is replaced.

    Raises
    ------
    OutputError
        If the photo does not fit, or the file cannot or must not be written there.
    ParamError
        If the edit uses an operator that Photoshop has no layer for.
    """
    check_psd(path, photo, force=force)
    document = make_document(photo, mask, edit, pixels)
    if psd_file.count_bytes(document) > psd_file.LARGEST_BYTES:
        raise OutputError(
            f"{path.name} would be larger than 2 GB, which Photoshop files cannot be.",
            hint="Write a TIFF file instead, or make the photo smaller.",
        )
    partial = path.with_name(f".{path.name[:100]}-{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            for piece in psd_file.write_document(document):
                file.write(piece)
        os.replace(partial, path)
    except OSError as error:
        raise OutputError(
            f"{path.name} cannot be written: {error.strerror or error}.",
            hint="Check the folder and the space on its disk.",
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def make_document(
    photo: Photo, mask: NDArray[np.float32], edit: Edit, pixels: NDArray[Any]
) -> psd_file.Document:
    """Lay out the layers; see `write_psd`."""
    from gazeshift import __version__

    height, width = photo.pixels.shape[:2]
    recipe = photoshop.make_recipe(edit, edit.strength, Target(width, height, photo.is_grey))
    regions = edit.regions()
    largest = np.iinfo(photo.pixels.dtype).max
    coverage = np.rint(mask.astype(np.float64) * largest).astype(photo.pixels.dtype)

    groups: list[psd_file.Layer] = []
    background = _adjustments(recipe.background)
    if recipe.background.sharpening is not None:
        background.insert(0, _base(photo, mask, edit, regions.background))
    if background:
        groups.append(psd_file.Group(BACKGROUND, background))
    foreground = [_base(photo, mask, edit, regions.foreground), *_adjustments(recipe.foreground)]
    # Without any change outside, an unchanged copy inside would only weigh down the file.
    if background or not regions.foreground.is_identity:
        groups.append(psd_file.Group(FOREGROUND, foreground, "norm", coverage))

    layers: list[psd_file.Layer] = [psd_file.PixelLayer(PHOTO, photo.pixels, photo.alpha)]
    if groups:
        layers.append(psd_file.Group(GROUP, groups))
    return psd_file.Document(
        layers,
        psd_file.PixelLayer("", pixels, photo.alpha),
        photo.icc_profile,
        photo.resolution_px_per_mm,
        xmp_packet(edit),
        f"GazeShift {__version__}",
    )


def xmp_packet(edit: Edit) -> bytes:
    """Return the XMP that keeps an edit in a document, as the Photoshop panel does in a layer."""
    import json
    from xml.sax.saxutils import quoteattr

    text = json.dumps(edit.to_json(), separators=(",", ":"), allow_nan=False)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:gazeshift={quoteattr(XMP_NAMESPACE)} '
        f"gazeshift:edit={quoteattr(text)}/></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    ).encode()


def _adjustments(region: photoshop.PhotoshopRegion) -> list[psd_file.Layer]:
    return [_adjustment(layer) for layer in region.layers]


def _adjustment(layer: photoshop.PhotoshopLayer) -> psd_file.Layer:
    if layer.exposure is not None:
        return psd_file.ExposureLayer(layer.name, layer.exposure)
    curves: dict[str, list[tuple[int, int]]] = {
        curve.channel: [(node.input, node.output) for node in curve.nodes] for curve in layer.curves
    }
    return psd_file.CurvesLayer(layer.name, curves)


def _base(
    photo: Photo, mask: NDArray[np.float32], edit: Edit, region: RegionParameters
) -> psd_file.PixelLayer:
    """Return the copy of the photo that a region starts from: sharpened if the region is."""
    from gazeshift.render import render

    if "sharpening" not in region.active():
        return psd_file.PixelLayer(BASE, photo.pixels, photo.alpha)
    only = RegionParameters({"sharpening": region.arguments("sharpening")})
    sharpened = render(
        photo.pixels, mask, replace(edit, foreground=only, background=only, strength=1.0)
    )
    return psd_file.PixelLayer(f"{BASE}, sharpened", sharpened, photo.alpha)
