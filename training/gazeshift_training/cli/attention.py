"""`gazeshift-train attention`: train an attention network and export it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from gazeshift.errors import ModelError, ParamError
from gazeshift_training import options

RECIPES = Path(__file__).parents[2] / "recipes"
DATA_NOTE = (
    "OSIE (600 training photos), EyeCrowd (500), Scene (500): eye-tracking fixations; "
    "COCO 2017 photos: instance masks for local edits"
)
"""Written into exported files as what they learnt from."""
LICENCE_NOTE = "MIT; backbone weights EfficientNet-lite under Apache-2.0"
"""Written into exported files as their licence."""


@click.command("attention")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder with photos, masks, fixations.csv.gz and instances.csv.",
)
@click.option(
    "--run",
    "run_folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of this run. A run that was interrupted continues here.",
)
@click.option(
    "--network",
    type=click.Choice(["attention", "judge"]),
    default="attention",
    show_default=True,
    help="Whose recipe to follow: the network that ships, or the one that only judges.",
)
@click.option(
    "--recipe",
    "recipe_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Another recipe (YAML).",
)
@options.cache
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="The ONNX file.")
@options.threads
def command(
    data: Path,
    run_folder: Path,
    network: str,
    recipe_file: Path | None,
    cache: Path | None,
    output: Path | None,
    threads: int | None,
) -> None:
    """Train an attention network on eye-tracking fixations and export it.

    Example: gazeshift-train attention --data DATA --run runs/attention
    """
    import torch

    from gazeshift_training.attention.export import (
        PARITY_LIMIT,
        export_attention,
        measure_parity,
    )
    from gazeshift_training.attention.figures import plot_curves
    from gazeshift_training.attention.network import AttentionNetwork, load_attention
    from gazeshift_training.attention.recipe import AttentionRecipe
    from gazeshift_training.attention.train import AttentionTrainer, prepare_data
    from gazeshift_training.process import git_revision, keep_freed_memory
    from gazeshift_training.recipe import read_recipe

    keep_freed_memory()
    if threads:
        torch.set_num_threads(threads)
    try:
        recipe = read_recipe(recipe_file or RECIPES / f"{network}.yaml", AttentionRecipe())
    except (OSError, ValueError) as error:
        raise ParamError(f"The recipe cannot be used: {error}") from error
    area = recipe.design.working_area
    packed = prepare_data(data, cache or run_folder.parent / f"photos-{area}", recipe)
    trainer = AttentionTrainer(recipe, packed, run_folder)
    try:
        if trainer.resume():
            click.echo(f"continuing at step {trainer.step} of {trainer.steps}", err=True)
    except ValueError as error:
        raise ParamError(str(error)) from error
    trainer.train()
    best = torch.load(run_folder / "best.pt", weights_only=True)
    # The finished network looks at larger pictures than training could afford.
    exported = AttentionNetwork(replace(recipe.design, working_area=recipe.export_area)).eval()
    exported.load_state_dict(best)
    target = output or run_folder / f"{recipe.name}.onnx"
    export_attention(
        exported,
        target,
        model_id=recipe.name,
        version=recipe.version,
        data=DATA_NOTE,
        licence=LICENCE_NOTE,
        revision=git_revision(),
    )
    plot_curves(run_folder / "log.jsonl", run_folder / "curves.png")
    pictures = [packed.pack.rgb(index) for index in packed.holdout[:8]]
    parity = measure_parity(target, load_attention(target), pictures)
    click.echo(
        f"{target}: {target.stat().st_size / 1e6:.2f} MB, torch and onnxruntime differ by "
        f"{parity:.1e} of the maximum"
    )
    if parity > PARITY_LIMIT:
        raise ModelError(
            f"The exported file differs from the network by {parity:.1e} of the maximum.",
            hint=f"At most {PARITY_LIMIT:.0e} is accepted; do not ship it.",
        )
