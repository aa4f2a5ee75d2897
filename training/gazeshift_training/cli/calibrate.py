"""`gazeshift-train calibrate`: find the gains at which a redirector meets its LPIPS budget."""

from __future__ import annotations

from pathlib import Path

import click

from gazeshift.errors import ParamError
from gazeshift_training import options


@click.command("calibrate")
@click.option(
    "--run",
    "run_folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder of the training run.",
)
@options.data
@click.option(
    "--lpips",
    "budget",
    type=click.FloatRange(0.005, 0.2),
    default=0.045,
    show_default=True,
    help="Mean LPIPS wanted at strength 1.",
)
@click.option(
    "--attention",
    "attention_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Attention network (ONNX); the one that ships by default.",
)
def command(run_folder: Path, data: Path, budget: float, attention_file: Path | None) -> None:
    """Measure a run's network on the training photos held out, before and after calibration.

    Example: gazeshift-train calibrate --run runs/redirector --data DATA --lpips 0.045
    """
    from gazeshift.sessions import model_path
    from gazeshift_training.attention.network import load_attention
    from gazeshift_training.instances import LARGEST_SHARE_BEFORE, load_pair
    from gazeshift_training.lpips import Lpips
    from gazeshift_training.redirector.calibrate import (
        DIRECTIONS,
        Calibrator,
        calibration_pairs,
    )
    from gazeshift_training.redirector.train import load_trained

    try:
        recipe, network, step = load_trained(run_folder)
    except (OSError, ValueError) as error:
        raise ParamError(f"The run cannot be read: {error}") from error
    attention = load_attention(attention_file or model_path("attention"))
    pairs = [load_pair(data, one) for one in calibration_pairs(data, recipe.held_out)]
    calibrator = Calibrator(network, attention, Lpips(), pairs, LARGEST_SHARE_BEFORE)
    click.echo(f"step {step}, {len(calibrator.samples)} pairs of held-out training photos")
    for index, direction in enumerate(DIRECTIONS):
        for gain in (1.0, calibrator.find_gain(index, budget)):
            effect = calibrator.measure(index, gain)
            click.echo(
                f"{direction}: gain {gain:.2f}, LPIPS {effect.lpips:.4f}, ratio of means "
                f"{effect.ratio:.3f}, {effect.right:.0%} the right way, neutral cast "
                f"{effect.cast:.2f}, hue turn {effect.turn_deg:.2f} degrees, newly clipped "
                f"{effect.clipped:.2%}"
            )
