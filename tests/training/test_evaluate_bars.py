"""Rows, averages, duels and bars of an evaluation, on figures made up here."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazeshift.errors import ParamError
from gazeshift_training.evaluation.assemble import all_methods
from gazeshift_training.evaluation.bars import check_bars, check_encoder
from gazeshift_training.evaluation.encoder import EncoderFigures
from gazeshift_training.evaluation.equal_fidelity import Duel, PairCurve, duels, mean_curve
from gazeshift_training.evaluation.pairs import PairSource
from gazeshift_training.evaluation.run import Case, Results
from gazeshift_training.evaluation.store import Key, ResultStore
from gazeshift_training.evaluation.summary import average, summarise

JUDGES = ("judge", "shipped")


def full_row(lpips, before, after, cast=1.0, turn=-2.0, clipped=0.001):
    row = {"lpips": lpips, "lpips_bg": lpips, "lpips_fg": 0.0, "clipped": clipped}
    for region in ("inside", "outside"):
        row |= {f"cast_{region}": cast, f"turn_{region}": turn}
    for judge in JUDGES:
        row |= {f"share_before.{judge}": before, f"share_after.{judge}": after}
        row |= {f"{name}.{judge}": 0.5 for name in ("absolute", "relative", "cc", "wfb")}
    return row


def make_results(tmp_path, rows_by_method, direction="attract"):
    methods = all_methods()
    names = sorted({name for rows in rows_by_method.values() for name, _ in rows})
    results = Results([PairSource(name, lambda: None) for name in names])
    for method, rows in rows_by_method.items():
        store = ResultStore(tmp_path / f"{method}.jsonl", "test")
        for key, row in rows.items():
            store.add(Key(*key), row)
        results.stores[Case(methods[method], direction)] = store
    return results


def test_averages_take_turns_by_size_and_leave_out_what_does_not_exist():
    rows = [
        full_row(0.02, 0.1, 0.2, turn=-4.0),
        full_row(0.04, 0.3, 0.2, turn=2.0, cast=math.nan),
    ]
    case = Case(all_methods()["model"], "attract")
    found = average(rows, case, JUDGES, seconds=0.1)
    assert found.fidelity["lpips"] == pytest.approx(0.03)
    assert found.fidelity["turn_inside"] == pytest.approx(3.0)
    assert found.fidelity["cast_inside"] == 1.0
    assert found.fidelity["cast_inside_pairs"] == 1
    scores = found.attention["judge"]
    assert scores["ratio_of_means"] == pytest.approx(1.0)
    assert scores["median_ratio"] == pytest.approx((2 + 2 / 3) / 2)
    assert scores["moved"] == 0.5


def test_duel_reads_our_curve_at_their_lpips(tmp_path):
    # Ours: log gain 0.1 at LPIPS 0.02, 0.3 at 0.04. Theirs at LPIPS 0.03: exp(0.1) on photo a
    # (ours there: 0.2, won), exp(0.25) on photo b (lost).
    ours = {
        (name, strength): full_row(lpips, 0.1, 0.1 * math.exp(gain))
        for name in ("a", "b", "c")
        for strength, lpips, gain in ((0.5, 0.02, 0.1), (1.0, 0.04, 0.3))
    }
    theirs = {
        ("a", 1.0): full_row(0.03, 0.1, 0.1 * math.exp(0.1)),
        ("b", 1.0): full_row(0.03, 0.1, 0.1 * math.exp(0.25)),
        # Left as it is: nothing to win.
        ("c", 1.0): full_row(0.0, 0.1, 0.1),
    }
    results = make_results(tmp_path, {"model": ours, "vignette": theirs, "identity": {}})
    (duel,) = duels(results, (0.5, 1.0), "judge")
    assert duel.method == "vignette"
    assert duel.pairs == 2
    assert duel.wins == 0.5
    assert duel.lpips == pytest.approx(0.03)
    assert duel.our_gain == pytest.approx(0.2)
    assert duel.their_gain == pytest.approx(0.175)


def test_curve_ends_at_the_end_of_the_dial():
    curve = PairCurve(np.array([0.0, 0.02, 0.04]), np.array([0.0, 0.1, 0.3]))
    assert curve.gain_at(0.01) == pytest.approx(0.05)
    assert curve.gain_at(0.2) == pytest.approx(0.3)


def test_mean_curve_takes_only_photos_with_every_position(tmp_path):
    rows = {("a", s): full_row(0.02 * s, 0.1, 0.1 + 0.1 * s) for s in (0.5, 1.0)}
    rows["b", 1.0] = full_row(0.9, 0.1, 0.9)
    results = make_results(tmp_path, {"model": rows})
    points = mean_curve(results, next(iter(results.stores)), (0.5, 1.0), "judge")
    assert [point.ratio for point in points] == pytest.approx([1.5, 2.0])
    assert [point.lpips for point in points] == pytest.approx([0.01, 0.02])
    assert mean_curve(results, next(iter(results.stores)), (0.5, 1.0), "judge", first=0) == []


@pytest.mark.parametrize(
    ("direction", "after", "met"),
    [("attract", 0.136, True), ("attract", 0.134, False), ("divert", 0.074, True),
     ("divert", 0.076, False)],
)  # fmt: skip
def test_first_bar_on_the_ratio(direction, after, met):
    case = Case(all_methods()["model"], direction)
    row = average([full_row(0.04, 0.1, after)], case, JUDGES, 0.1)
    bars = check_bars(row, [], "judge")
    (ratio,) = (bar for bar in bars if bar.level == "first" and bar.measure.startswith("ratio"))
    assert ratio.is_met is met
    assert ratio.value == pytest.approx(after / 0.1)


def test_bars_hold_casts_turns_clipping_and_duels():
    case = Case(all_methods()["model"], "attract")
    bad = full_row(0.06, 0.1, 0.2, cast=3.1, turn=-6.1, clipped=0.02)
    duel = make_duel("vignette", wins=0.7)
    other = make_duel("vignette", "divert", wins=0.7)
    bars = check_bars(average([bad], case, JUDGES, 0.1), [duel, other], "judge")
    failed = {(bar.level, bar.measure.split(" (")[0]) for bar in bars if not bar.is_met}
    assert failed == {
        ("first", "LPIPS"), ("goal", "LPIPS"),
        ("first", "newly clipped pixels"), ("goal", "newly clipped pixels"),
        ("first", "neutral_cast inside"), ("first", "hue_turn_deg inside"),
        ("goal", "neutral_cast inside"), ("goal", "hue_turn_deg inside"),
        ("goal", "neutral_cast outside"), ("goal", "hue_turn_deg outside"),
        ("goal", "photos won against Vignette, at its LPIPS"),
    }  # fmt: skip


def make_duel(method, direction="attract", *, ours=0.2, theirs=0.1, wins=0.9):
    known = all_methods()[method]
    return Duel(method, known.label, known.kind, direction, 10, 0.05, theirs, ours, wins)


def goals_about(duel):
    case = Case(all_methods()["model"], duel.direction)
    row = average([full_row(0.04, 0.1, 0.2)], case, JUDGES, 0.1)
    without = check_bars(row, [], "judge")
    return [bar for bar in check_bars(row, [duel], "judge") if bar not in without]


@pytest.mark.parametrize(("ours", "met"), [(0.11, True), (0.1, True), (0.09, False)])
def test_attracting_is_held_to_the_optimum_by_its_mean_gain(ours, met):
    # How many photos are won does not count here.
    (bar,) = goals_about(make_duel("image-optimum", ours=ours, theirs=0.1, wins=0.0))
    assert (bar.value, bar.limit, bar.is_met) == (ours, "≥ 0.1", met)
    assert not goals_about(make_duel("image-optimum", "divert", ours=ours))


@pytest.mark.parametrize(("wins", "met"), [(0.8, True), (0.79, False)])
@pytest.mark.parametrize("direction", ["attract", "divert"])
def test_every_baseline_must_lose_on_four_photos_of_five(direction, wins, met):
    for method in ("vignette", "hor", "hag", "chroma", "random"):
        (bar,) = goals_about(make_duel(method, direction, wins=wins))
        assert (bar.level, bar.value, bar.is_met) == ("goal", wins, met)


def test_a_prediction_may_take_15_ms_and_a_file_20_mb():
    met = check_encoder(EncoderFigures(15.0, 336, 448, 20_000_000))
    missed = check_encoder(EncoderFigures(15.1, 336, 448, 20_000_001))
    assert [bar.is_met for bar in met] == [True, True]
    assert [bar.is_met for bar in missed] == [False, False]
    assert [bar.value for bar in met] == [15.0, 20.0]


def test_a_figure_that_does_not_exist_meets_no_bar():
    case = Case(all_methods()["model"], "attract")
    row = average([full_row(0.01, 0.1, 0.2, cast=math.nan)], case, JUDGES, 0.1)
    casts = [bar for bar in check_bars(row, [], "judge") if "cast" in bar.measure]
    assert casts
    assert not any(bar.is_met for bar in casts)


def test_subset_summary_uses_the_first_pairs(tmp_path):
    rows = {("a", 1.0): full_row(0.02, 0.1, 0.2), ("b", 1.0): full_row(0.04, 0.1, 0.1)}
    results = make_results(tmp_path, {"model": rows})
    (everything,) = summarise(results, JUDGES)
    (first,) = summarise(results, JUDGES, first=1)
    assert (everything.pairs, first.pairs) == (2, 1)
    assert first.attention["judge"]["ratio_of_means"] == pytest.approx(2.0)


def test_rows_survive_on_disk_with_what_does_not_exist(tmp_path):
    store = ResultStore(tmp_path / "rows.jsonl", "first")
    store.add(Key("a", 1.0), full_row(0.02, 0.1, 0.2, cast=math.nan))
    again = ResultStore(tmp_path / "rows.jsonl", "first")
    assert again.rows.keys() == store.rows.keys()
    assert math.isnan(again.rows[Key("a", 1.0)]["cast_inside"])
    assert again.rows[Key("a", 1.0)]["lpips"] == 0.02
    assert not ResultStore(tmp_path / "rows.jsonl", "second").rows


def test_a_run_stops_where_another_one_began_the_file_anew(tmp_path):
    first = ResultStore(tmp_path / "rows.jsonl", "first")
    first.add(Key("a", 1.0), full_row(0.02, 0.1, 0.2))
    second = ResultStore(tmp_path / "rows.jsonl", "second")
    second.add(Key("a", 1.0), full_row(0.03, 0.1, 0.2))
    with pytest.raises(ParamError, match="Another evaluation writes"):
        first.add(Key("b", 1.0), full_row(0.04, 0.1, 0.2))
    again = ResultStore(tmp_path / "rows.jsonl", "second")
    assert {key.pair: row["lpips"] for key, row in again.rows.items()} == {"a": 0.03}
