"""Renders a Photoshop file with the independent reader: FILE.psd OUT.raw (RGB, 8 bits)."""

import sys
from pathlib import Path

import numpy as np
from tests.hosts.photoshop import reader

if __name__ == "__main__":
    source, target = sys.argv[1:]
    rendered = reader.composite(reader.open_psd(source))
    Path(target).write_bytes(np.rint(rendered).astype(np.uint8).tobytes())
