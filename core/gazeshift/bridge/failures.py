"""Refusals of the bridge, with their HTTP status, and the status of every other error."""

from __future__ import annotations

from gazeshift.errors import (
    BridgeError,
    GazeShiftError,
    ImageError,
    ModelError,
    ParamError,
)


class RequestError(BridgeError):
    """A request that is not answered.

    Parameters
    ----------
    message
        One sentence.
    hint
        What to do about it; may be empty.
    code
        Stable name of the kind of refusal.
    status
        HTTP status.
    """

    code = "request"

    def __init__(
        self, message: str, *, hint: str = "", code: str = "request", status: int = 400
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.status = status


def status_of(error: GazeShiftError) -> int:
    """Return the HTTP status that tells whose mistake an error is."""
    if isinstance(error, RequestError):
        return error.status
    if isinstance(error, ModelError):
        return 503
    return 400 if isinstance(error, (ParamError, ImageError)) else 500
