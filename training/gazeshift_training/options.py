"""Options that several commands of `gazeshift-train` share; each is told here once."""

from __future__ import annotations

from pathlib import Path

import click

data = click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder with photos, masks and instances.csv.",
)
cache = click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where decoded photos are kept; beside the run by default.",
)
attention_to_please = click.option(
    "--attention",
    "attention_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Attention network (ONNX) to train against; the one that ships by default.",
)
device = click.option(
    "--device",
    default="auto",
    show_default=True,
    help="auto, cpu, cuda or cuda:N; auto takes a graphics processor where there is one.",
)
threads = click.option(
    "--threads", type=click.IntRange(1), help="Processor threads; all by default."
)
