# -*- coding: utf-8 -*-
"""The way from GIMP 2.10's Python 2.7 to the GazeShift core. Standard library only.

The same protocol as the plug-in for GIMP 3: `core.json` beside this file tells where the core
is, `gazeshift bridge --ensure` starts it, and everything is computed there. The token is sent only
on connections whose other end has proven that it knows the token.
"""

import binascii
import hashlib
import hmac
import httplib
import io
import json
import os
import socket
import struct
import subprocess

PROTOCOL = 1
CORE_FILE = "core.json"
CORE_FORMAT = "gazeshift-core/1"
FIND_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 300.0
FOREIGN_VARIABLES = (
    "PYTHONPATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "DYLD_LIBRARY_PATH",
    "GI_TYPELIB_PATH",
)
INSTALL_HINT = "Install GazeShift, then run 'gazeshift install gimp' in a terminal."


class BridgeProblem(Exception):
    """The core is missing or has refused; the text is one sentence for the user."""

    def __init__(self, message):
        # GIMP and Python 2.7 want encoded text; JSON gives unicode.
        text = message if isinstance(message, str) else message.encode("utf-8")
        super(BridgeProblem, self).__init__(text)


def connect(folder):
    """Return a bridge that answers, starting the core if none is running."""
    core = _read_core_file(folder)
    return _running(core) or _started(core)


class Bridge(object):
    """A running core; every method is one request."""

    def __init__(self, port, token):
        self._port = port
        self._token = token

    def predict(self, layout, pixels, mask, icc_profile, style):
        """Return both directions' edits for 8-bit pixels and an 8-bit mask."""
        header = {
            "image": layout,
            "mask": {"dtype": "uint8"},
            "icc_bytes": len(icc_profile),
            "styles": [style],
        }
        return _parsed(self._call("predict", header, [pixels, mask, icc_profile]))

    def render(self, layout, pixels, edit, strength):
        """Return the pixels of both regions' full pictures, foreground first."""
        header = {
            "image": layout,
            "mask": None,
            "edit": edit,
            "strength": strength,
            "parts": ["foreground", "background"],
        }
        body = self._call("render", header, [pixels])
        (length,) = struct.unpack_from("<I", body)
        raw = body[4 + length :]
        if len(raw) != 2 * len(pixels):
            raise BridgeProblem("GazeShift's answer was damaged. Try again.")
        return raw[: len(pixels)], raw[len(pixels) :]

    def _call(self, route, header, sections):
        text = json.dumps(header)
        body = b"".join([struct.pack("<I", len(text)), text] + list(sections))
        headers = {
            "Authorization": "Bearer " + str(self._token),
            "GazeShift-Protocol": str(PROTOCOL),
            "Content-Type": "application/x-gazeshift",
        }
        connection = None
        try:
            connection, _ = _open(self._port, self._token, ANSWER_TIMEOUT_S)
            connection.request("POST", "/v1/" + route, body, headers)
            answer = connection.getresponse()
            told = answer.read()
        except (socket.error, IOError, ValueError, httplib.HTTPException) as error:
            raise BridgeProblem(
                "GazeShift stopped answering, so nothing was changed. Try again; if it happens "
                "again, run 'gazeshift doctor' in a terminal. (%s)" % error
            )
        finally:
            if connection is not None:
                connection.close()
        if answer.status != httplib.OK:
            raise _refusal(answer.status, told)
        return told


def clean_environment(environment):
    """Return a copy without the variables that GIMP sets for itself."""
    return dict((name, environment[name]) for name in environment if name not in FOREIGN_VARIABLES)


def _read_core_file(folder):
    path = os.path.join(folder, CORE_FILE)
    core = _read_json(path)
    if core is None or core.get("format") != CORE_FORMAT:
        raise BridgeProblem(
            "The plug-in does not know where GazeShift is: %s is missing or damaged. %s"
            % (path, INSTALL_HINT)
        )
    return core


def _running(core):
    runtime = _read_json(core.get("runtime_file"))
    token = core.get("token") or _read_text(core.get("token_file"))
    if not token:
        return None
    ports = list(core.get("ports") or []) if core.get("token") else []
    if runtime is not None and runtime.get("version") == core.get("version"):
        ports = [runtime.get("port")]
    for port in ports:
        try:
            connection, identity = _open(port, token, FIND_TIMEOUT_S)
        except (socket.error, IOError, ValueError, httplib.HTTPException, BridgeProblem):
            continue
        connection.close()
        _check_protocol(identity)
        return Bridge(port, token)
    return None


def _started(core):
    environment = clean_environment(os.environ)
    if core.get("state_dir"):
        environment["GAZESHIFT_STATE_DIR"] = str(core["state_dir"])
    command = [part.encode("utf-8") for part in core.get("command") or []]
    if not command:
        raise BridgeProblem("core.json names no program. " + INSTALL_HINT)
    try:
        process = subprocess.Popen(
            command + ["bridge", "--ensure"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        printed, complained = process.communicate(b"")
    except EnvironmentError as error:
        raise BridgeProblem(
            "GazeShift cannot be started: %s (%s). %s" % (command[0], error, INSTALL_HINT)
        )
    if process.returncode:
        raise BridgeProblem(
            "GazeShift did not start. %s 'gazeshift doctor' in a terminal tells more."
            % _complaint(complained.decode("utf-8", "replace"), process.returncode)
        )
    told = _parsed(printed.decode("utf-8", "replace").strip().split("\n")[-1])
    _check_protocol(told)
    token = core.get("token") or _read_text(told.get("token_file"))
    if not token:
        raise BridgeProblem("GazeShift's token file cannot be read. Run 'gazeshift doctor'.")
    return Bridge(told.get("port"), token)


def _check_protocol(identity):
    theirs = identity.get("protocol")
    if theirs != PROTOCOL:
        raise BridgeProblem(
            "This plug-in speaks protocol %s, but GazeShift speaks %s. Update both with "
            "'gazeshift install gimp'." % (PROTOCOL, theirs)
        )


def _complaint(said, status):
    """Return the error and the hint that the core has printed, or its last words."""
    lines = said.strip().splitlines()
    told = [
        line[len(mark) :]
        for mark in ("Error: ", "Hint: ")
        for line in lines
        if line.startswith(mark)
    ]
    return " ".join(told) or (lines[-1] if lines else "It ended with code %s." % status)


def _open(port, token, timeout_s):
    """Connect to the bridge, and have it prove that it knows the token."""
    challenge = str(binascii.hexlify(os.urandom(32)).decode("ascii"))
    connection = httplib.HTTPConnection("127.0.0.1", int(port), timeout=timeout_s)
    try:
        connection.connect()
        # Only this connection is proven; it must not be replaced by another one silently.
        connection.auto_open = 0
        connection.request("GET", "/v1/identity", None, {"GazeShift-Challenge": challenge})
        answer = connection.getresponse()
        identity = _parsed(answer.read())
        text = "gazeshift-identity %d %s" % (port, challenge)
        expected = hmac.new(str(token).encode("ascii"), text.encode("ascii"), hashlib.sha256)
        if answer.getheader("GazeShift-Proof", "") != expected.hexdigest():
            raise BridgeProblem(
                "Another program listens on port %d in GazeShift's place, so nothing was sent to "
                "it. Try again; if it happens again, run 'gazeshift doctor'." % port
            )
    except BaseException:
        connection.close()
        raise
    return connection, identity


def _refusal(status, body):
    try:
        told = json.loads(body)
        return BridgeProblem(("%s %s" % (told["message"], told.get("hint", ""))).strip())
    except (ValueError, KeyError, TypeError):
        return BridgeProblem("GazeShift refused with status %s. Run 'gazeshift doctor'." % status)


def _parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        raise BridgeProblem("GazeShift's answer was damaged. Try again.")


def _read_text(path):
    try:
        with io.open(path, encoding="utf-8") as text:
            return text.read().strip()
    except (IOError, TypeError):
        return None


def _read_json(path):
    try:
        data = json.loads(_read_text(path) or "null")
    except ValueError:
        return None
    return data if isinstance(data, dict) else None
