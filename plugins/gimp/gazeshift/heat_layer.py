"""The attention map as a layer of the image."""

from __future__ import annotations

import gi

gi.require_version("GdkPixbuf", "2.0")
gi.require_version("Gimp", "3.0")
from bridge_client import Picture  # noqa: E402
from gi.repository import GdkPixbuf, Gimp, GLib  # noqa: E402
from heat import heat_rgba  # noqa: E402
from source import Source  # noqa: E402

LAYER_NAME = "Attention Map"


def heat_pixbuf(attention: Picture, width: int, height: int) -> GdkPixbuf.Pixbuf:
    """Return the coloured map, smoothly enlarged to a size in pixels."""
    pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(heat_rgba(attention.data)),
        GdkPixbuf.Colorspace.RGB,
        True,
        8,
        attention.width,
        attention.height,
        4 * attention.width,
    )
    return pixbuf.scale_simple(width, height, GdkPixbuf.InterpType.BILINEAR)


def add_heat_layer(source: Source, attention: Picture, share: float | None) -> Gimp.Layer:
    """Add the map above the source's layer.

    Parameters
    ----------
    source
        The layer that was looked at.
    attention
        The bridge's map, one byte per place.
    share
        Share of attention inside the selection, 0-1; None if nothing was selected.
    """
    image = source.image
    name = LAYER_NAME if share is None else f"{LAYER_NAME} (selection {share:.0%})"
    pixbuf = heat_pixbuf(attention, source.width, source.height)
    layer = Gimp.Layer.new_from_pixbuf(image, name, pixbuf, 100.0, Gimp.LayerMode.NORMAL, 0.0, 1.0)
    place = image.get_item_position(source.layer)
    image.insert_layer(layer, source.layer.get_parent(), place)
    layer.set_offsets(source.x, source.y)
    return layer
