"""Build the real GIMPs that the host tests drive, each in a folder of its own.

Run as a program (``python tests/hosts/build_gimp.py forky trixie``) or through
``ensure_chroot`` from the tests. A chroot is a plain folder holding a small
Debian of one suite with GIMP inside: nothing is installed on this machine, and
removing the folder removes everything. It lives outside the repository, in
``$GAZESHIFT_HOSTS_CACHE`` or ``~/.cache/gazeshift-hosts``, is built beside its
final place and renamed, and carries its recipe in its name: a checkout of another
version does not take it away. Those of other recipes go when a week has passed.

Needs root and ``mmdebstrap`` (``apt-get install mmdebstrap``). The packages come
from whatever Debian mirror apt on this machine uses already.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ATTEMPTS = 4
RETRY_PAUSE_S = 10.0
KEPT_S = 7 * 24 * 3600.0
GIMP2 = Path(__file__).resolve().parent / "gimp2"


class HostError(Exception):
    """A real host program cannot be built or started on this machine."""


@dataclass(frozen=True)
class Suite:
    """One Debian suite and the GIMP series it carries."""

    name: str
    """Debian's name of the suite; also the key in the cache."""

    gimp_series: str
    """The GIMP series the tests expect there, such as ``3.2``."""

    packages: tuple[str, ...]
    """What is installed on top of the smallest Debian that has apt."""

    older: tuple[str, ...] = ()
    """Older suites that some of the packages come from."""

    archives: tuple[str, ...] = ()
    """Source archives from PyPI, put into /build for `script`."""

    script: str | None = None
    """A script of the folder `gimp2` that finishes the chroot from inside."""

    def recipe_id(self) -> str:
        """Return a short key that changes when the recipe does."""
        parts = [self.name, self.gimp_series, *self.packages, *self.older, *self.archives]
        if self.script is not None:
            parts += [(GIMP2 / name).read_text() for name in (self.script, "pygtk.py")]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


# A window needs a theme's icons, a font and the GL-free GTK pieces; a batch run needs none of it.
_WINDOW = ("adwaita-icon-theme", "fonts-dejavu-core", "dbus-x11", "librsvg2-common")

_PYGIMP = (
    "gimp",
    "libgimp2.0-dev",
    "gcc",
    "libc6-dev",
    "pkg-config",
    "python2.7",
    "python2.7-dev",
    "libgirepository1.0-dev",
    "libcairo2-dev",
    "dpkg-dev",
)

SUITES: dict[str, Suite] = {
    "forky": Suite("forky", "3.2", ("gimp", "python3-gi", *_WINDOW)),
    "trixie": Suite("trixie", "3.0", ("gimp", "python3-gi", *_WINDOW)),
    "bookworm": Suite(
        "bookworm",
        "2.10",
        _PYGIMP,
        older=("bullseye",),
        archives=("pycairo==1.18.2", "pygobject==3.36.1"),
        script="build_pygimp.sh",
    ),
}


def cache_folder() -> Path:
    """Return the folder that holds the chroots, outside any repository."""
    named = os.environ.get("GAZESHIFT_HOSTS_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "gazeshift-hosts"


def chroot_folder(suite: Suite) -> Path:
    """Return where the chroot of `suite` stands once it is built."""
    return cache_folder() / f"gimp-{suite.name}-{suite.recipe_id()}"


def debian_mirror() -> str:
    """Return the Debian mirror that apt on this machine uses already.

    Raises
    ------
    HostError
        If apt knows no Debian archive, even after ``apt-get update``.
    """
    query = [
        "apt-get", "indextargets", "--format", "$(REPO_URI)",
        "Created-By: Packages", "Origin: Debian", "Component: main",
    ]  # fmt: skip
    for refresh in (False, True):
        if refresh:
            subprocess.run(["apt-get", "update"], check=False, capture_output=True)
        answer = subprocess.run(query, check=False, capture_output=True, text=True)
        for uri in answer.stdout.split():
            if "security" not in uri:
                return uri
    raise HostError("apt knows no Debian archive, so there is no mirror to take GIMP from.")


def require_tools() -> None:
    """Raise HostError, with what to do, unless a chroot can be built and entered."""
    if os.geteuid() != 0:
        raise HostError("Building and entering a GIMP chroot needs root; run this as root.")
    if shutil.which("mmdebstrap") is None:
        raise HostError("mmdebstrap is missing; run `apt-get install mmdebstrap`.")
    own_mounts = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True)
    if own_mounts.returncode:
        raise HostError("This machine allows no mounts of one's own; run in a fuller container.")


@contextmanager
def _only_one_builder(suite: Suite) -> Iterator[None]:
    cache_folder().mkdir(parents=True, exist_ok=True)
    with _lock_of(chroot_folder(suite)).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + ".lock")


def _remove_old(suite: Suite) -> None:
    """Remove chroots of other recipes that nobody has asked for lately."""
    oldest = time.time() - KEPT_S
    for folder in cache_folder().glob(f"gimp-{suite.name}-*"):
        lock = _lock_of(folder)
        if folder.is_dir() and lock.exists() and lock.stat().st_mtime < oldest:
            shutil.rmtree(folder)
            lock.unlink()


def _debootstrap(suite: Suite, folder: Path) -> None:
    command = [
        # In a mount namespace of its own nothing stays mounted when the build is killed.
        "unshare", "--mount", "mmdebstrap", "--variant=apt", "--mode=root",
        '--aptopt=Acquire::Check-Valid-Until "false"',
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=Acquire::Retries "3"',
        '--dpkgopt=path-exclude=/usr/share/doc/*',
        '--dpkgopt=path-exclude=/usr/share/man/*',
        f"--include={','.join(suite.packages)}",
        suite.name, str(folder), *_sources(suite),
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise HostError(f"mmdebstrap failed for {suite.name}:\n{done.stderr[-2000:]}")


def _sources(suite: Suite) -> list[str]:
    mirror = debian_mirror()
    if not suite.older:
        return [mirror]
    names = (suite.name, *suite.older)
    return [f"{kind} {mirror} {name} main" for kind in ("deb", "deb-src") for name in names]


def _finish(suite: Suite, folder: Path) -> None:
    """Run the suite's own script inside the new chroot."""
    if suite.script is None:
        return
    build = folder / "build"
    build.mkdir()
    for name in (suite.script, "pygtk.py"):
        shutil.copy(GIMP2 / name, build)
    shutil.copy("/etc/resolv.conf", folder / "etc" / "resolv.conf")
    download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation"]
    steps = (
        [*download, "--no-binary", ":all:", "-d", str(build), *suite.archives],
        ["chroot", str(folder), "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
         "/bin/sh", f"/build/{suite.script}"],
    )  # fmt: skip
    for step in steps:
        done = subprocess.run(step, check=False, capture_output=True, text=True)
        if done.returncode:
            raise HostError(f"{suite.name} could not be finished:\n{done.stderr[-2000:]}")


def ensure_chroot(suite: Suite) -> Path:
    """Return a finished chroot of `suite`, building it first when it is absent.

    Raises
    ------
    HostError
        If this machine cannot build one, or every attempt at the download failed.
    """
    final = chroot_folder(suite)
    require_tools()
    with _only_one_builder(suite):
        if final.is_dir():
            return final
        beside = final.with_name(final.name + ".building")
        for attempt in range(1, ATTEMPTS + 1):
            shutil.rmtree(beside, ignore_errors=True)
            try:
                _debootstrap(suite, beside)
                _finish(suite, beside)
                break
            except HostError as problem:
                print(problem, file=sys.stderr)
                if attempt == ATTEMPTS:
                    raise
                time.sleep(RETRY_PAUSE_S * attempt)
        beside.rename(final)
        _remove_old(suite)
    return final


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the suites named on the command line and print their folders."""
    parser = argparse.ArgumentParser(description="Build chroots with real GIMPs for the tests.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)}")
    names = parser.parse_args(arguments).suites or list(SUITES)
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        parser.error(f"unknown suite {unknown[0]}; known are {', '.join(SUITES)}")
    with ThreadPoolExecutor() as builders:
        outcomes = list(builders.map(_build_and_tell, names))
    return 0 if all(outcomes) else 1


def _build_and_tell(name: str) -> bool:
    started = time.monotonic()
    try:
        folder = ensure_chroot(SUITES[name])
    except HostError as problem:
        print(problem, file=sys.stderr)
        return False
    print(f"{folder}  (GIMP {SUITES[name].gimp_series}, {time.monotonic() - started:.0f} s)")
    return True


if __name__ == "__main__":
    sys.exit(main())
