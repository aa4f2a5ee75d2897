"""Run scripts inside a real GIMP, in its chroot, with the host's files where they were.

A private mount namespace is made for each run, so nothing stays mounted whatever happens. The
work folder stands at the same path inside and outside; `/host` is the machine itself, so that
the plug-in can really start the installed core.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from build_gimp import HostError, Suite, ensure_chroot

INSIDE = Path(__file__).resolve().parent / "inside"
RUN_TIMEOUT_S = 1200.0

_ENTER = """
set -e
root=$1; work=$2; shift 2
mkdir -p "$root/host" "$root$work" "$root/proc" "$root/tmp/.X11-unix"
mount --rbind / "$root/host"
mount --bind "$work" "$root$work"
mount --bind /proc "$root/proc"
mount --bind /dev "$root/dev"
if [ -d /tmp/.X11-unix ]; then mount --bind /tmp/.X11-unix "$root/tmp/.X11-unix"; fi
exec chroot "$root" /usr/bin/env -i "$@"
"""


@dataclass
class GimpHost:
    """One real GIMP with a fresh profile.

    Use it as a context manager: the work folder is removed at the end.
    """

    suite: Suite
    root: Path = field(init=False)
    work: Path = field(init=False)

    def __enter__(self) -> GimpHost:
        self.root = ensure_chroot(self.suite)
        self.work = Path(tempfile.mkdtemp(prefix="gazeshift-hosts-"))
        self.profile.mkdir()
        return self

    def __exit__(self, *exc: object) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.rmtree(self.root / self.work.relative_to("/"), ignore_errors=True)

    @property
    def major(self) -> str:
        """The first number of GIMP's version."""
        return self.suite.gimp_series.split(".")[0]

    @property
    def profile(self) -> Path:
        """The folder that GIMP takes for its configuration."""
        return self.work / "profile"

    @property
    def plugin_folder(self) -> Path:
        """Where the plug-in is installed."""
        return self.profile / "plug-ins" / "gazeshift"

    def environment(self, **more: str) -> dict[str, str]:
        """Return the variables of a GIMP process, with those a packaged GIMP would set."""
        return {
            "HOME": str(self.work),
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            f"GIMP{self.major}_DIRECTORY": str(self.profile),
            "GAZESHIFT_WORK": str(self.work),
            "GAZESHIFT_INSIDE": f"/host{INSIDE}",
            # Compiled modules are kept, as on a user's machine, but not beside the sources.
            "PYTHONPYCACHEPREFIX": str(self.work / "pycache"),
            **more,
        }

    def command(self, *program: str, **more: str) -> list[str]:
        """Return a host command that runs `program` inside."""
        variables = [f"{name}={value}" for name, value in self.environment(**more).items()]
        enter = ["unshare", "--mount", "sh", "-c", _ENTER, "sh", str(self.root), str(self.work)]
        return [*enter, *variables, *program]

    def run(self, script: str, **task: Any) -> dict[str, Any]:
        """Run one script of the folder `inside` in GIMP's Python and return what it found.

        Parameters
        ----------
        script
            Name of the module; it finds its task as `prelude.TASK`.
        task
            Plain data for it.

        Raises
        ------
        HostError
            If GIMP did not run the script to its end; the text holds what it printed.
        """
        answer = self.work / "answer.json"
        answer.unlink(missing_ok=True)
        (self.work / "task.json").write_text(json.dumps(task))
        batch = f"import sys; sys.path.insert(0, '/host{INSIDE}'); import {script}"
        done = subprocess.run(
            self.command(
                "gimp-console", "-i", "-d", "-f",
                "--batch-interpreter=python-fu-eval", "-b", batch, "--quit",
            ),
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )  # fmt: skip
        printed = "\n".join(
            line
            for line in (done.stdout + done.stderr).splitlines()
            if not line.startswith("INFO:") and line.strip()
        )
        if not answer.exists():
            raise HostError(f"GIMP did not finish {script} (status {done.returncode}):\n{printed}")
        result: dict[str, Any] = json.loads(answer.read_text())
        result["printed"] = printed
        return result


def enter_host(command: list[str]) -> list[str]:
    """Return a command that the plug-in can run inside the chroot to start it on the machine."""
    return ["/usr/sbin/chroot", "/host", *command]
