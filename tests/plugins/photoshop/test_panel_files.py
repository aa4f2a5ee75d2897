"""The panel's own files agree with the core, checked without node."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

from gazeshift import __version__
from gazeshift.bridge.messages import PROTOCOL
from gazeshift.bridge.ports import DEFAULT_PORTS
from gazeshift.recipes import psd

PANEL = Path(__file__).parents[3] / "plugins" / "photoshop_uxp_bridge"
MANIFEST = json.loads((PANEL / "assets" / "manifest.json").read_text())


def source(name: str) -> str:
    return (PANEL / "src" / name).read_text()


def test_manifest_allows_exactly_the_bridges_addresses() -> None:
    expected = [f"http://127.0.0.1:{port}" for port in DEFAULT_PORTS]

    assert MANIFEST["requiredPermissions"]["network"]["domains"] == expected


def test_client_knows_the_bridges_ports_and_protocol() -> None:
    client = source("bridge_client.ts")

    assert f"PORTS = [{', '.join(map(str, DEFAULT_PORTS))}]" in client
    assert f"PROTOCOL = {PROTOCOL};" in client


def test_panel_and_core_have_one_version() -> None:
    package = json.loads((PANEL / "package.json").read_text())

    assert {MANIFEST["version"], package["version"]} == {__version__}


def test_panel_and_core_name_layers_and_xmp_alike() -> None:
    writer, store = source("layer_writer.ts"), source("edit_store.ts")

    for name, text in (
        ("GROUP", psd.GROUP),
        ("BACKGROUND", psd.BACKGROUND),
        ("FOREGROUND", psd.FOREGROUND),
        ("BASE", psd.BASE),
    ):
        assert f'export const {name} = "{text}";' in writer
    assert f'"{psd.XMP_NAMESPACE}"' in store


def test_modal_steps_never_use_the_network() -> None:
    assert "bridge" not in re.sub(r"import .*", "", source("layer_writer.ts")).lower().replace(
        "bridgefailure", ""
    )


def test_manifest_is_of_version_5_for_photoshop_25() -> None:
    assert MANIFEST["manifestVersion"] == 5
    assert MANIFEST["host"]["minVersion"] == "25.0.0"
    assert MANIFEST["host"]["data"]["apiVersion"] == 2


def test_the_page_keeps_to_what_uxp_can_do() -> None:
    page = (PANEL / "assets" / "index.html").read_text()
    style = (PANEL / "assets" / "panel.css").read_text()

    # UXP ties no label to its control by `for`, shows titles and reads no passwords on macOS.
    assert not re.search(r"<label[^>]* for=", page)
    assert "title {\n  display: none;" in style
    assert 'type="password"' not in page
    for unknown in ("grid", "transition", "animation", "float:", "text-transform", "font:"):
        assert unknown not in style


def test_lock_file_names_no_registry() -> None:
    assert "resolved" not in (PANEL / "package-lock.json").read_text()


def test_the_shipped_package_holds_these_files() -> None:
    """Whether its script is built from the source is tested where node is: tests/hosts."""
    with zipfile.ZipFile(PANEL / "gazeshift-photoshop.ccx") as archive:
        for path in (PANEL / "assets").iterdir():
            assert archive.read(path.name) == path.read_bytes(), path.name
        assert set(archive.namelist()) == {
            "panel.js",
            *(path.name for path in (PANEL / "assets").iterdir()),
        }
