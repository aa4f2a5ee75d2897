"""A screen of its own for a real window: Xvfb, a window manager, and hands."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

from build_gimp import HostError

PROGRAMS = {"Xvfb": "xvfb", "openbox": "openbox", "xdotool": "xdotool", "import": "imagemagick"}
SIZE = "1400x1000x24"
PAUSE_S = 0.2
PICTURE_S = 60.0
"""`import` waits for ever for a window that has just gone."""


class Screen:
    """An X server of its own; use it as a context manager."""

    def __enter__(self) -> Screen:
        missing = [package for name, package in PROGRAMS.items() if shutil.which(name) is None]
        if missing:
            raise HostError(f"A window needs `apt-get install {' '.join(missing)}`.")
        read_end, write_end = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", SIZE, "-nolisten", "tcp"],
            pass_fds=[write_end],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise HostError("Xvfb did not start.")
        self.display = f":{number}"
        self._manager = subprocess.Popen(
            ["openbox"],
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        for process in (self._manager, self._server):
            process.terminate()
            process.wait(10)

    def hands(self, *arguments: str) -> str:
        """Run xdotool and return what it prints; empty if it found nothing."""
        done = subprocess.run(
            ["xdotool", *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    def wait_for(self, title: str, timeout_s: float = 60.0) -> str:
        """Return the id of the visible window with this in its title, once it is there."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            found = self.hands("search", "--onlyvisible", "--name", title).split()
            if found:
                return found[-1]
            time.sleep(PAUSE_S)
        raise HostError(f"No window with '{title}' in its title within {timeout_s:.0f} s.")

    def wait_gone(self, title: str, timeout_s: float = 60.0) -> None:
        """Return when no visible window has this in its title any more."""
        deadline = time.monotonic() + timeout_s
        while self.hands("search", "--onlyvisible", "--name", title):
            if time.monotonic() > deadline:
                raise HostError(f"The window '{title}' did not close.")
            time.sleep(PAUSE_S)

    def picture(self, path: Path, window: str = "root") -> Path:
        """Take a picture of the screen, or of one window, as PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["import", "-window", window, str(path)],
            env=self._environment(),
            check=True,
            timeout=PICTURE_S,
        )
        return path

    def fingerprint(self, window: str = "root") -> str:
        """Return a word that changes when the screen, or a window, does."""
        done = subprocess.run(
            ["import", "-window", window, "rgb:-"],
            env=self._environment(),
            capture_output=True,
            check=True,
            timeout=PICTURE_S,
        )
        return hashlib.sha256(done.stdout).hexdigest()

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "DISPLAY": self.display}
