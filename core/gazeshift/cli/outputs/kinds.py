"""What a finished photo offers to those who write it, and how they announce themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from gazeshift.attention import AttentionModel
    from gazeshift.edit import Edit
    from gazeshift.photo import Photo
    from gazeshift.proxy import Proxy


@dataclass(frozen=True)
class Result:
    """One photo after its edit, with everything a writer may need."""

    photo: Photo
    """What was read."""
    mask: NDArray[np.float32]
    """Shape (H, W), 0-1; 1 is selected."""
    edit: Edit
    """At the strength that was used, with the shares where they were measured."""
    pixels: NDArray[Any]
    """Shape (H, W, 3), the edited pixels, type of `photo.pixels`."""
    proxy: Proxy | None = None
    """The small copy that the networks saw; None where no network ran."""
    attention: AttentionModel | None = None
    """The network that measured the shares; None where no network ran."""
    bands: Iterable[NDArray[Any]] | None = None
    """The edited rows, with transparency, of a photo too large for memory; then the values of
    `photo`, `mask` and `pixels` are not used."""
    progress: Callable[[float], None] | None = None
    """Called with the encoded part of such a photo, 0-1."""


@dataclass(frozen=True)
class Writer:
    """A kind of file that `-o` can name. A module in this package calls its own `WRITER`."""

    suffixes: tuple[str, ...]
    """Endings in lower case, with their dot."""
    check: Callable[[Path, Photo, bool], None]
    """Called with the output, the photo and --force before the work starts; raises
    OutputError."""
    write: Callable[[Path, Result, bool], None]
    """Called with the output, the result and --force."""
    takes_bands: bool = False
    """Whether it can write photos too large for memory."""


@dataclass(frozen=True)
class SideOutput:
    """An option that writes something beside the picture. A module here calls its own `SIDE`."""

    name: str
    """Option name without dashes, such as `edit-out`."""
    help: str
    """One sentence for the help page."""
    commands: tuple[str, ...]
    """Commands that take the option."""
    suffix: str
    """Ending of the files when several photos are edited and the option names a folder."""
    check: Callable[[Path, bool], None]
    """Called with the file (or folder) and --force before the work starts; raises
    OutputError."""
    write: Callable[[Path, Result, bool], None]
    """Called with the file (or folder), the result and --force."""
    needs_pixels: bool = False
    """Whether the whole photo must be in memory."""
    is_folder: bool = False
    """Whether one photo already makes a folder of files."""
