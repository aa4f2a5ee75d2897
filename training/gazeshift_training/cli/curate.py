"""`gazeshift-train curate`: choose pairs of photo and mask by the paper's CoCoClutter rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gazeshift.errors import ParamError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gazeshift.attention import AttentionModel
    from gazeshift_training.curate.rules import CuratedPair
    from gazeshift_training.instances import Instance

COLUMNS = ("photo", "mask", "split", "instance", "category", "area", "saliency")


@click.command("curate")
@click.option(
    "--coco",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Official COCO folder (annotations and photos): its photos, masks and instances.csv "
    "are written into --data first.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder with photos, masks and instances.csv.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Table of pairs to write (CSV).",
)
@click.option(
    "--attention",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Attention network (ONNX); by default the shipped one.",
)
@click.option(
    "--least-saliency",
    type=click.FloatRange(0.0, 1.0),
    default=0.0,
    show_default=True,
    help="Leave out masks below this saliency, for training the divert direction.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides which mask is kept.")
def command(
    coco: Path | None,
    data: Path,
    out: Path,
    attention: Path | None,
    least_saliency: float,
    seed: int,
) -> None:
    """Choose training and validation pairs and say what each rule removed.

    Example: gazeshift-train curate --coco coco --data data --out data/pairs.csv
    """
    from gazeshift.attention import AttentionModel
    from gazeshift_training.curate.rules import ClutterRules, curate
    from gazeshift_training.instances import read_instances

    if out.is_dir() or out.name == "instances.csv":
        raise ParamError(
            f"The pairs cannot be written to {out.name}.", hint="Name another file, pairs.csv."
        )
    if coco is not None:
        from gazeshift_training.curate.convert import convert_coco

        data.mkdir(parents=True, exist_ok=True)
        click.echo("\n".join(convert_coco(coco, data).lines()))
    if not (data / "instances.csv").is_file():
        raise ParamError(
            f"There is no instances.csv in {data.name}.",
            hint="Pass --coco to make it from an official COCO folder.",
        )
    instances = read_instances(data / "instances.csv")
    rules = ClutterRules(least_saliency=least_saliency, seed=seed)
    measure = saliency_reader(data, AttentionModel(attention))
    pairs: list[CuratedPair] = []
    for split in ("train", "val"):
        found, report = curate(instances, split, measure, rules)
        pairs += found
        click.echo("\n".join(report.lines()))
    _write_pairs(pairs, out)


def saliency_reader(
    data: Path, attention: AttentionModel
) -> Callable[[Sequence[Instance]], Sequence[float]]:
    """Return a function that measures the saliency of several masks of one photo.

    Parameters
    ----------
    data
        Folder with `photos` and `masks`.
    attention
        Whose maps are stretched to 0-1.

    Returns
    -------
    Callable
        Instances of one photo to the mean of the min-max map inside each mask.
    """
    import numpy as np

    from gazeshift.proxy import make_proxy
    from gazeshift_training.evaluation.measure import enlarge
    from gazeshift_training.instances import load_index, load_photo
    from gazeshift_training.metrics.saliency import mean_inside, min_max

    def measure(group: Sequence[Instance]) -> list[float]:
        found = attention.map(make_proxy(load_photo(data, group[0].photo)).rgb)
        indexes = {name: load_index(data, name) for name in {one.mask for one in group}}
        height, width = indexes[group[0].mask].shape
        stretched = min_max(enlarge(found, height, width))
        masks = [(indexes[one.mask] == one.number).astype(np.float32) for one in group]
        # A mask of the table may be covered by others to the last pixel.
        return [mean_inside(stretched, mask) if mask.any() else 1.0 for mask in masks]

    return measure


def _write_pairs(pairs: Sequence[CuratedPair], out: Path) -> None:
    import csv

    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    with partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for pair in pairs:
            one = pair.instance
            numbers = (f"{one.area:.4f}", f"{pair.saliency:.4f}")
            writer.writerow([one.photo, one.mask, one.split, one.number, one.category, *numbers])
    partial.replace(out)
