"""`python -m benchmarks`: all measures in one run, written as Markdown, JSON and a plot."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import latency, memory, programs
from benchmarks.peers import PEERS
from benchmarks.report import write_report
from benchmarks.subjects import SIZES, Subject, make_edit, make_subject
from benchmarks.timing import Timing, pin, race
from gazeshift.decoder import apply_regions
from gazeshift.edit import Edit
from gazeshift.kernel import native_levels
from gazeshift.render import render

Run = Callable[[], object]
COPY = "memory copy of the same bytes"


def main() -> None:
    """Run the benchmark."""
    options = _options()
    cores = pin(options.cores)
    threads = len(cores) or options.cores
    load_before = os.getloadavg()
    result: dict[str, Any] = {
        "made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": _machine(),
        "cores": threads,
        "versions": _versions(),
        "kernels": ["numpy", *native_levels()],
        "absent": {},
    }
    edit = make_edit()
    rounds = options.rounds
    result["peers"] = _peers(edit, threads, rounds, result["absent"])
    result["depths"] = _depths(edit, threads, rounds, options.largest)
    # Kept at once: an interruption later must not cost these minutes.
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "unfinished.json").write_text(json.dumps(result, indent=1) + "\n")
    result["accuracy"] = _accuracy(edit)
    result["cold"] = latency.cold(max(3, rounds))
    result["resident"] = {}
    for kernel in ("numpy", *native_levels()[:1]):
        os.environ["GAZESHIFT_KERNEL"] = kernel
        result["resident"][kernel] = latency.resident(max(5, 3 * rounds), threads)
    result["memory_mib"] = _memory(threads, options.largest)
    result["load"] = {"before": load_before, "after": os.getloadavg()}
    write_report(result, options.out)
    (options.out / "unfinished.json").unlink()
    print(f"Written to {options.out}", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("benchmark-results"))
    parser.add_argument("--rounds", type=int, default=7, help="rounds for each contestant")
    parser.add_argument("--cores", type=int, default=2, help="cores to be pinned to")
    parser.add_argument(
        "--largest", type=float, default=100, choices=sorted(SIZES), help="megapixels at most"
    )
    return parser.parse_args()


def _copy(subject: Subject, threads: int) -> Run:
    out = np.empty_like(subject.pixels)
    parts = np.array_split(np.arange(len(out)), threads)
    slices = [slice(part[0], part[-1] + 1) for part in parts]

    def run() -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda rows: np.copyto(out[rows], subject.pixels[rows]), slices))

    return run


def _kernel(subject: Subject, edit: Edit, kernel: str, threads: int) -> Run:
    def run() -> object:
        os.environ["GAZESHIFT_KERNEL"] = kernel
        return render(subject.pixels, subject.mask, edit, threads=threads)

    return run


def _kernels(subject: Subject, edit: Edit, threads: int) -> dict[str, Run]:
    named = {f"GazeShift, {level}": level for level in native_levels()}
    named["GazeShift, numpy"] = "numpy"
    return {
        COPY: _copy(subject, threads),
        **{name: _kernel(subject, edit, level, threads) for name, level in named.items()},
    }


def _peers(
    edit: Edit, threads: int, rounds: int, absent: dict[str, str]
) -> dict[str, dict[str, Any]]:
    subject = make_subject(24, "uint8")
    contestants = _kernels(subject, edit, threads)
    for name, (package, make) in PEERS.items():
        try:
            contestants[name] = make(subject, edit, threads)
        except ImportError as error:
            absent[name] = f"{package}: {error}"
    idle: dict[str, str] = {}
    with programs.scratch_folder() as folder:
        for name, make_program in {
            "ImageMagick, one region, no mask": programs.imagemagick,
            "GEGL, one region, no mask": programs.gegl,
        }.items():
            try:
                run, plain = make_program(subject, edit, Path(folder), threads)
            except FileNotFoundError as error:
                absent[name] = str(error)
                continue
            idle[name] = f"{name}: reading and writing alone"
            contestants[name], contestants[idle[name]] = run, plain
        timings = race(contestants, rounds=rounds, limit_s=30.0)
    table = {name: timing.to_json() for name, timing in timings.items()}
    for name, plain_name in idle.items():
        plain_timing = table.pop(plain_name)
        for key in ("wall_ms", "best_wall_ms", "cpu_ms"):
            table[name][key] -= plain_timing[key]
    return table


def _depths(edit: Edit, threads: int, rounds: int, largest: float) -> list[dict[str, Any]]:
    rows = []
    cases = [(size, depth) for size in SIZES for depth in ("uint8", "uint16", "float32")]
    for size, depth in cases:
        if size > largest or (size == 100 and depth == "float32"):
            continue
        for is_soft in (False, True):
            subject = make_subject(size, depth, is_soft=is_soft)
            timings: dict[str, Timing] = race(
                _kernels(subject, edit, threads), rounds=max(3, rounds // 2), limit_s=20.0
            )
            rows.append(
                {
                    "megapixels": size,
                    "depth": depth,
                    "mask": "soft" if is_soft else "binary",
                    "timings": {name: timing.to_json() for name, timing in timings.items()},
                }
            )
    return rows


def _accuracy(edit: Edit) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for depth in ("uint8", "uint16", "float32"):
        # A cut of the large picture's width, so that the wide blur is in use.
        whole = make_subject(24, depth, is_soft=True)
        pixels, mask = whole.pixels[1500:1560], whole.mask[1500:1560]
        top = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1
        encoded, weights = pixels / np.float64(top), mask.astype(np.float64)
        expected = apply_regions(encoded, weights, *edit.regions()) * top
        if top != 1:
            expected = np.rint(expected)
        for kernel in ("numpy", *native_levels()):
            os.environ["GAZESHIFT_KERNEL"] = kernel
            missed = np.abs(render(pixels, mask, edit).astype(np.float64) - expected)
            found[f"{kernel}, {depth}"] = {
                "largest": float(missed.max()),
                "wrong_percent": float(100 * (missed > 0).mean()),
            }
    return found


def _memory(threads: int, largest: float) -> dict[str, float | None]:
    return {
        f"{kernel}, {size:g} megapixels": memory.extra_mib(size, "uint8", kernel, threads)
        for kernel in ("numpy", *native_levels()[:1])
        for size in SIZES
        if size <= largest
    }


def _machine() -> str:
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{name}, {platform.system()} {platform.machine()}"


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("numpy", "numba", "opencv-python-headless", "opencolorio"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "absent"
    return versions


if __name__ == "__main__":
    main()
