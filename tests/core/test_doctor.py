"""`gazeshift doctor` finds what is missing and says what to do."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.core.tiny_models import write_models

from gazeshift.bridge.state import read_or_make_token, token_path
from gazeshift.cli import group
from gazeshift.hosts.gimp_folders import find_folders


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    home = tmp_path / "home"
    (home / ".config/GIMP/3.2").mkdir(parents=True)
    for name in ("GIMP3_DIRECTORY", "GIMP2_DIRECTORY", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GAZESHIFT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("GAZESHIFT_MODELS", str(write_models(tmp_path / "models")))
    folders = lambda: find_folders(home=home, platform="linux")  # noqa: E731
    monkeypatch.setattr("gazeshift.hosts.gimp.find_folders", folders)
    return home


def findings(code: int = 0) -> list[dict[str, str]]:
    result = CliRunner().invoke(group, ["doctor", "--json"])
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def about(area: str, code: int = 0) -> list[dict[str, str]]:
    return [finding for finding in findings(code) if finding["area"] == area]


def test_a_whole_installation_is_well() -> None:
    found = findings()
    assert {finding["area"] for finding in found} >= {
        "GazeShift",
        "Photos",
        "Networks",
        "Renderer",
        "Bridge",
        "GIMP",
    }
    assert not [finding for finding in found if finding["level"] == "bad"]
    texts = " ".join(finding["text"] for finding in found)
    assert "redirector network is tiny-redirector 1" in texts
    assert "attention network is tiny-attention 1" in texts


def test_plain_words_name_areas_and_remedies() -> None:
    result = CliRunner().invoke(group, ["doctor"])
    assert result.exit_code == 0
    assert "GIMP:" in result.output
    assert "GIMP 3.2 has no GazeShift plug-in" in result.output
    assert "Run 'gazeshift install gimp'." in result.output


def test_a_missing_network_is_named(tmp_path) -> None:
    (tmp_path / "models" / "redirector.onnx").unlink()
    bad = [one for one in about("Networks", code=1) if one["level"] == "bad"]
    assert len(bad) == 1
    assert "redirector network is missing" in bad[0]["text"]
    assert bad[0]["remedy"]


def test_an_installed_plugin_is_seen(home) -> None:
    CliRunner().invoke(group, ["install", "gimp"])
    (gimp,) = about("GIMP")
    assert (gimp["level"], gimp["remedy"]) == ("good", "")


def test_a_plugin_of_another_version_is_told(home) -> None:
    CliRunner().invoke(group, ["install", "gimp"])
    path = home / ".config/GIMP/3.2/plug-ins/gazeshift/core.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": "0.0.1"}))
    (gimp,) = about("GIMP", code=1)
    assert "from GazeShift 0.0.1" in gimp["text"]
    assert gimp["remedy"] == "Run 'gazeshift install gimp'."


def test_a_plugin_whose_core_is_gone_is_told(home) -> None:
    CliRunner().invoke(group, ["install", "gimp"])
    path = home / ".config/GIMP/3.2/plug-ins/gazeshift/core.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "command": ["/gone/python"]}))
    (gimp,) = about("GIMP", code=1)
    assert "points to a GazeShift that is gone" in gimp["text"]


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_token_that_others_can_read_is_told() -> None:
    read_or_make_token()
    token_path().chmod(0o644)
    bad = [one for one in about("Bridge", code=1) if one["level"] == "bad"]
    assert "Other users of this computer can read the token" in bad[0]["text"]


def test_looking_makes_no_token() -> None:
    findings()
    assert not token_path().exists()
