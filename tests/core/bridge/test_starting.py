"""The program: started in the background, found again, replaced, ended, and its files."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.core.bridge.live import TOKEN

import gazeshift
from gazeshift.bridge.client import ask_identity, find_running
from gazeshift.bridge.messages import PROTOCOL
from gazeshift.bridge.starting import serve
from gazeshift.bridge.state import (
    RuntimeFile,
    locked,
    log_path,
    read_or_make_token,
    read_runtime,
    runtime_path,
    token_path,
    write_private,
    write_runtime,
)
from gazeshift.errors import BridgeError

DEADLINE_S = 60.0
needs_posix = pytest.mark.skipif(os.name != "posix", reason="file modes and signals are POSIX's")


def gazeshift_bridge(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gazeshift", "bridge", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        gazeshift_bridge(*arguments),
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_ended(port: int) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while ask_identity(port) is not None:
        assert time.monotonic() < deadline_s


@pytest.fixture
def started():
    """`gazeshift bridge --ensure --port 0`, ended after the test."""
    done = run("--ensure", "--port", "0", "--idle-minutes", "1")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    yield told
    if ask_identity(told["port"]) is not None:
        os.kill(told["pid"], signal.SIGTERM)
        wait_until_ended(told["port"])


def other_runtime(port: int, version: str = gazeshift.__version__) -> RuntimeFile:
    return RuntimeFile(port, os.getpid(), version, PROTOCOL, "ab" * 8, str(token_path()))


@needs_posix
def test_ensure_starts_one_in_the_background_and_finds_it_again(started) -> None:
    assert started["started"] is True
    assert started["version"] == gazeshift.__version__
    assert started["protocol"] == PROTOCOL
    identity = ask_identity(started["port"])
    assert identity is not None
    assert identity.instance == started["instance"]
    again = json.loads(run("--ensure").stdout)
    assert again == {**started, "started": False}
    # Started the other way it also gives way to the one that runs.
    in_terminal = run()
    assert in_terminal.returncode == 0
    assert f"already runs on 127.0.0.1:{started['port']}" in in_terminal.stderr


@needs_posix
def test_the_token_file_opens_the_bridge_and_is_private(started) -> None:
    token_file = Path(started["token_file"])
    token = token_file.read_text().strip()
    assert run("--print-token").stdout.strip() == token
    assert len(bytes.fromhex(token)) == 32
    connection = http.client.HTTPConnection("127.0.0.1", started["port"], timeout=DEADLINE_S)
    headers = {"Authorization": f"Bearer {token}", "GazeShift-Protocol": "1"}
    connection.request("GET", "/v1/operators", headers=headers)
    assert connection.getresponse().status == 200
    connection.close()
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(runtime_path().stat().st_mode) == 0o600
    assert stat.S_IMODE(token_file.parent.stat().st_mode) == 0o700
    os.kill(started["pid"], signal.SIGTERM)
    wait_until_ended(started["port"])
    deadline_s = time.monotonic() + DEADLINE_S
    while "stopped" not in (log := log_path().read_text()) and time.monotonic() < deadline_s:
        continue
    assert "/v1/operators" in log
    assert token not in log


@needs_posix
def test_three_starts_at_once_end_in_one_bridge() -> None:
    processes = [
        subprocess.Popen(
            gazeshift_bridge("--ensure", "--port", "0", "--idle-minutes", "1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    told = []
    for process in processes:
        stdout, stderr = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0, stderr
        told.append(json.loads(stdout))
    try:
        assert len({one["pid"] for one in told}) == 1
        assert [one["started"] for one in told].count(True) == 1
    finally:
        os.kill(told[0]["pid"], signal.SIGTERM)
        wait_until_ended(told[0]["port"])


@needs_posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number) -> None:
    process = subprocess.Popen(gazeshift_bridge("--port", "0"), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "Ctrl+C ends it" in process.stderr.readline()
    assert read_runtime() is not None
    process.send_signal(number)
    _, rest = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0
    assert rest == ""
    assert not runtime_path().exists()
    assert "stopped" in log_path().read_text()


@needs_posix
def test_it_ends_by_itself_when_idle() -> None:
    process = subprocess.run(
        gazeshift_bridge("--port", "0", "--idle-minutes", "0.001"),
        check=False,
        capture_output=True,
        timeout=DEADLINE_S,
    )
    assert process.returncode == 0
    assert not runtime_path().exists()
    assert "idle" in log_path().read_text()


def test_its_log_is_rotated_and_the_oldest_part_goes() -> None:
    log = log_path()
    parts = [log, *(log.with_name(f"{log.name}.{number}") for number in (1, 2, 3))]
    for age, part in enumerate(parts):
        part.write_text(f"age {age}\n" * (300_000 // 6))
    done = run("--port", "0", "--idle-minutes", "0.001")
    assert done.returncode == 0, done.stderr
    assert "listening" in parts[0].read_text()
    assert parts[0].stat().st_size < 10_000
    assert [part.read_text()[:5] for part in parts[1:]] == ["age 0", "age 1", "age 2"]
    assert sorted(log.parent.glob(f"{log.name}*")) == parts


def test_a_runtime_file_of_a_dead_bridge_does_not_count() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        # Bound but not listening: connections are refused, and nobody else can have the port.
        write_runtime(other_runtime(unused.getsockname()[1]))
        assert find_running() is None


def test_a_runtime_file_whose_port_another_bridge_has_does_not_count(bridge) -> None:
    write_runtime(other_runtime(bridge.port))
    assert find_running() is None


def test_a_bridge_that_knows_another_token_does_not_count(bridge) -> None:
    runtime = RuntimeFile(
        **{**vars(other_runtime(bridge.port)), "instance": bridge.server.instance}
    )
    write_runtime(runtime)
    read_or_make_token()
    assert find_running() is None
    write_private(token_path(), TOKEN)
    assert find_running() == runtime


@needs_posix
def test_a_stale_runtime_file_is_replaced() -> None:
    write_runtime(other_runtime(1))
    seen = []

    def on_ready(started) -> None:
        seen.append(read_runtime())
        assert started.is_new
        os.kill(os.getpid(), signal.SIGINT)

    serve(0, 60.0, on_ready)
    assert seen[0].port != 1
    assert not runtime_path().exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": 1}', '{"port": "x"}'])
def test_a_damaged_runtime_file_does_not_count(text) -> None:
    runtime_path().write_text(text)
    assert find_running() is None


@needs_posix
def test_a_bridge_of_another_version_keeps_its_port(bridge, monkeypatch) -> None:
    runtime = other_runtime(bridge.port, version="0.0.1")
    monkeypatch.setattr("gazeshift.bridge.server.__version__", "0.0.1")
    bridge.server._engine._version = "0.0.1"
    write_private(token_path(), TOKEN)
    write_runtime(RuntimeFile(**{**runtime.__dict__, "instance": bridge.server.instance}))
    assert find_running().version == "0.0.1"
    told = json.loads(run("--ensure", "--port", "0", "--idle-minutes", "1").stdout)
    try:
        assert told["started"] is True
        assert told["port"] != bridge.port
        assert ask_identity(bridge.port).version == "0.0.1"
    finally:
        os.kill(told["pid"], signal.SIGTERM)
        wait_until_ended(told["port"])


def test_a_port_in_use_is_told_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BridgeError, match=f"Port {port} is in use"):
            serve(port, 60.0, lambda started: None)
        done = run("--ensure", "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} is in use by another program." in done.stderr
    assert done.stdout == ""


def test_a_token_is_made_once() -> None:
    assert read_or_make_token() == read_or_make_token()


@pytest.mark.parametrize("damaged", ["", "short", "g" * 64, "é" * 64])
def test_a_damaged_token_is_replaced(damaged) -> None:
    token_path().write_text(damaged, "utf-8")
    token = read_or_make_token()
    assert len(bytes.fromhex(token)) == 32
    assert token_path().read_text().strip() == token


@needs_posix
def test_a_token_file_that_others_could_read_is_made_private_again() -> None:
    read_or_make_token()
    token_path().chmod(0o644)
    read_or_make_token()
    assert stat.S_IMODE(token_path().stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_made_is_told(tmp_path, monkeypatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("GAZESHIFT_STATE_DIR", str(blocked / "state"))
    with pytest.raises(BridgeError, match="cannot be made"):
        read_or_make_token()


def test_a_lock_that_stays_taken_is_told(monkeypatch) -> None:
    monkeypatch.setattr("gazeshift.bridge.state._LOCK_WAIT_S", 0.05)
    with locked("bridge"), pytest.raises(BridgeError, match="half a minute"), locked("bridge"):
        pytest.fail("the lock was taken twice")
