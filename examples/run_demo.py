"""Edit the example photos in both directions and write a page that shows the results.

Run it with `make demo`, or: python examples/run_demo.py --output FOLDER
"""

from __future__ import annotations

import argparse
import html
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parent
DIRECTIONS = {"attract": "1", "divert": "-1"}
"""Folder of the results → strength."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>GazeShift demo</title>
<style>
body {{ background: #1c1c1c; color: #ececec; font: 16px/1.5 sans-serif; margin: 2em auto;
       max-width: 1200px; padding: 0 1em }}
img {{ max-width: 100% }}
a {{ color: #f0b040 }}
</style>
<h1>GazeShift demo</h1>
<p>Each photo edited to draw attention to its mask, and away from it. The shares are the part of the
viewers' attention on the mask, as the attention network predicts it.
Photos: see examples/CREDITS.md.</p>
{sections}
</html>
"""


def main() -> int:
    """Run the demo and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("demo-output"), metavar="FOLDER")
    output: Path = parser.parse_args().output
    photos = sorted(str(path) for path in EXAMPLES.glob("*.jpg"))
    sections: list[str] = []
    for name, strength in DIRECTIONS.items():
        command = [
            *(sys.executable, "-m", "gazeshift", "redirect", *photos),
            *("--masks", str(EXAMPLES), "--strength", strength),
            *("--output-dir", str(output / name)),
            *("--compare", str(output / f"{name}-compared")),
            *("--edit-out", str(output / f"{name}-edits")),
            *("--json", "--force"),
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8")  # noqa: S603 - ours
        if done.returncode != 0:
            return done.returncode
        results = [json.loads(line) for line in done.stdout.splitlines()]
        sections.extend(_section(output, name, result) for result in results)
        for result in results:
            print(f"{name:8} {Path(result['photo']).name:20} {_effect(result)}")
    page = output / "index.html"
    page.write_text(PAGE.format(sections="\n".join(sections)), encoding="utf-8")
    print(f"\nOpen {page.resolve()}")
    return 0


def _effect(result: dict[str, Any]) -> str:
    text = f"{100 * result['share_before']:.1f} % -> {100 * result['share_after']:.1f} %"
    return text if result["effective"] else f"{text} (this edit did not help)"


def _section(output: Path, name: str, result: dict[str, Any]) -> str:
    edited, compared = (
        html.escape(Path(result[key]).relative_to(output).as_posix())
        for key in ("output", "compare")
    )
    title = html.escape(f"{Path(result['photo']).stem}: {name}, {_effect(result)}")
    return (
        f'<h2>{title}</h2>\n<a href="{edited}"><img src="{compared}" alt="{title}"></a>\n'
        f'<p><a href="{edited}">The edited photo</a></p>'
    )


if __name__ == "__main__":
    sys.exit(main())
