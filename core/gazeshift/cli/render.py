"""`gazeshift render`: apply a saved edit, without any network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gazeshift.cli.shared import options
from gazeshift.cli.shared.group import ExampleCommand


@click.command(
    cls=ExampleCommand,
    example="gazeshift render photo.jpg --mask mask.png --edit edit.json -o out.jpg",
)
@options.photos
@options.mask
@options.masks
@click.option(
    "--edit",
    "edit_path",
    type=options.FILE,
    metavar="EDIT.json",
    required=True,
    help="The edit, from `gazeshift redirect --edit-out`, GIMP or Photoshop.",
)
@options.output("The edited photo; - for standard output. The ending names the format.")
@click.option(
    "--strength",
    type=float,
    default=None,
    help="0 to 1.5; 0 changes nothing, 1 is the edit as predicted. Default: what the edit says.",
)
@options.side_outputs("render")
@options.as_json
@options.force
def command(
    photos: tuple[str, ...],
    mask: str | None,
    masks: Path | None,
    edit_path: Path,
    output: str | None,
    output_dir: Path | None,
    strength: float | None,
    as_json: bool,
    force: bool,
    **further: Any,
) -> int:
    """Apply a saved edit to photos."""
    from gazeshift.cli.outputs.kinds import Result
    from gazeshift.cli.shared import session
    from gazeshift.cli.shared.jobs import Job, expand_photos, plan_jobs

    if mask is None and masks is None:
        raise click.UsageError("Say where the selection is: --mask MASK, or --masks DIR.")
    session.check_streams(output, as_json=as_json)
    jobs = plan_jobs(
        expand_photos(photos),
        output=output,
        output_dir=output_dir,
        mask=mask,
        masks=masks,
        sides=session.given_sides(further, "render"),
        inputs=[edit_path],
    )

    from gazeshift.cli.shared.large import LargePhoto
    from gazeshift.mask import read_mask
    from gazeshift.photo.streams import PhotoStream
    from gazeshift.render import render

    edit = _read_edit(edit_path)
    if strength is not None:
        edit = edit.with_strength(strength)
    reporter = session.Reporter(as_json=as_json, results_to_stderr=output == "-")

    def work(job: Job) -> session.Answer:
        loaded = session.load_photo_or_stream(job)
        photo = loaded.photo if isinstance(loaded, PhotoStream) else loaded
        session.check_outputs(job, photo, force=force)
        mask_source = str(job.mask_source())
        if isinstance(loaded, PhotoStream):
            large = LargePhoto(loaded, mask_source)
            with reporter.progress(job.name) as show:
                written = session.write_outputs(job, large.result(edit, show), force=force)
        else:
            height, width = photo.pixels.shape[:2]
            selection = read_mask(mask_source, height=height, width=width)
            pixels = render(photo.pixels, selection, edit)
            result = Result(photo, selection, edit, pixels)
            written = session.write_outputs(job, result, force=force)
        reporter.warn(photo.warnings, subject=job.name)
        data = {
            "photo": job.photo,
            "output": job.output,
            "strength": edit.signed_strength,
            "direction": edit.direction,
            "edit": edit.to_json(),
            **written,
            "warnings": [*photo.warnings],
        }
        return data, job.arrow

    return reporter.run(jobs, work)


def _read_edit(path: Path) -> Any:
    from gazeshift.edit import Edit
    from gazeshift.errors import EditError

    try:
        content = path.read_bytes()
    except OSError as error:
        raise EditError(
            f"The edit {path} cannot be read: {error.strerror or error}.",
            hint="Check the name and the folder.",
        ) from error
    return Edit.loads(content)
