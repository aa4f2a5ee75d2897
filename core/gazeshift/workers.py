"""Worker threads for the renderer: how many, and how jobs are run, counted and stopped."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

from gazeshift.errors import ParamError

Progress = Callable[[float], None]
"""Called with the finished part, 0-1, never falling, in the caller's own thread."""

_CGROUP_V2 = Path("/sys/fs/cgroup/cpu.max")
_CGROUP_V1 = Path("/sys/fs/cgroup/cpu")


def usable_cores() -> int:
    """Return how many cores this process may use: its affinity, and its container's limit."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity call
        cores = os.cpu_count() or 1
    quota = _container_cores()
    return max(1, cores if quota is None else min(cores, math.ceil(quota)))


def check_threads(threads: int | None) -> int:
    """Return the number of threads to use.

    Parameters
    ----------
    threads
        At least 1; None takes every usable core.

    Raises
    ------
    ParamError
        If it is not a whole number of at least 1.
    """
    if threads is None:
        return usable_cores()
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ParamError(f"The number of threads must be 1 or more, not {threads!r}.")
    return threads


class Ladder:
    """A progress callback that is shared by the steps of one task.

    Parameters
    ----------
    progress
        The caller's callback, or None.
    total
        Work of the whole task, in any unit.
    """

    def __init__(self, progress: Progress | None, total: float) -> None:
        self._progress = progress
        self._total = total
        self._done = 0.0

    def climb(self, work: float) -> None:
        """Add finished work and tell the caller; whatever the callback raises passes through."""
        self._done += work
        if self._progress is not None:
            self._progress(min(1.0, self._done / self._total))


def run_jobs(jobs: Sequence[Callable[[], None]], threads: int, ladder: Ladder, work: float) -> None:
    """Run jobs in the calling thread and helpers beside it, and return when all are done.

    When a job or the progress callback raises, jobs that have not begun are dropped, running ones
    are waited for, and the exception passes on: nothing is left running.

    Parameters
    ----------
    jobs
        Independent functions.
    threads
        At least 1; 1 runs all jobs in the calling thread.
    ladder
        Told in the calling thread, after each job of its own.
    work
        Work of all the jobs together, in the ladder's unit.
    """
    share = work / max(1, len(jobs))
    waiting = deque(jobs)
    finished: deque[None] = deque()
    failures: list[BaseException] = []

    def next_job() -> Callable[[], None] | None:
        try:
            return waiting.popleft()
        except IndexError:
            return None

    def help_along() -> None:
        while (job := next_job()) is not None:
            try:
                job()
            except BaseException as error:  # raised again in the calling thread
                waiting.clear()
                failures.append(error)
            finished.append(None)

    def tell() -> None:
        while finished:
            finished.popleft()
            ladder.climb(share)

    helpers: list[Thread] = []
    try:
        for number in range(1, min(threads, len(jobs))):
            helper = Thread(target=help_along, name=f"gazeshift-render-{number}")
            helper.start()
            helpers.append(helper)
        while (job := next_job()) is not None:
            job()
            finished.append(None)
            tell()
    finally:
        waiting.clear()
        for helper in helpers:
            helper.join()
    if failures:
        raise failures[0]
    tell()


def _container_cores() -> float | None:
    try:
        quota, period = _CGROUP_V2.read_text().split()
    except (OSError, ValueError):
        try:
            quota = (_CGROUP_V1 / "cpu.cfs_quota_us").read_text().strip()
            period = (_CGROUP_V1 / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    try:
        cores = float(quota) / float(period)
    except (ValueError, ZeroDivisionError):  # "max": no limit
        return None
    return cores if cores > 0.0 else None
