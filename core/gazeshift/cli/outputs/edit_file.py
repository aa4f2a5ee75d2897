"""The edit as a file that can be opened again."""

from __future__ import annotations

from pathlib import Path

from gazeshift.cli.outputs.kinds import Result, SideOutput


def check(path: Path, force: bool) -> None:
    """Refuse a target that cannot or must not be written."""
    from gazeshift.files import check_target

    check_target(path, force=force)


def write(path: Path, result: Result, force: bool) -> None:
    """Write the edit file."""
    from gazeshift.files import write_file

    write_file(path, result.edit.dumps().encode(), force=force)


SIDE = SideOutput(
    name="edit-out",
    help="Save the edit as JSON, for `gazeshift render`, GIMP or Photoshop.",
    commands=("redirect",),
    suffix=".json",
    check=check,
    write=write,
)
