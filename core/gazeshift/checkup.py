"""A look at the whole installation, for `gazeshift doctor`."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections.abc import Callable, Iterator

from gazeshift import __version__
from gazeshift.errors import GazeShiftError
from gazeshift.hosts import Finding, hosts

_REINSTALL = "Install GazeShift again: pip install --force-reinstall gazeshift."


def look_around() -> Iterator[tuple[str, Finding]]:
    """Yield what was found, with the area it belongs to; a failing look is a finding too."""
    looks: list[tuple[str, Callable[[], list[Finding]]]] = [
        ("GazeShift", _program),
        ("Photos", _photos),
        ("Networks", _networks),
        ("Renderer", _renderer),
        ("Bridge", _bridge),
        *((host.label, host.inspect) for host in hosts().values()),
    ]
    for area, look in looks:
        try:
            findings = look()
        except GazeShiftError as error:
            findings = [Finding("bad", error.message, error.hint)]
        yield from ((area, finding) for finding in findings)


def _program() -> list[Finding]:
    how = "packaged program" if getattr(sys, "frozen", False) else "Python package"
    return [
        Finding("good", f"GazeShift {__version__}, {how}, {sys.executable}."),
        Finding(
            "good",
            f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, "
            f"{os.cpu_count()} cores.",
        ),
    ]


def _photos() -> list[Finding]:
    try:
        import pyvips
    except (ImportError, OSError) as error:
        return [Finding("bad", f"Photos cannot be read: {error}.", _REINSTALL)]
    version = ".".join(str(pyvips.version(place)) for place in range(3))
    return [Finding("good", f"Photos are read by libvips {version}.")]


def _networks() -> list[Finding]:
    from gazeshift.attention import AttentionModel
    from gazeshift.model_names import name_of
    from gazeshift.predict import Redirector
    from gazeshift.providers import installed_runtimes

    findings = []
    runtimes = installed_runtimes()
    named = ", ".join(f"{name} {version}" for name, version in runtimes.items())
    if len(runtimes) > 1:
        findings.append(
            Finding(
                "bad",
                f"More than one package provides onnxruntime: {named}.",
                "Uninstall all of them, then install the one you want.",
            )
        )
    elif runtimes:
        findings.append(Finding("good", f"Networks are run by {named}."))
    for model in (AttentionModel(), Redirector()):
        network = model.network
        try:
            provider = network.active_provider
            name = name_of(network) or "a network without a name"
        except GazeShiftError as error:
            findings.append(Finding("bad", error.message, error.hint))
            continue
        kind = network.contract.kind
        text = f"The {kind} is {name}, run on the {provider} ({network.path})."
        findings.append(Finding("good", text))
        findings.extend(Finding("note", warning) for warning in model.warnings)
    return findings


def _renderer() -> list[Finding]:
    from gazeshift.render import active_kernel

    return [Finding("good", f"Pixels are rendered by the {active_kernel()} kernel.")]


def _bridge() -> list[Finding]:
    from gazeshift.bridge.client import find_running
    from gazeshift.bridge.state import is_private, log_path, state_folder, token_path

    findings = []
    if importlib.util.find_spec("aiohttp") is None:
        findings.append(
            Finding(
                "bad",
                "aiohttp is missing, so plug-ins cannot reach GazeShift.",
                'Install it: pip install "gazeshift[bridge]".',
            )
        )
    running = find_running()
    if running is None:
        text = "No bridge is running; GIMP starts it when needed. For Photoshop: gazeshift bridge"
        findings.append(Finding("good", text))
    elif running.version != __version__:
        findings.append(
            Finding(
                "note",
                f"A bridge of GazeShift {running.version} runs on port {running.port}.",
                f"End process {running.pid}, or wait until it ends by itself.",
            )
        )
    else:
        findings.append(
            Finding("good", f"The bridge runs on 127.0.0.1:{running.port}, process {running.pid}.")
        )
    token = token_path()
    if not token.exists():
        findings.append(Finding("good", f"There is no token yet; it will be made in {token}."))
    elif is_private(token):
        findings.append(Finding("good", f"The token is in {token}, for your eyes only."))
    else:
        findings.append(
            Finding(
                "bad",
                f"Other users of this computer can read the token in {token}.",
                "Delete the file and install the plug-ins again; a new one will be made.",
            )
        )
    log = log_path()
    where = f"The log is {log}." if log.exists() else f"There is no log yet in {state_folder()}."
    findings.append(Finding("good", where))
    return findings
