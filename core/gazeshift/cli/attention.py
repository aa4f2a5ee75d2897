"""`gazeshift attention`: where viewers look, and how much of it falls on a mask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazeshift.cli.shared import options
from gazeshift.cli.shared.group import ExampleCommand

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@click.command(
    cls=ExampleCommand,
    example="""
    gazeshift attention photo.jpg -o heatmap.png
    gazeshift attention photo.jpg --mask rect:30%,20%,25%,40%
    """,
)
@options.photos
@options.mask
@options.masks
@options.output("Picture of the attention map (.png, .jpg, .webp).")
@options.attention_model
@options.provider
@options.as_json
@options.force
def command(
    photos: tuple[str, ...],
    mask: str | None,
    masks: Path | None,
    output: str | None,
    output_dir: Path | None,
    attention_model: Path | None,
    provider: str,
    as_json: bool,
    force: bool,
) -> int:
    """Predict where viewers look in photos.

    With a mask, prints the part of the viewers' attention that falls on it.
    """
    from gazeshift.cli.shared import session
    from gazeshift.cli.shared.jobs import Job, expand_photos, plan_jobs

    if output == "-":
        raise click.UsageError("The heat map goes to a file: -o HEATMAP.png.")
    jobs = plan_jobs(
        expand_photos(photos),
        output=output,
        output_dir=output_dir,
        mask=mask,
        masks=masks,
        needs_output=False,
        suffix="-attention.png",
        inputs=[attention_model] if attention_model is not None else [],
    )

    from gazeshift.attention import AttentionModel, attention_share
    from gazeshift.compare import draw_heatmap
    from gazeshift.files import check_picture_target, write_picture
    from gazeshift.mask import read_mask
    from gazeshift.proxy import make_proxy

    model = AttentionModel(attention_model, provider=provider)
    reporter = session.Reporter(as_json=as_json)

    def work(job: Job) -> session.Answer:
        target = None if job.output is None else Path(job.output)
        if target is not None:
            check_picture_target(target, force=force)
        photo = session.load_photo(job)
        height, width = photo.pixels.shape[:2]
        source = job.mask_source()
        selection = None if source is None else read_mask(source, height=height, width=width)
        proxy = make_proxy(photo.pixels, selection, icc_profile=photo.icc_profile)
        attention = model.map(proxy.rgb)
        share = None if proxy.mask is None else attention_share(attention, proxy.mask)
        if target is not None:
            picture = draw_heatmap(
                photo.pixels,
                attention,
                mask=selection,
                share=share,
                icc_profile=photo.icc_profile,
            )
            write_picture(target, picture, force=force)
        warnings = [*photo.warnings, *proxy.warnings]
        reporter.warn(model.warnings)
        reporter.warn(warnings, subject=job.name)
        data: dict[str, Any] = {
            "photo": job.photo,
            "output": job.output,
            "share": share,
            "peak": find_peak(attention, height=height, width=width),
            "warnings": [*model.warnings, *warnings],
        }
        return data, _describe(job, data)

    def _describe(job: Job, data: dict[str, Any]) -> str:
        x, y = data["peak"]
        lines = [job.arrow]
        if data["share"] is not None:
            lines.append(f"  attention on the mask: {session.percent(data['share'])}")
        lines.append(f"  viewers look most at x {x}, y {y}")
        return "\n".join(lines)

    return reporter.run(jobs, work)


def find_peak(attention: NDArray[np.float32], *, height: int, width: int) -> tuple[int, int]:
    """Return the photo's pixel (x, y) in the middle of the map's brightest cell.

    Parameters
    ----------
    attention
        Shape (h', w').
    height, width
        Size of the photo in pixels.
    """
    row, column = divmod(int(attention.argmax()), attention.shape[1])
    x = int((column + 0.5) * width / attention.shape[1])
    y = int((row + 0.5) * height / attention.shape[0])
    return x, y
