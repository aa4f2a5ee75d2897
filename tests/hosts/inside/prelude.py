"""What every script inside GIMP needs: its task, its answer, and plain ways to images.

Runs in GIMP's own Python. A Python error and an early end both look the same from outside GIMP,
so a script always writes its own answer.
"""

import json
import os
import time
import traceback
from pathlib import Path

import gi

gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Gegl, Gimp  # noqa: E402

WORK = Path(os.environ["GAZESHIFT_WORK"])
TASK = json.loads((WORK / "task.json").read_text())


def run_checks(*checks):
    """Run every check, whatever the others do, and write what they have found."""
    result = {"seconds": {}}
    for check in checks:
        started = time.monotonic()
        try:
            result[check.__name__] = check()
        except Exception:
            result[check.__name__] = {"trouble": traceback.format_exc()}
        result["seconds"][check.__name__] = round(time.monotonic() - started, 2)
        (WORK / "progress.json").write_text(json.dumps(result["seconds"]))
    (WORK / "answer.partial").write_text(json.dumps(result))
    (WORK / "answer.partial").rename(WORK / "answer.json")


def whole(drawable):
    return Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())


def raw(drawable):
    """Samples as the document encodes them."""
    return drawable.get_buffer().get(whole(drawable), 1.0, None, Gegl.AbyssPolicy.NONE)


def read_file(name):
    return (WORK / name).read_bytes()


def write_file(name, data):
    (WORK / name).write_bytes(data)


PRECISIONS = {
    "uint8": Gimp.Precision.U8_NON_LINEAR,
    "uint16": Gimp.Precision.U16_NON_LINEAR,
    "float32": Gimp.Precision.FLOAT_NON_LINEAR,
}
COMPONENT = {"uint8": "u8", "uint16": "u16", "float32": "float"}
MODEL = {1: "Y'", 2: "Y'A", 3: "R'G'B'", 4: "R'G'B'A"}
TYPE = {
    1: Gimp.ImageType.GRAY_IMAGE,
    2: Gimp.ImageType.GRAYA_IMAGE,
    3: Gimp.ImageType.RGB_IMAGE,
    4: Gimp.ImageType.RGBA_IMAGE,
}


def fill(drawable, name, data):
    buffer = drawable.get_buffer()
    buffer.set(whole(drawable), name, data)
    buffer.flush()
    del buffer
    drawable.update(0, 0, drawable.get_width(), drawable.get_height())


def make_image(width, height, dtype="uint8", channels=3, data=None, name="Photo"):
    """An image with one layer; samples are given as the document encodes them."""
    base = Gimp.ImageBaseType.GRAY if channels < 3 else Gimp.ImageBaseType.RGB
    image = Gimp.Image.new_with_precision(width, height, base, PRECISIONS[dtype])
    layer = Gimp.Layer.new(image, name, width, height, TYPE[channels], 100.0, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, None, 0)
    if data is not None:
        fill(layer, MODEL[channels] + " " + COMPONENT[dtype], data)
    return image, layer


def select(image, dtype, data):
    """Select exactly what a mask says, soft edges included; the channel does not stay."""
    channel = Gimp.Channel.new(
        image, "mask", image.get_width(), image.get_height(), 50.0, Gegl.Color.new("black")
    )
    image.insert_channel(channel, None, 0)
    # Channels of 8-bit images are encoded; those of deeper images and all selections are linear.
    is_encoded = image.get_precision() == Gimp.Precision.U8_NON_LINEAR
    fill(channel, ("Y' " if is_encoded else "Y ") + COMPONENT[dtype], data)
    image.select_item(Gimp.ChannelOps.REPLACE, channel)
    image.remove_channel(channel)
    image.set_selected_layers(image.get_layers()[:1])


def call(name, image, layers, **arguments):
    """Run a procedure; returns its status and what GIMP says about it."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    config.set_property("run-mode", arguments.pop("run_mode", Gimp.RunMode.NONINTERACTIVE))
    config.set_property("image", image)
    config.set_core_object_array("drawables", layers)
    for argument, value in arguments.items():
        config.set_property(argument, value)
    started = time.monotonic()
    values = procedure.run(config)
    status = values.index(0)
    return {
        "status": status.value_nick,
        "message": values.index(1) if values.length() > 1 else Gimp.get_pdb().get_last_error(),
        "seconds": time.monotonic() - started,
    }


def visible(image, name):
    """GIMP's own render of everything, written as raw samples."""
    layer = Gimp.Layer.new_from_visible(image, image, "visible")
    data = raw(layer)
    channels = (1 if layer.is_gray() else 3) + (1 if layer.has_alpha() else 0)
    layer.delete()
    write_file(name, data)
    return {"file": name, "channels": channels}


def tree(items):
    described = []
    for item in items:
        entry = {
            "name": item.get_name(),
            "visible": item.get_visible(),
            "opacity": item.get_opacity(),
            "offsets": list(item.get_offsets()[1:]),
            "size": [item.get_width(), item.get_height()],
            "parasites": {
                parasite: bytes(item.get_parasite(parasite).get_data()).decode()
                for parasite in item.get_parasite_list()
            },
            "has_mask": item.get_mask() is not None,
            "filters": [[f.get_operation_name(), f.get_name()] for f in item.get_filters()],
            "children": tree(item.get_children()) if item.is_group() else [],
        }
        described.append(entry)
    return described
