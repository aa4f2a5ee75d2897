"""Peak memory of one rendering, above the picture, the mask and the result. Linux only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


def extra_mib(megapixels: float, depth: str, kernel: str, threads: int) -> float | None:
    """Render in a fresh process and return the extra memory at its peak in MiB.

    None where the system does not tell.
    """
    if not _RESET.exists():
        return None
    command = [sys.executable, "-m", "benchmarks.memory", str(megapixels), depth, str(threads)]
    environment = {**os.environ, "GAZESHIFT_KERNEL": kernel}
    done = subprocess.run(  # noqa: S603 - our own module
        command, check=True, capture_output=True, text=True, env=environment
    )
    return float(json.loads(done.stdout)["extra_mib"])


def _read_kib(field: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    raise OSError(f"{_STATUS} has no {field}")


def _main(megapixels: float, depth: str, threads: int) -> None:
    from benchmarks.subjects import make_edit, make_subject
    from gazeshift.render import render

    subject, edit = make_subject(megapixels, depth), make_edit()
    small = make_subject(1.5, depth)
    # Imports, tables and thread stacks are no matter of the picture's size.
    render(small.pixels, small.mask, edit, threads=threads)
    _RESET.write_text("5")
    before = _read_kib("VmRSS")
    result = render(subject.pixels, subject.mask, edit, threads=threads)
    peak = _read_kib("VmHWM")
    print(json.dumps({"extra_mib": (peak - before) / 1024 - result.nbytes / 2**20}))


if __name__ == "__main__":
    _main(float(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
