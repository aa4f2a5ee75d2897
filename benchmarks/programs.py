"""Other programs on the same picture: ImageMagick and GEGL, with operators of their own.

GEGL runs both regions' chains and blends them with the mask, each step by the operator of its own
that costs least: unsharp mask, exposure, contrast, levels, channel mixer. ImageMagick runs one
region and no mask. Both read and write uncompressed files in memory-backed storage where there is
any; the time of a run that only reads and writes is measured beside it and taken off in the report.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.subjects import Subject
from gazeshift.edit import Edit
from gazeshift.operators.sharpening import sigma_for

Run = Callable[[], object]

_GEGL_LOAD = """<node operation='gegl:load'><params>
  <param name='path'>{path}</param></params></node>"""

_GEGL_CHAIN = """<node operation='gegl:channel-mixer'><params><param name='rr-gain'>{red}</param>
  <param name='bb-gain'>{blue}</param></params></node>
<node operation='gegl:levels'><params><param name='in-high'>{high}</param></params></node>
<node operation='gegl:brightness-contrast'><params>
  <param name='contrast'>{contrast}</param></params></node>
<node operation='gegl:exposure'><params><param name='exposure'>{ev}</param></params></node>
<node operation='gegl:unsharp-mask'><params><param name='std-dev'>{sigma}</param>
  <param name='scale'>{amount}</param></params></node>"""

# Read from the last node to the first; what stands inside a node enters it from the side.
_GEGL_GRAPH = """<?xml version='1.0' encoding='UTF-8'?>
<gegl><node operation='gegl:over'><node operation='gegl:opacity'>{mask}</node>{front}{source}</node>
{back}{source}</gegl>
"""
_GEGL_PLAIN = "<?xml version='1.0' encoding='UTF-8'?><gegl>{source}</gegl>"


def find_imagemagick() -> str | None:
    """Return ImageMagick's program, if it is installed."""
    for name in ("magick", "/usr/bin/convert"):
        path = shutil.which(name)
        if path is not None:
            return path
    return None


def imagemagick(subject: Subject, edit: Edit, folder: Path, threads: int) -> tuple[Run, Run]:
    """Return the edit of one region with ImageMagick, and reading and writing alone.

    Raises
    ------
    FileNotFoundError
        If ImageMagick is not installed.
    """
    program = find_imagemagick()
    if program is None:
        raise FileNotFoundError("ImageMagick is not installed")
    source, target = _write_ppm(subject, folder), folder / "imagemagick.ppm"
    region = edit.regions().foreground
    gain = 2.0 ** region.get("exposure", "ev")[0]
    sigma = sigma_for(*subject.mask.shape)
    start = [program, "-limit", "thread", str(threads), str(source)]
    steps = ["-unsharp", f"0x{sigma}+{region.get('sharpening', 'amount')[0]}+0"]
    steps += ["-evaluate", "multiply", str(gain), "-sigmoidal-contrast", "3x50%"]
    steps += ["-channel", "R", "-gamma", "1.05", "+channel"]
    return _program([*start, *steps, str(target)]), _program([*start, str(target)])


def gegl(subject: Subject, edit: Edit, folder: Path, threads: int) -> tuple[Run, Run]:
    """Return the edit of both regions with GEGL, and reading and writing alone.

    Raises
    ------
    FileNotFoundError
        If GEGL's command line is not installed.
    """
    if shutil.which("gegl") is None:
        raise FileNotFoundError("GEGL's command line is not installed")
    source = _GEGL_LOAD.format(path=_write_ppm(subject, folder))
    mask = _GEGL_LOAD.format(path=_write_pgm(subject, folder))
    sigma = sigma_for(*subject.mask.shape)
    front, back = (
        _GEGL_CHAIN.format(
            red=1.05,
            blue=0.95,
            high=0.9,
            contrast=1.0 + region.get("contrast", "amount")[0],
            ev=region.get("exposure", "ev")[0],
            sigma=sigma,
            amount=abs(region.get("sharpening", "amount")[0]),
        )
        for region in edit.regions()
    )
    edited, plain = folder / "edit.xml", folder / "plain.xml"
    edited.write_text(_GEGL_GRAPH.format(mask=mask, front=front, back=back, source=source))
    plain.write_text(_GEGL_PLAIN.format(source=source))
    environment = {"GEGL_THREADS": str(threads)}
    target = folder / "gegl.ppm"
    return (
        _program(["gegl", str(edited), "-o", str(target)], environment),
        _program(["gegl", str(plain), "-o", str(target)], environment),
    )


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder, in memory where the system offers it."""
    shared = Path("/dev/shm")  # noqa: S108 - a place for large files, not a predictable name
    return tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None)


def _write_ppm(subject: Subject, folder: Path) -> Path:
    path = folder / "source.ppm"
    height, width = subject.mask.shape
    if not path.exists():
        with path.open("wb") as file:
            file.write(f"P6\n{width} {height}\n255\n".encode())
            file.write(subject.pixels.tobytes())
    return path


def _write_pgm(subject: Subject, folder: Path) -> Path:
    path = folder / "mask.pgm"
    height, width = subject.mask.shape
    codes = (subject.mask * 255 + 0.5).astype("uint8")
    path.write_bytes(f"P5\n{width} {height}\n255\n".encode() + codes.tobytes())
    return path


def _program(command: list[str], environment: dict[str, str] | None = None) -> Run:
    import os

    settings = {**os.environ, **(environment or {})}

    def run() -> object:
        return subprocess.run(command, check=True, capture_output=True, env=settings)  # noqa: S603

    return run
