"""Finds or installs what the Chromium tests need; a missing piece is a failure, never a skip."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PLUGIN = ROOT / "plugins" / "photoshop_uxp_bridge"


@cache
def ensure_packages() -> None:
    """Install the plug-in's npm packages at the versions of its lock file."""
    if not (PLUGIN / "node_modules" / "playwright-core").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PLUGIN, check=True)


@cache
def chromium_program() -> str:
    """Return Chromium's path after making sure that the plug-in's packages are there."""
    ensure_packages()
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=True)
        found = shutil.which("chromium")
    assert found, "Chromium is missing: apt-get install chromium"
    return found
