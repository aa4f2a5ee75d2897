"""GazeShift: photo edits that move a viewer's attention to a selection, or away from it."""

from __future__ import annotations

__version__ = "0.1.0"
