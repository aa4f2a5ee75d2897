"""What the benchmark runs on, in words."""

from __future__ import annotations

import os
import platform
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_CORES = Path("/sys/devices/system/cpu")


def describe(cores: list[int]) -> str:
    """Tell the processor, the cores in use and their caches, as far as the system tells them.

    Parameters
    ----------
    cores
        The numbers of the cores that the benchmark is pinned to; empty where it could not be.
    """
    facts = _facts()
    name = facts.get("model name") or platform.processor() or platform.machine()
    if "cpu family" in facts:
        name += f" (family {facts['cpu family']}, model {facts.get('model', '?')})"
    parts = [name, f"{platform.system()} {platform.machine()}"]
    if cores:
        numbers = ", ".join(map(str, cores))
        parts.append(f"pinned to the cores {numbers} of {os.cpu_count()}")
        parts += _siblings(cores)
    else:
        parts.append(f"not pinned, {os.cpu_count()} cores")
    return ", ".join([*parts, *_caches(cores[0] if cores else 0)])


def _facts() -> dict[str, str]:
    try:
        lines = _CPUINFO.read_text().split("\n\n")[0].splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _siblings(cores: list[int]) -> list[str]:
    """Tell whether the cores are whole ones, or threads that share one."""
    try:
        shared = {
            (_CORES / f"cpu{core}/topology/thread_siblings_list").read_text().strip()
            for core in cores
        }
    except OSError:
        return []
    return ["each by itself" if len(shared) == len(cores) else "some of them threads of one core"]


def _caches(core: int) -> list[str]:
    found = []
    for level in (2, 3):
        try:
            size = (_CORES / f"cpu{core}/cache/index{level}/size").read_text().strip()
        except OSError:
            continue
        found.append(f"level {level} cache {size}")
    return found
