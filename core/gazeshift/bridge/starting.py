"""Starting the bridge: in this process, or on demand in the background."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import logging.handlers
import os
import socket
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gazeshift import __version__
from gazeshift.bridge.client import find_running
from gazeshift.bridge.messages import PROTOCOL
from gazeshift.bridge.state import (
    RuntimeFile,
    locked,
    log_path,
    read_or_make_token,
    remove_runtime,
    state_folder,
    token_path,
    write_runtime,
)
from gazeshift.errors import BridgeError

START_TIMEOUT_S = 30.0
_LOG_BYTES = 256 << 10
_LOG_FILES = 3


@dataclass(frozen=True)
class Started:
    """A bridge that answers."""

    runtime: RuntimeFile
    """Where it is."""
    is_new: bool
    """Whether it was started now."""


def own_command() -> list[str]:
    """Return the command line that runs this very `gazeshift`, without arguments."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    # `python -m` looks into the caller's current folder first, where anything may lie.
    name = "gazeshift.exe" if os.name == "nt" else "gazeshift"
    script = Path(sysconfig.get_path("scripts"), name)
    if script.is_file():
        return [str(script)]
    return [sys.executable, "-m", "gazeshift"]


def serve(port: int | None, idle_s: float | None, on_ready: Callable[[Started], None]) -> None:
    """Run the bridge in this process until it is stopped, unless one of this version runs.

    Parameters
    ----------
    port
        See `server.bind`; None takes the first free one of the listed ports.
    idle_s
        Seconds without a request after which it ends; None for never.
    on_ready
        Called when requests are answered, or at once with the bridge that runs already.

    Raises
    ------
    BridgeError
        If no port is free, or the files of its user cannot be written.
    """
    from gazeshift.bridge.server import BridgeServer, Settings, bind

    token = read_or_make_token()
    with contextlib.ExitStack() as starting:
        starting.enter_context(locked("bridge"))
        running = find_running()
        if running is not None and running.version == __version__:
            on_ready(Started(running, is_new=False))
            return
        listener = bind(port)
        _log_to_file()

        async def main() -> None:
            server = BridgeServer(Settings(token=token, idle_s=idle_s))
            runtime = _describe(listener, server.instance)

            def ready() -> None:
                write_runtime(runtime)
                starting.close()
                on_ready(Started(runtime, is_new=True))

            try:
                await server.run(listener, ready)
            finally:
                remove_runtime(server.instance)

        with listener, contextlib.suppress(KeyboardInterrupt):
            asyncio.run(main())


def ensure(port: int | None, idle_s: float | None) -> Started:
    """Return a running bridge of this version; start one in the background if there is none.

    Parameters
    ----------
    port, idle_s
        For a bridge that has to be started; see `serve`.

    Raises
    ------
    BridgeError
        If it does not start within half a minute; the message holds its own sentence.
    """
    running = find_running()
    if running is not None and running.version == __version__:
        return Started(running, is_new=False)
    command = [*own_command(), "bridge", "--announce", "--idle-minutes", _minutes(idle_s)]
    if port is not None:
        command += ["--port", str(port)]
    process = _spawn(command)
    lines: list[bytes] = []

    def read() -> None:
        if process.stdout is not None:
            lines.extend(process.stdout.readlines())

    # Pipes have no timeout on Windows, a thread has one everywhere.
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(START_TIMEOUT_S)
    if reader.is_alive():
        process.kill()
        raise BridgeError(
            "The bridge did not start within half a minute.", hint=f"See {log_path()}."
        )
    return _announced(lines)


def announcement(started: Started) -> str:
    """Return the JSON line that tells a plug-in where the bridge is."""
    runtime = started.runtime
    return json.dumps(
        {
            "protocol": runtime.protocol,
            "version": runtime.version,
            "port": runtime.port,
            "pid": runtime.pid,
            "instance": runtime.instance,
            "token_file": runtime.token_file,
            "started": started.is_new,
        }
    )


def detach_streams() -> None:
    """Point the standard streams to nowhere, so that the starter's pipes are closed."""
    sys.stdout.flush()
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _announced(lines: list[bytes]) -> Started:
    words = [line.decode("utf-8", "replace").strip() for line in lines]
    try:
        data = json.loads(words[0] if words else "")
        fields = ("port", "pid", "version", "protocol", "instance", "token_file")
        return Started(RuntimeFile(**{name: data[name] for name in fields}), data["started"])
    except (ValueError, TypeError, KeyError) as error:
        told = [word.removeprefix("Error: ") for word in words if word.startswith("Error: ")]
        hints = [word.removeprefix("Hint: ") for word in words if word.startswith("Hint: ")]
        raise BridgeError(
            " ".join(["The bridge did not start.", *told]),
            hint=" ".join(hints) or f"See {log_path()}.",
        ) from error


def _spawn(command: list[str]) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYINSTALLER_RESET_ENVIRONMENT": "1"}
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    try:
        return subprocess.Popen(  # noqa: S603 - our own program, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=state_folder(),
            env=environment,
            creationflags=flags,
            start_new_session=True,
        )
    except OSError as error:
        raise BridgeError(
            f"The bridge cannot be started: {command[0]}: {error.strerror}.",
            hint="Install GazeShift again.",
        ) from error


def _minutes(idle_s: float | None) -> str:
    return "0" if idle_s is None else f"{idle_s / 60.0:.6g}"


def _describe(listener: socket.socket, instance: str) -> RuntimeFile:
    return RuntimeFile(
        port=listener.getsockname()[1],
        pid=os.getpid(),
        version=__version__,
        protocol=PROTOCOL,
        instance=instance,
        token_file=str(token_path()),
    )


def _log_to_file() -> None:
    path = log_path()
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("gazeshift")
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("aiohttp").addHandler(handler)
