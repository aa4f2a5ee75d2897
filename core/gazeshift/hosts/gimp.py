"""GIMP: copies the plug-in into every GIMP's settings folder and tells it where the core is."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from gazeshift import __version__
from gazeshift.errors import HostError
from gazeshift.hosts.core_file import read_core_file, write_core_file
from gazeshift.hosts.gimp_folders import GimpFolder, find_folders
from gazeshift.hosts.host import Finding, Host
from gazeshift.hosts.plugin_files import plugin_folder

MAIN_FILE = "gazeshift.py"
"""The file that GIMP starts; its folder must have the same name."""

_SOURCES = {3: "gazeshift", 2: "gimp2"}
_EXECUTABLE = 0o755
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", "*.pyi")
_NO_GIMP = "Start GIMP once, close it, and run this again."


def install(dry_run: bool) -> Iterator[str]:
    """Copy the plug-in into every settings folder; a folder that fails does not stop the rest.

    Parameters
    ----------
    dry_run
        Only tell what would be done.

    Yields
    ------
    str
        What was or would be done, one line each.

    Raises
    ------
    HostError
        If there is no GIMP, or, after the rest is done, if a folder could not be filled.
    """
    folders = find_folders()
    if not folders:
        raise HostError("No settings folder of GIMP 2.10 or later was found.", hint=_NO_GIMP)
    failures: list[HostError] = []
    for folder in folders:
        try:
            source = _source(folder)
            if not dry_run:
                _copy(source, folder)
        except HostError as error:
            failures.append(error)
            continue
        verb = "Would copy" if dry_run else "Copied"
        yield f"{verb} the plug-in for {folder.label} to {folder.plugin}."
        if folder.is_sandboxed:
            yield (
                f"{folder.label} runs in a sandbox and may be unable to start GazeShift: if it "
                "says so, run 'gazeshift bridge' in a terminal first."
            )
    if failures:
        raise failures[0]
    yield "Start GIMP again: the entries are in Filters > GazeShift."


def uninstall(dry_run: bool) -> Iterator[str]:
    """Remove the plug-in from every settings folder; see `install`."""
    is_missing = True
    for folder in find_folders():
        if not _is_ours(folder.plugin):
            continue
        is_missing = False
        if not dry_run:
            try:
                shutil.rmtree(folder.plugin)
            except OSError as error:
                raise _unwritable(folder.plugin, error) from error
        yield f"{'Would remove' if dry_run else 'Removed'} {folder.plugin}."
    if is_missing:
        yield "The plug-in is not installed in any GIMP."


def inspect() -> list[Finding]:
    """Tell which GIMPs have the plug-in, and whether it fits this GazeShift."""
    folders = find_folders()
    if not folders:
        return [Finding("note", "No settings folder of GIMP 2.10 or later was found.", _NO_GIMP)]
    return [_inspect(folder) for folder in folders]


def _inspect(folder: GimpFolder) -> Finding:
    again = "Run 'gazeshift install gimp'."
    if not _is_ours(folder.plugin):
        return Finding("note", f"{folder.label} has no GazeShift plug-in ({folder.path}).", again)
    core = read_core_file(folder.plugin)
    if core is None:
        return Finding("bad", f"The plug-in in {folder.label} does not know the core.", again)
    if core.get("version") != __version__:
        text = f"The plug-in in {folder.label} is from GazeShift {core.get('version')}."
        return Finding("bad", text, again)
    command = core.get("command")
    program = Path(command[0]) if isinstance(command, list) and command else None
    if program is None or not program.exists():
        text = f"The plug-in in {folder.label} points to a GazeShift that is gone: {program}."
        return Finding("bad", text, again)
    main_file = folder.plugin / MAIN_FILE
    if os.name == "posix" and not os.access(main_file, os.X_OK):
        return Finding("bad", f"{main_file} is not executable, so GIMP ignores it.", again)
    if folder.is_sandboxed:
        text = f"{folder.label} has the plug-in; its sandbox may keep it from starting the bridge."
        return Finding("note", text, "If it says so, run 'gazeshift bridge' in a terminal first.")
    return Finding("good", f"{folder.label} has the plug-in ({folder.plugin}).")


def _source(folder: GimpFolder) -> Path:
    source = plugin_folder("gimp") / _SOURCES[min(folder.major, 3)]
    if not (source / MAIN_FILE).is_file():
        raise HostError(
            f"This installation lacks the plug-in for {folder.label}.",
            hint="Install GazeShift again: pip install --force-reinstall gazeshift.",
        )
    return source


def _is_ours(plugin: Path) -> bool:
    return (plugin / MAIN_FILE).is_file() or read_core_file(plugin) is not None


def _copy(source: Path, folder: GimpFolder) -> None:
    """Put a whole new copy in place of the old one, so that no stale file survives."""
    plugin = folder.plugin
    mark = secrets.token_hex(4)
    # Beside `plug-ins`, not in it: GIMP would try to start what it finds there.
    partial = folder.path / f"gazeshift.{mark}.partial"
    old = folder.path / f"gazeshift.{mark}.old"
    try:
        plugin.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, partial, ignore=_IGNORED)
        for path in partial.rglob("*.py"):
            path.chmod(_EXECUTABLE if path.name == MAIN_FILE else 0o644)
        write_core_file(partial, with_token=folder.is_sandboxed)
        if plugin.exists():
            if not _is_ours(plugin):
                raise HostError(
                    f"{plugin} holds something else than GazeShift's plug-in.",
                    hint="Move it away and run this again.",
                )
            plugin.rename(old)
        partial.rename(plugin)
    except OSError as error:
        if old.exists() and not plugin.exists():
            old.rename(plugin)
        raise _unwritable(plugin, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _unwritable(path: Path, error: OSError) -> HostError:
    return HostError(
        f"{path} cannot be changed: {error.strerror}.", hint="Close GIMP and try again."
    )


HOST = Host(
    name="gimp",
    label="GIMP",
    help="Copy the plug-in into the settings of every GIMP on this computer.",
    install=install,
    uninstall=uninstall,
    inspect=inspect,
)
