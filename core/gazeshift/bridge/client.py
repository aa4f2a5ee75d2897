"""A small client: finds a running bridge and asks who it is."""

from __future__ import annotations

import http.client
import json
from dataclasses import replace

from gazeshift.bridge.messages import NAME, IdentityAnswer
from gazeshift.bridge.state import RuntimeFile, read_runtime
from gazeshift.errors import ParamError
from gazeshift.schema import decode

_TIMEOUT_S = 2.0
_LONGEST_ANSWER = 1 << 16


def ask_identity(port: int, timeout_s: float = _TIMEOUT_S) -> IdentityAnswer | None:
    """Return who answers on a port of this machine; None if it is not a GazeShift bridge."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", "/v1/identity")
        answer = connection.getresponse()
        data = json.loads(answer.read(_LONGEST_ANSWER))
        identity = decode(IdentityAnswer, data, "answer")
    except (OSError, http.client.HTTPException, ValueError, ParamError):
        return None
    finally:
        connection.close()
    return identity if identity.name == NAME else None


def find_running() -> RuntimeFile | None:
    """Return the running bridge that the runtime file names; None if it does not answer.

    A file left behind by a bridge that was killed does not count, even if another program has
    taken its port.
    """
    runtime = read_runtime()
    if runtime is None:
        return None
    identity = ask_identity(runtime.port)
    if identity is None or identity.instance != runtime.instance:
        return None
    return replace(runtime, version=identity.version, protocol=identity.protocol)
