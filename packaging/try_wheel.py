"""Builds the wheel, installs it into a fresh environment and edits a photo with it.

python packaging/try_wheel.py [--output dist]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHOW_KERNEL = (
    "import gazeshift.resample as r, gazeshift.kernel as k; "
    "print(','.join(k.native_levels()), r._native_module() is not None, k.__file__)"
)


def main() -> None:
    """Build, install, try; any failure ends with its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    output = parser.parse_args().output
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run([sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)])
        (wheel,) = folder.glob("*.whl")
        _check_content(wheel)
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
        pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
        _run([*pip, "install", "--quiet", f"{wheel}[bridge]"])
        _try(python, folder)
        output.mkdir(parents=True, exist_ok=True)
        os.replace(wheel, output / wheel.name)
    print(f"{output / wheel.name} works in a fresh environment.")


def _check_content(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "models/redirector.onnx",
        "models/attention.onnx",
        "bridge/openapi.json",
        "plugin_files/gimp/gazeshift/gazeshift.py",
        "plugin_files/photoshop_uxp_bridge/gazeshift-photoshop.ccx",
    ):
        if f"gazeshift/{needed}" not in names:
            sys.exit(f"{wheel.name} lacks {needed}.")


def _try(python: Path, folder: Path) -> None:
    shown = _run([str(python), "-c", SHOW_KERNEL], folder).split()
    print("native kernel:", *shown)
    if len(shown) != 3 or shown[1] != "True" or not Path(shown[2]).is_relative_to(folder):
        sys.exit("The wheel's native kernel was not built or is not the one in use.")
    gazeshift = [str(python), "-m", "gazeshift"]
    print(_run([*gazeshift, "--version"], folder).strip())
    photo, mask = (ROOT / "examples" / name for name in ("dandelions.jpg", "dandelions-mask.png"))
    edited = folder / "edited.jpg"
    _run([*gazeshift, "redirect", str(photo), "--mask", str(mask), "-o", str(edited)], folder)
    if edited.stat().st_size < 10_000:
        sys.exit("The edited photo is too small to be one.")


def _run(command: list[str], folder: Path | None = None) -> str:
    # Outside the checkout, so that its own package is not the one that is tried.
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True)  # noqa: S603
    if done.returncode:
        sys.stdout.write(done.stdout)
        sys.exit(done.returncode)
    return done.stdout


if __name__ == "__main__":
    main()
