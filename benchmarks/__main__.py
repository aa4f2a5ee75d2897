"""`python -m benchmarks`: all measures in one run, written as Markdown, JSON and a plot."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import latency, memory, programs
from benchmarks.machine import describe
from benchmarks.peers import PEERS
from benchmarks.report import markdown, write_docs, write_report
from benchmarks.subjects import SIZES, Subject, make_edit, make_subject
from benchmarks.timing import Timing, pin, race
from gazeshift.decoder import apply_regions
from gazeshift.edit import Edit
from gazeshift.kernel import native_levels
from gazeshift.render import render

Run = Callable[[], object]
COPY = "memory copy of the same bytes"


def main() -> None:
    """Run the benchmark, section by section; what is measured is written at once."""
    options = _options()
    cores = pin(options.cores)
    threads = len(cores) or options.cores
    result: dict[str, Any] = {
        "made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": describe(cores),
        "cores": threads,
        "versions": _versions(),
        "kernels": ["numpy", *native_levels()],
        "absent": {},
        "failed": {},
        "seconds": {},
        "load": {"before": os.getloadavg()},
    }
    edit = make_edit()
    rounds = 3 if options.quick else options.rounds
    largest = 24.0 if options.quick else options.largest
    # Each section gets its part of the whole time; only those that race heed it.
    budget_s = 60 * options.minutes
    for name, share, measure in _sections(edit, threads, rounds, largest, result):
        if options.only and name not in options.only:
            continue
        started = time.monotonic()
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            result[name] = measure(started + share * budget_s)
        except Exception as error:  # one section's failure must not cost the others' minutes
            result["failed"][name] = f"{type(error).__name__}: {error}"
            traceback.print_exc()
        result["seconds"][name] = round(time.monotonic() - started, 1)
        result["load"]["after"] = os.getloadavg()
        write_report(result, options.out)
    if options.docs is not None:
        write_docs(result, options.docs)
    print(markdown(result))
    sys.exit(1 if result["failed"] else 0)


Section = tuple[str, float, Callable[[float], Any]]


def _sections(
    edit: Edit, threads: int, rounds: int, largest: float, result: dict[str, Any]
) -> list[Section]:
    """Return name, part of the whole time, and function of each section."""
    best = native_levels()[:1]

    def resident(until_s: float) -> Any:
        times = {}
        for kernel in ("numpy", *best):
            os.environ["GAZESHIFT_KERNEL"] = kernel
            times[kernel] = latency.resident(max(5, 3 * rounds), threads)
        return times

    def click(until_s: float) -> Any:
        os.environ.pop("GAZESHIFT_KERNEL", None)
        return latency.click_to_edit(max(5, 2 * rounds))

    def cold(until_s: float) -> Any:
        os.environ.pop("GAZESHIFT_KERNEL", None)
        return latency.cold(max(3, rounds))

    return [
        ("peers", 0.35, lambda until_s: _peers(edit, threads, rounds, result["absent"], until_s)),
        ("resident", 0.05, resident),
        ("click", 0.05, click),
        ("cold", 0.05, cold),
        ("accuracy", 0.05, lambda until_s: _accuracy(edit)),
        ("memory_mib", 0.1, lambda until_s: _memory(threads, largest, until_s)),
        ("depths", 0.35, lambda until_s: _depths(edit, threads, rounds, largest, until_s)),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("benchmark-results"))
    parser.add_argument("--docs", type=Path, help="folder of the documentation to be brought up")
    parser.add_argument("--rounds", type=int, default=7, help="rounds for each contestant")
    parser.add_argument("--cores", type=int, default=2, help="cores to be pinned to")
    parser.add_argument("--minutes", type=float, default=9.0, help="time for all sections together")
    parser.add_argument("--quick", action="store_true", help="3 rounds, at most 24 megapixels")
    parser.add_argument("--only", nargs="*", metavar="SECTION", help="measure these sections alone")
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
    edit: Edit, threads: int, rounds: int, absent: dict[str, str], until_s: float
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
            "GEGL, operators of its own, both regions and mask": programs.gegl,
        }.items():
            try:
                run, plain = make_program(subject, edit, Path(folder), threads)
            except FileNotFoundError as error:
                absent[name] = str(error)
                continue
            idle[name] = f"{name}: reading and writing alone"
            contestants[name], contestants[idle[name]] = run, plain
        timings = race(contestants, rounds=rounds, limit_s=20.0, until_s=until_s)
    table = {name: timing.to_json() for name, timing in timings.items()}
    for name, plain_name in idle.items():
        plain_timing = table.pop(plain_name)
        for key in ("wall_ms", "best_wall_ms", "cpu_ms"):
            table[name][key] -= plain_timing[key]
    return table


def _depths(
    edit: Edit, threads: int, rounds: int, largest: float, until_s: float
) -> list[dict[str, Any]]:
    rows = []
    # The sizes in 8 bits first: they tell whether the cost is linear.
    cases = [(size, "uint8", False) for size in SIZES]
    for size in (1.5, 24, 100):
        cases += [(size, depth, False) for depth in ("uint16", "float32")]
        cases += [(size, depth, True) for depth in ("uint8", "uint16", "float32") if size < 100]
    for size, depth, is_soft in cases:
        if size > largest:
            continue
        if time.monotonic() > until_s:
            rows.append({"megapixels": size, "depth": depth, "mask": _mask(is_soft), "timings": {}})
            continue
        subject = make_subject(size, depth, is_soft=is_soft)
        timings: dict[str, Timing] = race(
            _kernels(subject, edit, threads),
            rounds=2 if size == 100 else max(3, rounds // 2),
            limit_s=10.0,
            until_s=until_s,
        )
        rows.append(
            {
                "megapixels": size,
                "depth": depth,
                "mask": _mask(is_soft),
                "timings": {name: timing.to_json() for name, timing in timings.items()},
            }
        )
    return rows


def _mask(is_soft: bool) -> str:
    return "soft" if is_soft else "binary"


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


def _memory(threads: int, largest: float, until_s: float) -> dict[str, float | None]:
    found = {}
    for size in (1.5, 24, 100):
        for kernel in (*native_levels()[:1], "numpy"):
            is_wanted = size <= largest and time.monotonic() < until_s
            found[f"{kernel}, {size:g} megapixels"] = (
                memory.extra_mib(size, "uint8", kernel, threads) if is_wanted else None
            )
    return found


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
