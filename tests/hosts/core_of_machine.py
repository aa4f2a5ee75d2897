"""The installed core as the host tests use it: `gazeshift install gimp`, and broken stand-ins."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gimp_host import GimpHost, enter_host

from gazeshift.bridge.security import prove

# A gazeshift of the same Python that runs the tests.
CORE = [sys.executable, "-m", "gazeshift"]


def install_plugin(host: GimpHost) -> Path:
    """Run `gazeshift install gimp` for the host's fresh profile; return its state folder.

    Only the way to the program is changed afterwards: from inside the chroot it leads through
    `/host`. Modules that would break a Python are put where GIMP's variables point, as packaged
    GIMPs do; the plug-in has to start the core without them.
    """
    state = host.work / "state"
    environment = {
        **os.environ,
        f"GIMP{host.major}_DIRECTORY": str(host.profile),
        "GAZESHIFT_STATE_DIR": str(state),
        "HOME": str(host.work),
    }
    subprocess.run([*CORE, "install", "gimp"], env=environment, check=True, capture_output=True)
    core_file = host.plugin_folder / "core.json"
    core = json.loads(core_file.read_text())
    settings = [
        f"{name}={os.environ[name]}" for name in ("GAZESHIFT_MODELS",) if name in os.environ
    ]
    core["command"] = enter_host(["/usr/bin/env", *settings, *CORE])
    core_file.write_text(json.dumps(core))
    return state


def stop_core(state: Path) -> None:
    """End the bridge that belongs to a state folder, if one runs."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        pid = json.loads((state / "bridge.json").read_text())["pid"]
        os.kill(pid, signal.SIGTERM)


@contextlib.contextmanager
def stand_in(folder: Path, core: dict[str, Any], identity: dict[str, Any]) -> Iterator[dict]:
    """Give a `core.json` that leads to a bridge which dies while it predicts.

    It answers `identity` as told and lists no styles; `predict` cuts the connection in the
    middle of its answer, as a killed process would.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answers = {
                "/v1/identity": identity,
                "/v1/operators": {"operators": [], "styles": [], "problem": None},
            }
            body = json.dumps(answers[self.path]).encode()
            self.send_response(200)
            challenge = self.headers.get("GazeShift-Challenge")
            if challenge:
                token = Path(core["token_file"]).read_text().strip()
                self.send_header("GazeShift-Proof", prove(token, server.server_port, challenge))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(1000)
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b'{"model": ')
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        folder.mkdir()
        runtime = {
            "port": server.server_port,
            "pid": os.getpid(),
            "version": core["version"],
            "protocol": identity["protocol"],
            "instance": identity["instance"],
            "token_file": core["token_file"],
        }
        (folder / "bridge.json").write_text(json.dumps(runtime))
        yield {**core, "runtime_file": str(folder / "bridge.json"), "command": ["/bin/false"]}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
