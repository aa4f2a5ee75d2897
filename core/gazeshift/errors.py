"""The error tree: every failure a user can meet, with a stable code and a way out.

::

    GazeShiftError
    ├── ParamError          a number, name or option is out of its range
    │   └── EditError       an edit file cannot be used
    ├── ImageError          a photo or mask cannot be used
    │   ├── UnsupportedFormat
    │   ├── MaskError
    │   └── OutputError     the result cannot be written where asked
    ├── ModelError          a network file is missing, broken or too new
    ├── BridgeError         the local service cannot be started or reached
    └── HostError           an editor (GIMP, Photoshop) cannot be set up

Command-line exit codes: 0 success, 1 some files failed, 2 usage, 3 unreadable input,
4 model problem, 130 interrupted.
"""

from __future__ import annotations

EXIT_SOME_FAILED = 1
EXIT_USAGE = 2
EXIT_UNREADABLE = 3
EXIT_MODEL = 4
EXIT_INTERRUPTED = 130


class GazeShiftError(Exception):
    """A failure with one clear sentence and, where there is one, a way out.

    Parameters
    ----------
    message
        What happened, in one sentence that names the file or value.
    hint
        What the user can do about it; may be empty.
    """

    code = "error"
    exit_code = EXIT_SOME_FAILED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ParamError(GazeShiftError):
    """A number, name or option is out of its range."""

    code = "parameter"
    exit_code = EXIT_USAGE


class EditError(ParamError):
    """An edit file is not an edit, is damaged, or comes from a later version."""

    code = "edit"


class ImageError(GazeShiftError):
    """A photo cannot be read or used."""

    code = "image"
    exit_code = EXIT_UNREADABLE


class UnsupportedFormat(ImageError):
    """The file is a kind of picture that GazeShift does not edit."""

    code = "unsupported-format"


class MaskError(ImageError):
    """The mask cannot be used with this photo."""

    code = "mask"


class OutputError(ImageError):
    """The result cannot be written where it was asked for."""

    code = "output"
    exit_code = EXIT_USAGE


class ModelError(GazeShiftError):
    """A network file is missing, broken, or made for another version."""

    code = "model"
    exit_code = EXIT_MODEL


class BridgeError(GazeShiftError):
    """The local service cannot be started, reached or understood."""

    code = "bridge"


class HostError(GazeShiftError):
    """An editor cannot be found or set up."""

    code = "host"
