"""The benchmark's report: JSON with everything, Markdown for the docs, one plot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

COPY = "memory copy of the same bytes"


def write_report(result: dict[str, Any], folder: Path) -> None:
    """Write `performance.json`, `performance.md` and, where matplotlib is, `performance.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "performance.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "performance.md").write_text(markdown(result))
    _plot(result, folder / "performance.png")


def markdown(result: dict[str, Any]) -> str:
    """Return the tables."""
    parts = [
        f"Made {result['made']} by `python -m benchmarks` on {result['machine']}, pinned to "
        f"{result['cores']} cores. Load average (1 minute) {result['load']['before'][0]:.1f} "
        f"before and {result['load']['after'][0]:.1f} after"
        + (
            ": other programs ran, so read the columns of processor time."
            if max(result["load"]["before"][0], result["load"]["after"][0]) > 1.5 * result["cores"]
            else "."
        ),
        "Versions: " + ", ".join(f"{name} {v}" for name, v in result["versions"].items()) + ".",
        "## Goals\n\n" + _goals(result),
        "## 24 megapixels, 8 bits, binary mask, two parameter sets\n\n" + _peers(result),
        "## Sizes and depths\n\n" + _depths(result),
        "## Accuracy against the float64 reference\n\n" + _accuracy(result),
        "## Latency\n\n" + _latency(result),
        "## Memory above picture, mask and result\n\n" + _memory(result),
    ]
    return "\n\n".join(parts) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _peers(result: dict[str, Any]) -> str:
    copy = result["peers"][COPY]
    rows = [
        [
            name,
            f"{timing['wall_ms']:.0f}",
            f"{timing['best_wall_ms']:.0f}",
            f"{timing['cpu_ms']:.0f}",
            f"{timing['best_wall_ms'] / copy['best_wall_ms']:.0f}",
            f"{timing['cpu_ms'] / max(copy['cpu_ms'], 1e-3):.0f}",
            str(timing["rounds"]),
        ]
        for name, timing in sorted(result["peers"].items(), key=lambda item: item[1]["cpu_ms"])
    ]
    rows += [[name, "absent", "", "", "", "", reason] for name, reason in result["absent"].items()]
    head = ["", "median ms", "best ms", "processor ms", "best ÷ copy", "processor ÷ copy", "rounds"]
    return _table(head, rows)


def _depths(result: dict[str, Any]) -> str:
    names = [name for name in result["depths"][0]["timings"] if name != COPY]
    rows = []
    for row in result["depths"]:
        timings = row["timings"]
        cells = [f"{row['megapixels']:g}", row["depth"], row["mask"]]
        cells.append(f"{timings[COPY]['best_wall_ms']:.1f} / {timings[COPY]['cpu_ms']:.0f}")
        cells += [
            f"{timings[name]['best_wall_ms']:.0f} / {timings[name]['cpu_ms']:.0f}" for name in names
        ]
        rows.append(cells)
    return "Best wall / processor milliseconds.\n\n" + _table(
        ["megapixels", "depth", "mask", "copy", *names], rows
    )


def _accuracy(result: dict[str, Any]) -> str:
    rows = []
    for name, found in result["accuracy"].items():
        is_float = name.endswith("float32")
        wrong = "" if is_float else f"{found['wrong_percent']:.4f} %"
        rows.append([name, f"{found['largest']:.2g}", wrong])
    return _table(["", "largest difference (codes; float: 0-1)", "wrong codes"], rows)


def _latency(result: dict[str, Any]) -> str:
    rows = [["cold process: " + name, f"{ms:.0f}"] for name, ms in result["cold"].items()]
    for kernel, times in result["resident"].items():
        rows += [[f"resident, {kernel}: {name}", f"{ms:.1f}"] for name, ms in times.items()]
    return _table(["", "median ms"], rows)


def _memory(result: dict[str, Any]) -> str:
    rows = [
        [name, "not measured" if mib is None else f"{mib:.0f}"]
        for name, mib in result["memory_mib"].items()
    ]
    return _table(["", "MiB"], rows)


def _goals(result: dict[str, Any]) -> str:
    peers, copy = result["peers"], result["peers"][COPY]
    best = min(
        (name for name in peers if name.startswith("GazeShift")),
        key=lambda name: float(peers[name]["cpu_ms"]),
    )
    ours = peers[best]
    kernel = best.removeprefix("GazeShift, ")
    rows = [["8 bits, 24 megapixels ≤ 30 x the copy", *_ratio(ours, copy, 30)]]
    for needle, goal in (("ImageMagick", 15.0), ("GEGL", 20.0), ("numba", 1.5)):
        name = next((name for name in peers if name.startswith(needle)), None)
        label = f"≥ {goal:g} x faster than {needle}"
        rows.append(
            [label, "absent", "", ""]
            if name is None
            else [label, *_faster(ours, peers[name], goal)]
        )
    for name, goal_ms in (("numpy", 35.0), (kernel, 8.0)):
        times = result["resident"].get(name, {})
        for what, ms in times.items():
            if what.startswith("slider"):
                rows.append(
                    [f"slider, {name} ≤ {goal_ms:g} ms", f"{ms:.1f} ms", "", _met(ms <= goal_ms)]
                )
            elif name == kernel:
                rows.append([f"{what} ≤ 30 ms", f"{ms:.1f} ms", "", _met(ms <= 30)])
    memory = [m for n, m in result["memory_mib"].items() if n.startswith(kernel) and m is not None]
    if memory:
        rows.append(
            [
                "extra memory ≤ 32 MiB at any size",
                f"{max(memory):.0f} MiB",
                "",
                _met(max(memory) <= 32),
            ]
        )
    for depth, key, goal, unit in (
        ("uint8", "wrong_percent", 0.01, "% wrong codes"),
        ("uint16", "largest", 1, "codes at most"),
    ):
        value = result["accuracy"][f"{kernel}, {depth}"][key]
        rows.append([f"{depth}: {goal:g} {unit}", f"{value:.2g}", "", _met(value <= goal)])
    for what, goal_ms in (("gazeshift --version", 100.0), ("gazeshift redirect", 600.0)):
        for name, ms in result["cold"].items():
            if name.startswith(what):
                rows.append([f"{name} ≤ {goal_ms:g} ms", f"{ms:.0f} ms", "", _met(ms <= goal_ms)])
    return _table(["goal", "measured (best wall)", "measured (processor)", ""], rows)


def _ratio(ours: dict[str, float], other: dict[str, float], limit: float) -> list[str]:
    wall = ours["best_wall_ms"] / other["best_wall_ms"]
    processor = ours["cpu_ms"] / max(other["cpu_ms"], 1e-3)
    return [f"{wall:.0f} x", f"{processor:.0f} x", _met(wall <= limit)]


def _faster(ours: dict[str, float], other: dict[str, float], goal: float) -> list[str]:
    wall = other["best_wall_ms"] / ours["best_wall_ms"]
    processor = other["cpu_ms"] / ours["cpu_ms"]
    return [f"{wall:.1f} x", f"{processor:.1f} x", _met(wall >= goal)]


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"


def _plot(result: dict[str, Any], path: Path) -> None:
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    rows = [r for r in result["depths"] if r["depth"] == "uint8" and r["mask"] == "binary"]
    for name in rows[0]["timings"]:
        sizes = [row["megapixels"] for row in rows]
        times = [row["timings"][name]["cpu_ms"] for row in rows]
        axes.plot(sizes, times, "o-", label=name)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="megapixels",
        ylabel="processor milliseconds",
        title="8 bits, two parameter sets, binary mask",
    )
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
