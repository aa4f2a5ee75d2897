"""`gazeshift redirect`: predict an edit and apply it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazeshift.cli.shared import options
from gazeshift.cli.shared.group import ExampleCommand

if TYPE_CHECKING:
    from gazeshift.edit import Edit
    from gazeshift.photo import Photo


@click.command(
    cls=ExampleCommand,
    example="""
    gazeshift redirect photo.jpg --mask mask.png -o out.jpg
    gazeshift redirect photos/*.jpg --masks masks --output-dir edited --strength -0.8
    """,
)
@options.photos
@options.mask
@options.masks
@options.output("The edited photo; - for standard output. The ending names the format.")
@click.option(
    "--strength",
    type=float,
    default=1.0,
    show_default=True,
    help="-1.5 to 1.5: 1 draws attention to the mask, -1 away from it, 0 changes nothing; beyond "
    "1 and -1 the edit is overdone on purpose.",
)
@click.option(
    "--style",
    type=int,
    default=0,
    show_default=True,
    metavar="SEED",
    help="0 for the default look, another number for another look, always the same one.",
)
@options.side_outputs("redirect")
@click.option("--model", type=options.FILE, metavar="FILE", help="Another redirector (ONNX).")
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
    strength: float,
    style: int,
    model: Path | None,
    attention_model: Path | None,
    provider: str,
    as_json: bool,
    force: bool,
    **further: Any,
) -> int:
    """Edit photos so that viewers look more, or less, at what the mask selects.

    Prints the part of the viewers' attention that falls on the mask before and after the edit,
    as an attention network predicts it.
    """
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import replace

    from gazeshift.cli.outputs.kinds import Result
    from gazeshift.cli.shared import session
    from gazeshift.cli.shared.jobs import Job, expand_photos, plan_jobs

    if mask is None and masks is None:
        raise click.UsageError("Say what to look at: --mask MASK, or --masks DIR.")
    session.check_streams(output, as_json=as_json)
    jobs = plan_jobs(
        expand_photos(photos),
        output=output,
        output_dir=output_dir,
        mask=mask,
        masks=masks,
        sides=session.given_sides(further, "redirect"),
        inputs=[path for path in (model, attention_model) if path is not None],
    )

    from gazeshift.attention import AttentionModel
    from gazeshift.cli.shared.large import LargePhoto
    from gazeshift.mask import read_mask
    from gazeshift.photo.streams import PhotoStream
    from gazeshift.predict import Redirector, check_signed_strength, is_effective
    from gazeshift.proxy import make_proxy
    from gazeshift.render import render

    check_signed_strength(strength)
    attention = AttentionModel(attention_model, provider=provider)
    redirector = Redirector(model, attention=attention, provider=provider)
    redirector.open_ahead()
    reporter = session.Reporter(as_json=as_json, results_to_stderr=output == "-")

    def edit_in_memory(photo: Photo, mask_source: str) -> Result:
        height, width = photo.pixels.shape[:2]
        selection = read_mask(mask_source, height=height, width=width)
        proxy = make_proxy(
            photo.pixels,
            selection,
            icc_profile=photo.icc_profile,
            long_side=redirector.proxy_long_side,
        )
        with ThreadPoolExecutor(1, "gazeshift-measure") as aside:
            before = aside.submit(redirector.share, proxy)
            prediction = redirector.predict_proxy(proxy, style, measure=False)
            unmeasured = prediction.at(strength, measure=False)

            def measure() -> Edit:
                return redirector.measure(proxy, replace(unmeasured, share_before=before.result()))

            measuring = aside.submit(measure)
            pixels = render(photo.pixels, selection, unmeasured)
            return Result(photo, selection, measuring.result(), pixels, proxy, attention)

    def work(job: Job) -> session.Answer:
        loaded = session.load_photo_or_stream(job)
        photo = loaded.photo if isinstance(loaded, PhotoStream) else loaded
        session.check_outputs(job, photo, force=force)
        mask_source = str(job.mask_source())
        if isinstance(loaded, PhotoStream):
            large = LargePhoto(loaded, mask_source)
            proxy = large.proxy(redirector.proxy_long_side)
            edit = redirector.predict_proxy(proxy, style, measure=False).at(strength)
            with reporter.progress(job.name) as show:
                result = large.result(edit, show, proxy, attention)
                written = session.write_outputs(job, result, force=force)
        else:
            result = edit_in_memory(photo, mask_source)
            written = session.write_outputs(job, result, force=force)
        edit = result.edit
        warnings = [*photo.warnings, *(result.proxy.warnings if result.proxy is not None else ())]
        reporter.warn(redirector.warnings)
        reporter.warn(warnings, subject=job.name)
        data = {
            "photo": job.photo,
            "output": job.output,
            "strength": strength,
            "direction": edit.direction,
            "share_before": edit.share_before,
            "share_after": edit.share_after,
            "effective": is_effective(edit),
            "edit": edit.to_json(),
            **written,
            "warnings": [*redirector.warnings, *warnings],
        }
        return data, f"{job.arrow}\n  {describe_effect(edit)}"

    return reporter.run(jobs, work)


def describe_effect(edit: Edit) -> str:
    """Say in one sentence what the attention network sees of an edit.

    Parameters
    ----------
    edit
        With both shares.
    """
    from gazeshift.cli.shared.session import percent
    from gazeshift.predict import is_effective

    before, after = edit.share_before, edit.share_after
    if before is None or after is None:
        return "The attention was not measured."
    if edit.strength == 0.0:
        return f"attention on the mask: {percent(before)}; strength 0 changes nothing"
    shares = f"attention on the mask: {percent(before)} -> {percent(after)}"
    if is_effective(edit):
        factor = f" (x {after / before:.2f})" if before > 0.0 else ""
        return shares + factor
    wanted = "raise" if edit.direction == "attract" else "lower"
    return f"{shares}: this edit did not {wanted} it"
