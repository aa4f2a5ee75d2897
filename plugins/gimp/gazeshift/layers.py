"""The layers an edit lives in: a group with the selection above the background.

Group `GazeShift` › `Selection` (a copy of the layer with the selection as layer mask) ›
`Background` (a copy). Whatever fails in between, `undo_step` and `preview` leave no half-made
layers, and the user's selection, active layer and colours are as before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp  # noqa: E402
from source import Source, make_plain  # noqa: E402

GROUP_NAME = "GazeShift"
EDIT_PARASITE = "gazeshift-edit"
DIAL_PARASITE = "gazeshift-dial"
PART_PARASITE = "gazeshift-part"
SOURCE_PARASITE = "gazeshift-source"
PARTS = {"foreground": "Selection", "background": "Background"}


class EditLayers:
    """The group and its two layers.

    Parameters
    ----------
    group
        The group that carries the edit.
    foreground, background
        Layers of the selection and of the rest.
    """

    def __init__(
        self, group: Gimp.GroupLayer, foreground: Gimp.Layer, background: Gimp.Layer
    ) -> None:
        self.group = group
        self.foreground = foreground
        self.background = background
        self._replaced: Gimp.Layer | None = None

    @classmethod
    def build(cls, source: Source) -> EditLayers:
        """Put the group above the source's layer, or in its place where that is needed."""
        image = source.image
        with kept_selection(image) as selection:
            group = Gimp.GroupLayer.new(image, GROUP_NAME)
            place = image.get_item_position(source.layer)
            image.insert_layer(group, source.layer.get_parent(), place)
            try:
                background = _add_copy(source, group, "background")
                foreground = _add_copy(source, group, "foreground")
                # GIMP would mix in linear light, up to 13/255 away from the definition.
                for item in (group, foreground):
                    item.set_composite_space(Gimp.LayerColorSpace.RGB_NON_LINEAR)
                subject = source.subject_drawable()
                _mask_by(foreground, source, subject if selection is None else selection)
                transparency = source.transparency()
                if transparency is not None:
                    _mask_by(group, source, transparency)
                made = cls(group, foreground, background)
                if source.replaces_layer:
                    made.take_place_of(source.layer)
            except BaseException:
                image.remove_layer(group)
                raise
        return made

    @classmethod
    def find(cls, item: Gimp.Item) -> EditLayers | None:
        """Return the layers of the edit that `item` is or belongs to, if any."""
        while item is not None and item.get_parasite(EDIT_PARASITE) is None:
            item = item.get_parent()
        if item is None or not item.is_group():
            return None
        parts = {}
        for child in item.get_children():
            part = child.get_parasite(PART_PARASITE)
            if part is not None:
                parts[bytes(part.get_data()).decode()] = child
        if set(parts) != set(PARTS):
            return None
        return cls(item, parts["foreground"], parts["background"])

    def take_place_of(self, layer: Gimp.Layer) -> None:
        """Blend like a layer that is hidden from now on."""
        self.group.set_opacity(layer.get_opacity())
        self.group.set_mode(layer.get_mode())
        self.group.set_blend_space(layer.get_blend_space())
        self.group.set_composite_mode(layer.get_composite_mode())
        self.group.set_composite_space(layer.get_composite_space())
        layer.set_visible(False)
        self._replaced = layer

    def discard(self) -> None:
        """Remove the group; a layer whose place it took is shown again."""
        image = self.group.get_image()
        with kept_selection(image):
            image.remove_layer(self.group)
            if self._replaced is not None:
                self._replaced.set_visible(True)

    def keep(self, edit: dict[str, Any], dial: str, source_layer: Gimp.Layer | None) -> None:
        """Store the edit with the group, so that it can be reopened.

        Parameters
        ----------
        edit
            The edit at its present strength.
        dial
            Both directions, as `Dial.dumps` gives them.
        source_layer
            The layer the edit was made from; None leaves the stored one.
        """
        _attach(self.group, EDIT_PARASITE, json.dumps(edit, indent=2))
        _attach(self.group, DIAL_PARASITE, dial)
        if source_layer is not None:
            _attach(self.group, SOURCE_PARASITE, str(source_layer.get_tattoo()))

    def redraw(self) -> None:
        """Have GIMP render the layers anew.

        Filters that came back by a redo are not always rendered when they change.
        """
        for layer in (self.background, self.foreground):
            layer.update(0, 0, layer.get_width(), layer.get_height())

    def kept(self) -> tuple[str, str | None]:
        """Return the stored edit and, if it is there, the stored dial."""
        edit = self.group.get_parasite(EDIT_PARASITE)
        dial = self.group.get_parasite(DIAL_PARASITE)
        return _text(edit), None if dial is None else _text(dial)

    def source_layer(self) -> Gimp.Layer | None:
        """Return the layer that the edit was made from, if it is still there."""
        tattoo = self.group.get_parasite(SOURCE_PARASITE)
        if tattoo is None:
            return None
        return self.group.get_image().get_layer_by_tattoo(int(_text(tattoo)))


@contextmanager
def undo_step(image: Gimp.Image) -> Iterator[None]:
    """Make one undo step of everything inside."""
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()


@contextmanager
def no_undo(image: Gimp.Image) -> Iterator[None]:
    """Keep a preview out of the undo history; what is done inside must be taken back inside."""
    was_dirty = image.is_dirty()
    image.undo_freeze()
    try:
        yield
    finally:
        image.undo_thaw()
        if not was_dirty:
            image.clean_all()


@contextmanager
def unrecorded(image: Gimp.Image) -> Iterator[None]:
    """Change something that is changed back later, without a trace in the undo history.

    In 8-bit images GIMP 3.2.6 undoes a change of a feathered selection wrongly: it comes back
    encoded as if it were a picture. So selections are never changed inside an undo step.
    """
    image.undo_freeze()
    try:
        yield
    finally:
        image.undo_thaw()


@contextmanager
def kept_selection(image: Gimp.Image) -> Iterator[Gimp.Channel | None]:
    """Clear the selection inside; afterwards it and what was active are as before.

    Gives the saved selection, or None if nothing was selected.
    """
    layers, channels, paths = (
        image.get_selected_layers(),
        image.get_selected_channels(),
        image.get_selected_paths(),
    )
    Gimp.context_push()
    Gimp.context_set_feather(False)
    with unrecorded(image):
        saved = None if Gimp.Selection.is_empty(image) else Gimp.Selection.save(image)
        Gimp.Selection.none(image)
    try:
        yield saved
    finally:
        with unrecorded(image):
            if saved is not None:
                image.select_item(Gimp.ChannelOps.REPLACE, saved)
                image.remove_channel(saved)
        Gimp.context_pop()
        image.set_selected_layers([layer for layer in layers if layer.is_valid()])
        if channels:
            image.set_selected_channels(channels)
        if paths:
            image.set_selected_paths(paths)


def _mask_by(item: Gimp.Layer, source: Source, mask: Gimp.Channel) -> None:
    """Give `item` a layer mask that equals `mask`, whichever image that belongs to."""
    image = source.image
    with unrecorded(image):
        if mask.get_image().get_id() == image.get_id():
            image.select_item(Gimp.ChannelOps.REPLACE, mask)
        else:
            carrier = Gimp.Layer.new_from_drawable(source.base, image)
            image.insert_layer(carrier, None, 0)
            carrier.set_offsets(source.x, source.y)
            image.select_item(Gimp.ChannelOps.REPLACE, carrier.get_mask())
            image.remove_layer(carrier)
    item.add_mask(item.create_mask(Gimp.AddMaskType.SELECTION))
    with unrecorded(image):
        Gimp.Selection.none(image)


def _add_copy(source: Source, group: Gimp.GroupLayer, part: str) -> Gimp.Layer:
    copy = Gimp.Layer.new_from_drawable(source.base, source.image)
    source.image.insert_layer(copy, group, 0)
    make_plain(copy)
    if copy.get_mask() is not None:
        copy.remove_mask(Gimp.MaskApplyMode.DISCARD)
    for spare in copy.get_filters():
        spare.delete()
    copy.set_name(PARTS[part])
    copy.set_offsets(source.x, source.y)
    _attach(copy, PART_PARASITE, part)
    return copy


def _attach(item: Gimp.Item, name: str, text: str) -> None:
    flags = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
    item.attach_parasite(Gimp.Parasite.new(name, flags, text.encode()))


def _text(parasite: Gimp.Parasite) -> str:
    return bytes(parasite.get_data()).decode("utf-8", "replace").rstrip("\0")
