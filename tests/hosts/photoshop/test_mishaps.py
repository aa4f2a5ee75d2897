"""Photoshop refuses a call, rejects it, or the user cancels: the document stays as it was."""

from __future__ import annotations

import pytest
from tests.hosts.photoshop.studio import CONNECT, Studio

WORDS = {
    "error": "made to fail",
    "reject": "Photoshop reports: made to fail",
    "cancel": "You cancelled it. The document is as it was.",
}
KEPT = ("tree", "history", "isSelected")


def unchanged(before: dict, after: dict) -> bool:
    return [before[key] for key in KEPT] == [after[key] for key in KEPT] and after["live"] == 0


@pytest.fixture
def strong(predicting):
    return predicting(sharpening=True)


def check_tries(before: dict, after: dict, words: str, fewest: int) -> None:
    *failed, done = after["tries"]
    # Every call of the step was made to fail once.
    assert len(failed) >= fewest
    for one in failed:
        assert words in one["message"]
        assert unchanged(before, one)
    assert done["message"].startswith("Applied. Photoshop shows what GazeShift computed")


@pytest.mark.parametrize("how", WORDS)
def test_whichever_call_fails_the_document_is_as_before(tmp_path, strong, how) -> None:
    studio = Studio(tmp_path, strong.port)
    look = {"press": "look", "drawn": True}
    studio.add([*CONNECT, look, {"failEach": {"press": "apply", "step": "GazeShift", "how": how}}])

    looked, written = studio.run()[0]["seen"][2:]

    check_tries(looked, written, WORDS[how], 30)
    assert written["history"] == ["GazeShift"]


def test_whichever_call_of_an_adjustment_fails_the_edit_is_as_before(tmp_path, strong) -> None:
    studio = Studio(tmp_path, strong.port)
    step = "Adjust GazeShift edit"
    adjust = {"failEach": {"press": "apply", "step": step, "how": "error"}}
    studio.add([*CONNECT, {"press": "look"}, {"press": "apply"}, {"dial": 0.5}, adjust])

    written, _, adjusted = studio.run()[0]["seen"][3:]

    check_tries(written, adjusted, WORDS["error"], 32)
    assert adjusted["history"] == ["GazeShift", step]


@pytest.mark.parametrize("how", WORDS)
def test_a_failure_while_reading_changes_nothing(tmp_path, strong, how) -> None:
    studio = Studio(tmp_path, strong.port)
    read = {"failEach": {"press": "look", "step": "Read picture", "how": how}}
    again = {"failEach": {"press": "reopen", "step": "Read GazeShift edit", "how": how}}
    studio.add([*CONNECT, read, {"press": "apply"}, again])

    start, read, written, reread = studio.run()[0]["seen"][1:]

    for before, after in ((start, read), (written, reread)):
        assert len(after["tries"]) >= 4
        for one in after["tries"][:-1]:
            assert WORDS[how] in one["message"]
            assert unchanged(before, one)
        assert after["tries"][-1]["message"] is None


def test_a_failed_self_check_does_not_hide_that_the_edit_was_applied(tmp_path, strong) -> None:
    studio = Studio(tmp_path, strong.port)
    fail = {"fail": {"step": "Check GazeShift edit", "call": 2, "how": "reject"}}
    studio.add([*CONNECT, {"press": "look"}, fail, {"press": "apply"}])

    seen = studio.run()[0]["seen"][-1]

    assert seen["message"].startswith("Applied, but what Photoshop shows could not be checked")
    assert "Undo" in seen["message"]
    assert seen["history"] == ["GazeShift"]
    assert seen["apply"] == "Apply to existing edit"


def test_an_undone_edit_is_made_anew_from_the_selection(tmp_path, strong) -> None:
    studio = Studio(tmp_path, strong.port)
    studio.add(
        [*CONNECT, {"press": "look"}, {"press": "apply"}, {"undo": True}, {"press": "apply"}]
    )

    *_, applied, undone, again = studio.run()[0]["seen"]

    assert applied["apply"] == "Apply to existing edit"
    assert undone["history"] == []
    assert again["history"] == ["GazeShift"]
    assert again["message"].startswith("Applied. Photoshop shows what GazeShift computed")
