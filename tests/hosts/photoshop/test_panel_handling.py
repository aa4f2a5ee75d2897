"""The panel's widgets: connecting, the dial, the keyboard, diagnostics."""

from __future__ import annotations

import re

import pytest
from tests.core.bridge.live import TOKEN
from tests.hosts.photoshop import reader
from tests.hosts.photoshop.studio import CONNECT, Studio

from gazeshift.recipes.psd import GROUP


def test_heat_maps_and_shares_are_shown(studio) -> None:
    studio.add([*CONNECT, {"press": "look"}, {"press": "heat"}])

    seen = studio.run()[0]["seen"][-1]

    assert seen["maps"] == [True, True]
    assert re.fullmatch(r"\d+\.\d %", seen["before"])
    assert re.fullmatch(r"\d+\.\d %", seen["after"])


def test_the_token_is_kept_and_a_wrong_one_explained(studio) -> None:
    studio.add([{"type": "0" * 64}, {"press": "connect"}, *CONNECT])

    seen = studio.run()[0]["seen"]

    assert "no token yet" in seen[0]["state"]
    assert "token is wrong" in seen[1]["state"]
    assert "--print-token" in seen[1]["remedy"]
    assert seen[-1]["state"].startswith("Connected to GazeShift")
    assert seen[-1]["token"] == TOKEN


def test_without_a_bridge_the_panel_says_what_to_check(tmp_path) -> None:
    studio = Studio(tmp_path, None)
    studio.add([{"type": TOKEN}, {"press": "connect"}])

    seen = studio.run()[0]["seen"][-1]

    assert seen["state"] == "GazeShift does not answer on this computer."
    assert "gazeshift bridge" in seen["remedy"]
    assert "firewall" in seen["remedy"]


def number(text: str) -> float:
    return float(re.search(r"\d+\.\d", text).group())


def test_the_dial_moves_by_percents_and_the_share_follows(studio) -> None:
    moved = {"dial": 0.37, "atOnce": True, "rest": True}
    back = {"dial": 0.37, "atOnce": True}
    steps = [*CONNECT, {"press": "look"}, moved, {"dial": 0}, {"dial": -0.6}, back]
    studio.add(steps, name="two-dogs")

    _, _, look, at_once, rested, zero, divert, again, _ = studio.run()[0]["seen"]

    assert look["dialText"] == "Attract 100 %"
    # What lies between two measured positions is said to be near, then measured where it rests.
    assert at_once["dialText"] == "Attract 37 %"
    assert at_once["after"].startswith("about ")
    assert re.fullmatch(r"\d+\.\d %", rested["after"])
    assert number(rested["after"]) == pytest.approx(number(at_once["after"]), abs=3)
    assert number(look["before"]) < number(rested["after"]) < number(look["after"])
    assert (zero["dialText"], zero["after"]) == ("Unchanged", zero["before"])
    assert divert["dialText"] == "Divert 60 %"
    assert number(divert["after"]) < number(divert["before"])
    assert again["after"] == rested["after"]


def test_the_keyboard_reaches_everything(studio) -> None:
    walk = [{"keys": ["Tab"]} for _ in range(8)]
    dial = [{"focus": "dial"}, {"keys": ["ArrowLeft", "ArrowLeft", "ArrowDown"]}]
    typed = [{"type": TOKEN}, {"focus": "token"}, {"keys": ["Enter"]}]
    look = {"press": "look", "drawn": True}
    studio.add([*typed, look, *walk, *dial, {"press": "flip"}])

    seen = studio.run()[0]["seen"]

    connected = seen[len(typed) - 1]
    assert connected["state"].startswith("Connected to GazeShift")
    # The field of the token is gone; the keyboard goes on with what comes next.
    assert connected["focused"] == "look"
    # A button that was pressed keeps the keyboard, and can be reached again.
    walked = [one["focused"] for one in seen[len(typed) : len(typed) + 9]]
    controls = ["look", "reopen", "flip", "dial", "style", "sharpening", "apply", "heat", "copy"]
    assert walked == controls
    assert seen[-2]["dialText"] == "Attract 97 %"
    assert seen[-1]["flip"] == "Show after"


def test_a_long_name_without_spaces_stays_inside_the_panel(studio) -> None:
    layer = {"name": "portrait_of_somebody" * 6, "isBackgroundLayer": False}
    studio.add([*CONNECT, {"press": "look"}], options={"layer": layer})

    seen = studio.run()[0]["seen"][-1]

    assert layer["name"] in seen["message"]
    assert not seen["isTooWide"]


def test_diagnostics_tell_versions_and_measures_and_nothing_private(studio) -> None:
    # Applying uses up the selection.
    steps = [*CONNECT, {"press": "look"}, {"press": "apply"}, {"press": "look"}, {"press": "copy"}]
    studio.add(steps)

    seen = studio.run()[0]["seen"]

    assert "Nothing is selected." in seen[-2]["message"]
    copied = seen[-1]["copied"].splitlines()
    assert re.fullmatch(r"panel \d+\.\d+\.\d+, bridge \d+\.\d+\.\d+", copied[0])
    assert copied[1].startswith("Photoshop (fake)")
    assert re.fullmatch(r"self-check: largest \d\.\d, mean \d\.\d\d of 255", copied[2])
    assert copied[-1] == "selection: Nothing is selected."
    assert TOKEN not in seen[-1]["copied"]
    assert seen[-1]["message"] == "The diagnostics are in the clipboard."


def test_an_adjusted_edit_keeps_its_position_and_gets_its_own_share(studio) -> None:
    target = studio.folder / "half.psd"
    apply = [{"press": "look"}, {"dial": 0.42}, {"press": "apply"}]
    again = [{"press": "reopen"}, {"rest": True, "dial": 0.42}, {"press": "apply"}]
    studio.add([*CONNECT, *apply, *again, {"save": str(target)}], name="two-dogs")

    seen = studio.run()[0]["seen"]

    reopened = seen[-4]
    assert reopened["dialText"] == "Attract 42 %"
    assert reopened["apply"] == "Apply to existing edit"
    first = seen[len(CONNECT) + 1]
    assert number(seen[-3]["after"]) == pytest.approx(number(first["after"]), abs=0.2)
    assert [layer.name for layer in reader.open_psd(target)] == ["Background", GROUP]


def test_another_style_predicts_a_reopened_edit_anew(studio) -> None:
    apply = [{"press": "look"}, {"press": "apply"}, {"press": "reopen"}]
    other = [{"choose": ["style", "2"]}, {"settle": True}]
    studio.add([*CONNECT, *apply, *other], name="two-dogs")

    seen = studio.run()[0]["seen"]

    assert seen[-1]["message"] is None
    assert seen[-1]["apply"] == "Apply to existing edit"
    assert "/v1/predict" in seen[-2]["posts"] + seen[-1]["posts"]


def test_the_panel_connects_when_the_core_starts_and_notices_its_end(studio) -> None:
    started = [{"type": TOKEN}, {"press": "connect"}, {"bridge": True, "until": "Connected"}]
    ended = [{"bridge": False, "press": "look", "until": "lost"}]
    back = [{"bridge": True, "until": "Connected"}]
    studio.add([*started, *ended, *back], withoutBridge=True)

    seen = studio.run()[0]["seen"]

    assert seen[1]["state"] == "GazeShift does not answer on this computer."
    assert seen[2]["state"].startswith("Connected to GazeShift")
    assert "by itself" in seen[3]["remedy"]
    assert seen[4]["state"].startswith("Connected to GazeShift")
    assert seen[4]["token"] == TOKEN


def test_an_open_panel_keeps_the_core_from_ending(studio) -> None:
    quiet = {"passSeconds": 200}
    end = {"bridge": False, "passSeconds": 400}
    studio.add([*CONNECT, quiet, {"passSeconds": 100}, end], clock=True)

    seen = studio.run()[0]["seen"]

    connected, rested, asked, ended = (one["identityRequests"] for one in seen[1:])
    # The bridge ends itself after 15 minutes without a request; the panel asks every four.
    assert (rested, asked) == (connected, connected + 1)
    assert ended > asked
    assert seen[-1]["state"] == "The connection to GazeShift was lost."
