"""The program as people call it: exit codes, streams, help, docs, and what importing costs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from tests.core.tiny_models import write_models

import gazeshift
from gazeshift.cli import group
from gazeshift.files import write_picture
from gazeshift.operator_tables import markdown_page
from gazeshift.operators import OPERATORS

REPOSITORY = Path(__file__).parents[2]
COMMANDS = group.list_commands(click.Context(group))


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a photo, a mask and networks."""
    folder = tmp_path_factory.mktemp("workplace")
    write_models(folder / "models")
    rng = np.random.default_rng(1)
    write_picture(folder / "photo.png", rng.integers(20, 160, (48, 80, 3), np.uint8))
    mask = np.zeros((48, 80, 3), np.uint8)
    mask[10:30, 20:50] = 255
    write_picture(folder / "mask.png", mask)
    return folder


def gaze(folder: Path, *arguments: str, data: bytes | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "gazeshift", *arguments],
        cwd=folder,
        input=data,
        capture_output=True,
        env={**os.environ, "GAZESHIFT_MODELS": str(folder / "models"), "PYTHONUTF8": "1"},
        timeout=60,
    )


def test_redirect_prints_results_on_stdout_and_nothing_on_stderr(workplace: Path) -> None:
    done = gaze(workplace, "redirect", "photo.png", "--mask", "mask.png", "-o", "out.png")
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    assert "photo.png -> out.png" in text
    assert re.search(r"attention on the mask: \d+\.\d % -> \d+\.\d % \(x \d\.\d\d\)", text)
    assert (workplace / "out.png").is_file()


def test_json_is_one_object_per_line(workplace: Path) -> None:
    done = gaze(
        workplace, "redirect", "photo.png", "--mask", "mask.png", "-o", "j.png", "--json",
        "--strength", "-0.5",
    )  # fmt: skip
    (line,) = done.stdout.decode().splitlines()
    data = json.loads(line)
    assert data["photo"] == "photo.png"
    assert data["output"] == "j.png"
    assert data["strength"] == -0.5
    assert data["direction"] == "divert"
    assert data["share_after"] < data["share_before"]
    assert data["effective"] is True
    assert data["edit"]["format"] == "gazeshift-edit/1"
    assert data["edit"]["share_after"] == data["share_after"]


def test_photo_travels_through_standard_streams(workplace: Path) -> None:
    photo = (workplace / "photo.png").read_bytes()
    done = gaze(workplace, "redirect", "-", "--mask", "mask.png", "-o", "-", data=photo)
    assert done.returncode == 0
    assert done.stdout.startswith(b"\x89PNG\r\n")
    assert b"attention on the mask" in done.stderr
    same = gaze(
        workplace, "redirect", "photo.png", "--mask", "mask.png", "-o", "stream.png", "--force"
    )
    assert same.returncode == 0
    assert (workplace / "stream.png").read_bytes() == done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["redirect", "photo.png", "-o", "x.png"], 2, "--mask"),
        (["redirect", "photo.png", "--mask", "mask.png"], 2, "-o FILE"),
        (["redirect", "--mask", "mask.png", "-o", "x.png"], 2, "PHOTO"),
        (["redirect", "photo.png", "--mask", "mask.png", "-o", "x.png", "--strength", "2"], 2,
         "strength"),
        (["redirect", "photo.png", "--mask", "mask.png", "-o", "x.png", "--strength", "nan"], 2,
         "strength"),
        (["redirect", "photo.png", "--mask", "mask.png", "-o", "x.png", "--style", "3"], 2,
         "no styles"),
        (["redirect", "photo.png", "--mask", "rect:1,2,3", "-o", "x.png"], 2, "rect:"),
        (["redirect", "photo.png", "--mask", "mask.png", "-o", "photo.png", "--force"], 2,
         "never overwritten"),
        (["redirect", "photo.png", "--mask", "mask.png", "-o", "mask.png", "--force"], 2,
         "never overwritten"),
        (["redirect", "photo.png", "--mask", "mask.png", "-o", "x.bmp"], 2, ".bmp"),
        (["redirect", "photo.png", "--mask", "mask.png", "-o", "nowhere/x.png"], 2, "nowhere"),
        (["redirect", "photo.png", "--mask", "mask.png", "-o", "-", "--json"], 2,
         "standard output"),
        (["redirect", "missing.png", "--mask", "mask.png", "-o", "x.png"], 3, "missing.png"),
        (["redirect", "missing*.png", "--mask", "mask.png", "-o", "x.png"], 3, "missing*.png"),
        (["redirect", "photo.png", "--mask", "missing.png", "-o", "x.png"], 3, "missing.png"),
        (["redirect", "photo.png", "--mask", "mask.png", "-o", "x.png", "--model", "no.onnx"], 4,
         "no.onnx"),
        (["redirect", "photo.png", "--mask", "mask.png", "-o", "x.png", "--attention-model",
          "photo.png"], 4, "photo.png"),
        (["render", "photo.png", "--mask", "mask.png", "--edit", "no.json", "-o", "x.png"], 2,
         "no.json"),
        (["render", "photo.png", "--mask", "mask.png", "--edit", "photo.png", "-o", "x.png"], 2,
         "JSON"),
        (["attention", "photo.png", "-o", "x.gif"], 2, "x.gif"),
        (["dance"], 2, "dance"),
    ],
)  # fmt: skip
def test_failures_have_one_sentence_a_code_and_leave_nothing(
    workplace: Path, arguments: list[str], code: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace)
    monkeypatch.setenv("GAZESHIFT_MODELS", str(workplace / "models"))
    before = sorted(path.name for path in workplace.iterdir())
    done = CliRunner().invoke(group, arguments)
    assert done.exit_code == code
    assert done.stdout == ""
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in workplace.iterdir()) == before


def test_missing_networks_are_code_4(workplace: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    photo, mask = (str(workplace / name) for name in ("photo.png", "mask.png"))
    done = gaze(tmp_path, "redirect", photo, "--mask", mask, "-o", "x.png")
    assert done.returncode == 4
    assert b"redirector.onnx" in done.stderr
    assert b"Hint: " in done.stderr
    assert done.stdout == b""


def test_existing_output_needs_force(workplace: Path) -> None:
    (workplace / "there.png").write_bytes(b"mine")
    arguments = ("redirect", "photo.png", "--mask", "mask.png", "-o", "there.png")
    refused = gaze(workplace, *arguments)
    assert refused.returncode == 2
    assert (workplace / "there.png").read_bytes() == b"mine"
    assert gaze(workplace, *arguments, "--force").returncode == 0
    assert (workplace / "there.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_interrupt_leaves_nothing_half_written(workplace: Path, tmp_path: Path) -> None:
    # A pipe that never delivers keeps the program in the middle of its work.
    write_models(tmp_path / "models")
    process = subprocess.Popen(
        [
            sys.executable, "-c",
            "import sys; print('ready', file=sys.stderr, flush=True);"
            "from gazeshift.cli import main; sys.argv[0] = 'gazeshift'; main()",
            "redirect", "-", "--mask", str(workplace / "mask.png"), "-o", "out.png",
        ],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "GAZESHIFT_MODELS": str(tmp_path / "models")},
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stderr is not None
    process.stderr.readline()
    # More than a pipe holds: when this returns, the program is reading.
    process.stdin.write(b"\x89PNG" + bytes(1 << 20))
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Interrupted" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_progress_appears_on_a_terminal_and_only_on_stderr(workplace: Path, tmp_path: Path) -> None:
    import fcntl
    import pty
    import struct
    import termios

    photo = (workplace / "photo.png").read_bytes()
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(photo)
    arguments = [
        sys.executable, "-m", "gazeshift", "attention", "a.png", "b.png", "--json",
        "--attention-model", str(workplace / "models" / "attention.onnx"),
    ]  # fmt: skip
    control, terminal = pty.openpty()
    fcntl.ioctl(control, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        arguments, cwd=tmp_path, stdout=subprocess.PIPE, stderr=terminal, text=True
    )
    os.close(terminal)
    results, _ = process.communicate(timeout=60)
    shown = os.read(control, 65536).decode()
    os.close(control)
    assert process.returncode == 0
    assert [json.loads(line)["photo"] for line in results.splitlines()] == ["a.png", "b.png"]
    assert "0/2" in shown
    assert "photo" in shown
    silent = subprocess.run(arguments, cwd=tmp_path, capture_output=True, timeout=60)
    assert silent.stderr == b""


def test_reader_that_leaves_early_is_no_traceback(workplace: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "gazeshift", "operators", "--markdown"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    assert process.wait(timeout=60) == 1
    process.stderr.close()
    assert b"Traceback" not in errors


def test_unexpected_failure_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("gazeshift.operator_tables.text_table", fail)
    done = CliRunner().invoke(group, ["operators"])
    assert done.exit_code == 1
    assert "ZeroDivisionError: a bug" in done.stderr
    assert "GAZESHIFT_DEBUG" in done.stderr
    monkeypatch.setenv("GAZESHIFT_DEBUG", "1")
    assert "Traceback" in CliRunner().invoke(group, ["operators"]).stderr


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_help_starts_with_an_example(name: str | None) -> None:
    done = CliRunner().invoke(group, [*([name] if name else []), "--help"])
    assert done.exit_code == 0
    first, second = done.output.splitlines()[:2]
    assert first in ("Example:", "Examples:")
    assert second.strip().startswith(f"gazeshift {name}" if name else "gazeshift ")


def test_every_command_and_option_is_documented() -> None:
    page = (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8")
    context = click.Context(group)
    assert {"redirect", "render", "attention", "operators"} <= set(COMMANDS)
    for name in COMMANDS:
        assert f"## gazeshift {name}" in page, f"docs/cli.md lacks {name}"
        section = page.split(f"## gazeshift {name}\n")[1].split("\n## ")[0]
        command = group.get_command(context, name)
        assert command is not None
        commands = [command]
        if isinstance(command, click.Group):
            for below in command.list_commands(context):
                assert f"gazeshift {name} {below}" in section
                found = command.get_command(context, below)
                assert found is not None
                commands.append(found)
        options = [
            parameter.opts[-1]
            for each in commands
            for parameter in each.params
            if isinstance(parameter, click.Option) and not parameter.hidden
        ]
        missing = [option for option in options if option not in section]
        assert not missing, f"docs/cli.md: {name} lacks {missing}"


def test_operators_lists_every_parameter() -> None:
    text = CliRunner().invoke(group, ["operators"]).output
    lines = CliRunner().invoke(group, ["operators", "--json"]).output.splitlines()
    objects = {data["id"]: data for data in map(json.loads, lines)}
    assert list(objects) == list(OPERATORS)
    for id_, operator in OPERATORS.items():
        assert objects[id_]["version"] == operator.spec.version
        for parameter, data in zip(
            operator.spec.parameters, objects[id_]["parameters"], strict=True
        ):
            assert (data["name"], data["count"]) == (parameter.name, parameter.count)
            assert data["hard"] == list(parameter.hard)
            assert re.search(rf"^{id_} +{parameter.name} +{parameter.count} ", text, re.MULTILINE)


def test_operator_page_is_up_to_date() -> None:
    page = (REPOSITORY / "docs" / "operators.md").read_text(encoding="utf-8")
    assert page == markdown_page(), "run: gazeshift operators --markdown > docs/operators.md"


def test_version_is_the_packages() -> None:
    done = CliRunner().invoke(group, ["--version"], prog_name="gazeshift")
    assert done.output == f"gazeshift {gazeshift.__version__}\n"
