"""The benchmark's report: JSON with everything, Markdown for the docs, one plot."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from benchmarks.goal_notes import note_for

COPY = "memory copy of the same bytes"
BEGIN = "<!-- Written by `python -m benchmarks --docs docs`: begin -->"
END = "<!-- end -->"


def write_report(result: dict[str, Any], folder: Path) -> None:
    """Write `performance.json`, `performance.md` and, where matplotlib is, `performance.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "performance.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "performance.md").write_text(markdown(result))
    _plot(result, folder / "performance.png")


def write_docs(result: dict[str, Any], folder: Path) -> None:
    """Put the tables between the marks of `performance.md`, and the plot beside it.

    Raises
    ------
    ValueError
        If the page has no such marks.
    """
    page = folder / "performance.md"
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} lacks the marks {BEGIN} and {END}")
    tables = markdown(result).replace("\n## ", "\n### ")
    figure = folder / "figures" / "performance.png"
    if _plot(result, figure):
        tables += f"\n![Time against size](figures/{figure.name})\n"
    page.write_text(f"{before}{begin}\n\n{tables}\n{end}{after}")


def markdown(result: dict[str, Any]) -> str:
    """Return the tables of every section that was measured."""
    found = result["load"]
    loads = [found[name][0] for name in ("before", "after") if name in found]
    parts = [
        f"Made {result['made']} by `python -m benchmarks` on {result['machine']}. "
        "Load average (1 minute): "
        + " and ".join(f"{load:.1f}" for load in loads)
        + " before and after; the benchmark itself counts in the second.",
        "Versions: " + ", ".join(f"{name} {v}" for name, v in result["versions"].items()) + ".",
    ]
    if result["failed"]:
        rows = [[name, why] for name, why in result["failed"].items()]
        parts.append("## Sections that failed\n\n" + _table(["section", "reason"], rows))
    sections = [
        ("Goals", ("peers",), _goals),
        ("24 megapixels, 8 bits, binary mask, two parameter sets", ("peers",), _peers),
        ("Cost against size", ("depths",), _linearity),
        ("Sizes and depths", ("depths",), _depths),
        ("Accuracy against the float64 reference", ("accuracy",), _accuracy),
        ("Latency", ("cold",), _latency),
        ("Memory above picture, mask and result", ("memory_mib",), _memory),
    ]
    for title, needed, make in sections:
        if all(name in result for name in needed):
            parts.append(f"## {title}\n\n{make(result)}")
    return "\n\n".join(parts) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _short(number: float) -> str:
    return f"{number:.1f}" if number < 100 else f"{number:.0f}"


def _peers(result: dict[str, Any]) -> str:
    copy = result["peers"][COPY]
    rows = [
        [
            name,
            *(_short(timing[key]) for key in ("wall_ms", "best_wall_ms", "cpu_ms")),
            _short(timing["wall_ms"] / copy["wall_ms"]),
            _short(timing["cpu_ms"] / max(copy["cpu_ms"], 1e-3)),
            str(timing["rounds"]),
        ]
        for name, timing in sorted(result["peers"].items(), key=lambda item: item[1]["cpu_ms"])
    ]
    rows += [[name, "absent", "", "", "", "", reason] for name, reason in result["absent"].items()]
    head = [
        "",
        "median ms",
        "best ms",
        "processor ms",
        "median ÷ copy",
        "processor ÷ copy",
        "rounds",
    ]
    return _table(head, rows) + (
        "\n\nTimes of programs are without reading and writing, which is measured beside them. "
        "GEGL runs both regions and the mask with the cheapest operators of its own; ImageMagick "
        "runs one region without mask; OpenColorIO has no sharpening."
    )


def _linearity(result: dict[str, Any]) -> str:
    measured = [row for row in _sizes(result) if row["timings"]]
    rows = []
    for name in measured[0]["timings"] if len(measured) > 1 else ():
        points = [(row["megapixels"], row["timings"][name]["cpu_ms"]) for row in measured]
        per_megapixel = [f"{ms / size:.2f}" for size, ms in points]
        rows.append([name, *per_megapixel, f"{_exponent(points):.2f}"])
    sizes = [f"{row['megapixels']:g} megapixels" for row in measured]
    return (
        "Processor milliseconds per megapixel, 8 bits, binary mask. The exponent is that of the "
        "line through the logarithms: 1 is linear.\n\n" + _table(["", *sizes, "exponent"], rows)
    )


def _exponent(points: list[tuple[float, float]]) -> float:
    logs = [(math.log(size), math.log(max(ms, 1e-3))) for size, ms in points]
    middle_x = sum(x for x, _ in logs) / len(logs)
    middle_y = sum(y for _, y in logs) / len(logs)
    above = sum((x - middle_x) * (y - middle_y) for x, y in logs)
    return above / sum((x - middle_x) ** 2 for x, _ in logs)


def _sizes(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [r for r in result["depths"] if r["depth"] == "uint8" and r["mask"] == "binary"]


def _depths(result: dict[str, Any]) -> str:
    names = [name for name in result["depths"][0]["timings"] if name != COPY]
    rows = []
    for row in result["depths"]:
        timings = row["timings"]
        cells = [f"{row['megapixels']:g}", row["depth"], row["mask"]]
        if not timings:
            rows.append([*cells, "no time left", *[""] * len(names)])
            continue
        cells.append(f"{timings[COPY]['wall_ms']:.1f} / {timings[COPY]['cpu_ms']:.0f}")
        cells += [
            f"{timings[name]['wall_ms']:.0f} / {timings[name]['cpu_ms']:.0f}" for name in names
        ]
        rows.append(cells)
    return "Median wall / least processor milliseconds.\n\n" + _table(
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
    rows = [
        ["cold process: " + name, "failed" if ms is None else f"{ms:.0f}"]
        for name, ms in result["cold"].items()
    ]
    for kernel, times in result.get("resident", {}).items():
        rows += [[f"resident, {kernel}: {name}", f"{ms:.1f}"] for name, ms in times.items()]
    rows += [[f"resident: {name}", f"{ms:.1f}"] for name, ms in result.get("click", {}).items()]
    return _table(["", "median ms"], rows)


def _memory(result: dict[str, Any]) -> str:
    rows = [
        [name, "not measured" if mib is None else f"{mib:.0f}"]
        for name, mib in result["memory_mib"].items()
    ]
    return _table(["", "MiB"], rows)


def _goals(result: dict[str, Any]) -> str:
    peers, copy = result["peers"], result["peers"][COPY]
    kernels = [name for name in peers if name.startswith("GazeShift")]
    best = min(kernels, key=lambda name: float(peers[name]["wall_ms"]))
    ours, kernel = peers[best], best.removeprefix("GazeShift, ")
    wall, processor = (ours[key] / max(copy[key], 1e-3) for key in ("wall_ms", "cpu_ms"))
    label = "8 bits, 24 megapixels ≤ 30 x the copy"
    measured = f"{wall:.1f} x ({kernel}; {processor:.1f} x by processor)"
    rows = [[label, measured, _met(label, wall <= 30)]]
    for needle, goal in (("ImageMagick", 15.0), ("GEGL", 20.0), ("numba", 1.5)):
        name = next((name for name in peers if name.startswith(needle)), None)
        label = f"≥ {goal:g} x faster than {needle}"
        if name is None:
            rows.append([label, "the peer is absent", "not measured"])
            continue
        wall, processor = (peers[name][key] / ours[key] for key in ("wall_ms", "cpu_ms"))
        measured = f"{wall:.1f} x ({processor:.1f} x by processor)"
        rows.append([label, measured, _met(label, wall >= goal)])
    return _table(["goal", "measured", ""], [*rows, *_further_goals(result)])


def _further_goals(result: dict[str, Any]) -> list[list[str]]:
    rows: list[list[str]] = []

    def add(label: str, value: float, limit: float, unit: str) -> None:
        rows.append([label, f"{value:.3g} {unit}", _met(label, value <= limit)])

    native = next((kernel for kernel in result["kernels"] if kernel != "numpy"), None)
    for kernel, limit in ((native, 8.0), ("numpy", 35.0)):
        for what, ms in result.get("resident", {}).get(kernel, {}).items():
            add(f"{what}, {kernel} ≤ {limit:g} ms", ms, limit, "ms")
    for kernel in (native, "numpy"):
        found = result.get("memory_mib", {}).items()
        sizes = [mib for name, mib in found if name.startswith(f"{kernel},") and mib is not None]
        if sizes:
            add(f"extra memory at any size, {kernel} ≤ 32 MiB", max(sizes), 32.0, "MiB")
    for kernel in (native, "numpy"):
        for depth, key, limit, unit in (
            ("uint8", "wrong_percent", 0.01, "% wrong codes"),
            ("uint16", "largest", 1.0, "codes"),
        ):
            found_error = result.get("accuracy", {}).get(f"{kernel}, {depth}")
            if found_error is not None:
                label = f"{depth}, {kernel} ≤ {limit:g} {unit}"
                add(label, found_error[key], limit, unit)
    for what, ms in result.get("click", {}).items():
        if what.startswith("click"):
            add(f"{what} ≤ 30 ms", ms, 30.0, "ms")
    for what, limit in (("gazeshift --version", 100.0), ("gazeshift redirect", 600.0)):
        for name, ms in result.get("cold", {}).items():
            if not name.startswith(what):
                continue
            if ms is None:
                rows.append([f"{name}, cold ≤ {limit:g} ms", "the command failed", "missed"])
            else:
                add(f"{name}, cold ≤ {limit:g} ms", ms, limit, "ms")
    return rows


def _met(goal: str, is_met: bool) -> str:
    if is_met:
        return "met"
    reason = note_for(goal)
    return f"missed: {reason}" if reason else "missed"


def _plot(result: dict[str, Any], path: Path) -> bool:
    rows = [row for row in _sizes(result) if row["timings"]] if "depths" in result else []
    if not rows:
        return False
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
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
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes], minor=False)
    axes.minorticks_off()
    axes.grid(visible=True, alpha=0.25)
    axes.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return True
