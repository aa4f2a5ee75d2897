"""`gazeshift-train export`: turn a trained redirector into the file that ships."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gazeshift.errors import ModelError, ParamError

DATA_NOTE = (
    "Photos of OSIE, EyeCrowd, Scene and COCO 2017 with instance masks made by a segmentation "
    "network; trained against GazeShift's attention network"
)
"""Written into exported files as what they learnt from."""
LICENCE_NOTE = "MIT; backbone weights EfficientNet-lite under Apache-2.0"
"""Written into exported files as their licence."""
COMPARED_PAIRS = 8
"""Photos on which torch, onnxruntime and the numpy decoder are compared."""


@click.command("export")
@click.option(
    "--run",
    "run_folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder of the training run.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder with photos, masks and instances.csv, for the comparison.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The ONNX file; redirector.onnx in the run's folder by default.",
)
@click.option(
    "--gains",
    type=(float, float),
    default=(1.0, 1.0),
    show_default=True,
    metavar="ATTRACT DIVERT",
    help="Factors along the dial, baked into the file; `gazeshift-train calibrate` finds them.",
)
@click.option(
    "--curves",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also draw the run's training curves into this PNG.",
)
def command(
    run_folder: Path,
    data: Path,
    output: Path | None,
    gains: tuple[float, float],
    curves: Path | None,
) -> None:
    """Write the run's averaged network as ONNX and compare it with torch and the decoder.

    Example: gazeshift-train export --run runs/redirector --data DATA
    """
    from gazeshift_training.instances import (
        TRAINING_AREA,
        eligible,
        hold_out,
        load_pair,
        read_instances,
    )
    from gazeshift_training.process import git_revision
    from gazeshift_training.redirector.export import (
        LARGEST_BYTES,
        LATENCY_LIMIT_MS,
        PARITY_LIMIT_CODES,
        export_redirector,
        measure_latency_ms,
        measure_parity,
    )
    from gazeshift_training.redirector.train import load_trained

    if not all(0.1 <= gain <= 2.0 for gain in gains):
        raise ParamError("The gains must lie in 0.1 to 2.")
    try:
        recipe, network, step = load_trained(run_folder)
    except (OSError, ValueError) as error:
        raise ParamError(f"The run cannot be read: {error}") from error
    target = output or run_folder / "redirector.onnx"
    export_redirector(
        network,
        target,
        model_id=recipe.name,
        version=recipe.version,
        data=DATA_NOTE,
        licence=LICENCE_NOTE,
        revision=git_revision(),
        gains=gains,
    )
    if curves is not None:
        from gazeshift_training.redirector.figures import plot_curves

        plot_curves(run_folder, curves)
    groups = eligible(read_instances(data / "instances.csv"), "train", TRAINING_AREA)
    _, held = hold_out(sorted(groups), recipe.held_out)
    pairs = [load_pair(data, groups[photo][0]) for photo in held[:COMPARED_PAIRS]]
    parity = measure_parity(target, network, pairs, gains)
    latency = measure_latency_ms(target)
    size = target.stat().st_size
    report = {
        "step": step,
        "bytes": size,
        "gains": list(gains),
        "compared_photos": len(pairs),
        **parity._asdict(),
        "milliseconds_on_one_thread": round(latency, 2),
    }
    text = json.dumps(report, indent=2) + "\n"
    target.with_suffix(".parity.json").write_text(text, encoding="utf-8")
    click.echo(
        f"{target}: step {step}, {size / 1e6:.2f} MB; torch and onnxruntime "
        f"differ by {parity.parameters:.1e} in a parameter and {parity.rendered_codes:.3f}/255 in "
        f"a rendered pixel, the numpy and torch decoders by {parity.decoder_codes:.4f}/255"
    )
    verdict = "within" if latency <= LATENCY_LIMIT_MS else "beyond"
    click.echo(
        f"one prediction takes {latency:.1f} ms on one thread, {verdict} the "
        f"{LATENCY_LIMIT_MS:.0f} ms wanted on an idle machine"
    )
    if size > LARGEST_BYTES:
        raise ModelError(
            f"The exported file has {size / 1e6:.1f} MB.",
            hint=f"At most {LARGEST_BYTES / 1e6:.0f} MB are accepted; do not ship it.",
        )
    if max(parity.rendered_codes, parity.decoder_codes) > PARITY_LIMIT_CODES:
        raise ModelError(
            f"The exported file renders {parity.rendered_codes:.2f}/255 apart from the network.",
            hint=f"At most {PARITY_LIMIT_CODES}/255 is accepted; do not ship it.",
        )
