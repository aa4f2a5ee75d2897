"""Measure GIMP 3.2 with a 24-megapixel photo; a measurement, not a test.

Run as ``python tests/hosts/measure_gimp.py`` on a machine that does nothing else.
"""

from __future__ import annotations

import json
import os
import sys

from build_gimp import SUITES
from core_of_machine import install_plugin, stop_core
from gimp_host import GimpHost
from photos import EXAMPLES
from PIL import Image

SIZE = (6000, 4000)
ROUNDS = 3


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
    print(json.dumps({name: seen[name] for name in ("click_to_layers", "steps")}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
