"""What the plug-in reads: the active layer as plain pixels, and the subject's mask.

Samples are read in the document's own encoding and travel with its profile. Asking GEGL for a
named format instead would convert them to sRGB.
"""

from __future__ import annotations

from collections.abc import Iterator

import gi

gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from bridge_client import Mask, Picture  # noqa: E402
from gi.repository import Gegl, Gimp  # noqa: E402

SELECTION = "selection"
TRANSPARENCY = "transparency"
SMALL_LONG_SIDE = 448
BAND_BYTES = 4 << 20
NOTHING_SELECTED = (
    "Nothing is selected. Select what viewers should look at, or away from, "
    "then choose Filters > GazeShift again."
)

_PLAIN_PRECISIONS = {
    Gimp.Precision.U8_NON_LINEAR: "uint8",
    Gimp.Precision.U16_NON_LINEAR: "uint16",
    Gimp.Precision.FLOAT_NON_LINEAR: "float32",
}
_BYTES = {"uint8": 1, "uint16": 2, "float32": 4}
_NEAREST_PLAIN = {
    "U8": Gimp.Precision.U8_NON_LINEAR,
    "U16": Gimp.Precision.U16_NON_LINEAR,
    "U32": Gimp.Precision.FLOAT_NON_LINEAR,
    "HALF": Gimp.Precision.FLOAT_NON_LINEAR,
    "FLOAT": Gimp.Precision.FLOAT_NON_LINEAR,
    "DOUBLE": Gimp.Precision.FLOAT_NON_LINEAR,
}


class SourceProblem(Exception):
    """The picture, layer or selection cannot be used; says what to do about it."""


class Source:
    """The pixels of one layer, opaque and without filters, and where they stand.

    A layer that is opaque and plain is read as it is. Otherwise a scratch image holds a copy on
    which GIMP has applied filters and masks and moved the transparency into a layer mask, so
    that an edit touches colour only.

    Parameters
    ----------
    layer
        A layer of the user's image.
    subject
        What the mask is: SELECTION, or TRANSPARENCY for the layer's alpha and mask.
    with_filters
        Whether the layer's own filters are part of the picture.

    Raises
    ------
    SourceProblem
        If it is a kind of layer or image that cannot be edited.
    """

    def __init__(
        self, layer: Gimp.Layer, subject: str = SELECTION, with_filters: bool = True
    ) -> None:
        check_layer(layer)
        self.layer = layer
        self.subject = subject
        self.image = layer.get_image()
        self.width, self.height = layer.get_width(), layer.get_height()
        _, self.x, self.y = layer.get_offsets()
        self.is_grey = layer.is_gray()
        precision = self.image.get_precision()
        self.has_transparency = _is_translucent(layer) or _has_active_mask(layer)
        has_filters = with_filters and bool(layer.get_filters())
        is_plain = precision in _PLAIN_PRECISIONS and not has_filters
        self._scratch: Gimp.Image | None = None
        if is_plain and not self.has_transparency:
            self.base = layer
        else:
            self.base = self._make_scratch(with_filters)

    @property
    def replaces_layer(self) -> bool:
        """Whether the edit has to stand in the layer's place, the layer itself being hidden.

        Above a layer that is translucent or blended the edit would be blended a second time.
        """
        return (
            self.has_transparency
            or self.layer.get_opacity() < 100.0
            or self.layer.get_mode() not in (Gimp.LayerMode.NORMAL, Gimp.LayerMode.NORMAL_LEGACY)
        )

    @property
    def icc_profile(self) -> bytes:
        """The image's profile; empty for sRGB and for grey images."""
        profile = self.image.get_color_profile()
        return b"" if profile is None or self.is_grey else bytes(profile.get_icc_profile())

    @property
    def warnings(self) -> list[str]:
        """What the user should know about this image."""
        said = []
        if self.image.get_precision() == Gimp.Precision.U8_LINEAR:
            said.append(
                "This image keeps 8 bits of linear light, which is too coarse for dark tones; "
                "choose Image > Precision > Non-Linear or 16 bits first."
            )
        if self.is_grey:
            said.append("This image is grey, so colour curves are left out.")
        return said

    def picture(self) -> Picture:
        """Return all pixels, in the document's encoding; they are read while they are sent."""
        return read_picture(self.base, self.width, self.height)

    def small_picture(self) -> Picture:
        """Read a small copy for the preview of attention."""
        return read_picture(self.base, self.width, self.height, _small_scale(self))

    def mask(self) -> Mask:
        """Return how much each pixel belongs to the subject; it is read while it is sent.

        Raises
        ------
        SourceProblem
            If nothing of the layer is selected.
        """
        return self._read_mask(1.0)

    def small_mask(self) -> Mask:
        """Read the mask at the size of `small_picture`."""
        return self._read_mask(_small_scale(self))

    def subject_drawable(self) -> Gimp.Drawable:
        """Return the selection or mask that shows the subject."""
        if self.subject == SELECTION:
            return self.image.get_selection()
        mask = self.transparency()
        if mask is None:
            raise SourceProblem("This layer has no transparency or mask to take as the subject.")
        return mask

    def transparency(self) -> Gimp.LayerMask | None:
        """Return the layer's alpha and mask as one mask of the base, if it has any."""
        return self.base.get_mask() if self.has_transparency else None

    def close(self) -> None:
        """Forget the scratch image."""
        if self._scratch is not None:
            self._scratch.delete()
            self._scratch = None

    def _read_mask(self, scale: float) -> Mask:
        drawable = self.subject_drawable()
        x, y = (0, 0)
        if self.subject == SELECTION:
            x, y = self.x, self.y
            _, is_selected, left, top, right, bottom = Gimp.Selection.bounds(self.image)
            is_across = left < x + self.width and right > x
            is_down = top < y + self.height and bottom > y
            if not (is_selected and is_across and is_down):
                raise SourceProblem(
                    "The selection lies outside the selected layer; select something on the layer."
                )
        return read_mask(drawable, x, y, self.width, self.height, scale)

    def _make_scratch(self, with_filters: bool) -> Gimp.Layer:
        image = Gimp.Image.new_with_precision(
            self.width, self.height, self.image.get_base_type(), self.image.get_precision()
        )
        self._scratch = image
        profile = self.image.get_color_profile()
        if profile is not None:
            image.set_color_profile(profile)
        base = Gimp.Layer.new_from_drawable(self.layer, image)
        image.insert_layer(base, None, 0)
        make_plain(base)
        if with_filters and base.get_filters():
            base.merge_filters()
        for spare in base.get_filters():
            spare.delete()
        if base.get_mask() is not None:
            kept = base.get_apply_mask()
            base.remove_mask(Gimp.MaskApplyMode.APPLY if kept else Gimp.MaskApplyMode.DISCARD)
        if base.has_alpha():
            base.add_mask(base.create_mask(Gimp.AddMaskType.ALPHA_TRANSFER))
            if not self.has_transparency:
                base.remove_mask(Gimp.MaskApplyMode.DISCARD)
        if image.get_precision() not in _PLAIN_PRECISIONS:
            depth = image.get_precision().value_nick.split("-")[0].upper()
            image.convert_precision(_NEAREST_PLAIN[depth])
        return base


class GroupSource(Source):
    """The pixels and the mask that an existing edit was made from, inside its own group.

    Parameters
    ----------
    group
        The edit's group.
    foreground
        Its selection layer, whose layer mask is the subject.
    base
        A layer that still holds the unedited pixels; its filters are the edit's own if it is
        part of the group.
    """

    def __init__(self, group: Gimp.GroupLayer, foreground: Gimp.Layer, base: Gimp.Layer) -> None:
        parent = base.get_parent()
        is_inside = parent is not None and parent.get_id() == group.get_id()
        super().__init__(base, "group", with_filters=not is_inside)
        self.layer = group
        self._foreground = foreground

    @property
    def replaces_layer(self) -> bool:
        """Always: a preview stands in the place of the group itself."""
        return True

    def subject_drawable(self) -> Gimp.Drawable:
        """Return the selection layer's mask.

        Raises
        ------
        SourceProblem
            If the user has removed it.
        """
        mask = self._foreground.get_mask()
        if mask is None:
            raise SourceProblem(
                "The layer mask of this edit's selection layer is gone, so it cannot be adjusted."
            )
        return mask

    def transparency(self) -> Gimp.LayerMask | None:
        """Return the group's mask, if it has one."""
        return self.layer.get_mask()


def check_layer(layer: Gimp.Layer) -> None:
    """Raise SourceProblem unless `layer` holds colour or grey pixels of its own."""
    image = layer.get_image()
    if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        raise SourceProblem(
            "GazeShift cannot edit an image with a colour map; choose Image > Mode > RGB first."
        )
    if not layer.is_layer():
        raise SourceProblem("GazeShift edits layers; click on a layer, not a mask or channel.")
    if layer.is_group():
        raise SourceProblem(
            "The selected layer is a group; click on the layer inside it that holds the photo."
        )


def make_plain(layer: Gimp.Layer) -> None:
    """Give a copied layer its own corner of the world: no blending, no locks, visible."""
    layer.set_lock_content(False)
    layer.set_lock_position(False)
    layer.set_lock_visibility(False)
    layer.set_lock_alpha(False)
    layer.set_mode(Gimp.LayerMode.NORMAL)
    layer.set_opacity(100.0)
    layer.set_visible(True)
    layer.set_color_tag(Gimp.ColorTag.NONE)
    layer.set_offsets(0, 0)


class Bands:
    """Samples of a drawable, read some rows at a time while they are sent.

    The core receives one band while the next one is read, and the plug-in never holds a whole
    large photo.

    Parameters
    ----------
    drawable
        Where to read.
    x, y, width, height
        Which part, in the drawable's pixels; what lies outside of it reads as zero.
    name
        GEGL's name of the format; None for the drawable's own.
    pixel_bytes
        Bytes of one pixel in that format.
    """

    def __init__(
        self,
        drawable: Gimp.Drawable,
        x: int,
        y: int,
        width: int,
        height: int,
        name: str | None,
        pixel_bytes: int,
    ) -> None:
        self._drawable = drawable
        self._place = (x, y, width, height)
        self._name = name
        self._row_bytes = width * pixel_bytes

    def __len__(self) -> int:
        """Return the length in bytes."""
        return self._row_bytes * self._place[3]

    def __iter__(self) -> Iterator[bytes]:
        """Read band after band."""
        x, y, width, height = self._place
        rows = max(1, BAND_BYTES // self._row_bytes)
        buffer = self._drawable.get_buffer()
        for start in range(0, height, rows):
            band = Gegl.Rectangle.new(x, y + start, width, min(rows, height - start))
            yield buffer.get(band, 1.0, self._name, Gegl.AbyssPolicy.NONE)


def read_picture(layer: Gimp.Layer, width: int, height: int, scale: float = 1.0) -> Picture:
    """Read a plain layer's samples in the document's encoding.

    Parameters
    ----------
    layer
        Layer of an image with a precision of `_PLAIN_PRECISIONS`.
    width, height
        Size of the layer in pixels.
    scale
        Size of the copy, 1 for the pixels themselves.
    """
    channels = (1 if layer.is_gray() else 3) + (1 if layer.has_alpha() else 0)
    dtype = _PLAIN_PRECISIONS[layer.get_image().get_precision()]
    if scale == 1.0:
        data = Bands(layer, 0, 0, width, height, None, channels * _BYTES[dtype])
        return Picture(width, height, channels, dtype, data)
    width, height = _scaled(width, scale), _scaled(height, scale)
    rectangle = Gegl.Rectangle.new(0, 0, width, height)
    data = layer.get_buffer().get(rectangle, scale, None, Gegl.AbyssPolicy.CLAMP)
    return Picture(width, height, channels, dtype, data)


def read_mask(
    drawable: Gimp.Drawable, x: int, y: int, width: int, height: int, scale: float = 1.0
) -> Mask:
    """Read a selection or mask as coverage, which is linear in GIMP."""
    precision = drawable.get_image().get_precision().value_nick
    name, dtype = ("Y u8", "uint8") if precision.startswith("u8") else ("Y float", "float32")
    if scale == 1.0:
        return Mask(dtype, Bands(drawable, x, y, width, height, name, _BYTES[dtype]))
    rectangle = Gegl.Rectangle.new(
        round(x * scale), round(y * scale), _scaled(width, scale), _scaled(height, scale)
    )
    data = drawable.get_buffer().get(rectangle, scale, name, Gegl.AbyssPolicy.NONE)
    return Mask(dtype, data)


def _small_scale(source: Source) -> float:
    return min(1.0, SMALL_LONG_SIDE / max(source.width, source.height))


def _scaled(length: int, scale: float) -> int:
    return max(1, int(length * scale))


def _is_translucent(layer: Gimp.Layer) -> bool:
    if not layer.has_alpha():
        return False
    rectangle = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
    alpha = layer.get_buffer().get(rectangle, 1.0, "A u8", Gegl.AbyssPolicy.NONE)
    return alpha.count(255) != len(alpha)


def _has_active_mask(layer: Gimp.Layer) -> bool:
    return layer.get_mask() is not None and layer.get_apply_mask()
