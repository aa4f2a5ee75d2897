"""Draws docs/figures/photoshop-panel.png: python -m tests.hosts.photoshop.draw_figure."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image, ImageChops
from tests.core.bridge.live import running
from tests.hosts.photoshop.chromium import ROOT
from tests.hosts.photoshop.studio import CONNECT, Studio

TARGET = ROOT / "docs" / "figures" / "photoshop-panel.png"
GAP_PX = 24


def main() -> None:
    with tempfile.TemporaryDirectory() as name, running() as bridge:
        folder = Path(name)
        shots = [folder / f"{k}.png" for k in range(3)]
        studio = Studio(folder, bridge.port)
        connected = [*CONNECT, {"press": "look"}]
        studio.add([{"screenshot": str(shots[0])}])
        seen = [*connected, {"dial": 0.73}, {"press": "heat"}, {"screenshot": str(shots[1])}]
        studio.add(seen, name="dandelions", feather=True, theme="light")
        applied = [*connected, {"dial": -1.0}, {"press": "apply"}, {"screenshot": str(shots[2])}]
        studio.add(applied, name="two-dogs", feather=True)
        studio.run()
        pictures = [Image.open(shot).convert("RGB") for shot in shots]
        lowest = max(map(_content_end, pictures)) + GAP_PX
        pictures = [one.crop((0, 0, one.width, lowest)) for one in pictures]
        width = sum(one.width for one in pictures) + GAP_PX * (len(pictures) - 1)
        figure = Image.new("RGB", (width, max(one.height for one in pictures)), "white")
        left = 0
        for one in pictures:
            figure.paste(one, (left, 0))
            left += one.width + GAP_PX
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        figure.quantize(256).save(TARGET, optimize=True)


def _content_end(picture: Image.Image) -> int:
    """Return the first row below which there is only background."""
    empty = Image.new("RGB", picture.size, picture.getpixel((0, picture.height - 1)))
    box = ImageChops.difference(picture, empty).getbbox()
    return picture.height if box is None else box[3]


if __name__ == "__main__":
    main()
