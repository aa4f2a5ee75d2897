"""The panel's package: types, unit tests, and the same bytes from every build."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from tests.hosts.photoshop.chromium import PLUGIN, ensure_packages


@pytest.fixture(scope="module", autouse=True)
def _packages() -> None:
    ensure_packages()


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=PLUGIN, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def built() -> Path:
    run("node", "build.mjs")
    return PLUGIN / "dist" / "gazeshift-photoshop.ccx"


def test_types_are_right() -> None:
    run("npx", "tsc", "-p", ".")


def test_parts_of_the_panel() -> None:
    run("node", "run_tests.mjs")


def test_two_builds_give_the_same_bytes(monkeypatch) -> None:
    digests = []
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        monkeypatch.setenv("TZ", zone)
        digests.append(hashlib.sha256(built().read_bytes()).hexdigest())

    assert digests[0] == digests[1]


def test_the_package_in_the_repository_is_built_from_its_source() -> None:
    shipped = PLUGIN / "gazeshift-photoshop.ccx"

    # After a change of the panel: make photoshop-plugin.
    assert shipped.read_bytes() == built().read_bytes()


def test_package_holds_readable_files_with_forward_slashes() -> None:
    with zipfile.ZipFile(built()) as archive:
        entries = archive.infolist()
        manifest = json.loads(archive.read("manifest.json"))

    names = {entry.filename for entry in entries}
    assert {"manifest.json", manifest["main"], "panel.js", "panel.css", "icon.png"} <= names
    unix, readable = 3, 0o100644
    assert {(e.create_system, e.external_attr >> 16) for e in entries} == {(unix, readable)}
    assert not any("\\" in name for name in names)


def test_panel_uses_photoshops_modules_and_no_others() -> None:
    built()
    script = (PLUGIN / "dist" / "panel" / "panel.js").read_text()

    assert 'require("photoshop")' in script
    assert 'require("uxp")' in script
    # UXP's oldest supported versions lack these.
    for missing in ("TextEncoder", "TextDecoder", "putImageData", "createImageBitmap"):
        assert missing not in script


def test_core_files_are_read_by_a_second_library(tmp_path) -> None:
    """ag-psd, in node, sees the structure that psd-tools renders."""
    from tests.core.recipes.edits import ramp_photo, soft_mask, strong_edit

    from gazeshift.recipes import psd
    from gazeshift.render import render

    photo, mask, edit = ramp_photo(), soft_mask(), strong_edit()
    path = tmp_path / "core.psd"
    psd.write_psd(path, photo, mask, edit, render(photo.pixels, mask, edit))
    program = tmp_path / "read.cjs"
    program.write_text(
        f"""
        const {{ readPsd }} = require({json.dumps(str(PLUGIN / "node_modules" / "ag-psd"))});
        const psd = readPsd(require("fs").readFileSync({json.dumps(str(path))}),
          {{ skipLayerImageData: true, skipCompositeImageData: true, skipThumbnail: true }});
        const tell = (layer) => ({{ name: layer.name, blend: layer.blendMode,
          adjustment: layer.adjustment?.type, exposure: layer.adjustment?.exposure,
          nodes: layer.adjustment?.rgb?.length, mask: layer.mask?.right,
          children: layer.children?.map(tell) }});
        console.log(JSON.stringify([psd.width, psd.height, psd.children.map(tell)]));
        """
    )
    node = shutil.which("node")
    done = subprocess.run([node, program], capture_output=True, text=True, check=True)
    width, height, (below, outer) = json.loads(done.stdout)

    assert (width, height) == (80, 60)
    assert below["name"] == "Photo"
    assert (outer["name"], outer["blend"]) == ("GazeShift", "pass through")
    background, foreground = outer["children"]
    assert (background["blend"], foreground["blend"]) == ("pass through", "normal")
    assert (background.get("mask"), foreground.get("mask")) == (None, 80)
    kinds = [layer.get("adjustment") for layer in foreground["children"]]
    assert kinds == [None, "exposure", "curves", "curves", "curves"]
    # 2.2 times 0.3 stops.
    assert foreground["children"][1]["exposure"] == pytest.approx(0.66, abs=1e-6)
    assert 2 <= foreground["children"][3]["nodes"] <= 14
