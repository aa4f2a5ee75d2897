"""Files that the bridge keeps for its user: the token, the runtime file, the log, a lock."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from gazeshift.errors import BridgeError, ParamError
from gazeshift.schema import About, decode, encode

STATE_VARIABLE = "GAZESHIFT_STATE_DIR"
"""Environment variable that names another folder for these files."""

_TOKEN_LENGTH = 64
_LOCK_WAIT_S = 30.0
_LOCK_RETRY_S = 0.02
_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700


@dataclass(frozen=True)
class RuntimeFile:
    """Where a running bridge can be found."""

    port: Annotated[int, About("Port on 127.0.0.1.", 1, 65535)]
    pid: Annotated[int, About("Process id.", 1)]
    version: Annotated[str, About("Version of the product.")]
    protocol: Annotated[int, About("Protocol version.")]
    instance: Annotated[str, About("Random name of the process, as identity gives it.")]
    token_file: Annotated[str, About("Absolute path of the token file.")]


def state_folder() -> Path:
    """Return the folder, made private if it has to be made.

    Raises
    ------
    BridgeError
        If it cannot be made.
    """
    named = os.environ.get(STATE_VARIABLE)
    if named:
        folder = Path(named).absolute()
    else:
        import platformdirs

        folder = platformdirs.user_data_path("gazeshift", appauthor=False)
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise BridgeError(
            f"The folder {folder} cannot be made: {error.strerror}.",
            hint=f"Set {STATE_VARIABLE} to a folder that you may write.",
        ) from error
    return folder


def token_path() -> Path:
    """Return where the token lies."""
    return state_folder() / "token"


def runtime_path() -> Path:
    """Return where the runtime file lies."""
    return state_folder() / "bridge.json"


def log_path() -> Path:
    """Return where the log lies."""
    return state_folder() / "bridge.log"


def read_or_make_token() -> str:
    """Return this installation's token; make one where there is none or it is damaged.

    A token that other users could read is kept, but its file is made private again.

    Raises
    ------
    BridgeError
        If the file cannot be read or written.
    """
    path = token_path()
    try:
        token = _read_token(path)
        if token is None:
            with locked("token"):
                token = _read_token(path)
                if token is None:
                    token = secrets.token_hex(_TOKEN_LENGTH // 2)
                    write_private(path, token + "\n")
        if not is_private(path):
            path.chmod(_PRIVATE_FILE)
    except OSError as error:
        raise BridgeError(f"The token file {path} cannot be used: {error.strerror}.") from error
    return token


def read_token() -> str | None:
    """Return this installation's token; None if there is none yet, or it cannot be read."""
    try:
        return _read_token(token_path())
    except OSError:
        return None


def is_private(path: Path) -> bool:
    """Tell whether only its owner may use a file; on Windows the user's folder sees to that."""
    return os.name != "posix" or not path.stat().st_mode & 0o077


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, beside it first, then renamed."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


def write_runtime(runtime: RuntimeFile) -> None:
    """Write the runtime file."""
    write_private(runtime_path(), json.dumps(encode(runtime)) + "\n")


def read_runtime() -> RuntimeFile | None:
    """Return what the runtime file says; None if there is none or it is damaged."""
    try:
        return decode(RuntimeFile, json.loads(runtime_path().read_text("utf-8")), "runtime file")
    except (OSError, ValueError, RecursionError, ParamError):
        return None


def remove_runtime(instance: str) -> None:
    """Remove the runtime file if it still names this process."""
    runtime = read_runtime()
    if runtime is not None and runtime.instance == instance:
        runtime_path().unlink(missing_ok=True)


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock that processes of this user share; it ends with the process.

    Parameters
    ----------
    name
        What is locked; becomes part of the file's name.

    Raises
    ------
    BridgeError
        If another process holds it for half a minute.
    """
    path = state_folder() / f"{name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE_FILE)
    try:
        deadline_s = time.monotonic() + _LOCK_WAIT_S
        while not _try_lock(descriptor):
            if time.monotonic() > deadline_s:
                raise BridgeError(
                    "Another GazeShift process has been starting for half a minute.",
                    hint=f"End it, or delete {path}.",
                )
            time.sleep(_LOCK_RETRY_S)
        yield
    finally:
        os.close(descriptor)


def _read_token(path: Path) -> str | None:
    try:
        token = path.read_text("ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    is_whole = len(token) == _TOKEN_LENGTH and all(c in "0123456789abcdef" for c in token)
    return token if is_whole else None


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
