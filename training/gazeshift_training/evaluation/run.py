"""The evaluation's loop: every wanted method on every wanted pair, resumable, in threads."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from gazeshift.edit import DIRECTIONS, Direction
from gazeshift_training.baselines.method import Method
from gazeshift_training.evaluation.measure import PairMeter, Row
from gazeshift_training.evaluation.pairs import Pair, PairSource
from gazeshift_training.evaluation.store import Key, ResultStore, store_path
from gazeshift_training.evaluation.tools import Tools

CURVE_STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
"""Dial positions of a gain-against-LPIPS curve; 0 is the photo itself."""
MEASURES_VERSION = 1
"""Raised when a measure changes, so that kept rows are measured again."""
TIMED_PAIRS = 5
SUBSET_TIMED_PAIRS = 2


class Case(NamedTuple):
    """One line of the table, before it is averaged."""

    method: Method
    """What is done."""
    direction: Direction
    """Which way."""


@dataclass(frozen=True)
class Plan:
    """What is to be measured."""

    methods: Sequence[Method]
    """Rows of the table."""
    directions: tuple[Direction, ...] = DIRECTIONS
    """Directions, for the methods that know both."""
    subset: int = 40
    """How many of the first pairs get curves, and methods that are not run on all; the model has
    its curve on all."""
    curve_strengths: tuple[float, ...] = CURVE_STRENGTHS
    """Dial positions of the curves; empty for no curves."""

    def cases(self) -> list[Case]:
        """Return every method with every direction it knows, in the order of the table."""
        return [
            Case(method, direction)
            for direction in self.directions
            for method in sorted(self.methods, key=lambda method: method.order)
            if direction in method.directions
        ]

    def has_curve(self, method: Method) -> bool:
        """Say whether a method's gain is drawn over its dial."""
        return method.has_dial and method.id != "model-overdriven"

    def strengths(self, method: Method, place: int) -> dict[float, bool]:
        """Return the dial positions to measure on the pair at `place`: position to full or brief.

        Parameters
        ----------
        method
            The method.
        place
            Place of the pair in the fixed order.
        """
        wanted: dict[float, bool] = {}
        if place < self.subset or not method.on_subset:
            wanted[method.strength] = True
        # Duels at equal LPIPS read the model's curve on every pair.
        if (place < self.subset or method.id == "model") and self.has_curve(method):
            for strength in self.curve_strengths:
                wanted.setdefault(strength, False)
        return wanted


@dataclass
class Results:
    """All measured rows, and how long each method takes."""

    sources: list[PairSource]
    """The pairs in their fixed order."""
    stores: dict[Case, ResultStore] = field(default_factory=dict)
    """Rows by method and direction."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Processor seconds per photo and direction by method id."""


def fingerprint(method: Method, model: Path, judges: Mapping[str, Path]) -> str:
    """Say what the rows of a method depend on.

    Parameters
    ----------
    method
        Whose rows.
    model
        The network under test.
    judges
        Attention networks by name.

    Returns
    -------
    str
        Versions, and digests of what the files hold.
    """
    parts = [f"measures {MEASURES_VERSION}", f"{method.id} {method.version}"]
    if method.uses_model:
        parts.append(model_stamp(model))
    if method.stamp:
        parts.append(method.stamp)
    parts += [f"{name} {content_digest(path)}" for name, path in judges.items()]
    return "; ".join(parts)


def model_stamp(model: Path) -> str:
    """Return the part of a fingerprint that names the model under test, by its content."""
    return f"model {content_digest(model)}"


def content_digest(path: Path) -> str:
    """Digest what a network computes; notes in its metadata may change without consequence."""
    import onnx

    model = onnx.load(path)
    del model.metadata_props[:]
    return hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()[:12]


def run_plan(
    plan: Plan,
    sources: list[PairSource],
    tools: Tools,
    folder: Path,
    fingerprints: Mapping[str, str],
    *,
    workers: int = 1,
) -> Results:
    """Measure what a plan asks for and `folder` does not hold yet.

    Parameters
    ----------
    plan
        Methods, directions and dial positions.
    sources
        Pairs in their fixed order.
    tools
        Networks.
    folder
        Where rows are kept between runs.
    fingerprints
        By method id, from `fingerprint`.
    workers
        Threads, each at its own pair.

    Returns
    -------
    Results
        Rows old and new.
    """
    folder.mkdir(parents=True, exist_ok=True)
    results = Results(sources)
    for case in plan.cases():
        path = store_path(folder, case.method, case.direction)
        results.stores[case] = ResultStore(path, fingerprints[case.method.id])
    open_places = [
        place for place, source in enumerate(sources) if _missing(plan, results, place, source.name)
    ]
    with ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(_measure_pair, plan, results, tools, place) for place in open_places]
        try:
            finished = as_completed(waiting)
            for job in tqdm(finished, "measuring", len(waiting), unit="photo", disable=None):
                job.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def _missing(
    plan: Plan, results: Results, place: int, name: str
) -> list[tuple[Case, dict[float, bool]]]:
    found: list[tuple[Case, dict[float, bool]]] = []
    for case, store in results.stores.items():
        wanted = {
            strength: is_full
            for strength, is_full in plan.strengths(case.method, place).items()
            if not store.has(Key(name, strength), "clipped" if is_full else "lpips")
        }
        if wanted:
            found.append((case, wanted))
    return found


def _measure_pair(plan: Plan, results: Results, tools: Tools, place: int) -> None:
    source = results.sources[place]
    pair = source.load()
    meter = PairMeter(pair, tools.judges, tools.fidelity(pair))
    for case, wanted in _missing(plan, results, place, source.name):
        dial = case.method.prepare(pair, case.direction, tools)
        for strength, is_full in wanted.items():
            edited = dial(strength)
            row: Row = meter.full(edited) if is_full else meter.brief(edited)
            results.stores[case].add(Key(source.name, strength), row)


def time_methods(plan: Plan, sources: Sequence[PairSource], tools: Tools) -> dict[str, float]:
    """Time each method alone: its work and one rendering, without the measuring.

    Processor time of all threads is taken, so that other work on the machine does not count.

    Parameters
    ----------
    plan
        Which methods.
    sources
        The first few pairs are used.
    tools
        Networks; predictions that are kept are dropped first.

    Returns
    -------
    dict
        Method id to processor seconds per photo and direction.
    """
    pairs: list[Pair] = [source.load() for source in sources[:TIMED_PAIRS]]
    seconds: dict[str, float] = {}
    for method in plan.methods:
        direction = next(name for name in plan.directions if name in method.directions)
        timed = pairs[: SUBSET_TIMED_PAIRS if method.on_subset else TIMED_PAIRS]
        total = 0.0
        for pair in timed:
            tools.forget(pair)
            start = time.process_time()
            method.prepare(pair, direction, tools)(method.strength)
            total += time.process_time() - start
        seconds[method.id] = total / len(timed)
    return seconds
