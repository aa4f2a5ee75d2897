"""Web pages in the same Chromium try to use the bridge with its right token, and get nothing."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from unittest import mock

import pytest
from tests.core.bridge.live import TOKEN, running
from tests.hosts.photoshop.chromium import PLUGIN, chromium_program

from gazeshift.bridge import security, server


@pytest.fixture(scope="module")
def tried(tmp_path_factory) -> dict:
    origins: list[str] = []

    def recorded(caller, port) -> None:
        origins.extend(caller.origins)
        security.check_address(caller, port)

    with running() as bridge, mock.patch.object(server, "check_address", recorded):
        config = tmp_path_factory.mktemp("hostile") / "config.json"
        config.write_text(
            json.dumps(
                {
                    "plugin": str(PLUGIN),
                    "chromium": chromium_program(),
                    "port": bridge.port,
                    "token": TOKEN,
                }
            )
        )
        program = Path(__file__).parent / "fake" / "hostile.mjs"
        done = subprocess.run(
            ["node", str(program), str(config)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        # The bridge still answers those who may ask.
        assert bridge.call("GET", "/v1/identity").status == 200
    return {**json.loads(done.stdout), "origins": origins}


@pytest.mark.parametrize("origin", ["", "null origin, "])
@pytest.mark.parametrize("attempt", ["read", "preflight", "json post"])
def test_pages_cannot_read_answers(tried, origin, attempt) -> None:
    assert tried[origin + attempt] == {"type": "failed", "status": 0, "text": ""}


@pytest.mark.parametrize("origin", ["", "null origin, "])
def test_simple_posts_give_the_page_nothing(tried, origin) -> None:
    answer = tried[origin + "simple post"]

    # Chromium hides the refusal, or reports no answer at all.
    assert answer["type"] in ("opaque", "failed")
    assert (answer["status"], answer["text"]) == (0, "")


@pytest.mark.parametrize("route", ["identity", "operators"])
def test_rebound_host_names_are_refused(tried, route) -> None:
    answer = tried[f"rebinding, {route}"]

    assert answer["status"] == 421
    assert json.loads(answer["text"])["code"] == "host"


def test_the_bridge_itself_refused_what_reached_it(tried) -> None:
    assert set(tried["statuses"]) <= {403, 421}
    assert 421 in tried["statuses"]
    # Otherwise only Chromium's own guard would have been tested.
    assert "null" in tried["origins"]
    assert any(origin.startswith("http://127.0.0.1:") for origin in tried["origins"])
