"""`gazeshift-train realism`: train the network that tells plausible edits from implausible ones."""

from __future__ import annotations

from pathlib import Path

import click

from gazeshift.errors import ParamError
from gazeshift_training import options

RECIPE = Path(__file__).parents[2] / "recipes" / "realism-network.yaml"


@click.command("realism")
@options.data
@click.option(
    "--run",
    "run_folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for realism.pt, run.json and log.jsonl.",
)
@click.option(
    "--recipe",
    "recipe_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=RECIPE,
    help="Recipe (YAML).",
)
@click.option(
    "--attention",
    "attention_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Attention network (ONNX) that chooses the pairs; the one that ships by default.",
)
@options.cache
@options.device
@options.threads
def command(
    data: Path,
    run_folder: Path,
    recipe_file: Path,
    attention_file: Path | None,
    cache: Path | None,
    device: str,
    threads: int | None,
) -> None:
    """Train the realism network and measure it on the photos held out.

    Example: gazeshift-train realism --data DATA --run runs/realism
    """
    import torch

    from gazeshift_training.process import keep_freed_memory
    from gazeshift_training.recipe import read_recipe
    from gazeshift_training.redirector.assemble import assemble_data
    from gazeshift_training.redirector.realism_training import RealismRecipe, train_realism
    from gazeshift_training.redirector.recipe import RedirectorRecipe
    from gazeshift_training.world import choose_device

    keep_freed_memory()
    if threads:
        torch.set_num_threads(threads)
    try:
        recipe = read_recipe(recipe_file, RealismRecipe())
        chosen = choose_device(device)
        pairs = RedirectorRecipe(area=recipe.area, held_out=recipe.held_out)
        packed, _ = assemble_data(pairs, data, run_folder, attention_file, cache)
    except (OSError, ValueError) as error:
        raise ParamError(f"The training cannot start: {error}") from error
    _, accuracy = train_realism(recipe, packed, run_folder, chosen)
    click.echo(
        f"{run_folder / 'realism.pt'}: {accuracy.right:.1%} of {accuracy.edits} edits of held-out "
        f"photos judged right (plausible {accuracy.plausible_right:.1%}, implausible "
        f"{accuracy.extreme_right:.1%}); {accuracy.ordered:.1%} of the photos in the right order"
    )
