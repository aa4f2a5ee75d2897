"""Editors that GazeShift can be installed into, one module per host.

A module is a host when it holds `HOST`. Adding one is adding a file here and its test:
`gazeshift install` and `gazeshift doctor` know it then.
"""

from __future__ import annotations

import importlib
import pkgutil

from gazeshift.hosts.host import Finding, Host

__all__ = ["Finding", "Host", "hosts"]


def hosts() -> dict[str, Host]:
    """Return every host by its name."""
    found: dict[str, Host] = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        host = getattr(importlib.import_module(f"{__name__}.{info.name}"), "HOST", None)
        if isinstance(host, Host):
            found[host.name] = host
    return found
