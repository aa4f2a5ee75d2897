"""Who may talk to the bridge.

Loopback alone is no boundary: a web page can send requests to 127.0.0.1, and a host name can be
rebound to it. So the Host, the Origin and a secret token are checked, exactly. In the other
direction, any local user can listen on a port that a dead bridge has left, to collect the token;
so a caller first asks for a proof that the bridge knows it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gazeshift.bridge.failures import RequestError
from gazeshift.bridge.messages import PROTOCOL, PROTOCOL_HEADER

_WEB_SCHEMES = ("http:", "https:")
_CHALLENGE = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Caller:
    """The headers that decide about a request; each may occur any number of times."""

    hosts: Sequence[str]
    origins: Sequence[str]
    protocols: Sequence[str]
    authorizations: Sequence[str]


def prove(token: str, port: int, challenge: str) -> str:
    """Return the proof that only a holder of the token, listening on this port, can give.

    The port is part of it, so that an impostor cannot pass the challenge on to the real bridge.

    Parameters
    ----------
    token
        The installation's secret.
    port
        Port on 127.0.0.1 that the caller has asked.
    challenge
        The caller's 64 random hexadecimal digits.
    """
    text = f"gazeshift-identity {port} {challenge}"
    return hmac.new(token.encode(), text.encode(), hashlib.sha256).hexdigest()


def answer_challenge(given: Sequence[str], token: str, port: int) -> str | None:
    """Return the proof that a request asks for; None if it asks for none.

    Raises
    ------
    RequestError
        If the challenge is not 64 hexadecimal digits.
    """
    if not given:
        return None
    if len(given) != 1 or not _CHALLENGE.fullmatch(given[0]):
        raise RequestError("A challenge has 64 hexadecimal digits.")
    return prove(token, port, given[0])


def check_address(caller: Caller, port: int) -> None:
    """Refuse a foreign Host or Origin; every route is guarded by this.

    Parameters
    ----------
    caller
        The request's headers.
    port
        The port the bridge listens on.

    Raises
    ------
    RequestError
        With status 421 for the Host and 403 for the Origin.
    """
    own = (f"127.0.0.1:{port}", f"localhost:{port}")
    if len(caller.hosts) != 1 or caller.hosts[0] not in own:
        raise RequestError(
            "The request is addressed to another host.",
            hint=f"Call http://127.0.0.1:{port} by its number.",
            code="host",
            status=421,
        )
    for origin in caller.origins:
        lowered = origin.strip().lower()
        is_web = lowered.startswith(_WEB_SCHEMES) or lowered in ("", "null")
        if is_web and origin not in tuple(f"http://{name}" for name in own):
            raise RequestError(
                "Web pages may not use the GazeShift bridge.", code="origin", status=403
            )


def check_caller(caller: Caller, token: str) -> None:
    """Refuse another protocol or a wrong token; every route but identity is guarded by this.

    Raises
    ------
    RequestError
        With status 409 for the protocol and 401 for the token.
    """
    _check_protocol(caller.protocols)
    given = caller.authorizations[0] if len(caller.authorizations) == 1 else ""
    expected = f"Bearer {token}"
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise RequestError(
            "The token is missing or wrong.",
            hint="Run 'gazeshift bridge --print-token' and give the plug-in what it prints.",
            code="token",
            status=401,
        )


def _check_protocol(given: Sequence[str]) -> None:
    if list(given) == [str(PROTOCOL)]:
        return
    text = given[0] if len(given) == 1 else ""
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    is_newer = is_number and int(text) > PROTOCOL
    said = f"protocol {text}" if is_number else "no protocol"
    raise RequestError(
        f"The plug-in speaks {said}, this GazeShift speaks protocol {PROTOCOL}.",
        hint="Update GazeShift."
        if is_newer
        else "Update the plug-in: run 'gazeshift install' for your program, or get its new file.",
        code="protocol",
        status=409,
    )


__all__ = [
    "PROTOCOL_HEADER",
    "Caller",
    "answer_challenge",
    "check_address",
    "check_caller",
    "prove",
]
