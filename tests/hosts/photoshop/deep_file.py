"""Photoshop files with 16 bits out of two with 8: ag-psd writes no deeper ones."""

from __future__ import annotations

import io

import numpy as np
from psd_tools.constants import ChannelID, Compression, Tag
from psd_tools.psd import PSD
from psd_tools.psd.layer_and_mask import LayerInfo


def join_bytes(high: bytes, low: bytes) -> bytes:
    """Return the file whose samples have the first file's high and the second file's low bytes."""
    deep, lows = PSD.read(io.BytesIO(high)), PSD.read(io.BytesIO(low))
    pairs = zip(deep._iter_layers(), lows._iter_layers(), strict=True)
    for (record, channels), (_, low_channels) in pairs:
        for about, channel, low_channel in zip(
            record.channel_info, channels, low_channels, strict=True
        ):
            is_mask = about.id == ChannelID.USER_LAYER_MASK
            size = record.mask_data if is_mask else record
            width, height = size.right - size.left, size.bottom - size.top
            if width * height == 0:
                continue
            one, other = (
                np.frombuffer(data.get_data(width, height, 8), np.uint8).astype(">u2")
                for data in (channel, low_channel)
            )
            channel.compression = Compression.RAW
            channel.set_data((256 * one + other).astype(">u2").tobytes(), width, height, 16)
    info = deep.layer_and_mask_information
    layers = info.layer_info
    info.tagged_blocks.set_data(
        Tag.LAYER_16, layers.layer_count, layers.layer_records, layers.channel_image_data
    )
    info.layer_info = LayerInfo()
    deep.header.depth = 16
    # The merged picture is not used; it only has to be there.
    white = b"\xff\xff" * (deep.header.width * deep.header.height)
    deep.image_data.compression = Compression.RAW
    deep.image_data.set_data([white] * deep.header.channels, deep.header)
    target = io.BytesIO()
    deep.write(target)
    return target.getvalue()
