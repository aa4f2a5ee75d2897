"""How the layers show an edit: with GIMP's own filters (3.2), or with rendered pixels (3.0).

Both looks have the same four steps. `prepare` asks the bridge and touches no image, so a bridge
that fails in the middle leaves no half-made layers; `show` gives the answer to the layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gi

gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from bridge_client import Bridge, Picture  # noqa: E402
from dial import Dial  # noqa: E402
from gi.repository import Gegl, Gimp  # noqa: E402
from layers import EditLayers, kept_selection  # noqa: E402
from source import Source  # noqa: E402

FILTERS, PIXELS = "filters", "pixels"

_PRECISIONS = {
    "uint8": Gimp.Precision.U8_NON_LINEAR,
    "uint16": Gimp.Precision.U16_NON_LINEAR,
    "float32": Gimp.Precision.FLOAT_NON_LINEAR,
}
_COMPONENTS = {"uint8": "u8", "uint16": "u16", "float32": "float"}
_MODELS = {1: "Y'", 2: "Y'A", 3: "R'G'B'", 4: "R'G'B'A"}
_TYPES = {
    1: Gimp.ImageType.GRAY_IMAGE,
    2: Gimp.ImageType.GRAYA_IMAGE,
    3: Gimp.ImageType.RGB_IMAGE,
    4: Gimp.ImageType.RGBA_IMAGE,
}


def has_filters() -> bool:
    """Tell whether this GIMP can hold the edit in its own filters; 3.0 would crash."""
    return (Gimp.MAJOR_VERSION, Gimp.MINOR_VERSION) >= (3, 1)


class FilterLook:
    """The edit as non-destructive filters that stay adjustable with GIMP's own tools.

    Parameters
    ----------
    bridge
        Gives the filters' settings.
    source
        The layer that is edited.
    order
        Operator ids in the order of application.
    """

    name = FILTERS
    is_quick = True

    def __init__(self, bridge: Bridge, source: Source, order: list[str]) -> None:
        self._bridge = bridge
        self._source = source
        self._order = order
        self._stacks: dict[str, Any] = {}

    def prepare(self, dial: Dial, percent: float) -> dict[str, Any]:
        """Return the settings at a dial position; without a request if they are known."""
        return dial.recipe(percent, self.fetch)

    def fetch(self, edit: dict[str, Any], strengths: Any) -> list[dict[str, Any]]:
        """Ask the bridge for the settings of one edit at some strengths."""
        source = self._source
        return self._bridge.recipes(edit, source.width, source.height, strengths, source.is_grey)

    def attach(self, layers: EditLayers) -> None:
        """Work on these layers from now on."""
        from filters import FilterStack

        self._stacks = {
            "foreground": FilterStack(layers.foreground, self._order),
            "background": FilterStack(layers.background, self._order),
        }

    def adopt(self, *recipes: dict[str, Any]) -> None:
        """Remove the filters that an earlier session has left for one of these recipes."""
        for part, stack in self._stacks.items():
            stack.remove_like(*(recipe[part] for recipe in recipes))

    def show(self, recipe: dict[str, Any]) -> None:
        """Move the filters to a recipe."""
        for _ in self.moves(recipe):
            pass

    def moves(self, recipe: dict[str, Any]) -> Iterator[None]:
        """Do what `show` does, and yield after each call that GIMP may be slow to answer."""
        parts = self._stacks.items()
        if any(stack.lacks(recipe[part]) for part, stack in parts):
            with kept_selection(self._source.image):
                for part, stack in parts:
                    stack.extend(recipe[part])
            yield
        for part, stack in parts:
            yield from stack.moves(recipe[part])

    def finish(self) -> None:
        """Remove the filters that change nothing."""
        for stack in self._stacks.values():
            stack.finish()


class PixelLook:
    """The edit as rendered pixels in both layers, for a GIMP without such filters.

    Parameters
    ----------
    bridge
        Renders the pixels.
    source
        The layer that is edited.
    """

    name = PIXELS
    is_quick = False

    def __init__(self, bridge: Bridge, source: Source) -> None:
        self._bridge = bridge
        self._source = source
        self._layers: EditLayers | None = None

    def prepare(self, dial: Dial, percent: float) -> list[Picture]:
        """Render both regions at a dial position."""
        edit = dial.edit(percent)
        return self._bridge.render(self._source.picture(), edit, edit["strength"])

    def attach(self, layers: EditLayers) -> None:
        """Work on these layers from now on."""
        self._layers = layers

    def show(self, pictures: list[Picture]) -> None:
        """Put the rendered pixels into the layers."""
        layers = self._layers
        if layers is None:
            raise RuntimeError("show needs layers; call attach first")
        with kept_selection(self._source.image):
            for layer, picture in zip(
                (layers.foreground, layers.background), pictures, strict=True
            ):
                write_picture(layer, picture)

    def moves(self, pictures: list[Picture]) -> Iterator[None]:
        """Do what `show` does, in one step."""
        self.show(pictures)
        yield

    def finish(self) -> None:
        """Do nothing: pixels leave nothing behind."""


Look = FilterLook | PixelLook


def write_picture(layer: Gimp.Layer, picture: Picture) -> None:
    """Write samples in the document's own encoding; needs an empty selection.

    A named GEGL format means sRGB, so the samples first enter an image without a profile, which
    is then given the document's.
    """
    image = layer.get_image()
    scratch = Gimp.Image.new_with_precision(
        picture.width, picture.height, image.get_base_type(), _PRECISIONS[picture.dtype]
    )
    try:
        carrier = Gimp.Layer.new(
            scratch,
            "pixels",
            picture.width,
            picture.height,
            _TYPES[picture.channels],
            100.0,
            Gimp.LayerMode.NORMAL,
        )
        scratch.insert_layer(carrier, None, 0)
        whole = Gegl.Rectangle.new(0, 0, picture.width, picture.height)
        name = f"{_MODELS[picture.channels]} {_COMPONENTS[picture.dtype]}"
        buffer = carrier.get_buffer()
        buffer.set(whole, name, picture.data)
        buffer.flush()
        del buffer
        profile = image.get_color_profile()
        if profile is not None:
            scratch.set_color_profile(profile)
        shadow = layer.get_shadow_buffer()
        carrier.get_buffer().copy(whole, Gegl.AbyssPolicy.NONE, shadow, whole)
        shadow.flush()
        del shadow
        layer.merge_shadow(True)
        layer.update(0, 0, picture.width, picture.height)
    finally:
        scratch.delete()
