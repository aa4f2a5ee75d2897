"""`gazeshift install gimp`: every GIMP's folder is found, filled, and emptied again."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

import gazeshift
from gazeshift.bridge.state import token_path
from gazeshift.cli import group
from gazeshift.hosts.gimp_folders import find_folders
from gazeshift.hosts.plugin_files import plugin_folder


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("GIMP3_DIRECTORY", "GIMP2_DIRECTORY", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("GAZESHIFT_STATE_DIR", str(tmp_path / "state"))
    # The tests walk through Linux' folders on every system.
    monkeypatch.setattr("gazeshift.hosts.gimp.find_folders", lambda: find_folders(platform="linux"))
    return home


def make(home: Path, *names: str) -> list[Path]:
    folders = [home / name for name in names]
    for folder in folders:
        folder.mkdir(parents=True)
    return folders


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(group, ["install", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


NATIVE, FLATPAK, SNAP = (
    ".config/GIMP/3.2",
    ".var/app/org.gimp.GIMP/config/GIMP/3.2",
    "snap/gimp/current/.config/GIMP/3.0",
)


def test_the_plugin_is_copied_into_every_folder(home) -> None:
    folders = make(home, NATIVE, FLATPAK, SNAP)
    output = run("gimp")
    source = plugin_folder("gimp") / "gazeshift"
    for folder in folders:
        plugin = folder / "plug-ins" / "gazeshift"
        assert str(plugin) in output
        copied = {name: data for name, data in everything(plugin).items() if name != "core.json"}
        expected = {
            name: data
            for name, data in everything(source).items()
            if "__pycache__" not in name and not name.endswith(".pyi")
        }
        assert copied == expected
        assert [path.name for path in folder.iterdir()] == ["plug-ins"]
        assert [path.name for path in (folder / "plug-ins").iterdir()] == ["gazeshift"]


def test_the_plugin_is_told_how_to_start_the_core(home, tmp_path) -> None:
    native, flatpak = make(home, NATIVE, FLATPAK)
    run("gimp")
    core = json.loads((native / "plug-ins/gazeshift/core.json").read_text("utf-8"))
    assert core["format"] == "gazeshift-core/1"
    # A module of the same name in the current folder must not come in between.
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "gazeshift.py").write_text("raise SystemExit('the wrong gazeshift')")
    said = subprocess.run(
        [*core["command"], "--version"], cwd=trap, check=True, capture_output=True, text=True
    )
    assert said.stdout.strip() == f"gazeshift {gazeshift.__version__}"
    assert core["version"] == gazeshift.__version__
    assert core["protocol"] == 1
    assert core["ports"] == [47613, 47614, 47615]
    assert Path(core["token_file"]) == token_path()
    assert core["token"] is None
    sandboxed = json.loads((flatpak / "plug-ins/gazeshift/core.json").read_text("utf-8"))
    assert sandboxed["token"] == token_path().read_text().strip()


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_modes_let_gimp_start_it_and_keep_the_token_private(home) -> None:
    (native,) = make(home, NATIVE)
    run("gimp")
    plugin = native / "plug-ins" / "gazeshift"
    assert stat.S_IMODE((plugin / "gazeshift.py").stat().st_mode) == 0o755
    assert stat.S_IMODE((plugin / "core.json").stat().st_mode) == 0o600


def test_sandboxed_gimps_get_a_sentence(home) -> None:
    make(home, FLATPAK)
    assert "run 'gazeshift bridge' in a terminal first" in run("gimp")


def test_a_dry_run_changes_nothing(home) -> None:
    (native,) = make(home, NATIVE)
    output = run("gimp", "--dry-run")
    assert f"Would copy the plug-in for GIMP 3.2 to {native / 'plug-ins' / 'gazeshift'}" in output
    assert list(native.iterdir()) == []


def test_a_second_install_replaces_the_whole_folder(home) -> None:
    (native,) = make(home, NATIVE)
    run("gimp")
    plugin = native / "plug-ins" / "gazeshift"
    before = everything(plugin)
    (plugin / "stale.py").write_text("left over from an older version")
    run("gimp")
    assert everything(plugin) == before
    assert [path.name for path in native.iterdir()] == ["plug-ins"]


def test_something_else_of_that_name_is_left_alone(home) -> None:
    (native,) = make(home, NATIVE)
    other = native / "plug-ins" / "gazeshift"
    other.mkdir(parents=True)
    (other / "notes.txt").write_text("mine")
    output = run("gimp", code=1)
    assert "holds something else" in output
    assert everything(other) == {"notes.txt": b"mine"}
    assert [path.name for path in native.iterdir()] == ["plug-ins"]
    run("gimp", "--uninstall")
    assert everything(other) == {"notes.txt": b"mine"}


def test_uninstall_removes_what_install_made(home) -> None:
    folders = make(home, NATIVE, SNAP)
    neighbour = folders[0] / "plug-ins" / "other" / "other.py"
    run("gimp")
    neighbour.parent.mkdir()
    neighbour.write_text("another plug-in")
    assert "Would remove" in run("gimp", "--uninstall", "--dry-run")
    assert (folders[0] / "plug-ins" / "gazeshift").is_dir()
    output = run("gimp", "--uninstall")
    assert output.count("Removed") == 2
    assert not any((folder / "plug-ins" / "gazeshift").exists() for folder in folders)
    assert neighbour.exists()
    assert "not installed" in run("gimp", "--uninstall")


def test_without_gimp_it_says_what_to_do(home) -> None:
    output = run("gimp", code=1)
    assert "No settings folder of GIMP 2.10 or later was found." in output
    assert "Start GIMP once" in output


def test_a_folder_named_by_a_variable_is_made(home, monkeypatch, tmp_path) -> None:
    named = tmp_path / "somewhere" / "gimp"
    monkeypatch.setenv("GIMP3_DIRECTORY", str(named))
    run("gimp")
    assert (named / "plug-ins" / "gazeshift" / "gazeshift.py").is_file()


def test_one_folder_that_fails_does_not_stop_the_rest(home) -> None:
    native, snap = make(home, NATIVE, SNAP)
    (native / "plug-ins").write_text("a file where the folder should be")
    output = run("gimp", code=1)
    assert "Copied the plug-in for GIMP 3.0 (snap)" in output
    assert f"{native / 'plug-ins' / 'gazeshift'} cannot be changed" in output
    assert (snap / "plug-ins" / "gazeshift" / "gazeshift.py").is_file()


def test_gimp_2_gets_its_own_plugin(home) -> None:
    (old,) = make(home, ".config/GIMP/2.10")
    run("gimp")
    main_file = old / "plug-ins" / "gazeshift" / "gazeshift.py"
    assert "gimpfu" in main_file.read_text("utf-8")
    assert not list(main_file.parent.glob("*.pyi"))


def test_a_file_in_the_way_is_told(home) -> None:
    (native,) = make(home, NATIVE)
    (native / "plug-ins").write_text("a file where the folder should be")
    output = run("gimp", code=1)
    assert "cannot be changed" in output
    assert [path.name for path in native.iterdir()] == ["plug-ins"]


def found(home: Path, platform: str, **environment: str) -> list[tuple[str, str, str]]:
    return [
        (folder.version, folder.packaging, folder.path.relative_to(home).as_posix())
        for folder in find_folders(environment, home, platform)
    ]


def test_linux_folders(tmp_path) -> None:
    make(
        tmp_path,
        NATIVE,
        ".config/GIMP/2.10",
        ".config/GIMP/2.8",
        ".config/GIMP/backup",
        FLATPAK,
        SNAP,
    )
    assert found(tmp_path, "linux") == [
        ("2.10", "native", ".config/GIMP/2.10"),
        ("3.2", "native", ".config/GIMP/3.2"),
        ("3.2", "flatpak", FLATPAK),
        ("3.0", "snap", SNAP),
    ]


def test_the_xdg_folder_is_used(tmp_path) -> None:
    make(tmp_path, NATIVE, "elsewhere/GIMP/3.2")
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "elsewhere")}
    assert found(tmp_path, "linux", **environment) == [("3.2", "native", "elsewhere/GIMP/3.2")]


def test_windows_folders(tmp_path) -> None:
    store = "AppData/Local/Packages/GIMP.43237F745577/LocalCache/Roaming/GIMP/3.0"
    make(tmp_path, "AppData/Roaming/GIMP/3.2", store)
    assert found(tmp_path, "win32") == [
        ("3.2", "native", "AppData/Roaming/GIMP/3.2"),
        ("3.0", "native", store),
    ]


def test_macos_folders(tmp_path) -> None:
    make(tmp_path, "Library/Application Support/GIMP/3.2")
    assert found(tmp_path, "darwin") == [("3.2", "native", "Library/Application Support/GIMP/3.2")]


def test_a_named_folder_counts_once(tmp_path) -> None:
    make(tmp_path, NATIVE)
    named = {"GIMP3_DIRECTORY": str(tmp_path / NATIVE)}
    assert found(tmp_path, "linux", **named) == [("3.2", "native", NATIVE)]
    # GIMP reads a relative name from the home folder.
    assert found(tmp_path, "linux", GIMP3_DIRECTORY="mine")[-1] == ("3", "native", "mine")
    assert found(tmp_path, "linux", GIMP2_DIRECTORY="old")[-1] == ("2", "native", "old")
