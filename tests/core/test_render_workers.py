"""Threads, progress and cancelling."""

from __future__ import annotations

import threading

import pytest
from tests.core.render_pictures import masks, noise, strong_edit

from gazeshift import workers
from gazeshift.render import render
from gazeshift.workers import Ladder, check_threads, run_jobs, usable_cores


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (400, 50), (200, 2600)])
def test_progress_rises_to_one(threads, size):
    seen = []
    render(
        noise(size, "uint8"),
        masks(size)["soft"],
        strong_edit(),
        threads=threads,
        progress=seen.append,
    )
    assert seen == sorted(seen)
    assert seen[0] > 0.0
    assert seen[-1] == pytest.approx(1.0)


def test_progress_reaches_one_for_an_exact_copy():
    seen = []
    render(noise((5, 5), "uint8"), masks((5, 5))["soft"], strong_edit(), 0.0, progress=seen.append)
    assert seen == [1.0]


class Stop(Exception):
    """What a caller raises to cancel."""


@pytest.mark.parametrize("threads", [1, 4])
def test_exception_in_the_callback_stops_the_work(threads):
    before = threading.active_count()

    def cancel(done):
        raise Stop

    with pytest.raises(Stop):
        render(
            noise((2000, 20), "uint8"),
            masks((2000, 20))["soft"],
            strong_edit(),
            threads=threads,
            progress=cancel,
        )
    assert threading.active_count() == before


def test_failing_job_drops_those_that_have_not_begun():
    ran = []
    released = threading.Event()

    def fail():
        raise Stop

    def wait_for_release():
        released.wait(10)
        ran.append("late")

    with pytest.raises(Stop):
        run_jobs([fail, lambda: ran.append("after")], 1, Ladder(None, 1.0), 1.0)
    assert ran == []

    def fail_and_release():
        released.set()
        raise Stop

    # Two workers: one job fails, the one already running is waited for, none is left behind.
    with pytest.raises(Stop):
        run_jobs([wait_for_release, fail_and_release], 2, Ladder(None, 1.0), 1.0)
    assert ran == ["late"]
    assert not [t for t in threading.enumerate() if t.name.startswith("gazeshift-render")]


def test_calls_come_in_the_callers_thread():
    names = set()
    render(
        noise((500, 40), "uint8"),
        masks((500, 40))["soft"],
        strong_edit(),
        threads=2,
        progress=lambda done: names.add(threading.current_thread()),
    )
    assert names == {threading.current_thread()}


def test_cores_respect_affinity_and_the_containers_limit(monkeypatch, tmp_path):
    monkeypatch.setattr(workers.os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    limit = tmp_path / "cpu.max"
    monkeypatch.setattr(workers, "_CGROUP_V2", limit)
    monkeypatch.setattr(workers, "_CGROUP_V1", tmp_path)
    assert usable_cores() == 4
    limit.write_text("250000 100000\n")
    assert usable_cores() == 3
    limit.write_text("10000 100000\n")
    assert usable_cores() == 1
    limit.write_text("max 100000\n")
    assert usable_cores() == 4
    limit.unlink()
    (tmp_path / "cpu.cfs_quota_us").write_text("200000\n")
    (tmp_path / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_cores() == 2
    (tmp_path / "cpu.cfs_quota_us").write_text("-1\n")
    assert usable_cores() == 4


def test_no_count_takes_every_core():
    assert check_threads(None) == usable_cores()
