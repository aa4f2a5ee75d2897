"""Photoshop: hands the panel's .ccx file to Creative Cloud's installer, or says the two steps."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

from gazeshift.errors import HostError
from gazeshift.hosts.host import Finding, Host
from gazeshift.hosts.plugin_files import plugin_folder

PACKAGE = "gazeshift-photoshop.ccx"

_INSTALLER_TIMEOUT_S = 300.0
_INSTALLERS = {
    "Darwin": "/Library/Application Support/Adobe/Adobe Desktop Common/RemoteComponents/UPI/"
    "UnifiedPluginInstallerAgent/UnifiedPluginInstallerAgent.app/Contents/MacOS/"
    "UnifiedPluginInstallerAgent",
    "Windows": "C:/Program Files/Common Files/Adobe/Adobe Desktop Common/RemoteComponents/UPI/"
    "UnifiedPluginInstallerAgent/UnifiedPluginInstallerAgent.exe",
}
_OPTIONS = {"Darwin": ("--install", "--remove"), "Windows": ("/install", "/remove")}
_NEXT = (
    "Start the core: gazeshift bridge",
    "Open Plugins > GazeShift in Photoshop and paste what 'gazeshift bridge --print-token' prints.",
)


def install(dry_run: bool) -> list[str]:
    """Give the panel to Creative Cloud's installer.

    Parameters
    ----------
    dry_run
        Only tell what would be done.

    Returns
    -------
    list
        What was or would be done, and what is left to the user, one line each.

    Raises
    ------
    HostError
        If this installation lacks the panel, or Adobe's installer refuses it.
    """
    package = package_path()
    installer = _installer()
    if installer is None:
        return [
            "Adobe's installer was not found, so these steps are yours:",
            f"1. Double-click {package} (Creative Cloud installs it).",
            *(f"{number}. {step}" for number, step in enumerate(_NEXT, 2)),
        ]
    if dry_run:
        return [f"Would give {package} to {installer}."]
    _run(installer, 0, str(package))
    return ["Adobe's installer took the panel.", *_NEXT]


def uninstall(dry_run: bool) -> list[str]:
    """Remove the panel through Adobe's installer; see `install`."""
    installer = _installer()
    if installer is None:
        return ["Remove it in Creative Cloud: Stock & Marketplace > Plugins > Manage plugins."]
    if dry_run:
        return [f"Would ask {installer} to remove GazeShift."]
    _run(installer, 1, "GazeShift")
    return ["Adobe's installer removed the panel."]


def inspect() -> list[Finding]:
    """Tell whether the panel is there, and whether Adobe's installer is."""
    try:
        package = package_path()
    except HostError as error:
        return [Finding("note", error.message, error.hint)]
    findings = [Finding("good", f"The panel is ready ({package}).")]
    if platform.system() not in _INSTALLERS:
        text = "Photoshop does not run on this system."
        remedy = "Without it: gazeshift redirect photo.jpg --mask mask.png -o out.psd"
        findings.append(Finding("note", text, remedy))
    elif _installer() is None:
        text = "Adobe's plug-in installer was not found."
        findings.append(Finding("note", text, f"Double-click {package} to install the panel."))
    return findings


def package_path() -> Path:
    """Return the panel's .ccx file.

    Raises
    ------
    HostError
        If this installation lacks it.
    """
    package = plugin_folder("photoshop_uxp_bridge") / PACKAGE
    if not package.is_file():
        raise HostError(
            f"This installation lacks the panel's file {PACKAGE}.",
            hint="Install GazeShift again; in a source checkout run: make photoshop-plugin",
        )
    return package


def _installer() -> Path | None:
    path = _INSTALLERS.get(platform.system())
    return Path(path) if path is not None and Path(path).is_file() else None


def _run(installer: Path, option: int, argument: str) -> None:
    command = [str(installer), _OPTIONS[platform.system()][option], argument]
    try:
        done = subprocess.run(  # noqa: S603 - Adobe's own program, at its fixed place
            command, capture_output=True, text=True, timeout=_INSTALLER_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(
            f"Adobe's installer could not be run: {error}.",
            hint=f"Double-click {package_path()} instead.",
        ) from error
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise HostError(
            "Adobe's installer refused: " + (said[-1] if said else f"code {done.returncode}"),
            hint="Close Photoshop and try again, or double-click the .ccx file.",
        )


HOST = Host(
    name="photoshop",
    label="Photoshop",
    help="Give the panel to Creative Cloud's installer, or say the steps where it is missing.",
    install=install,
    uninstall=uninstall,
    inspect=inspect,
)
