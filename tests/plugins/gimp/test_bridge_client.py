"""The plug-in's client against the real bridge, started as the plug-in starts it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import bridge_client
import numpy as np
import pytest
from bridge_client import Bridge, BridgeProblem, Mask, Picture, clean_environment, connect

from gazeshift import __version__
from gazeshift.bridge.messages import PROTOCOL
from gazeshift.edit import Edit
from gazeshift.render import render

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))
from tiny_models import write_models

HEIGHT, WIDTH = 48, 64


def core_json(folder: Path, state: Path, **changed: object) -> Path:
    """Write what `gazeshift install gimp` writes beside the plug-in."""
    core = {
        "format": "gazeshift-core/1",
        "command": [sys.executable, "-m", "gazeshift"],
        "version": __version__,
        "protocol": PROTOCOL,
        "state_dir": str(state),
        "token_file": str(state / "token"),
        "runtime_file": str(state / "bridge.json"),
        "ports": [],
        "token": None,
        **changed,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "core.json").write_text(json.dumps(core))
    return folder


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bridge, Path]]:
    root = tmp_path_factory.mktemp("gimp-client")
    poison = root / "poison"
    poison.mkdir()
    (poison / "click.py").write_text("raise SystemExit('GIMP variables reached the core')")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAZESHIFT_MODELS", str(write_models(root / "models")))
        for name in bridge_client.FOREIGN_VARIABLES:
            if name != "LD_PRELOAD":
                patch.setenv(name, str(poison))
        bridge = connect(core_json(root / "plugin", root / "state"))
    yield bridge, root
    pid = json.loads((root / "state" / "bridge.json").read_text())["pid"]
    os.kill(pid, signal.SIGTERM)


def picture() -> tuple[Picture, np.ndarray]:
    pixels = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return Picture(WIDTH, HEIGHT, 3, "uint8", pixels.tobytes()), pixels


def half_mask() -> tuple[Mask, np.ndarray]:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, : WIDTH // 2] = 255
    return Mask("uint8", mask.tobytes()), mask


def test_environment_of_gimp_does_not_reach_the_core() -> None:
    kept = clean_environment({"PATH": "p", **dict.fromkeys(bridge_client.FOREIGN_VARIABLES, "x")})
    assert kept == {"PATH": "p"}


def test_protocol_is_the_bridge_s_own() -> None:
    assert bridge_client.PROTOCOL == PROTOCOL


def test_running_core_is_found_without_starting_another(started: tuple[Bridge, Path]) -> None:
    bridge, root = started
    folder = core_json(root / "no-command", root / "state", command=["/nowhere/gazeshift"])
    assert connect(folder).port == bridge.port


def test_prediction_gives_both_directions(started: tuple[Bridge, Path]) -> None:
    answer = started[0].predict(picture()[0], half_mask()[0])
    (prediction,) = answer["predictions"]
    assert Edit.from_json(prediction["attract"]).direction == "attract"
    assert Edit.from_json(prediction["divert"]).direction == "divert"


class Halves:
    """Samples in two pieces."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[bytes]:
        middle = len(self.data) // 2
        yield self.data[:middle]
        yield self.data[middle:]


def test_samples_in_pieces_are_the_same_samples(started: tuple[Bridge, Path]) -> None:
    plain, (mask, _) = picture()[0], half_mask()
    assert isinstance(plain.data, bytes)
    assert isinstance(mask.data, bytes)
    pieces = plain._replace(data=Halves(plain.data)), mask._replace(data=Halves(mask.data))
    assert started[0].predict(*pieces) == started[0].predict(plain, mask)


def test_rendered_pixels_are_the_core_s(started: tuple[Bridge, Path]) -> None:
    bridge = started[0]
    plain, pixels = picture()
    mask, coverage = half_mask()
    edit = bridge.predict(plain, mask)["predictions"][0]["attract"]
    (result,) = bridge.render(plain, edit, 0.5, mask)
    expected = render(
        pixels, (coverage / np.float32(255)).astype(np.float32), Edit.from_json(edit), 0.5
    )
    assert result.data == expected.tobytes()
    parts = bridge.render(plain, edit, 0.5)
    assert [len(part.data) for part in parts] == [len(plain.data)] * 2
    assert parts[0].data != parts[1].data


def test_recipes_come_one_for_each_strength(started: tuple[Bridge, Path]) -> None:
    bridge = started[0]
    edit = bridge.predict(picture()[0], half_mask()[0])["predictions"][0]["attract"]
    recipes = bridge.recipes(edit, WIDTH, HEIGHT, [0.0, 0.5, 1.0])
    assert [recipe["strength"] for recipe in recipes] == [0.0, 0.5, 1.0]
    assert recipes[0]["foreground"] == recipes[0]["background"] == []
    assert recipes[2]["foreground"]


def test_attention_is_one_byte_per_place_with_the_share(started: tuple[Bridge, Path]) -> None:
    attention, share = started[0].attention(picture()[0], half_mask()[0])
    assert len(attention.data) == attention.width * attention.height
    assert max(attention.data) == 255
    assert share is not None
    assert 0.0 < share < 1.0
    assert started[0].attention(picture()[0])[1] is None


def test_operators_carry_what_the_dialog_needs(started: tuple[Bridge, Path]) -> None:
    offers = started[0].operators()
    assert offers["problem"] is None
    parameter = offers["operators"][0]["parameters"][0]
    assert {"name", "count", "identity", "slider_minimum", "slider_maximum"} <= set(parameter)


def test_refusal_is_the_core_s_own_sentence(started: tuple[Bridge, Path]) -> None:
    empty = Mask("uint8", bytes(HEIGHT * WIDTH))
    with pytest.raises(BridgeProblem) as refused:
        started[0].predict(picture()[0], empty)
    assert refused.value.code == "mask"


class Listener(BaseHTTPRequestHandler):
    """A local user's own server on the port that a dead bridge has left."""

    protocol_version = "HTTP/1.1"
    heard: ClassVar[list[str]] = []
    real_port: ClassVar[int] = 0

    def do_GET(self) -> None:
        self.heard.append(str(self.headers))
        # It passes the challenge on to the real bridge, which answers for its own port.
        real = http.client.HTTPConnection("127.0.0.1", self.real_port, timeout=30)
        challenge = {"GazeShift-Challenge": self.headers["GazeShift-Challenge"]}
        real.request("GET", "/v1/identity", headers=challenge)
        answer = real.getresponse()
        body = answer.read()
        self.send_response(200)
        self.send_header("GazeShift-Proof", answer.headers["GazeShift-Proof"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        real.close()

    do_POST = do_GET

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def impostor(started: tuple[Bridge, Path]) -> Iterator[int]:
    Listener.heard.clear()
    Listener.real_port = started[0].port
    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_token_is_not_sent_to_who_cannot_prove_to_know_it(
    started: tuple[Bridge, Path], impostor: int
) -> None:
    token = (started[1] / "state" / "token").read_text().strip()
    with pytest.raises(BridgeProblem) as refused:
        Bridge(impostor, token).predict(picture()[0], half_mask()[0])
    assert refused.value.code == "proof"
    assert len(Listener.heard) == 1
    assert token not in Listener.heard[0]
    assert "Authorization" not in Listener.heard[0]


def test_bridge_that_took_another_s_port_is_passed_over(
    started: tuple[Bridge, Path], impostor: int
) -> None:
    bridge, root = started
    runtime = json.loads((root / "state" / "bridge.json").read_text())
    stale = root / "stale.json"
    stale.write_text(json.dumps({**runtime, "port": impostor}))
    folder = core_json(root / "passed-over", root / "state", runtime_file=str(stale))
    assert connect(folder).port == bridge.port
    assert Listener.heard


def test_proof_is_of_this_installation_s_token(started: tuple[Bridge, Path]) -> None:
    with pytest.raises(BridgeProblem) as wrong:
        Bridge(started[0].port, "not the token").operators()
    assert wrong.value.code == "proof"


def test_failed_start_shows_the_error_and_the_hint(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = core_json(tmp_path / "plugin", tmp_path / "file" / "state")
    with pytest.raises(BridgeProblem, match="cannot be made") as problem:
        connect(folder)
    assert "GAZESHIFT_STATE_DIR" in problem.value.message
    assert "Error:" not in problem.value.message


def test_vanished_core_is_said_in_a_sentence() -> None:
    with pytest.raises(BridgeProblem, match="stopped answering"):
        Bridge(1, "token").operators()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"command": ["/nowhere/gazeshift"]}, "core-missing"),
        ({"command": [sys.executable, "-c", "raise SystemExit('broken')"]}, "core-failed"),
        ({"command": [sys.executable, "-c", "print('{}')"]}, "core-damaged"),
        ({"format": "gazeshift-core/9"}, "core-damaged"),
    ],
)
def test_broken_installation_has_a_code_and_a_remedy(
    tmp_path: Path, changed: dict[str, object], code: str
) -> None:
    folder = core_json(tmp_path / "plugin", tmp_path / "state", **changed)
    with pytest.raises(BridgeProblem, match=r"gazeshift (install gimp|doctor)") as problem:
        connect(folder)
    assert problem.value.code == code


def test_missing_core_file_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(BridgeProblem, match="gazeshift install gimp") as problem:
        connect(tmp_path)
    assert problem.value.code == "core-missing"


@pytest.mark.parametrize(("theirs", "side"), [(99, "Update the plug-in"), (0, "Update GazeShift")])
def test_other_protocol_says_which_side_to_update(tmp_path: Path, theirs: int, side: str) -> None:
    told = json.dumps({"protocol": theirs, "port": 1, "token_file": "x"})
    command = [sys.executable, "-c", f"print({told!r})"]
    folder = core_json(tmp_path / "plugin", tmp_path / "state", command=command)
    with pytest.raises(BridgeProblem, match=side) as problem:
        connect(folder)
    assert problem.value.code == "protocol"
