"""Options that several commands take, so that they read the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gazeshift.cli.outputs import SIDE_OUTPUTS
from gazeshift.providers import PROVIDER_CHOICES

Function = TypeVar("Function", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)

photos = click.argument("photos", metavar="PHOTO...", nargs=-1, required=True)

mask = click.option(
    "--mask",
    metavar="MASK",
    help="What the viewers shall look at: a picture (white or opaque is selected), or "
    "rect:x,y,w,h or ellipse:x,y,w,h in pixels or percent.",
)

masks = click.option(
    "--masks",
    type=FILE,
    metavar="DIR",
    help="Folder with one mask per photo: NAME.png or NAME-mask.png for the photo NAME.jpg.",
)

force = click.option("--force", is_flag=True, help="Replace files that exist.")

as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object per photo and line."
)

provider = click.option(
    "--provider",
    type=click.Choice(PROVIDER_CHOICES),
    default="auto",
    show_default=True,
    help="What the networks run on; an accelerator that fails is replaced by the processor.",
)

attention_model = click.option(
    "--attention-model", type=FILE, metavar="FILE", help="Another attention network (ONNX)."
)


def output(help_text: str) -> Callable[[Function], Function]:
    """Return the options -o and --output-dir."""

    def add(function: Function) -> Function:
        function = click.option(
            "--output-dir",
            type=FILE,
            metavar="DIR",
            help="Folder for the results of several photos; it is made if it is missing.",
        )(function)
        return click.option("-o", "--output", metavar="FILE", help=help_text)(function)

    return add


def side_outputs(command: str) -> Callable[[Function], Function]:
    """Return the options of everything that can be written beside the picture."""

    def add(function: Function) -> Function:
        for side in reversed(SIDE_OUTPUTS):
            if command in side.commands:
                metavar = "DIR" if side.is_folder else "FILE"
                function = click.option(
                    f"--{side.name}", type=FILE, metavar=metavar, help=side.help
                )(function)
        return function

    return add
