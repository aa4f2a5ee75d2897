"""`gazeshift-train redirector`: train the network that predicts edits."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from gazeshift.errors import ParamError

RECIPE = Path(__file__).parents[2] / "recipes" / "redirector.yaml"


@click.command("redirector")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder with photos, masks and instances.csv.",
)
@click.option(
    "--run",
    "run_folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of this run. A run that was interrupted continues here.",
)
@click.option(
    "--attention",
    "attention_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Attention network (ONNX) to train against; the one that ships by default.",
)
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
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where decoded photos are kept; beside the run by default.",
)
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
@click.option(
    "--device",
    default="auto",
    show_default=True,
    help="auto, cpu, cuda or cuda:N; auto takes a graphics processor where there is one.",
)
@click.option("--until", type=click.IntRange(1), help="Stop after this step; continue later.")
@click.option("--threads", type=click.IntRange(1), help="Processor threads; all by default.")
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
