"""How long a large photo takes, from the click to the layers on the canvas."""

import json
import os
import sys
import time
from pathlib import Path

from gi.repository import Gimp
from prelude import TASK, call, make_image, read_file, run_checks

REDIRECT = "plug-in-gazeshift-redirect"


def large_photo():
    width, height = TASK["size"]
    image, layer = make_image(width, height, "uint8", 3, read_file("large.rgb"))
    image.select_ellipse(Gimp.ChannelOps.REPLACE, width // 4, height // 4, width // 2, height // 2)
    return image, layer


def click_to_layers():
    found = []
    for _ in range(TASK["rounds"]):
        image, layer = large_photo()
        found.append(call(REDIRECT, image, [layer], strength=100.0))
        image.delete()
    return found


class Clock:
    """Wall time, and the processor time of the plug-in, of GIMP and of the core, by step."""

    def __init__(self, core_pid):
        self.processes = {"plug-in": os.getpid(), "GIMP": os.getppid(), "core": core_pid}
        self.steps = []
        self.last = self.now()

    def now(self):
        ticks = os.sysconf("SC_CLK_TCK")
        read = {"wall": time.monotonic()}
        for name, pid in self.processes.items():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            read[name] = (int(fields[11]) + int(fields[12])) / ticks
        return read

    def mark(self, step):
        now = self.now()
        took = {name: round(now[name] - self.last[name], 3) for name in now}
        self.steps.append({"step": step, **took})
        self.last = self.now()


def steps():
    """The same inside one process, so that the start of GIMP's Python is left out."""
    sys.path.insert(0, TASK["plugin_folder"])
    import bridge_client
    from layers import EditLayers, undo_step
    from session import FOLDER, _look, predict
    from source import Source

    runtime = json.loads((FOLDER / "core.json").read_text())["runtime_file"]
    rounds = []
    for _ in range(TASK["rounds"]):
        image, layer = large_photo()
        clock = Clock(json.loads(Path(runtime).read_text())["pid"])
        source = Source(layer)
        clock.mark("look at the layer")
        bridge = bridge_client.connect(FOLDER)
        offers = bridge.operators()
        clock.mark("find the core")
        dial = predict(bridge, source, 0)
        clock.mark("read the pixels and the mask, send, predict")
        look = _look(bridge, source, offers)
        prepared = look.prepare(dial, 100.0)
        clock.mark("ask for the filters' settings")
        with undo_step(image):
            layers = EditLayers.build(source)
            clock.mark("make the layers")
            look.attach(layers)
            look.show(prepared)
            clock.mark("make the filters")
            layers.keep(dial.edit(100.0), dial.dumps(100.0, look.name), layer)
        Gimp.displays_flush()
        clock.mark("keep the edit")
        source.close()
        rounds.append(clock.steps)
        image.delete()
    return rounds


run_checks(click_to_layers, steps)
