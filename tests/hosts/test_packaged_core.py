"""The packaged core is built, starts, predicts and renders, and equals the Python install."""

from __future__ import annotations

import http.client
import json
import os
import runpy
import shutil
import signal
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.core.bridge.live import binary_body, layout

import gazeshift
from gazeshift.edit import Edit
from gazeshift.mask import mask_from_array
from gazeshift.operators import OPERATORS
from gazeshift.predict import Redirector
from gazeshift.proxy import make_proxy
from gazeshift.render import render

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 120.0


@pytest.fixture(scope="session")
def program(tmp_path_factory) -> Path:
    build = runpy.run_path(str(ROOT / "packaging" / "build_core.py"))["build"]
    return build(tmp_path_factory.mktemp("packaged"))


@pytest.fixture(scope="session")
def environment(tmp_path_factory) -> dict[str, str]:
    # Nothing of this Python may help: no PYTHONPATH, no virtual environment on the path.
    state = tmp_path_factory.mktemp("state")
    home = tmp_path_factory.mktemp("home")
    return {
        "PATH": os.defpath,
        "HOME": str(home),
        "GAZESHIFT_STATE_DIR": str(state),
        "GIMP3_DIRECTORY": str(home / "gimp"),
    }


@pytest.fixture(scope="session")
def run(program, environment):
    def run(*arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            [str(program), *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            env=environment,
            cwd=cwd,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def bridge(run):
    started = time.monotonic()
    told = json.loads(run("bridge", "--ensure", "--port", "0", "--idle-minutes", "2"))
    told["start_s"] = time.monotonic() - started
    yield told
    os.kill(told["pid"], signal.SIGTERM)


@pytest.fixture
def picture() -> np.ndarray:
    rows, columns = np.mgrid[0:240, 0:320]
    waves = [np.sin(rows / 9 + k) + np.cos(columns / 13 - k) for k in range(3)]
    return (127 + 60 * np.stack(waves, axis=2)).astype(np.uint8)


@pytest.fixture
def mask() -> np.ndarray:
    selected = np.zeros((240, 320), np.uint8)
    selected[60:150, 90:200] = 255
    selected[150:160, 90:200] = 100
    return selected


def ask(
    bridge: dict[str, Any],
    method: str,
    path: str,
    body: bytes | None = None,
    content_type: str = "application/x-gazeshift",
) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", bridge["port"], timeout=DEADLINE_S)
    token = Path(bridge["token_file"]).read_text().strip()
    headers = {
        "Authorization": f"Bearer {token}",
        "GazeShift-Protocol": "1",
        "Content-Type": content_type,
    }
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    assert answer.status == 200, data
    return data


def test_it_says_its_version(run) -> None:
    assert run("--version").strip() == f"gazeshift {gazeshift.__version__}"


def test_its_doctor_finds_everything(run) -> None:
    findings = [json.loads(line) for line in run("doctor", "--json").splitlines()]
    assert "packaged program" in findings[0]["text"]
    assert not [one for one in findings if one["level"] == "bad"]


def test_it_holds_no_torch(program) -> None:
    names = {path.name.lower() for path in program.parent.rglob("*")}
    assert "onnxruntime" in names
    assert not [name for name in names if name.startswith(("torch", "libtorch"))]


def test_its_bridge_is_this_program(bridge, program) -> None:
    assert bridge["started"] is True
    assert bridge["version"] == gazeshift.__version__
    # A generous bound for a loaded machine; about half a second on an idle one.
    assert bridge["start_s"] < 30


def test_it_knows_operators_recipes_and_model(bridge) -> None:
    operators = json.loads(ask(bridge, "GET", "/v1/operators"))
    assert operators["model"] == Redirector().model_id
    assert [one["id"] for one in operators["operators"]] == list(OPERATORS)
    asked = {"edit": Edit().to_json(), "width": 9, "height": 9}
    for host in ("gimp", "photoshop"):
        body = json.dumps(asked).encode()
        answer = ask(bridge, "POST", f"/v1/recipe/{host}", body, "application/json")
        assert len(json.loads(answer)["recipes"]) == 1


def test_it_predicts_and_renders_what_python_does(bridge, picture, mask) -> None:
    header = {"image": layout(picture), "mask": {"dtype": "uint8"}}
    answer = json.loads(ask(bridge, "POST", "/v1/predict", binary_body(header, picture, mask)))
    (style,) = answer["predictions"]
    proxy = make_proxy(picture, mask_from_array(mask, height=240, width=320))
    expected = Redirector().predict_proxy(proxy)
    for direction in ("attract", "divert"):
        given = Edit.from_json(style[direction])
        wanted = getattr(expected, direction)
        # The same network on the same processor; only the threads' order may differ.
        for region in ("foreground", "background"):
            numbers = getattr(given, region).to_vector()
            assert numbers == pytest.approx(getattr(wanted, region).to_vector(), abs=1e-4)
        header = {
            "image": layout(picture),
            "mask": {"dtype": "uint8"},
            "edit": wanted.to_json(),
            "strength": 0.8,
        }
        data = ask(bridge, "POST", "/v1/render", binary_body(header, picture, mask))
        (length,) = struct.unpack_from("<I", data)
        pixels = np.frombuffer(data[4 + length :], np.uint8).reshape(picture.shape)
        assert np.array_equal(pixels, render(picture, mask, wanted, 0.8))


def test_its_command_line_writes_the_same_file(run, picture, mask, tmp_path) -> None:
    from PIL import Image

    Image.fromarray(picture).save(tmp_path / "photo.png")
    Image.fromarray(mask).save(tmp_path / "mask.png")
    arguments = ["redirect", "photo.png", "--mask", "mask.png", "-o"]
    run(*arguments, "packaged.png", cwd=tmp_path)
    subprocess.run(
        [sys.executable, "-m", "gazeshift", *arguments, "python.png"],
        check=True,
        cwd=tmp_path,
        capture_output=True,
        timeout=DEADLINE_S,
    )
    first, second = (np.asarray(Image.open(tmp_path / f"{n}.png")) for n in ("packaged", "python"))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, picture)


def test_a_wheel_made_from_the_source_archive_holds_the_plugins(tmp_path) -> None:
    # A copy without what earlier builds left: their lists would hide a file that is forgotten.
    left_out = shutil.ignore_patterns(
        ".*", "__pycache__", "*.egg-info", "build", "dist", "runs", "node_modules", "*.so"
    )
    checkout = shutil.copytree(ROOT, tmp_path / "checkout", ignore=left_out)
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(checkout)],
        check=True,
        capture_output=True,
        timeout=600,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    plugin = ROOT / "plugins" / "gimp"
    expected = {
        f"gazeshift/plugin_files/gimp/{path.relative_to(plugin).as_posix()}"
        for path in plugin.rglob("*.py")
    }
    assert expected <= names
    assert {"gazeshift/bridge/openapi.json", "gazeshift/models/redirector.onnx"} <= names


def test_it_installs_the_gimp_plugin_that_starts_it(run, environment, program) -> None:
    run("install", "gimp")
    plugin = Path(environment["GIMP3_DIRECTORY"]) / "plug-ins" / "gazeshift"
    core = json.loads((plugin / "core.json").read_text("utf-8"))
    assert core["command"] == [str(program)]
    assert (plugin / "gazeshift.py").is_file()
