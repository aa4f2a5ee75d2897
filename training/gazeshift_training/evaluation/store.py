"""Measured rows on disk, one file per method and direction, so that a rerun resumes."""

from __future__ import annotations

import json
import math
import os
import threading
from pathlib import Path
from typing import NamedTuple

from gazeshift.edit import Direction
from gazeshift.errors import ParamError
from gazeshift_training.baselines.method import Method
from gazeshift_training.evaluation.measure import Row


class Key(NamedTuple):
    """What one measured row belongs to."""

    pair: str
    """Name of the pair."""
    strength: float
    """Dial position."""


class ResultStore:
    """Rows of one method and direction.

    Parameters
    ----------
    path
        JSON lines: a header, then one row each. Rows that were made under another fingerprint
        (another model, judge or version) are dropped.
    fingerprint
        Says what the rows depend on.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._header = json.dumps({"fingerprint": fingerprint}) + "\n"
        kept_under, rows = read_rows(path) if path.exists() else ("", {})
        self.rows: dict[Key, Row] = rows if kept_under == fingerprint else {}
        # Written anew, so that a line cut short by a kill does not stay in the middle.
        partial = path.with_name(path.name + ".partial")
        with partial.open("w", encoding="utf-8") as stream:
            stream.write(self._header)
            for key, row in self.rows.items():
                stream.write(_to_line(key, row))
        partial.replace(path)

    def add(self, key: Key, row: Row) -> None:
        """Keep a row, on disk at once.

        Raises
        ------
        ParamError
            If another run has begun the file anew, for another model or judge.
        """
        with self._lock:
            self.rows[key] = row
            with self._path.open("r+", encoding="utf-8") as stream:
                if stream.readline() != self._header:
                    raise ParamError(
                        f"Another evaluation writes to {self._path.name}.",
                        hint="Let one finish before the next, or give them folders of their own.",
                    )
                stream.seek(0, os.SEEK_END)
                stream.write(_to_line(key, row))

    def has(self, key: Key, measure: str) -> bool:
        """Say whether a row is there and holds a measure."""
        return measure in self.rows.get(key, {})


def read_rows(path: Path) -> tuple[str, dict[Key, Row]]:
    """Read a file of rows.

    Parameters
    ----------
    path
        Written by `ResultStore`.

    Returns
    -------
    tuple
        The fingerprint (empty if there is none), and the rows.
    """
    fingerprint = ""
    rows: dict[Key, Row] = {}
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            try:
                entry = json.loads(line)
            except ValueError:
                # A kill can cut the last line short; its row is measured again.
                break
            if "fingerprint" in entry:
                fingerprint = entry["fingerprint"]
                continue
            rows[Key(entry["pair"], float(entry["strength"]))] = {
                name: math.nan if value is None else float(value)
                for name, value in entry["measures"].items()
            }
    return fingerprint, rows


def _to_line(key: Key, row: Row) -> str:
    measures = {name: value if math.isfinite(value) else None for name, value in row.items()}
    return json.dumps({**key._asdict(), "measures": measures}, allow_nan=False) + "\n"


def store_path(folder: Path, method: Method, direction: Direction) -> Path:
    """Name the file of a method and direction."""
    return folder / f"{method.id}.{direction}.jsonl"
