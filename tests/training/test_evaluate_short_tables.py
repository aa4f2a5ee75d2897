"""Short tables of README and model card: from an evaluation, and true for the files that ship."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gazeshift.errors import ParamError
from gazeshift.sessions import model_path
from gazeshift_training.evaluation.run import content_digest
from gazeshift_training.evaluation.short_tables import (
    BEGIN,
    END,
    block_of,
    card_lines,
    readme_lines,
    rewrite_block,
)
from gazeshift_training.evaluation.worst import PUBLISHED

TIMES = "\N{MULTIPLICATION SIGN}"
ROOT = Path(__file__).parents[2]


def row(method, direction="attract", ratio=1.5, moved=1.0, pairs=182, kind="baseline"):
    return {
        "method": method,
        "label": method.capitalize(),
        "kind": "model" if method == "model" else kind,
        "direction": direction,
        "pairs": pairs,
        "seconds": 9.4,
        "fidelity": {"lpips": 0.0454, "clipped": 0.0027, "cast_inside": 6.4},
        "attention": {"judge": {"ratio_of_means": ratio, "moved": moved}},
    }


def evaluation(*rows, subset=()):
    return {"judges": ["judge", "shipped"], "table": list(rows), "subset_table": list(subset)}


def test_the_two_baselines_that_move_most_stand_below_the_model():
    lines = readme_lines(
        evaluation(
            row("model"),
            row("identity", ratio=1.0, kind="reference"),
            row("weak", ratio=1.1),
            row("strong", ratio=1.4, moved=0.978),
            row("middle", ratio=1.3),
            # Measured on a part of the photos.
            row("random", ratio=1.6, pairs=24),
            row("model", "divert", ratio=0.66, moved=0.9945),
            row("weak", "divert", ratio=0.9),
            row("strong", "divert", ratio=0.7),
            row("middle", "divert", ratio=0.8),
        )
    )
    assert lines[5:11] == [
        f"| **GazeShift**, look here | {TIMES} 1.50 | 100 % | 0.045 | 0.3 % |",
        f"| Strong, look here | {TIMES} 1.40 | 97.8 % | 0.045 | 0.3 % |",
        f"| Middle, look here | {TIMES} 1.30 | 100 % | 0.045 | 0.3 % |",
        f"| **GazeShift**, look away | {TIMES} 0.66 | 99.5 % | 0.045 | 0.3 % |",
        f"| Strong, look away | {TIMES} 0.70 | 100 % | 0.045 | 0.3 % |",
        f"| Middle, look away | {TIMES} 0.80 | 100 % | 0.045 | 0.3 % |",
    ]
    assert lines[0].startswith("Measured on 182 photos")


def test_nearly_all_is_not_all():
    (line,) = (
        line for line in readme_lines(evaluation(row("model", moved=0.9999))) if "GazeShift" in line
    )
    assert "99.9 %" in line


def test_the_optimum_is_told_with_its_price():
    optimum = row("image-optimum", ratio=1.95, pairs=24, kind="reference")
    text = " ".join(readme_lines(evaluation(row("model"), subset=[optimum])))
    assert f"9 seconds each, reaches {TIMES} 1.95 at 0.045 on 24 of them" in text


def test_the_card_tells_both_judges_and_what_is_missed():
    model = row("model")
    model["attention"]["shipped"] = {"ratio_of_means": 1.671, "moved": 0.99}
    model["fidelity"] |= {"cast_outside": None, "turn_inside": 1.8, "turn_outside": 1.2}
    bar = {"level": "goal", "direction": "attract", "limit": "≥ 1.6"}
    bars = [
        bar | {"measure": "ratio of mean shares", "value": 1.503, "is_met": False},
        bar | {"measure": "something met", "value": 9.0, "is_met": True},
    ]
    data = evaluation(model) | {
        "facts": {"model": "redirector 9 (abc)", "pairs": "182 photos"},
        "bars": bars,
        "styles": [{"direction": "attract", "distance": 0.012, "spread": 0.019}],
    }
    text = "\n".join(card_lines(data))
    assert text.startswith("Model redirector 9 (abc); 182 photos; strength 1, default style:")
    assert "judge attention network (never trained against) | 1.500 |" in text
    assert "shipped attention network (trained against) | 1.671 |" in text
    assert "| neutral cast, inside / outside the mask | 6.4 / n/a |" in text
    assert "| 1.20 %; 1.9 % |" in text
    assert "- goal, attract: ratio of mean shares ≥ 1.6; reached 1.503" in text
    assert "something met" not in text
    assert "Every bar is met." in "\n".join(card_lines(data | {"bars": bars[1:]}))


def test_an_evaluation_without_the_model_says_nothing():
    with pytest.raises(ParamError, match="no row of the model"):
        readme_lines(evaluation(row("vignette")))


def test_only_the_block_is_rewritten(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{BEGIN}\nold\nolder\n{END}\nafter\n")
    rewrite_block(path, ["new"])
    assert path.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert block_of(path.read_text()) == ["new"]
    assert [one.name for one in tmp_path.iterdir()] == ["README.md"]


@pytest.mark.parametrize("text", ["no place", f"{END}\n{BEGIN}\n", f"{BEGIN}\n"])
def test_a_file_without_a_place_is_left_alone(tmp_path, text):
    path = tmp_path / "README.md"
    path.write_text(text)
    with pytest.raises(ParamError, match="no place for the table"):
        rewrite_block(path, ["new"])
    assert path.read_text() == text


def test_the_readme_shows_the_table_of_the_documentation():
    data = json.loads((ROOT / "docs/evaluation-table.json").read_text(encoding="utf-8"))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert block_of(text) == readme_lines(data)


def test_the_model_card_shows_the_table_of_the_documentation():
    data = json.loads((ROOT / "docs/evaluation-table.json").read_text(encoding="utf-8"))
    text = (ROOT / "core/gazeshift/models/redirector.md").read_text(encoding="utf-8")
    assert block_of(text) == card_lines(data)


def test_the_card_shows_failures_of_the_shipped_model_on_photos_that_may_be_published():
    page = ROOT / "tests/pictures/redirector-failures.jpg"
    card = (ROOT / "core/gazeshift/models/redirector.md").read_text(encoding="utf-8")
    assert "(../../../tests/pictures/redirector-failures.jpg)" in card
    text = page.with_suffix(".md").read_text(encoding="utf-8")
    assert f"({content_digest(model_path('redirector'))})" in text, (
        "the pictures are those of another model: run gazeshift-train contact-sheet --failures, "
        "see docs/evaluation.md"
    )
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    assert {row[0] for row in rows} == {"| attract", "| divert"}
    assert all(row[2].split("/")[0] in PUBLISHED for row in rows)
    assert page.stat().st_size < 2**20


def test_the_table_is_that_of_the_shipped_files():
    data = json.loads((ROOT / "docs/evaluation-table.json").read_text(encoding="utf-8"))
    shipped = {
        "model": model_path("redirector"),
        "attention network 'shipped'": model_path("attention"),
        "attention network 'judge'": ROOT / "training/models/judge.onnx",
    }
    for name, path in shipped.items():
        assert f"({content_digest(path)})" in data["facts"][name], (
            f"{path.name} is not the file that docs/evaluation-table.md describes: "
            "run gazeshift-train evaluate --docs docs, see docs/evaluation.md"
        )
