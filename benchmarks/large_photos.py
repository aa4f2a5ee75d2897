"""Photos of 400 megapixels through the command line: time and peak memory of the whole process.

python -m benchmarks.large_photos [--side 20000]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SUFFIXES = (".tif", ".jpg", ".png")


def measure(side: int, suffix: str, folder: Path) -> dict[str, float]:
    """Edit one generated photo and return wall seconds and the process's peak MiB.

    Parameters
    ----------
    side
        Pixels per side.
    suffix
        One of `SUFFIXES`.
    folder
        Where the files go.
    """
    photo, out = folder / f"large{suffix}", folder / f"edited{suffix}"
    _make(side, photo)
    command = [sys.executable, "-m", "gazeshift", "redirect", str(photo), "--force"]
    command += ["--mask", "ellipse:20%,20%,40%,50%", "-o", str(out)]
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    # Unlike RUSAGE_CHILDREN this tells of this child alone.
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise RuntimeError(f"gazeshift ended with status {status}")
    scale = 2**20 if sys.platform == "darwin" else 2**10
    found = {"seconds": seconds, "peak_mib": usage.ru_maxrss / scale}
    photo.unlink()
    out.unlink()
    return found


def _make(side: int, path: Path) -> None:
    import pyvips

    noise = pyvips.Image.gaussnoise(side, side, mean=110, sigma=25, seed=1)
    waves = pyvips.Image.sines(side, side, hfreq=9, vfreq=5) * 60
    planes = [noise + waves, noise - waves * 0.5, noise * 0.8 + 30]
    image = planes[0].bandjoin(planes[1:]).cast("uchar").copy(interpretation="srgb")
    options = {".jpg": {"Q": 90}, ".tif": {"compression": "none"}, ".png": {"compression": 1}}
    image.write_to_file(str(path), **options[path.suffix])


def main() -> None:
    """Measure every kind of file and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=20_000)
    parser.add_argument("--only", choices=SUFFIXES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for suffix in [options.only] if options.only else SUFFIXES:
            found = measure(options.side, suffix, Path(name))
            print(f"{suffix}: {found['seconds']:.0f} s, peak {found['peak_mib']:.0f} MiB")


if __name__ == "__main__":
    main()
