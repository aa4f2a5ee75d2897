"""Photo files: JPEG, PNG, TIFF and WebP in and out, with depth, profile and metadata kept.

What survives and what is refused stands in `docs/files.md`.
"""

from gazeshift.photo.reading import Photo, read_photo, read_photo_bytes
from gazeshift.photo.writing import DepthLoss, check_output, encode_photo, write_bands, write_photo

__all__ = [
    "DepthLoss",
    "Photo",
    "check_output",
    "encode_photo",
    "read_photo",
    "read_photo_bytes",
    "write_bands",
    "write_photo",
]
