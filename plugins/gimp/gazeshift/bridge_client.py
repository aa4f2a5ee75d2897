"""The way from a plug-in to the GazeShift core: find it, start it, ask it. Standard library only.

The plug-in holds no mathematics and no networks. Everything that has to be computed is asked
from `gazeshift bridge`, a service on 127.0.0.1 that this module finds through `core.json`, a
file that `gazeshift install gimp` writes beside the plug-in. The token is sent only on connections
whose other end has proven that it knows the token, for anyone on the machine can listen on a port.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import secrets
import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

PROTOCOL = 1
"""The bridge protocol this plug-in speaks."""

CORE_FILE = "core.json"
CORE_FORMAT = "gazeshift-core/1"
HOST = "127.0.0.1"
FIND_TIMEOUT_S = 2.0
START_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 300.0
LONGEST_IDENTITY = 1 << 16

# GIMP sets these for its own Python and libraries; another program would load the wrong ones.
FOREIGN_VARIABLES = (
    "PYTHONPATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "DYLD_LIBRARY_PATH",
    "GI_TYPELIB_PATH",
)

INSTALL_HINT = "Install GazeShift, then run `gazeshift install gimp` in a terminal."


class BridgeProblem(Exception):
    """The core is missing, too old, too new, or has refused; says so in words for the user.

    Parameters
    ----------
    message
        One sentence, with what to do about it.
    code
        Stable name of the kind of problem; the bridge's own code if it refused.
    """

    def __init__(self, message: str, code: str = "bridge") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Samples(Protocol):
    """Raw samples that are read in pieces while they are sent."""

    def __len__(self) -> int:
        """Return the length in bytes."""

    def __iter__(self) -> Iterator[bytes]:
        """Read the pieces, in order."""


class Picture(NamedTuple):
    """Raw samples, rows from top to bottom, channels interleaved, as the document encodes them."""

    width: int
    height: int
    channels: int
    dtype: str
    data: bytes | Samples

    def layout(self) -> dict[str, Any]:
        """Return the description that travels with the samples."""
        return {
            "width": self.width,
            "height": self.height,
            "channels": self.channels,
            "dtype": self.dtype,
        }


class Mask(NamedTuple):
    """Raw coverage of the selection, one channel, the picture's size."""

    dtype: str
    data: bytes | Samples


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return a copy without the variables that GIMP sets for itself."""
    return {name: value for name, value in environment.items() if name not in FOREIGN_VARIABLES}


def read_core_file(folder: Path) -> dict[str, Any]:
    """Return what `gazeshift install gimp` wrote beside the plug-in.

    Raises
    ------
    BridgeProblem
        If the file is missing or damaged; the sentence says how to get it.
    """
    path = folder / CORE_FILE
    try:
        core = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BridgeProblem(
            f"The plug-in does not know where GazeShift is: {path} is missing. {INSTALL_HINT}",
            "core-missing",
        ) from None
    except (OSError, ValueError) as error:
        raise BridgeProblem(
            f"{path} cannot be read ({error}). Run `gazeshift install gimp` again.", "core-damaged"
        ) from error
    if not isinstance(core, dict) or core.get("format") != CORE_FORMAT:
        raise BridgeProblem(
            f"{path} comes from another version of GazeShift. Run `gazeshift install gimp` again.",
            "core-damaged",
        )
    return core


def connect(folder: Path) -> Bridge:
    """Return a bridge that answers, starting the core if none is running.

    Parameters
    ----------
    folder
        Where the plug-in and its `core.json` lie.

    Raises
    ------
    BridgeProblem
        If the core is missing, does not start, or speaks another protocol.
    """
    core = read_core_file(folder)
    return _running(core) or _started(core)


def _running(core: Mapping[str, Any]) -> Bridge | None:
    runtime = _read_json(core.get("runtime_file"))
    token = core.get("token") or _read_text(core.get("token_file"))
    if token is None:
        return None
    ports = core.get("ports", []) if core.get("token") else []
    if runtime is not None and runtime.get("version") == core.get("version"):
        ports = [runtime.get("port")]
    for port in ports:
        try:
            connection, identity = _open(port, token, FIND_TIMEOUT_S)
        except (OSError, TypeError, http.client.HTTPException, BridgeProblem):
            continue
        connection.close()
        _check_protocol(identity)
        return Bridge(port, token)
    return None


def _started(core: Mapping[str, Any]) -> Bridge:
    command = [*core.get("command", []), "bridge", "--ensure"]
    environment = clean_environment(os.environ)
    if core.get("state_dir"):
        environment["GAZESHIFT_STATE_DIR"] = core["state_dir"]
    try:
        done = subprocess.run(  # noqa: S603 - the installer wrote this command for this user
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=START_TIMEOUT_S,
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, IndexError) as error:
        name = command[0] if len(command) > 2 else "its program"
        raise BridgeProblem(
            f"GazeShift cannot be started: {name} ({error}). {INSTALL_HINT}", "core-missing"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise BridgeProblem(
            f"GazeShift did not start within {START_TIMEOUT_S:.0f} seconds. "
            "Run `gazeshift doctor` in a terminal.",
            "core-slow",
        ) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace")
        raise BridgeProblem(
            f"GazeShift did not start. {_complaint(said, done.returncode)} "
            "`gazeshift doctor` in a terminal tells more.",
            "core-failed",
        )
    try:
        told = json.loads(done.stdout.decode("utf-8").strip().splitlines()[-1])
        port, token_file = int(told["port"]), told["token_file"]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise BridgeProblem(
            "GazeShift's answer was not understood. Run `gazeshift install gimp` again.",
            "core-damaged",
        ) from error
    _check_protocol(told)
    token = core.get("token") or _read_text(token_file)
    if token is None:
        raise BridgeProblem(
            f"GazeShift's token file {token_file} cannot be read. Run `gazeshift doctor`.", "token"
        )
    return Bridge(port, token)


def _check_protocol(identity: Mapping[str, Any]) -> None:
    theirs = identity.get("protocol")
    if theirs == PROTOCOL:
        return
    side = (
        "Update the plug-in: run `gazeshift install gimp`."
        if isinstance(theirs, int) and theirs > PROTOCOL
        else "Update GazeShift, or end the old one that is still running."
    )
    raise BridgeProblem(
        f"This plug-in speaks protocol {PROTOCOL}, but GazeShift speaks {theirs}. {side}",
        "protocol",
    )


def _complaint(said: str, status: int) -> str:
    """Return the error and the hint that the core has printed, or its last words."""
    lines = said.strip().splitlines()
    told = [
        line.removeprefix(mark)
        for mark in ("Error: ", "Hint: ")
        for line in lines
        if line.startswith(mark)
    ]
    return " ".join(told) or (lines[-1] if lines else f"It ended with code {status}.")


def _open(
    port: int, token: str, timeout_s: float
) -> tuple[http.client.HTTPConnection, dict[str, Any]]:
    """Connect to the bridge, and have it prove that it knows the token.

    Raises
    ------
    BridgeProblem
        If something else listens there.
    OSError, HTTPException
        If nothing answers.
    """
    challenge = secrets.token_hex(32)
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_s)
    try:
        connection.connect()
        # Only this connection is proven; it must not be replaced by another one silently.
        connection.auto_open = 0
        connection.request("GET", "/v1/identity", headers={"GazeShift-Challenge": challenge})
        answer = connection.getresponse()
        identity = _parsed(answer.read(LONGEST_IDENTITY))
        text = f"gazeshift-identity {port} {challenge}"
        expected = hmac.new(token.encode(), text.encode(), hashlib.sha256).hexdigest()
        given = answer.getheader("GazeShift-Proof", "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
            raise BridgeProblem(
                f"Another program listens on port {port} in GazeShift's place, so nothing was "
                "sent to it. Try again; if it happens again, run `gazeshift doctor`.",
                "proof",
            )
    except BaseException:
        connection.close()
        raise
    return connection, identity


def _read_text(path: str | None) -> str | None:
    try:
        return Path(path).read_text("utf-8").strip() if path else None
    except OSError:
        return None


def _read_json(path: str | None) -> dict[str, Any] | None:
    try:
        data = json.loads(_read_text(path) or "null")
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


class Bridge:
    """A running core; every method is one request.

    All of them raise `BridgeProblem` when the core refuses, disappears or talks nonsense.

    Parameters
    ----------
    port
        Port on 127.0.0.1.
    token
        This installation's secret.
    """

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self._token = token

    def operators(self) -> dict[str, Any]:
        """Return the operators' specifications, the styles, and the model or its problem."""
        return _parsed(self._call("GET", "operators", None, []))

    def predict(
        self,
        picture: Picture,
        mask: Mask,
        icc_profile: bytes = b"",
        styles: Sequence[int] = (0,),
    ) -> dict[str, Any]:
        """Return both directions' edits and the shares of attention, once for each style."""
        header = {
            "image": picture.layout(),
            "mask": {"dtype": mask.dtype},
            "icc_bytes": len(icc_profile),
            "styles": list(styles),
        }
        return _parsed(self._binary("predict", header, [picture.data, mask.data, icc_profile]))

    def attention(
        self, picture: Picture, mask: Mask | None = None, icc_profile: bytes = b""
    ) -> tuple[Picture, float | None]:
        """Return where people look (one channel, peak 255) and the share inside the mask."""
        header = {
            "image": picture.layout(),
            "mask": None if mask is None else {"dtype": mask.dtype},
            "icc_bytes": len(icc_profile),
            "dtype": "uint8",
        }
        sections = [picture.data, *([] if mask is None else [mask.data]), icc_profile]
        answer, raw = _split(self._binary("attention", header, sections))
        return Picture(answer["width"], answer["height"], 1, "uint8", raw), answer["share"]

    def render(
        self,
        picture: Picture,
        edit: Mapping[str, Any],
        strength: float,
        mask: Mask | None = None,
    ) -> list[Picture]:
        """Return the finished picture, or without a mask both regions' full pictures."""
        header = {
            "image": picture.layout(),
            "mask": None if mask is None else {"dtype": mask.dtype},
            "edit": edit,
            "strength": strength,
            "parts": ["foreground", "background"] if mask is None else ["result"],
        }
        sections = [picture.data, *([] if mask is None else [mask.data])]
        answer, raw = _split(self._binary("render", header, sections))
        layout = Picture(data=b"", **answer["image"])
        size = len(raw) // len(answer["parts"])
        return [
            layout._replace(data=raw[place * size : (place + 1) * size])
            for place in range(len(answer["parts"]))
        ]

    def recipes(
        self,
        edit: Mapping[str, Any],
        width: int,
        height: int,
        strengths: Sequence[float],
        is_grey: bool = False,
    ) -> list[dict[str, Any]]:
        """Return GIMP's filter settings, one recipe for each dial position from 0 to 1.5."""
        request = {
            "edit": edit,
            "width": width,
            "height": height,
            "strengths": list(strengths),
            "is_grey": is_grey,
        }
        body = json.dumps(request).encode()
        recipes: list[dict[str, Any]] = _parsed(
            self._call("POST", "recipe/gimp", "application/json", [body])
        )["recipes"]
        return recipes

    def _binary(
        self, route: str, header: Mapping[str, Any], sections: list[bytes | Samples]
    ) -> bytes:
        text = json.dumps(header).encode()
        pieces = [struct.pack("<I", len(text)) + text, *sections]
        return self._call("POST", route, "application/x-gazeshift", pieces)

    def _call(
        self, method: str, route: str, content_type: str | None, pieces: list[bytes | Samples]
    ) -> bytes:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "GazeShift-Protocol": str(PROTOCOL),
        }
        if content_type is not None:
            headers["Content-Type"] = content_type
            headers["Content-Length"] = str(sum(map(len, pieces)))
        connection = None
        try:
            connection, _ = _open(self.port, self._token, ANSWER_TIMEOUT_S)
            try:
                connection.request(
                    method, f"/v1/{route}", _flat(pieces) if pieces else None, headers
                )
            except (BrokenPipeError, ConnectionResetError):
                # A refusal can arrive while the pixels are still on their way.
                if connection.sock is None:
                    raise
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise BridgeProblem(
                "GazeShift stopped answering, so nothing was changed. Try again; "
                f"if it happens again, run `gazeshift doctor`. ({error or type(error).__name__})",
                "stopped",
            ) from error
        finally:
            if connection is not None:
                connection.close()
        if response.status != http.client.OK:
            raise _refusal(response.status, body)
        return body


def _flat(pieces: list[bytes | Samples]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        else:
            yield from piece


def _refusal(status: int, body: bytes) -> BridgeProblem:
    try:
        told = json.loads(body)
        message = f"{told['message']} {told.get('hint', '')}".strip()
        return BridgeProblem(message, str(told.get("code", "bridge")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return BridgeProblem(
            f"GazeShift refused with status {status}. Run `gazeshift doctor` in a terminal."
        )


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError as error:
        raise BridgeProblem("GazeShift's answer was damaged. Try again.", "damaged") from error
    if not isinstance(data, dict):
        raise BridgeProblem("GazeShift's answer was damaged. Try again.", "damaged")
    return data


def _split(body: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack_from("<I", body.ljust(4, b"\0"))
    return _parsed(body[4 : 4 + length]), body[4 + length :]
