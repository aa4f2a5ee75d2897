"""GIMP 3.2 without a window: what every procedure does to images, and what it says."""

import hashlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from gi.repository import Gegl, Gimp, Gio
from prelude import (
    TASK,
    TYPE,
    WORK,
    call,
    fill,
    make_image,
    raw,
    read_file,
    run_checks,
    select,
    tree,
    visible,
)

REDIRECT = "plug-in-gazeshift-redirect"
ADJUST = "plug-in-gazeshift-adjust"
ATTENTION_MAP = "plug-in-gazeshift-attention-map"
SIZES = TASK["sizes"]
W, H = SIZES["two-dogs"]
LARGE = (4000, 3000)
LARGE_MIB = 4000 * 3000 * 4 / 2**20
CORE_FILE = Path(TASK["plugin_folder"]) / "core.json"


def kept(item, name):
    return bytes(item.get_parasite(name).get_data()).decode()


def edit_of(image):
    for item in image.get_layers():
        if item.get_parasite("gazeshift-edit"):
            return kept(item, "gazeshift-edit")
        if item.is_group():
            for child in item.get_children():
                if child.get_parasite("gazeshift-edit"):
                    return kept(child, "gazeshift-edit")
    return None


def photo(dtype="uint8", name="two-dogs", channels=3):
    kind = {1: "grey", 3: "rgb", 4: "rgba"}[channels]
    width, height = SIZES[name]
    return make_image(width, height, dtype, channels, read_file(f"{name}.{kind}.{dtype}"))


def selected(image, kind="soft", dtype="uint8", name="two-dogs"):
    select(image, dtype, read_file(f"{name}.{kind}.{dtype}"))


def observe(image):
    return {
        "tree": tree(image.get_layers()),
        "selected": [layer.get_name() for layer in image.get_selected_layers()],
        "channels": [channel.get_name() for channel in image.get_channels()],
        "selection": hash_of(image.get_selection()),
        "foreground": list(Gimp.context_get_foreground().get_rgba()),
        "background": list(Gimp.context_get_background().get_rgba()),
    }


def hash_of(drawable):
    return hashlib.sha256(raw(drawable)).hexdigest()


def registration():
    found = {}
    for name in (REDIRECT, ADJUST, ATTENTION_MAP):
        procedure = Gimp.get_pdb().lookup_procedure(name)
        found[name] = procedure and {
            "menu": procedure.get_menu_paths(),
            "label": procedure.get_menu_label(),
            "arguments": [argument.name for argument in procedure.get_arguments()],
        }
    return found


def starts_core():
    image, layer = photo()
    selected(image)
    answer = call(REDIRECT, image, [layer])
    answer["layers"] = len(image.get_layers())
    image.delete()
    return answer


def renders():
    found = {}
    for name in TASK["photos"]:
        for dtype in ("uint8", "uint16"):
            for kind in ("hard", "soft"):
                for strength in (100, -100):
                    image, layer = photo(dtype, name)
                    selected(image, kind, dtype, name)
                    answer = call(REDIRECT, image, [layer], strength=float(strength))
                    key = f"{name} {dtype} {kind} {strength}"
                    if answer["status"] == "success":
                        answer.update(visible(image, key.replace(" ", "-") + ".raw"))
                        answer["edit"] = edit_of(image)
                    found[key] = answer
                    image.delete()
    return found


def structure():
    image, layer = photo()
    selected(image)
    Gimp.context_set_foreground(Gegl.Color.new("orange"))
    Gimp.context_set_background(Gegl.Color.new("teal"))
    before = observe(image)
    answer = call(REDIRECT, image, [layer], strength=100.0)
    after = observe(image)
    group = image.get_layers()[0]
    foreground, background = group.get_children()
    mask = raw(foreground.get_mask())
    found = {
        "answer": answer,
        "before": before,
        "after": after,
        "mask_is_selection": mask == raw(image.get_selection()),
        "spaces": [item.get_composite_space().value_nick for item in (group, foreground)],
        "layer_kept": hash_of(layer) == hash_of(background) == hash_of(foreground),
    }
    image.delete()
    return found


def dial_at_zero():
    image, layer = photo()
    selected(image)
    answer = call(REDIRECT, image, [layer], strength=0.0)
    answer["tree"] = tree(image.get_layers())
    answer["unchanged"] = raw(layer) == without_alpha(image)
    image.delete()
    return answer


def without_alpha(image):
    shown = Gimp.Layer.new_from_visible(image, image, "visible")
    data = raw(shown)
    count = 4 if shown.has_alpha() else 3
    shown.delete()
    out = bytearray(len(data) // count * 3)
    for channel in range(3):
        out[channel::3] = data[channel::count]
    return bytes(out)


def last_values():
    image, layer = photo()
    selected(image)
    answer = call(REDIRECT, image, [layer], run_mode=Gimp.RunMode.WITH_LAST_VALS, strength=-40.0)
    answer["edit"] = edit_of(image)
    image.delete()
    return answer


def reopened():
    image, layer = photo()
    selected(image)
    call(REDIRECT, image, [layer], strength=100.0)
    first = visible(image, "reopen-before.raw")
    file = Gio.File.new_for_path(str(WORK / "reopened.xcf"))
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file, None)
    image.delete()
    image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
    second = visible(image, "reopen-after.raw")
    group = image.get_layers()[0]
    found = {
        "same": read_file(first["file"]) == read_file(second["file"]),
        "first": call(ADJUST, image, [group], strength=60.0),
    }
    found["first"].update(visible(image, "adjust-60.raw"), edit=edit_of(image))
    # A layer inside the group leads to the edit as well, and the other direction is kept too.
    found["second"] = call(ADJUST, image, [group.get_children()[1]], strength=-100.0)
    found["second"].update(visible(image, "adjust-100.raw"), edit=edit_of(image))
    found["tree"] = tree(image.get_layers())
    image.delete()
    return found


def no_selection():
    image, layer = photo()
    answer = call(REDIRECT, image, [layer])
    answer["tree"] = tree(image.get_layers())
    image.delete()
    return answer


def selection_elsewhere():
    image, layer = photo()
    layer.set_offsets(W // 2, 0)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, W // 4, H)
    answer = call(REDIRECT, image, [layer])
    answer["tree"] = tree(image.get_layers())
    image.delete()
    return answer


def wrong_kinds():
    found = {}
    image, layer = photo()
    selected(image)
    image.convert_indexed(
        Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 64, False, False, ""
    )
    found["indexed"] = call(REDIRECT, image, image.get_layers())
    image.delete()
    image, layer = photo()
    selected(image)
    group = Gimp.GroupLayer.new(image, "folder")
    image.insert_layer(group, None, 0)
    found["group"] = call(REDIRECT, image, [group])
    found["two"] = call(REDIRECT, image, [group, layer])
    found["no edit"] = call(ADJUST, image, [layer])
    found["tree"] = tree(image.get_layers())
    image.delete()
    return found


def plain_case(dtype="uint8", channels=3, change=None, adjust=None):
    image, layer = photo(dtype, channels=channels)
    if change:
        layer = change(image, layer) or layer
    selected(image, dtype=dtype)
    answer = call(REDIRECT, image, [layer], strength=100.0)
    answer["edit"] = edit_of(image)
    answer["tree"] = tree(image.get_layers())
    answer.update(visible(image, f"case-{plain_case.count}.raw"))
    plain_case.count += 1
    image.delete()
    return answer


plain_case.count = 0


def invert(image, layer):
    layer.append_filter(Gimp.DrawableFilter.new(layer, "gegl:invert-gamma", "Invert"))


def shift(image, layer):
    layer.set_offsets(TASK["shift"][0], TASK["shift"][1])


def into_group(image, layer):
    group = Gimp.GroupLayer.new(image, "folder")
    image.insert_layer(group, None, 0)
    image.reorder_item(layer, group, 0)


def mask_layer(image, layer):
    mask = layer.create_mask(Gimp.AddMaskType.WHITE)
    layer.add_mask(mask)
    fill(mask, "Y u8", read_file("ramp.mask.uint8"))


def half_opaque(image, layer):
    below = Gimp.Layer.new(image, "below", W, H, TYPE[3], 100.0, Gimp.LayerMode.NORMAL)
    image.insert_layer(below, None, 1)
    fill(below, "R'G'B' u8", bytes([40, 90, 160]) * (W * H))
    layer.set_opacity(50.0)
    layer.set_composite_space(Gimp.LayerColorSpace.RGB_NON_LINEAR)


def wide_gamut(image, layer):
    image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())


def half_floats(image, layer):
    image.convert_precision(Gimp.Precision.HALF_NON_LINEAR)


def kinds_of_layers():
    return {
        "float": plain_case("float32"),
        "grey": plain_case(channels=1),
        "alpha": plain_case(channels=4),
        "filter": plain_case(change=invert),
        "offset": plain_case(change=shift),
        "in group": plain_case(change=into_group),
        "mask": plain_case(change=mask_layer),
        "opacity": plain_case(change=half_opaque),
        "wide gamut": plain_case(change=wide_gamut),
        "half": plain_case(change=half_floats),
    }


def attention_map():
    image, layer = photo()
    selected(image)
    before = observe(image)
    answer = call(ATTENTION_MAP, image, [layer])
    answer["before"], answer["after"] = before, observe(image)
    answer["alpha"] = sorted(set(raw(image.get_layers()[0])[3::4]))[::50]
    image.delete()
    return answer


def finish(steps):
    for _ in steps:
        pass


def filter_speed():
    sys.path.insert(0, TASK["plugin_folder"])

    from session import open_redirect

    image, layer = photo()
    selected(image)
    session = open_redirect(layer, 0, lambda text, part: None)
    percents = list(range(-100, 151, 25))
    with session.preview_scope():
        layers = session.start_preview(100)
        for percent in percents:
            finish(session.move_preview(percent))
        asked = []
        session.bridge.recipes = lambda *arguments: asked.append(arguments)
        times = []
        for percent in percents:
            # The plug-in's own time: GIMP answers in between two pieces of its rendering.
            started = time.process_time()
            finish(session.move_preview(percent))
            times.append(1000 * (time.process_time() - started))
        layers.discard()
    session.close()
    image.delete()
    return {"ms": times, "requests": len(asked)}


def running():
    """What the runtime file says about the bridge."""
    return json.loads(Path(json.loads(CORE_FILE.read_text())["runtime_file"]).read_text())


def resident_mib(pid):
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def kill_when_pixels_arrive(pid):
    """Kill the bridge as soon as it holds half of a large picture; tells later how it went."""
    before = resident_mib(pid)
    found = {}

    def watch():
        deadline = time.monotonic() + 60.0
        while time.monotonic() < deadline:
            grown = resident_mib(pid) - before
            if grown > LARGE_MIB / 2:
                os.kill(pid, signal.SIGKILL)
                found["grown"] = grown
                return
            time.sleep(0.001)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread, found


def large_photo():
    width, height = LARGE
    image, layer = make_image(width, height)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, width // 4, height // 4, width // 2, 500)
    image.clean_all()
    return image, layer


def bridge_killed():
    """The real bridge dies while it reads a picture, and between the prediction and the layers."""
    sys.path.insert(0, TASK["plugin_folder"])
    from bridge_client import BridgeProblem
    from session import open_redirect

    found = {}
    image, layer = photo()
    selected(image)
    call(REDIRECT, image, [layer])
    image.delete()

    image, layer = large_photo()
    before = observe(image)
    first = running()
    watcher, killing = kill_when_pixels_arrive(first["pid"])
    found["reading"] = call(REDIRECT, image, [layer])
    watcher.join()
    found["reading"].update(
        killing, unchanged=observe(image) == before, is_dirty=image.is_dirty(), first=first
    )
    found["next run"] = call(REDIRECT, image, [layer])
    found["next run"].update(layers=len(image.get_layers()), second=running())
    image.delete()

    image, layer = photo()
    selected(image)
    image.clean_all()
    before = observe(image)
    session = open_redirect(layer, 0, lambda text, part: None)
    os.kill(running()["pid"], signal.SIGKILL)
    try:
        session.apply(100.0)
        found["between"] = {"message": None}
    except BridgeProblem as problem:
        found["between"] = {"message": str(problem)}
    session.close()
    found["between"].update(unchanged=observe(image) == before, is_dirty=image.is_dirty())
    image.delete()
    return found


def failures():
    """With each broken core in turn; afterwards the good one works again."""
    good = CORE_FILE.read_text()
    found = {}
    for name, core in TASK["broken_cores"].items():
        if core is None:
            CORE_FILE.unlink()
        else:
            CORE_FILE.write_text(core if isinstance(core, str) else json.dumps(core))
        image, layer = photo()
        selected(image)
        before = observe(image)
        answer = call(REDIRECT, image, [layer])
        answer["unchanged"] = observe(image) == before
        found[name] = answer
        image.delete()
    CORE_FILE.write_text(good)
    image, layer = photo()
    selected(image)
    found["good again"] = call(REDIRECT, image, [layer])
    image.delete()
    return found


run_checks(
    registration,
    starts_core,
    structure,
    dial_at_zero,
    last_values,
    reopened,
    no_selection,
    selection_elsewhere,
    wrong_kinds,
    kinds_of_layers,
    attention_map,
    filter_speed,
    renders,
    bridge_killed,
    failures,
)
