"""Build the packaged core: `python packaging/build_core.py [--output DIR]`.

The result is the folder DIR/gazeshift (by default dist/gazeshift) with the program `gazeshift`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build(output: Path) -> Path:
    """Run PyInstaller; return the program.

    Parameters
    ----------
    output
        Folder that will hold the folder `gazeshift`; work files go beside it.
    """
    subprocess.run(  # noqa: S603 - our own arguments
        [
            sys.executable,
            "-m",
            "PyInstaller",
            "--noconfirm",
            "--log-level=WARN",
            f"--distpath={output}",
            f"--workpath={output / 'work'}",
            str(ROOT / "packaging" / "gazeshift.spec"),
        ],
        check=True,
        cwd=ROOT,
    )
    return output / "gazeshift" / ("gazeshift.exe" if sys.platform == "win32" else "gazeshift")


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    program = build(parser.parse_args().output.resolve())
    size = sum(path.lstat().st_size for path in program.parent.rglob("*"))
    sys.stdout.write(f"{program} ({size / 1e6:.0f} MB in all)\n")


if __name__ == "__main__":
    main()
