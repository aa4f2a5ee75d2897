"""`gazeshift-train ablate`: train every variant of the paper's Table 1d on the same budget."""

from __future__ import annotations

from pathlib import Path

import click

from gazeshift.errors import ParamError
from gazeshift_training import options

RECIPE = Path(__file__).parents[2] / "recipes" / "ablation.yaml"


@click.command("ablate")
@options.data
@click.option(
    "--run",
    "run_folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Holds one folder per variant. Finished ones are skipped, interrupted ones continue.",
)
@click.option(
    "--variants",
    default="",
    help="Ids with commas between; all by default.",
)
@click.option(
    "--recipe",
    "recipe_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=RECIPE,
    help="Recipe (YAML) of every variant; training/recipes/ablation.yaml by default.",
)
@options.attention_to_please
@options.cache
@click.option(
    "--lpips",
    "budget",
    type=click.FloatRange(0.005, 0.2),
    default=0.04,
    show_default=True,
    help="Mean LPIPS that every variant is scaled to, on training photos held out.",
)
@click.option(
    "--calibration-pairs",
    "pairs",
    type=click.IntRange(1),
    default=16,
    show_default=True,
    help="Photos that this is measured on.",
)
@options.threads
def command(
    data: Path,
    run_folder: Path,
    variants: str,
    recipe_file: Path,
    attention_file: Path | None,
    cache: Path | None,
    budget: float,
    pairs: int,
    threads: int | None,
) -> None:
    """Train every variant for the same few steps on the same pairs, and calibrate it.

    `gazeshift-train evaluate --ablations RUN` shows them in one table.

    Example: gazeshift-train ablate --data DATA --run runs/ablations
    """
    import torch

    from gazeshift_training.ablation.programme import Programme
    from gazeshift_training.ablation.variants import VARIANTS
    from gazeshift_training.process import keep_freed_memory
    from gazeshift_training.recipe import read_recipe
    from gazeshift_training.redirector.recipe import RedirectorRecipe

    keep_freed_memory()
    if threads:
        torch.set_num_threads(threads)
    known = {variant.id: variant for variant in VARIANTS}
    wanted = [name.strip() for name in variants.split(",") if name.strip()] or list(known)
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise ParamError(
            f"There is no variant named '{unknown[0]}'.",
            hint=f"Known variants: {', '.join(known)}.",
        )
    try:
        recipe = read_recipe(recipe_file, RedirectorRecipe())
        programme = Programme(recipe, data, run_folder, attention_file, cache, budget, pairs)
        for name in wanted:
            click.echo(programme.run(known[name]))
    except (OSError, ValueError) as error:
        raise ParamError(f"The ablation cannot go on: {error}") from error
