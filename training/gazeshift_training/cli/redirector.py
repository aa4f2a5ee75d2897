"""`gazeshift-train redirector`: train the network that predicts edits."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from gazeshift.errors import ParamError
from gazeshift_training import options

RECIPE = Path(__file__).parents[2] / "recipes" / "redirector.yaml"


@click.command("redirector")
@options.data
@click.option(
    "--run",
    "run_folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of this run. A run that was interrupted continues here.",
)
@options.attention_to_please
@click.option(
    "--companion",
    "companions",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="Another attention network (ONNX) that edits must please; may be given again.",
)
@click.option(
    "--recipe",
    "recipe_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=RECIPE,
    help="Recipe (YAML); the shipped model's by default.",
)
@options.cache
@click.option(
    "--start-from",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of another run whose networks this run begins with.",
)
@click.option(
    "--realism",
    "realism_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Realism network, for a recipe that multiplies by it; see `gazeshift-train realism`.",
)
@options.device
@click.option("--until", type=click.IntRange(1), help="Stop after this step; continue later.")
@options.threads
def command(
    data: Path,
    run_folder: Path,
    attention_file: Path | None,
    companions: tuple[Path, ...],
    recipe_file: Path,
    cache: Path | None,
    start_from: Path | None,
    realism_file: Path | None,
    device: str,
    until: int | None,
    threads: int | None,
) -> None:
    """Train the redirector against the attention network; continue an interrupted run.

    Several processes train together under torchrun, each on a part of every batch.

    Example: gazeshift-train redirector --data DATA --run runs/redirector
    """
    import torch

    from gazeshift_training.process import keep_freed_memory
    from gazeshift_training.recipe import read_recipe
    from gazeshift_training.redirector.assemble import assemble_trainer
    from gazeshift_training.redirector.recipe import RedirectorRecipe
    from gazeshift_training.world import open_world

    keep_freed_memory()
    if threads:
        torch.set_num_threads(threads)
    with ExitStack() as stack:
        try:
            recipe = read_recipe(recipe_file, RedirectorRecipe())
            world = stack.enter_context(open_world(device))
            trainer = assemble_trainer(
                recipe, data, run_folder, attention_file, cache, world, realism_file, companions
            )
            begins = not trainer.resume()
            if begins and start_from is not None:
                trainer.start_from(start_from)
        except (OSError, ValueError) as error:
            raise ParamError(f"The training cannot start: {error}") from error
        if world.leads and not begins:
            click.echo(f"continuing at step {trainer.step} of {recipe.steps}", err=True)
        trainer.train(until)
        if world.leads:
            click.echo(f"{run_folder / 'checkpoint.pt'}: {trainer.step} steps")
