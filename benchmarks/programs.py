"""Other programs on the same picture: ImageMagick and GEGL, with similar operators and no mask.

Both read and write uncompressed files in memory-backed storage where there is any; the time of a
run that only reads and writes is measured beside it and taken off in the report.
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

_GEGL_GRAPH = """<?xml version='1.0' encoding='UTF-8'?>
<gegl>
  {nodes}
  <node operation='gegl:load'><params><param name='path'>{source}</param></params></node>
</gegl>
"""

_GEGL_NODES = """<node operation='gegl:contrast-curve'><params>
    <param name='curve'>0 0 0.25 0.2 0.5 0.5 0.75 0.8 1 1</param></params></node>
  <node operation='gegl:levels'><params><param name='in-high'>0.8</param></params></node>
  <node operation='gegl:unsharp-mask'><params>
    <param name='std-dev'>{sigma}</param><param name='scale'>0.8</param></params></node>"""


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
    """Return the edit of one region with GEGL, and reading and writing alone.

    Raises
    ------
    FileNotFoundError
        If GEGL's command line is not installed.
    """
    if shutil.which("gegl") is None:
        raise FileNotFoundError("GEGL's command line is not installed")
    source, target = _write_ppm(subject, folder), folder / "gegl.ppm"
    nodes = _GEGL_NODES.format(sigma=sigma_for(*subject.mask.shape))
    edited, plain = folder / "edit.xml", folder / "plain.xml"
    edited.write_text(_GEGL_GRAPH.format(nodes=nodes, source=source))
    plain.write_text(_GEGL_GRAPH.format(nodes="", source=source))
    environment = {"GEGL_THREADS": str(threads)}
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


def _program(command: list[str], environment: dict[str, str] | None = None) -> Run:
    import os

    settings = {**os.environ, **(environment or {})}

    def run() -> object:
        return subprocess.run(command, check=True, capture_output=True, env=settings)  # noqa: S603

    return run
