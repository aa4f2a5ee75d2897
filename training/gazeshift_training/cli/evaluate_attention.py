"""`gazeshift-train evaluate-attention`: score an exported attention network against people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazeshift.errors import ParamError

if TYPE_CHECKING:
    from gazeshift.attention import AttentionModel
    from gazeshift_training.attention.reference import EditCase


@click.command("evaluate-attention")
@click.option(
    "--model",
    "models",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    required=True,
    help="Exported network (ONNX); may be given more than once.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder with photos, masks, fixations.csv.gz and instances.csv.",
)
@click.option(
    "--split",
    type=click.Choice(["train", "test"]),
    default="test",
    show_default=True,
    help="Photos with fixations to score; `test` was never trained on.",
)
@click.option(
    "--edit-photos",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Also edit one instance in this many validation photos and check the direction.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def command(
    models: tuple[Path, ...], data: Path, split: str, edit_photos: int, as_json: bool
) -> None:
    """Score exported attention networks against where people looked.

    Example: gazeshift-train evaluate-attention --model core/gazeshift/models/attention.onnx
    --data DATA --split test
    """
    from gazeshift.attention import AttentionModel

    opened = {f"{path.parent.name}/{path.name}": AttentionModel(path) for path in models}
    scores = _score(opened, data, split)
    report: dict[str, Any] = {"split": split, "scores": scores}
    if edit_photos:
        from gazeshift_training.attention.reference import direction_accuracy

        cases = _edit_cases(data, edit_photos)
        report["edits"] = {
            name: direction_accuracy(model.share, cases) for name, model in opened.items()
        }
    click.echo(json.dumps(report) if as_json else "\n".join(_table(report)))


def _score(
    models: dict[str, AttentionModel], data: Path, split: str
) -> dict[str, dict[str, float]]:
    import numpy as np
    from PIL import Image
    from tqdm import tqdm

    from gazeshift_training.attention.evaluate import enlarge_map, mean_scores, score_map
    from gazeshift_training.attention.reference import fit_centre_prior, human_ceiling
    from gazeshift_training.fixations import read_fixations

    recorded = read_fixations(data / "fixations.csv.gz")
    chosen = [entry for entry in recorded.values() if entry.split == split]
    if not chosen:
        raise ParamError(f"{data.name} holds no fixations of the split '{split}'.")
    prior = fit_centre_prior(entry for entry in recorded.values() if entry.split == "train")
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in (*models, "centre prior")}
    sizes: list[tuple[int, int, Any]] = []
    for entry in tqdm(chosen, desc="scoring", unit="photo", disable=None):
        picture = Image.open(data / "photos" / entry.photo).convert("RGB")
        rgb = np.asarray(picture, np.float32) / np.float32(255)
        height, width = rgb.shape[:2]
        sizes.append((height, width, entry))
        for name, model in models.items():
            rows[name].append(score_map(enlarge_map(model.map(rgb), height, width), entry.points))
        rows["centre prior"].append(score_map(prior(height, width), entry.points))
    scores = {name: mean_scores(values) for name, values in rows.items()}
    scores["half the people"] = human_ceiling(sizes)
    return scores


def _edit_cases(data: Path, count: int) -> list[EditCase]:
    """One instance per photo of the validation split, the same for every network."""
    import numpy as np
    from PIL import Image

    from gazeshift_training.attention.packing import read_instances
    from gazeshift_training.attention.reference import EditCase

    instances = read_instances(data / "instances.csv")
    generator = np.random.default_rng(0)
    usable = [
        (photo, mask, numbers)
        for photo, (split, mask, numbers) in sorted(instances.items())
        if split == "val" and numbers
    ]
    cases: list[EditCase] = []
    for index in generator.permutation(len(usable))[:count]:
        photo, mask, numbers = usable[int(index)]
        codes = np.asarray(Image.open(data / "photos" / photo).convert("RGB"))
        values = np.asarray(Image.open(data / "masks" / mask))
        number = numbers[int(generator.integers(len(numbers)))]
        cases.append(EditCase(codes, values == number))
    return cases


def _table(report: dict[str, Any]) -> list[str]:
    names = ("nss", "cc", "auc", "kl")
    lines = [
        f"| {report['split']} photos | NSS ↑ | CC ↑ | AUC-Judd ↑ | KL ↓ |",
        "|---|---|---|---|---|",
    ]
    for row, scores in report["scores"].items():
        lines.append(f"| {row} | " + " | ".join(f"{scores[name]:.3f}" for name in names) + " |")
    if "edits" in report:
        columns = list(report["edits"])
        lines += ["", "| edit moves the share the right way | " + " | ".join(columns) + " |"]
        lines.append("|---" * (len(columns) + 1) + "|")
        edits = list(report["edits"][columns[0]])
        for edit in edits:
            cells = [report["edits"][column][edit] for column in columns]
            shown = (f"{cell['right']:.1%} ({cell['log_change']:+.3f})" for cell in cells)
            lines.append(f"| {edit} | " + " | ".join(shown) + " |")
        means = (
            sum(report["edits"][column][edit]["right"] for edit in edits) / len(edits)
            for column in columns
        )
        lines.append("| mean | " + " | ".join(f"{mean:.1%}" for mean in means) + " |")
    return lines
