"""The GIMP plug-in's pure modules under the names they have inside GIMP.

Its folder cannot simply be put on the path: it also holds `gazeshift.py`, which GIMP demands and
which would hide the core.
"""

import importlib.util
import sys
from pathlib import Path

from tests.plugins.gimp import fake_gimp

PLUGIN = Path(__file__).resolve().parents[3] / "plugins" / "gimp" / "gazeshift"

fake_gimp.pretend()

for name in ("bridge_client", "dial", "filters", "heat"):
    spec = importlib.util.spec_from_file_location(name, PLUGIN / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{PLUGIN} lacks {name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
