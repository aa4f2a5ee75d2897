"""Measure GIMP 3.2 with a 24-megapixel photo; a measurement, not a test.

Run as ``python tests/hosts/measure_gimp.py`` on a machine that does nothing else.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from typing import Any

from build_gimp import SUITES
from core_of_machine import install_plugin, stop_core
from gimp_host import INSIDE, GimpHost
from photos import EXAMPLES
from PIL import Image

SIZE = (6000, 4000)
ROUNDS = 5
CLOCKS = ("wall", "plug-in", "GIMP", "core")
CALLS = {
    "starts_core": "click to layers, the core being started first",
    "click_to_layers": "click to layers",
    "nothing": "GIMP's part: a Python plug-in that does nothing",
    "refused": "GazeShift with nothing selected",
}


def install_clock(host: GimpHost) -> None:
    """Install the plug-in that measures; its folder and its file need the same name."""
    plugin = host.profile / "plug-ins" / "measured" / "measured.py"
    plugin.parent.mkdir()
    shutil.copy(INSIDE / "measured_plugin.py", plugin)
    plugin.chmod(0o755)


def median_steps(rounds: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the median of each step over the rounds."""
    return [
        {
            "step": same[0]["step"],
            **{name: statistics.median(step.get(name, 0.0) for step in same) for name in CLOCKS},
        }
        for same in zip(*rounds, strict=True)
    ]


def main() -> int:
    """Print the seconds of each call and of each step."""
    with GimpHost(SUITES["forky"]) as host:
        state = install_plugin(host)
        install_clock(host)
        photo = Image.open(EXAMPLES / "dandelions.jpg").convert("RGB").resize(SIZE)
        (host.work / "large.rgb").write_bytes(photo.tobytes())
        try:
            seen = host.run("large_photo", size=SIZE, rounds=ROUNDS)
        finally:
            stop_core(state)
    print("load average", os.getloadavg())
    troubles = [found["trouble"] for name, found in seen.items() if "trouble" in found]
    if troubles:
        print(*troubles, sep="\n")
        return 1
    for name, text in CALLS.items():
        times = " ".join(f"{answer['seconds']:.2f}" for answer in seen[name])
        print(f"{statistics.median(a['seconds'] for a in seen[name]):.3f} s  {text}  ({times})")
    *ours, rendering = median_steps([answer["steps"] for answer in seen["steps"]])
    whole = statistics.median(answer["seconds"] for answer in seen["steps"])
    in_all = {"step": "GazeShift in all", **{n: sum(step[n] for step in ours) for n in CLOCKS}}
    print(f"{whole:.3f} s  click to layers, with a clock in the plug-in; medians of its steps:")
    print("\n  wall s  plug-in, GIMP and core: processor s")
    for step in [*ours, in_all, rendering]:
        numbers = (f"{step[name]:7.3f}" for name in CLOCKS)
        print(" ".join(numbers), "", step["step"])
    rest = whole - in_all["wall"] - rendering["wall"]
    print(f"{rest:7.3f}{'':24}  GIMP starting a plug-in in Python")
    print(f"{whole - rendering['wall']:7.3f}{'':24}  click to layers beside GIMP's rendering")
    return 0


if __name__ == "__main__":
    sys.exit(main())
