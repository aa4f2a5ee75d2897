#!/usr/bin/env python2
"""A plug-in for GIMP 2.10 that runs GazeShift's plug-in in batch and writes what it saw."""

import json
import os
import traceback

from gimpfu import CHANNEL_OP_REPLACE, NORMAL_MODE, RGB, RGB_IMAGE, main, pdb, register

WORK = os.environ["GAZESHIFT_WORK"]


def pixels_of(drawable):
    region = drawable.get_pixel_rgn(0, 0, drawable.width, drawable.height, False, False)
    return region[0 : drawable.width, 0 : drawable.height]


def read_file(name):
    with open(os.path.join(WORK, name), "rb") as file:
        return file.read()


def fill(drawable, data):
    region = drawable.get_pixel_rgn(0, 0, drawable.width, drawable.height, True, False)
    region[0 : drawable.width, 0 : drawable.height] = data
    drawable.flush()
    drawable.update(0, 0, drawable.width, drawable.height)


def photo(width, height):
    image = pdb.gimp_image_new(width, height, RGB)
    layer = pdb.gimp_layer_new(image, width, height, RGB_IMAGE, "Photo", 100, NORMAL_MODE)
    pdb.gimp_image_insert_layer(image, layer, None, 0)
    fill(layer, read_file("two-dogs.rgb.uint8"))
    return image, layer


def select(image):
    channel = pdb.gimp_channel_new(image, image.width, image.height, "mask", 50, (0, 0, 0))
    pdb.gimp_image_insert_channel(image, channel, None, 0)
    fill(channel, read_file("two-dogs.soft.uint8"))
    pdb.gimp_image_select_item(image, CHANNEL_OP_REPLACE, channel)
    image.remove_channel(channel)


def observe(image, selection=None):
    group = image.layers[0]
    return {
        "layers": [layer.name for layer in image.layers],
        "children": [[child.name, child.mask is not None] for child in group.children]
        if pdb.gimp_item_is_group(group)
        else [],
        "active": image.active_layer.name,
        "selection": pixels_of(image.selection) == selection,
        "channels": [channel.name for channel in image.channels],
    }


def run(image, layer, strength, direction, style=0):
    try:
        pdb.plug_in_gazeshift_redirect(image, layer, strength, direction, style)
        return "success"
    except RuntimeError as error:
        return str(error)


def parameters_of(name):
    return [parameter[1] for parameter in pdb[name].params]


def broken_core(width, height):
    """What is said, and left, when core.json is damaged or leads nowhere."""
    found = {}
    path = os.path.join(os.environ["GIMP2_DIRECTORY"], "plug-ins", "gazeshift", "core.json")
    with open(path) as file:
        good = file.read()
    broken = dict(json.loads(good), command=["/nowhere/gazeshift"], runtime_file="/nowhere")
    for name, text in (("damaged", "{"), ("gone", json.dumps(broken))):
        with open(path, "w") as file:
            file.write(text)
        image, layer = photo(width, height)
        select(image)
        before = pixels_of(image.selection)
        found[name] = [run(image, layer, 100, 0), observe(image, before)]
    with open(path, "w") as file:
        file.write(good)
    return found


def hosttest():
    result = {}
    try:
        width, height = json.loads(read_file("task.json"))["size"]
        result["parameters"] = parameters_of("plug_in_gazeshift_redirect")
        image, layer = photo(width, height)
        result["no selection"] = [run(image, layer, 100, 0), observe(image)]
        select(image)
        runs = (("attract", 100, 0, 0), ("divert", 80, 1, 0), ("styled", 100, 0, 2))
        for name, strength, direction, style in runs:
            image, layer = photo(width, height)
            select(image)
            before = pixels_of(image.selection)
            answer = run(image, layer, strength, direction, style)
            seen = {"answer": answer, "image": observe(image, before)}
            if answer == "success":
                group = image.layers[0]
                seen["mask is selection"] = pixels_of(group.children[0].mask) == before
                seen["edit"] = group.parasite_find("gazeshift-edit").data.rstrip("\0")
                shown = pdb.gimp_layer_new_from_visible(image, image, "visible")
                with open(os.path.join(WORK, name + ".raw"), "wb") as file:
                    file.write(pixels_of(shown))
                seen["channels"] = shown.bpp
            result[name] = seen
        result["too far"] = run(image, layer, 120, 1)
        result["broken core"] = broken_core(width, height)
    except Exception:
        result["trouble"] = traceback.format_exc()
    with open(os.path.join(WORK, "answer.json"), "w") as file:
        json.dump(result, file)


register("python_fu_gazeshift_hosttest", "", "", "", "", "", "", "", [], [], hosttest)
main()
