"""Renders Photoshop files with the independent reader, one request a line, until its input ends.

A request is JSON, `{"files": [PATH], "target": PATH}`, or two files with the high and the low
bytes of 16 bits. The target gets raw RGB samples, or with `"as_file": true` the joined file; the
answer is an empty line, or what went wrong.
"""

import json
import sys
from pathlib import Path

import numpy as np
from tests.hosts.photoshop import reader
from tests.hosts.photoshop.deep_file import join_bytes


def carry_out(files: list[str], target: str, as_file: bool = False) -> None:
    parts = [Path(name).read_bytes() for name in files]
    whole = parts[0] if len(parts) == 1 else join_bytes(*parts)
    if as_file:
        Path(target).write_bytes(whole)
        return
    psd = reader.open_psd(whole)
    rendered = reader.composite(psd)
    kind, scale = (np.uint16, 257.0) if psd.depth == 16 else (np.uint8, 1.0)
    Path(target).write_bytes(np.rint(scale * rendered).astype(kind).tobytes())


if __name__ == "__main__":
    for line in sys.stdin:
        try:
            carry_out(**json.loads(line))
            problem = ""
        except Exception as error:  # the other side tells it
            problem = f"{type(error).__name__}: {error}"
        print(problem.replace("\n", " "), flush=True)
