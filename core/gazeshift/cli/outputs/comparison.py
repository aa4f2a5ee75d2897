"""One picture that shows before, after and both attention maps."""

from __future__ import annotations

from pathlib import Path

from gazeshift.cli.outputs.kinds import Result, SideOutput


def check(path: Path, force: bool) -> None:
    """Refuse a target that cannot or must not be written."""
    from gazeshift.files import check_picture_target

    check_picture_target(path, force=force)


def write(path: Path, result: Result, force: bool) -> None:
    """Draw and write the comparison."""
    from gazeshift.compare import draw_comparison
    from gazeshift.files import write_picture
    from gazeshift.predict import render_proxy

    assert result.proxy is not None and result.attention is not None  # noqa: S101, PT018 - typing
    picture = draw_comparison(
        result.photo.pixels,
        result.pixels,
        result.mask,
        (
            result.attention.map(result.proxy.rgb),
            result.attention.map(render_proxy(result.proxy, result.edit)),
        ),
        edit=result.edit,
        icc_profile=result.photo.icc_profile,
    )
    write_picture(path, picture, force=force)


SIDE = SideOutput(
    name="compare",
    help="Write one picture (.png, .jpg, .webp): before, after, and both attention maps.",
    commands=("redirect",),
    suffix=".jpg",
    check=check,
    write=write,
    needs_pixels=True,
)
