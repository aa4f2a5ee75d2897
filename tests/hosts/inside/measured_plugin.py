#!/usr/bin/env python3
"""A plug-in for measurements: it does nothing, or what GazeShift does, with a clock beside it.

A process of its own matters: the one that has made a picture holds its tiles already.
"""

import os
import sys
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp  # noqa: E402

NOTHING = "plug-in-gazeshift-nothing"
MEASURED = "plug-in-gazeshift-measured"


class Measured(Gimp.PlugIn):
    def do_set_i18n(self, name):
        return False

    def do_query_procedures(self):
        return [NOTHING, MEASURED]

    def do_create_procedure(self, name):
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("*")
        procedure.set_documentation("Measurement", "Measurement", name)
        return procedure


def run(procedure, run_mode, image, drawables, config, data):
    if procedure.get_name() == MEASURED:
        # Beside the scripts that drive GIMP, where they can use it too.
        sys.path.insert(0, os.environ["GAZESHIFT_INSIDE"])
        from step_clock import Clock

        clock = Clock(os.getpid(), os.getppid())
        measure(image, drawables[0], clock)
        clock.write()
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


def measure(image, layer, clock):
    sys.path.insert(0, str(Path(__file__).parents[1] / "gazeshift"))
    import bridge_client
    from layers import EditLayers, undo_step
    from session import FOLDER, _look, predict
    from source import Source

    clock.mark("import GazeShift's modules")
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
        look.finish()
        clock.mark("make the filters")
        layers.keep(dial.edit(100.0), dial.dumps(100.0, look.name), layer)
    Gimp.displays_flush()
    source.close()
    clock.mark("keep the edit")


if __name__ == "__main__":
    Gimp.main(Measured.__gtype__, sys.argv)
