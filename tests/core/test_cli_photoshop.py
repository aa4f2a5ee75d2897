"""`gazeshift redirect -o OUT.psd` and `--cube DIR`, and `gazeshift install photoshop`."""

from __future__ import annotations

import platform
import struct
import zipfile

import numpy as np
import pytest
import pyvips
from click.testing import CliRunner
from PIL import Image
from tests.core.tiny_models import write_models

from gazeshift.cli import group
from gazeshift.hosts import photoshop


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    monkeypatch.setenv("GAZESHIFT_MODELS", str(write_models(tmp_path / "models")))
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    Image.fromarray(rng.integers(0, 256, (48, 64, 3), np.uint8)).save("photo.png")
    return tmp_path


def run(*arguments: str):
    return CliRunner().invoke(group, list(arguments))


REDIRECT = ("redirect", "photo.png", "--mask", "rect:8,8,30,30")


def test_an_output_named_psd_is_a_photoshop_file(workplace) -> None:
    result = run(*REDIRECT, "-o", "out.psd")

    assert result.exit_code == 0, result.output
    data = (workplace / "out.psd").read_bytes()
    assert data[:4] == b"8BPS"
    assert b"8BIMexpA" in data


def test_a_photo_with_16_bits_gives_a_photoshop_file_with_16_bits(workplace) -> None:
    rng = np.random.default_rng(4)
    photo = rng.integers(0, 65536, (48, 64, 3), np.uint16)
    pyvips.Image.new_from_array(photo, interpretation="rgb16").write_to_file("photo.tif")

    result = run("redirect", "photo.tif", "--mask", "rect:8,8,30,30", "-o", "out.psd")

    assert result.exit_code == 0, result.output
    header = (workplace / "out.psd").read_bytes()[:26]
    # Signature, version, six empty bytes; channels, height, width, depth, mode 3 (RGB).
    assert struct.unpack(">4sH6xHIIHH", header) == (b"8BPS", 1, 3, 48, 64, 16, 3)


def test_an_existing_psd_is_not_replaced(workplace) -> None:
    (workplace / "out.psd").write_bytes(b"mine")

    result = run(*REDIRECT, "-o", "out.psd")

    assert result.exit_code == 2
    assert (workplace / "out.psd").read_bytes() == b"mine"


def test_cube_writes_both_tables(workplace) -> None:
    result = run(*REDIRECT, "-o", "out.png", "--cube", "tables")

    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in (workplace / "tables").iterdir())
    assert names == ["background.cube", "foreground.cube"]


def test_existing_tables_are_not_replaced_unless_forced(workplace) -> None:
    assert run(*REDIRECT, "-o", "out.png", "--cube", "tables").exit_code == 0

    again = run(*REDIRECT, "-o", "other.png", "--cube", "tables")

    assert again.exit_code == 2
    assert not (workplace / "other.png").exists()
    forced = run(*REDIRECT, "-o", "other.png", "--cube", "tables", "--force")
    assert forced.exit_code == 0, forced.output


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "plugin"
    folder.mkdir()
    with zipfile.ZipFile(folder / photoshop.PACKAGE, "w") as archive:
        archive.writestr("manifest.json", "{}")
    monkeypatch.setattr(photoshop, "plugin_folder", lambda name: folder)
    return folder / photoshop.PACKAGE


def test_without_adobes_installer_the_steps_are_said(package, monkeypatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")

    result = run("install", "photoshop")

    assert result.exit_code == 0
    assert str(package) in result.output
    assert "gazeshift bridge --print-token" in result.output


def test_adobes_installer_gets_the_package(package, tmp_path, monkeypatch) -> None:
    installer = tmp_path / "installer"
    installer.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    installer.chmod(0o755)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setitem(photoshop._INSTALLERS, "Darwin", str(installer))

    assert run("install", "photoshop", "--dry-run").exit_code == 0
    assert not (tmp_path / "called").exists()
    assert run("install", "photoshop").exit_code == 0
    assert (tmp_path / "called").read_text() == f"--install {package}\n"


def test_a_refusing_installer_is_a_clear_failure(package, tmp_path, monkeypatch) -> None:
    installer = tmp_path / "installer"
    installer.write_text('#!/bin/sh\necho "Status = -267" ; exit 1\n')
    installer.chmod(0o755)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setitem(photoshop._INSTALLERS, "Darwin", str(installer))

    result = run("install", "photoshop")

    assert result.exit_code == 1
    assert "refused: Status = -267" in result.output


def test_the_checkout_brings_the_panel() -> None:
    result = run("install", "photoshop", "--dry-run")

    assert result.exit_code == 0
    path = photoshop.package_path()
    assert path.read_bytes().startswith(b"PK")
    assert str(path) in result.output
    # Creative Cloud runs where Photoshop does; elsewhere the three steps are said.
    if platform.system() == "Linux":
        steps = [line for line in result.output.splitlines() if line[:2] in ("1.", "2.", "3.")]
        assert len(steps) == 3
        assert "gazeshift bridge" in steps[1]
        assert "--print-token" in steps[2]


def test_a_missing_panel_is_said(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(photoshop, "plugin_folder", lambda name: tmp_path)

    result = run("install", "photoshop")

    assert result.exit_code == 1
    assert "make photoshop-plugin" in result.output
    assert photoshop.inspect()[0].level == "note"
