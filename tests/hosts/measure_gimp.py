"""Measure GIMP 3.2 with a 24-megapixel photo; a measurement, not a test.

Run as ``python tests/hosts/measure_gimp.py`` on a machine that does nothing else.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from build_gimp import SUITES
from core_of_machine import install_plugin, stop_core
from gimp_host import GimpHost
from photos import EXAMPLES
from PIL import Image

SIZE = (6000, 4000)
ROUNDS = 3
CLOCKS = ("wall", "plug-in", "GIMP", "core")


def total(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the sums of one round's steps."""
    return {"step": "in all", **{name: sum(step[name] for step in steps) for name in CLOCKS}}


def main() -> int:
    """Print the seconds of each step."""
    with GimpHost(SUITES["forky"]) as host:
        state = install_plugin(host)
        photo = Image.open(EXAMPLES / "dandelions.jpg").convert("RGB").resize(SIZE)
        (host.work / "large.rgb").write_bytes(photo.tobytes())
        try:
            seen = host.run(
                "large_photo", size=SIZE, rounds=ROUNDS, plugin_folder=str(host.plugin_folder)
            )
        finally:
            stop_core(state)
    print("load average", os.getloadavg())
    if "trouble" in seen["steps"]:
        print(seen["steps"]["trouble"])
        return 1
    for answer in seen["click_to_layers"]:
        print(f"click to layers {answer['seconds']:.2f} s  ({answer['status']})")
    for steps in seen["steps"]:
        print("\nwall s  plug-in, GIMP and core: processor s")
        for step in [*steps, total(steps)]:
            numbers = (f"{step[name]:6.2f}" for name in CLOCKS)
            print("  ".join(numbers), "", step["step"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
