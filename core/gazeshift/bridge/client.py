"""A small client: finds a running bridge and asks who it is."""

from __future__ import annotations

import hmac
import http.client
import json
import secrets
from dataclasses import replace

from gazeshift.bridge.messages import CHALLENGE_HEADER, NAME, PROOF_HEADER, IdentityAnswer
from gazeshift.bridge.security import prove
from gazeshift.bridge.state import RuntimeFile, read_runtime, read_token
from gazeshift.errors import ParamError
from gazeshift.schema import decode

_TIMEOUT_S = 2.0
_LONGEST_ANSWER = 1 << 16


def ask_identity(
    port: int, timeout_s: float = _TIMEOUT_S, token: str | None = None
) -> IdentityAnswer | None:
    """Return who answers on a port of this machine; None if it is not a GazeShift bridge.

    Parameters
    ----------
    port
        Port on 127.0.0.1.
    timeout_s
        How long to wait.
    token
        With it, the bridge has to prove that it knows the same one.
    """
    challenge = secrets.token_hex(32)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", "/v1/identity", headers={CHALLENGE_HEADER: challenge})
        answer = connection.getresponse()
        proof = answer.getheader(PROOF_HEADER, "")
        data = json.loads(answer.read(_LONGEST_ANSWER))
        identity = decode(IdentityAnswer, data, "answer")
    except (OSError, http.client.HTTPException, ValueError, ParamError):
        return None
    finally:
        connection.close()
    if token is not None:
        expected = prove(token, port, challenge)
        if not hmac.compare_digest(proof.encode("utf-8", "replace"), expected.encode()):
            return None
    return identity if identity.name == NAME else None


def find_running() -> RuntimeFile | None:
    """Return the running bridge that the runtime file names; None if it does not answer.

    A file left behind by a bridge that was killed does not count, even if another program has
    taken its port and answers as the bridge did: it cannot know the token.
    """
    runtime, token = read_runtime(), read_token()
    if runtime is None or token is None:
        return None
    identity = ask_identity(runtime.port, token=token)
    if identity is None or identity.instance != runtime.instance:
        return None
    return replace(runtime, version=identity.version, protocol=identity.protocol)
