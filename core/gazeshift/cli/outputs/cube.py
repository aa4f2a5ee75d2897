"""The edit's point operators as two `.cube` tables."""

from __future__ import annotations

from pathlib import Path

from gazeshift.cli.outputs.kinds import Result, SideOutput


def check(path: Path, force: bool) -> None:
    """Refuse a folder that cannot be made, or files in it that must not be replaced."""
    from gazeshift.errors import OutputError
    from gazeshift.files import check_target
    from gazeshift.recipes.cube import FILES

    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is not a folder.", hint="--cube names a folder.")
    if not path.is_dir():
        if not path.parent.is_dir():
            raise OutputError(
                f"The folder {path.parent} does not exist.",
                hint="Create it or choose another one.",
            )
        return
    for name in FILES:
        check_target(path / name, force=force)


def write(path: Path, result: Result, force: bool) -> None:
    """Write both tables."""
    from gazeshift.files import write_file
    from gazeshift.recipes.cube import cube_tables

    path.mkdir(exist_ok=True)
    for name, text in cube_tables(result.edit).items():
        write_file(path / name, text.encode(), force=force)


SIDE = SideOutput(
    name="cube",
    help="Write foreground.cube and background.cube: the edit without its sharpening, as look-up "
    "tables for other programs.",
    commands=("redirect", "render"),
    suffix="",
    check=check,
    write=write,
    is_folder=True,
)
