"""`core.json`: the file beside a plug-in that tells it where this GazeShift is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gazeshift import __version__
from gazeshift.bridge.messages import PROTOCOL
from gazeshift.bridge.ports import DEFAULT_PORTS
from gazeshift.bridge.starting import own_command
from gazeshift.bridge.state import (
    read_or_make_token,
    runtime_path,
    state_folder,
    token_path,
    write_private,
)

NAME = "core.json"
FORMAT = "gazeshift-core/1"


def core_description(*, with_token: bool) -> dict[str, Any]:
    """Return the file's content.

    Parameters
    ----------
    with_token
        Whether to put the token itself in, for a plug-in that may be unable to read its file.
    """
    token = read_or_make_token()
    return {
        "format": FORMAT,
        "command": own_command(),
        "version": __version__,
        "protocol": PROTOCOL,
        "state_dir": str(state_folder()),
        "token_file": str(token_path()),
        "runtime_file": str(runtime_path()),
        "ports": list(DEFAULT_PORTS),
        "token": token if with_token else None,
    }


def write_core_file(folder: Path, *, with_token: bool) -> None:
    """Write the file, private to its owner."""
    text = json.dumps(core_description(with_token=with_token), indent=1)
    write_private(folder / NAME, text + "\n")


def read_core_file(folder: Path) -> dict[str, Any] | None:
    """Return the file's content; None if there is none or it is not ours."""
    try:
        data = json.loads((folder / NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and data.get("format") == FORMAT else None
