# -*- coding: utf-8 -*-
"""The way from GIMP 2.10's Python 2.7 to the GazeShift core. Standard library only.

The same protocol as the plug-in for GIMP 3: `core.json` beside this file tells where the core
is, `gazeshift bridge --ensure` starts it, and everything is computed there.
"""

import io
import json
import os
import socket
import struct
import subprocess
import urllib2

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
        # Never through a proxy, whatever the environment says.
        self._opener = urllib2.build_opener(urllib2.ProxyHandler({}))

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
        request = urllib2.Request(
            "http://127.0.0.1:%d/v1/%s" % (self._port, route),
            body,
            {
                "Authorization": "Bearer " + str(self._token),
                "GazeShift-Protocol": str(PROTOCOL),
                "Content-Type": "application/x-gazeshift",
            },
        )
        try:
            return self._opener.open(request, timeout=ANSWER_TIMEOUT_S).read()
        except urllib2.HTTPError as error:
            raise _refusal(error.code, error.read())
        except (urllib2.URLError, socket.error, IOError, ValueError) as error:
            raise BridgeProblem(
                "GazeShift stopped answering, so nothing was changed. Try again; if it happens "
                "again, run 'gazeshift doctor' in a terminal. (%s)" % error
            )


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
        identity = _identity(port)
        if identity is None:
            continue
        if runtime is None or identity.get("instance") == runtime.get("instance"):
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
        lines = complained.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise BridgeProblem(
            "GazeShift did not start: %s Run 'gazeshift doctor' in a terminal." % lines[-1]
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


def _identity(port):
    opener = urllib2.build_opener(urllib2.ProxyHandler({}))
    try:
        answer = opener.open("http://127.0.0.1:%d/v1/identity" % port, timeout=FIND_TIMEOUT_S)
        identity = json.loads(answer.read())
    except (IOError, socket.error, ValueError, TypeError):
        return None
    return identity if identity.get("name") == "gazeshift" else None


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
