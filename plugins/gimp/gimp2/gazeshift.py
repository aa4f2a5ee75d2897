#!/usr/bin/env python2
# -*- coding: utf-8 -*-
"""GazeShift for GIMP 2.10 (Python-Fu, Python 2.7): pixel layers with a layer mask.

GIMP 2.10 has no non-destructive filters, so the two layers hold pixels that the core has
rendered. GIMP 3.2 would keep every step adjustable.
"""

import json
import os
import sys

from gimpfu import (
    CHANNEL_OP_REPLACE,
    NORMAL_MODE,
    PF_DRAWABLE,
    PF_IMAGE,
    PF_INT,
    PF_OPTION,
    PF_SLIDER,
    RGB,
    GRAY,
    ADD_SELECTION_MASK,
    gimp,
    main,
    pdb,
    register,
)

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)

import gazeshift_bridge  # noqa: E402

EIGHT_BITS = 150  # GIMP_PRECISION_U8_GAMMA
PERCEPTUAL_SPACE = 2  # GIMP_LAYER_COLOR_SPACE_RGB_PERCEPTUAL
CLIP_TO_BACKDROP = 2  # GIMP_LAYER_COMPOSITE_CLIP_TO_BACKDROP
PARASITE_FLAGS = 1 | 2  # persistent, undoable
LOOK_HERE, LOOK_AWAY = 0, 1
DIRECTIONS = ("attract", "divert")
MAX_STRENGTH = 150.0
MAX_AWAY = 100.0


class SourceProblem(Exception):
    """The image, layer or selection cannot be used; the text says what to do."""


def redirect(image, drawable, strength, direction, style):
    """Make the layers; a failure is a sentence, and leaves nothing behind."""
    try:
        _redirect(image, drawable, float(strength), int(direction), int(style))
    except (SourceProblem, gazeshift_bridge.BridgeProblem) as problem:
        # Python-Fu turns an uncaught error into an error status; the message is for people.
        gimp.message(str(problem))
        raise RuntimeError(str(problem))


def _redirect(image, layer, strength, direction, style):
    _check(image, layer)
    away = direction == LOOK_AWAY
    if not 0.0 <= strength <= (MAX_AWAY if away else MAX_STRENGTH):
        raise SourceProblem("The strength must lie in 0 to 150 (look here) or 100 (look away).")
    layout, pixels = _read(layer)
    mask = _read_selection(image, layer)
    bridge = gazeshift_bridge.connect(FOLDER)
    gimp.progress_init("GazeShift")
    answer = bridge.predict(layout, pixels, mask, _profile(image), style)
    edit = dict(answer["predictions"][0][DIRECTIONS[direction]])
    rendered = bridge.render(layout, pixels, edit, strength / 100.0)
    if strength != 100.0:
        edit["share_after"] = None
    edit["strength"] = strength / 100.0
    gimp.progress_update(0.8)
    _place(image, layer, rendered, edit)


def _check(image, layer):
    if image.base_type not in (RGB, GRAY):
        raise SourceProblem(
            "GazeShift cannot edit an image with a colour map; choose Image > Mode > RGB first."
        )
    if pdb.gimp_item_is_group(layer) or not pdb.gimp_item_is_layer(layer):
        raise SourceProblem("GazeShift edits layers; click on the layer that holds the photo.")
    if pdb.gimp_image_get_precision(image) != EIGHT_BITS:
        raise SourceProblem(
            "GIMP 2.10's Python sees 8 bits only. Choose Image > Precision > 8 bit integer, "
            "perceptual gamma, or use GIMP 3.2, which keeps the depth."
        )
    if pdb.gimp_selection_is_empty(image):
        raise SourceProblem(
            "Nothing is selected. Select what viewers should look at, or away from, then choose "
            "Filters > GazeShift again."
        )


def _read(layer):
    region = layer.get_pixel_rgn(0, 0, layer.width, layer.height, False, False)
    layout = {
        "width": layer.width,
        "height": layer.height,
        "channels": layer.bpp,
        "dtype": "uint8",
    }
    return layout, region[0 : layer.width, 0 : layer.height]


def _read_selection(image, layer):
    """Return the selection where the layer stands; zero outside of the image."""
    selection = image.selection
    left, top = layer.offsets
    x1, y1 = max(0, left), max(0, top)
    x2, y2 = min(image.width, left + layer.width), min(image.height, top + layer.height)
    rows = [b"\0" * layer.width] * layer.height
    if x1 < x2 and y1 < y2:
        region = selection.get_pixel_rgn(x1, y1, x2 - x1, y2 - y1, False, False)
        data = region[x1:x2, y1:y2]
        before, after = b"\0" * (x1 - left), b"\0" * (left + layer.width - x2)
        for row in range(y2 - y1):
            piece = data[row * (x2 - x1) : (row + 1) * (x2 - x1)]
            rows[y1 - top + row] = before + piece + after
    mask = b"".join(rows)
    if not mask.strip(b"\0"):
        raise SourceProblem(
            "The selection lies outside the selected layer; select something on the layer."
        )
    return mask


def _profile(image):
    if image.base_type != RGB:
        return b""
    count, profile = pdb.gimp_image_get_color_profile(image)
    return bytes(bytearray(value & 255 for value in profile)) if count else b""


def _place(image, layer, rendered, edit):
    pdb.gimp_image_undo_group_start(image)
    group = None
    active = image.active_layer
    saved = pdb.gimp_selection_save(image)
    try:
        group = pdb.gimp_layer_group_new(image)
        group.name = "GazeShift"
        parent = pdb.gimp_item_get_parent(layer)
        place = pdb.gimp_image_get_item_position(image, layer)
        pdb.gimp_image_insert_layer(image, group, parent, place)
        foreground, background = [
            _add_layer(image, layer, group, name, data, depth)
            for depth, (name, data) in enumerate(zip(("Selection", "Background"), rendered))
        ]
        for item in (group, foreground):
            pdb.gimp_layer_set_composite_space(item, PERCEPTUAL_SPACE)
        pdb.gimp_image_select_item(image, CHANNEL_OP_REPLACE, saved)
        foreground.add_mask(foreground.create_mask(ADD_SELECTION_MASK))
        if layer.has_alpha:
            # Above a translucent layer the edit would be blended a second time.
            pdb.gimp_layer_set_composite_mode(foreground, CLIP_TO_BACKDROP)
            layer.visible = False
        text = json.dumps(edit, indent=2)
        group.attach_new_parasite("gazeshift-edit", PARASITE_FLAGS, text)
    except BaseException:
        if group is not None:
            image.remove_layer(group)
        raise
    finally:
        pdb.gimp_image_select_item(image, CHANNEL_OP_REPLACE, saved)
        image.remove_channel(saved)
        image.active_layer = active
        pdb.gimp_image_undo_group_end(image)
        gimp.displays_flush()


def _add_layer(image, layer, group, name, data, depth):
    copy = layer.copy()
    pdb.gimp_image_insert_layer(image, copy, group, depth)
    if copy.mask is not None:
        pdb.gimp_layer_remove_mask(copy, 1)
    copy.name = name
    copy.opacity = 100.0
    copy.mode = NORMAL_MODE
    copy.visible = True
    pdb.gimp_selection_none(image)
    region = copy.get_pixel_rgn(0, 0, copy.width, copy.height, True, True)
    region[0 : copy.width, 0 : copy.height] = data
    copy.flush()
    copy.merge_shadow(True)
    copy.update(0, 0, copy.width, copy.height)
    return copy


register(
    "plug_in_gazeshift_redirect",
    "Draw attention to the selection, or away from it",
    "Edits the active layer so that viewers look at the selection more or less. The edit is a "
    "group of two layers; the layer itself stays as it is.",
    "GazeShift",
    "GazeShift, MIT licence",
    "2026",
    "Redirect Attention...",
    "*",
    [
        (PF_IMAGE, "image", "Image", None),
        (PF_DRAWABLE, "drawable", "Layer", None),
        (PF_SLIDER, "strength", "Strength", 100, (0, 150, 1)),
        (PF_OPTION, "direction", "Direction", LOOK_HERE, ("Look here", "Look away")),
        (PF_INT, "style", "Style (0 is the default)", 0),
    ],
    [],
    redirect,
    menu="<Image>/Filters/GazeShift",
)

main()
