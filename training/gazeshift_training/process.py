"""Settings of a training process that torch leaves to its surroundings."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> bool:
    """Make glibc reuse freed memory instead of returning it to the system after every layer.

    A training step allocates and frees hundreds of large tensors. By default each one is mapped
    and cleared anew, which costs a third of the step on two cores.

    Returns
    -------
    bool
        False where the C library offers no such setting (macOS, Windows, musl).
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 2**28))
    return all(mallopt(option, value) == 1 for option, value in settings)


def git_revision() -> str:
    """Return the revision of the checkout this package runs from, `unknown` outside one."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607 - git is found as users find it
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()
