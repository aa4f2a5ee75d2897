"""GIMP 3.0 without a window: the same procedures give rendered pixel layers."""

from gi.repository import Gimp, Gio
from prelude import (
    TASK,
    WORK,
    call,
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


def photo(dtype="uint8", kind="rgb"):
    width, height = TASK["size"]
    channels = {"rgb": 3, "grey": 1}[kind]
    image, layer = make_image(width, height, dtype, channels, read_file(f"two-dogs.{kind}.{dtype}"))
    select(image, dtype, read_file(f"two-dogs.soft.{dtype}"))
    return image, layer


def described(image, name):
    group = image.get_layers()[0]
    parasite = group.get_parasite("gazeshift-edit")
    return {
        **visible(image, name),
        "edit": parasite and bytes(parasite.get_data()).decode(),
        "tree": tree(image.get_layers()),
    }


def version():
    return [Gimp.MAJOR_VERSION, Gimp.MINOR_VERSION]


def layers():
    found = {}
    for dtype in ("uint8", "uint16", "float32"):
        for strength in (100, -100):
            image, layer = photo(dtype)
            before = raw(image.get_selection())
            answer = call(REDIRECT, image, [layer], strength=float(strength))
            answer.update(described(image, f"{dtype}-{strength}.raw"))
            answer["selection_kept"] = raw(image.get_selection()) == before
            answer["selected"] = [one.get_name() for one in image.get_selected_layers()]
            found[f"{dtype} {strength}"] = answer
            image.delete()
    image, layer = photo(kind="grey")
    answer = call(REDIRECT, image, [layer], strength=100.0)
    answer.update(described(image, "grey.raw"))
    found["grey"] = answer
    image.delete()
    return found


def wide_gamut():
    """The numbers of the document count, whatever its profile says about them."""
    image, layer = photo()
    numbers = raw(layer)
    image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())
    answer = call(REDIRECT, image, [layer], strength=100.0)
    answer["numbers_kept"] = raw(layer) == numbers
    answer.update(described(image, "wide.raw"))
    image.delete()
    return answer


def reopened():
    image, layer = photo()
    call(REDIRECT, image, [layer], strength=100.0)
    file = Gio.File.new_for_path(str(WORK / "reopened.xcf"))
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file, None)
    image.delete()
    image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
    group = image.get_layers()[0]
    answer = call(ADJUST, image, [group], strength=-50.0)
    answer.update(described(image, "adjusted.raw"))
    image.remove_layer(image.get_layers()[1])
    answer["without source"] = call(ADJUST, image, [group], strength=50.0)
    image.delete()
    return answer


def no_selection():
    image, layer = photo()
    Gimp.Selection.none(image)
    answer = call(REDIRECT, image, [layer])
    answer["layers"] = len(image.get_layers())
    image.delete()
    return answer


run_checks(version, layers, wide_gamut, reopened, no_selection)
