"""The panel's real code in headless Chromium, with the real bridge and the shipped networks."""

from __future__ import annotations

import numpy as np
from tests.hosts.photoshop import reader
from tests.hosts.photoshop.studio import (
    CONNECT,
    LARGEST,
    MEAN,
    PHOTOS,
    Studio,
    apply_steps,
    deep,
    distances,
    predicted,
    small,
)

from gazeshift.render import render


def test_layers_written_by_the_panel_render_like_the_core(studio, bridge) -> None:
    wanted = [
        (name, feather, strength)
        for name in PHOTOS
        for feather in (False, True)
        for strength in (1.0, -1.0)
    ]
    for k, (name, feather, strength) in enumerate(wanted):
        studio.add(apply_steps(strength, studio.folder / f"{k}.psd"), name=name, feather=feather)

    results = studio.run()

    for k, (name, feather, strength) in enumerate(wanted):
        pixels, mask = small(name, feather)
        edit = predicted(bridge, name, feather, strength)
        largest, mean = distances(studio.folder / f"{k}.psd", pixels, mask, edit)
        assert largest <= LARGEST, (name, feather, strength, largest)
        assert mean <= MEAN, (name, feather, strength, mean)
        seen = results[k]["seen"][-1]
        assert seen["history"] == ["GazeShift"]
        assert seen["live"] == 0
        assert seen["message"].startswith("Applied. Photoshop shows what GazeShift computed")
        # The picture really changed, so that the comparison says something.
        assert np.abs(render(pixels, mask, edit).astype(float) - pixels).mean() > 0.2


def test_sixteen_bits_stay_sixteen_bits_all_the_way(studio, bridge) -> None:
    wanted = [("two-dogs", True, 1.0), ("wine-and-drum", False, -1.0)]
    for k, (name, feather, strength) in enumerate(wanted):
        steps = apply_steps(strength, studio.folder / f"{k}.psd")
        studio.add(steps, name=name, feather=feather, depth=16)

    results = studio.run()

    for k, (name, feather, strength) in enumerate(wanted):
        pixels, mask = deep(name, feather)
        edit = predicted(bridge, name, feather, strength, depth=16)
        largest, mean = distances(studio.folder / f"{k}.psd", pixels, mask, edit)
        assert largest <= LARGEST, (name, largest)
        assert mean <= MEAN, (name, mean)
        base = reader.open_psd(studio.folder / f"{k}.psd")[0]
        assert base.name == "Background"
        # Photoshop's scale ends at 32768, so that every second code becomes its neighbour.
        whole = np.rint(65535 * base.numpy("color")).astype(int)
        assert np.abs(whole - pixels.astype(int)).max() <= 1
        assert "shows what GazeShift computed" in results[k]["seen"][-1]["message"]


MUTANTS = {
    "mask inverted": ("descriptors.ts", '_value: "revealSelection"', '_value: "hideSelection"'),
    "red and blue exchanged": (
        "descriptors.ts",
        'red: "red", green: "grain", blue: "blue"',
        'red: "blue", green: "grain", blue: "red"',
    ),
    "exposure without 2.2": (
        "descriptors.ts",
        "const exposure = layer.exposure;",
        "const exposure = layer.exposure / 2.2;",
    ),
    "one node moved by 8": (
        "descriptors.ts",
        "curve: curve.nodes.map(({ input, output }) => ({",
        "curve: curve.nodes.map(({ input, output: given }, k) => ({ k, output: k === 2 ? "
        "(given < 128 ? given + 8 : given - 8) : given, input })).map(({ input, output }) => ({",
    ),
    "foreground and background exchanged": (
        "layer_writer.ts",
        "plan.recipe.",
        "plan.recipe[0 as never] ?? ({ foreground: plan.recipe.background, "
        "background: plan.recipe.foreground } as typeof plan.recipe).",
    ),
}


def test_every_mutant_of_the_panel_is_caught(tmp_path, predicting) -> None:
    # The shipped network may leave an operator alone, and then a mistake in it cannot be seen.
    bridge = predicting(sharpening=False)
    studio = Studio(tmp_path, bridge.port)
    name, feather, strength = "dandelions", True, 1.0
    for k, (file, before, after) in enumerate(MUTANTS.values()):
        mutant = {"file": file, "from": before, "to": after}
        steps = apply_steps(strength, studio.folder / f"{k}.psd")
        studio.add(steps, name=name, feather=feather, mutant=mutant)
    sound = tmp_path / "sound.psd"
    studio.add(apply_steps(strength, sound), name=name, feather=feather)

    results = studio.run()

    pixels, mask = small(name, feather)
    edit = predicted(bridge, name, feather, strength)
    largest, mean = distances(sound, pixels, mask, edit)
    assert largest <= LARGEST
    assert mean <= MEAN
    for k, mutant in enumerate(MUTANTS):
        largest, mean = distances(studio.folder / f"{k}.psd", pixels, mask, edit)
        assert largest > LARGEST or mean > MEAN, mutant
        assert "shows something else" in results[k]["seen"][-1]["message"], mutant


def test_a_refused_command_leaves_the_document_as_it_was(studio) -> None:
    steps = [*CONNECT, {"press": "look"}, {"press": "apply"}]
    studio.add(steps, options={"failOn": "XMPMetadataAsUTF8"})

    seen = studio.run()[0]["seen"]

    assert 'Photoshop refused "set": made to fail' in seen[-1]["message"]
    assert seen[-1]["tree"] == seen[0]["tree"]
    assert seen[-1]["history"] == []
    assert seen[-1]["live"] == 0


def test_an_existing_edit_can_be_adjusted(studio, bridge) -> None:
    target = studio.folder / "adjusted.psd"
    more = [{"press": "reopen"}, {"dial": 0.5}, {"press": "apply"}, {"save": str(target)}]
    studio.add([*apply_steps(1.0, studio.folder / "first.psd"), *more], feather=True)

    seen = studio.run()[0]["seen"]

    assert seen[-1]["history"] == ["GazeShift", "Adjust GazeShift edit"]
    opened = reader.open_psd(target)
    assert [layer.name for layer in opened] == ["Background", "GazeShift"]
    pixels, mask = small("dandelions", True)
    edit = predicted(bridge, "dandelions", True, 0.5)
    largest, mean = distances(target, pixels, mask, edit)
    assert largest <= LARGEST
    assert mean <= MEAN


REFUSALS = [
    ({"noDocument": True}, "No document is open"),
    ({"document": {"mode": "CMYKColorMode"}}, "CMYK mode"),
    ({"document": {"mode": "LabColorMode"}}, "Lab mode"),
    ({"document": {"bitsPerChannel": "bitDepth32"}}, "8 or 16 bits"),
    ({"layer": {"kind": "smartObject"}}, "smart object"),
    ({"document": {"artboards": [{}]}}, "artboards"),
    ({"layer": {"isBackgroundLayer": False}}, "locked"),
    ({"layer": {"shown": False}}, "hidden"),
    ({"document": {"quickMaskMode": True}}, "Quick Mask mode is on. Press Q"),
    ({"isBusy": True}, "busy"),
]


def test_what_cannot_be_edited_is_said(studio) -> None:
    for options, _ in REFUSALS:
        studio.add([*CONNECT, {"press": "look"}], options=options)
    studio.add([*CONNECT, {"press": "look"}], mask=None)

    messages = [one["seen"][-1]["message"] for one in studio.run()]

    for (_, sentence), message in zip(REFUSALS, messages[:-1], strict=True):
        assert sentence in message
    assert "Nothing is selected." in messages[-1]


def test_other_profiles_are_warned_about(studio) -> None:
    steps = [*CONNECT, {"press": "look"}]
    studio.add(steps, options={"document": {"colorProfileName": "Adobe RGB (1998)"}})

    assert "profile is Adobe RGB (1998)" in studio.run()[0]["seen"][-1]["message"]


def test_documents_without_a_profile_are_edited_in_their_own_colours(studio, bridge) -> None:
    # Photoshop gives the missing profile a name that is none of its profiles.
    untagged = {"colorProfileName": "None", "colorProfileType": "none"}
    target = studio.folder / "untagged.psd"
    steps = apply_steps(1.0, target)
    studio.add(steps, name="two-dogs", options={"document": untagged})

    seen = studio.run()[0]["seen"]

    assert "has no profile" in seen[2]["message"]
    assert "shows what GazeShift computed" in seen[-1]["message"]
    pixels, mask = small("two-dogs", False)
    edit = predicted(bridge, "two-dogs", False, 1.0)
    assert distances(target, pixels, mask, edit)[0] <= LARGEST
