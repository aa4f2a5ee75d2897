"""The demo on the bundled photos, with tiny networks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.core.tiny_models import write_models

from gazeshift.mask import read_mask
from gazeshift.photo import read_photo

EXAMPLES = Path(__file__).parents[2] / "examples"
PHOTOS = sorted(EXAMPLES.glob("*.jpg"))


def test_every_example_is_small_credited_and_has_a_fitting_mask() -> None:
    credits_page = (EXAMPLES / "CREDITS.md").read_text(encoding="utf-8")
    assert len(PHOTOS) == 3
    for path in PHOTOS:
        assert path.stat().st_size <= 1_000_000
        assert f"`{path.name}`" in credits_page
        height, width = read_photo(path).pixels.shape[:2]
        mask = read_mask(str(path.with_name(f"{path.stem}-mask.png")), height=height, width=width)
        assert 0.01 < mask.mean() < 0.3
        assert (mask == 0).any()
        assert (mask == 1).any()


def test_demo_writes_a_page_whose_links_work(tmp_path: Path) -> None:
    write_models(tmp_path / "models")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "run_demo.py"), "--output", "shown"],
        cwd=tmp_path,
        env={**os.environ, "GAZESHIFT_MODELS": str(tmp_path / "models")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    page = tmp_path / "shown" / "index.html"
    assert str(page) in done.stdout
    links = re.findall(r'(?:href|src)="([^"]+)"', page.read_text(encoding="utf-8"))
    assert len(links) == 2 * 3 * len(PHOTOS)
    for link in links:
        assert (page.parent / link).is_file()
    assert all(path.name in done.stdout for path in PHOTOS)


def test_demo_passes_a_failure_on(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "run_demo.py"), "--output", "shown"],
        cwd=tmp_path,
        env={**os.environ, "GAZESHIFT_MODELS": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 4
    assert "redirector.onnx" in done.stderr
