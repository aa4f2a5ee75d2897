"""Start-up and response times: cold processes, and the resident paths of the plug-ins."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.subjects import make_edit, make_subject


def cold(rounds: int) -> dict[str, float | None]:
    """Return median wall milliseconds of fresh processes, by what they do; None if one failed."""
    results: dict[str, float | None] = {}
    python = [sys.executable, "-c"]
    results["python alone"] = _median(lambda: _run([*python, "pass"]), rounds)
    both = "import numpy, onnxruntime"
    results["python with numpy and onnxruntime"] = _median(lambda: _run([*python, both]), rounds)
    results["python with numpy"] = _median(lambda: _run([*python, "import numpy"]), rounds)
    program = [sys.executable, "-m", "gazeshift"]
    results["gazeshift --version"] = _median(lambda: _run([*program, "--version"]), rounds)
    results["import gazeshift"] = _median(lambda: _run([*python, "import gazeshift"]), rounds)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        photo = _two_megapixel_jpeg(folder)
        command = [*program, "redirect", str(photo), "--mask", "ellipse:500,300,600,500", "--force"]
        command += ["-o", str(folder / "out.jpg")]
        name = "gazeshift redirect, 2-megapixel JPEG"
        results[name] = _median(lambda: _run(command), rounds) if _works(command) else None
    return results


def resident(rounds: int, threads: int) -> dict[str, float]:
    """Return median wall milliseconds of what a running process does."""
    from gazeshift.preview import Preview

    results = {}
    subject = make_subject(1.5, "uint8", is_soft=True)
    preview = Preview(subject.pixels, subject.mask, threads=threads)
    edits = [make_edit(seed) for seed in range(rounds + 1)]
    preview.at(edits[0])
    times = []
    for edit in edits[1:]:
        before = time.perf_counter()
        preview.at(edit)
        times.append((time.perf_counter() - before) * 1e3)
    results["slider redraw, 1500 x 1000, feathered mask"] = statistics.median(times)
    return results


def click_to_edit(rounds: int) -> dict[str, float]:
    """Return median wall milliseconds from decoded pixels to the edit; empty without networks."""
    from gazeshift.errors import ModelError
    from gazeshift.mask import mask_codes_from_array
    from gazeshift.predict import Redirector
    from gazeshift.proxy import make_proxy

    redirector = Redirector()
    results = {}
    for megapixels in (1.5, 24.0):
        subject = make_subject(megapixels, "uint8")
        height, width = subject.mask.shape
        pixels = subject.pixels
        codes = np.rint(subject.mask * 255).astype(np.uint8)

        def click(
            pixels: Any = pixels, codes: Any = codes, height: int = height, width: int = width
        ) -> Any:
            mask = mask_codes_from_array(codes, height=height, width=width)
            proxy = make_proxy(pixels, mask, long_side=redirector.proxy_long_side)
            return redirector.predict_proxy(proxy, measure=False)

        try:
            prediction = click()
        except ModelError:
            return {}
        name = f"{megapixels:g} megapixels decoded"
        results[f"click to edit, {name}"] = _median(click, rounds)
    results["shares before and after both edits, beside it"] = _median(
        lambda: [
            redirector.measure(prediction.proxy, prediction.attract),
            redirector.measure(prediction.proxy, prediction.divert),
        ],
        rounds,
    )
    return results


def _median(run: Callable[[], object], rounds: int) -> float:
    run()
    times = []
    for _ in range(rounds):
        before = time.perf_counter()
        run()
        times.append((time.perf_counter() - before) * 1e3)
    return statistics.median(times)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own program


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0  # noqa: S603


def _two_megapixel_jpeg(folder: Path) -> Path:
    import pyvips

    subject = make_subject(1.5, "uint8")
    pixels = np.ascontiguousarray(np.pad(subject.pixels, ((0, 155), (0, 233), (0, 0)), "edge"))
    path = folder / "photo.jpg"
    pyvips.Image.new_from_array(pixels, interpretation="srgb").jpegsave(str(path), Q=92)
    return path
