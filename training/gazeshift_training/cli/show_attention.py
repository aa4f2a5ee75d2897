"""`gazeshift-train show-attention`: a contact sheet of attention maps beside people's fixations."""

from __future__ import annotations

from pathlib import Path

import click

from gazeshift.errors import ParamError


@click.command("show-attention")
@click.option(
    "--model",
    "models",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    required=True,
    help="Exported network (ONNX); each gets a column.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder with photos and fixations.csv.gz.",
)
@click.option("--split", type=click.Choice(["train", "test"]), default="test", show_default=True)
@click.option("--photos", "count", type=click.IntRange(1), default=8, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Which photos are drawn.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Picture."
)
def command(
    models: tuple[Path, ...], data: Path, split: str, count: int, seed: int, output: Path
) -> None:
    """Set photos, people's fixations and networks' maps side by side.

    Example: gazeshift-train show-attention --model attention.onnx --data DATA --output maps.png
    """
    import numpy as np
    from PIL import Image

    from gazeshift.attention import AttentionModel
    from gazeshift_training.attention.figures import contact_sheet
    from gazeshift_training.fixations import read_fixations

    recorded = read_fixations(data / "fixations.csv.gz")
    chosen = [entry for entry in recorded.values() if entry.split == split]
    if not chosen:
        raise ParamError(f"{data.name} holds no fixations of the split '{split}'.")
    order = np.random.default_rng(seed).permutation(len(chosen))[:count]
    photos = [
        (np.asarray(Image.open(data / "photos" / chosen[i].photo).convert("RGB")), chosen[i])
        for i in order
    ]
    sheet = contact_sheet(photos, [AttentionModel(path).map for path in models])
    partial = output.with_name(f"{output.stem}.partial{output.suffix}")
    Image.fromarray(sheet).save(partial)
    partial.replace(output)
    click.echo(f"{output}: photo, people, {', '.join(path.name for path in models)}")
