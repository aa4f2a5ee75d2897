import json
import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift_training.redirector.calibrate import find_crossing
from gazeshift_training.redirector.export import (
    export_redirector,
    measure_latency_ms,
    measure_parity,
)
from gazeshift_training.redirector.network import RedirectorDesign, RedirectorNetwork

GAINS = (0.9, 1.2)


@pytest.fixture(scope="module")
def network() -> RedirectorNetwork:
    torch.manual_seed(3)
    made = RedirectorNetwork(RedirectorDesign(working_side=64, trunk=16, head=8)).eval()
    for head in made.heads.values():
        torch.nn.init.normal_(head[-1].weight, std=2.0)
    return made


@pytest.fixture(scope="module")
def exported(network: RedirectorNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "redirector.onnx"
    export_redirector(
        network,
        path,
        model_id="tiny",
        version="7",
        data="noise",
        licence="MIT",
        revision="abc",
        gains=GAINS,
    )
    return path


def pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    generator = np.random.default_rng(2)
    made = []
    for height, width in ((64, 96), (97, 65), (30, 31)):
        mask = np.zeros((height, width), np.float32)
        mask[5:20, 4:25] = 1.0
        made.append((generator.integers(0, 256, (height, width, 3)).astype(np.uint8), mask))
    return made


def test_the_file_gives_the_networks_numbers_at_any_size(
    network: RedirectorNetwork, exported: Path
) -> None:
    parity = measure_parity(exported, network, pairs(), GAINS)
    assert 0.0 < parity.parameters < 0.02
    assert parity.rendered_codes < 0.5
    assert parity.decoder_codes < 0.5


def test_the_calibration_is_in_the_file(network: RedirectorNetwork, exported: Path) -> None:
    assert measure_parity(exported, network, pairs(), (1.0, 1.0)).parameters > 0.01


def test_the_file_says_what_the_core_asks_for(exported: Path) -> None:
    metadata = {entry.key: entry.value for entry in onnx.load(exported).metadata_props}
    operators = json.loads(metadata["gazeshift.operators"])
    assert list(operators.items()) == [(i, OPERATORS[i].spec.version) for i in DEFAULT_CHAIN]
    assert metadata["gazeshift.model_id"] == "tiny"
    assert metadata["gazeshift.version"] == "7"
    assert metadata["gazeshift.proxy_long_side"] == "448"
    assert metadata["gazeshift.styles"] == "10"
    assert json.loads(metadata["gazeshift.gains"]) == {"attract": 0.9, "divert": 1.2}


def test_the_file_names_no_place_of_the_machine_that_made_it(exported: Path) -> None:
    text = exported.read_bytes()
    assert b"/gazeshift_training/" not in text
    assert str(Path.home()).encode() + b"/" not in text


def test_inputs_and_outputs_have_the_agreed_shapes(exported: Path) -> None:
    session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    shapes = {node.name: node.shape for node in (*session.get_inputs(), *session.get_outputs())}
    assert shapes["image"] == [1, 3, "h", "w"]
    assert shapes["mask"] == [1, 1, "h", "w"]
    assert shapes["style"] == [1, 10]
    assert shapes["attract"] == shapes["divert"] == [1, 70]


def test_the_style_matters_in_the_file(exported: Path) -> None:
    session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    feeds = {
        "image": np.full((1, 3, 40, 50), 0.4, np.float32),
        "mask": np.ones((1, 1, 40, 50), np.float32),
    }
    plain, styled = (
        session.run(["attract"], {**feeds, "style": np.full((1, 10), z, np.float32)})[0]
        for z in (0.0, 1.0)
    )
    assert np.abs(plain - styled).max() > 1e-4


def test_calibration_meets_a_budget() -> None:
    # A measure that rises with the square of the gain meets 1.1 at its root, 1.049.
    assert find_crossing(lambda gain: gain**2, 1.1) == pytest.approx(math.sqrt(1.1), abs=0.01)


def test_a_prediction_is_timed_on_the_exported_file(exported: Path) -> None:
    small, large = (measure_latency_ms(exported, side, side) for side in (32, 1600))
    # Both are resized to the working side; reading 2500 times the pixels takes longer.
    assert 0.0 < small < large


@pytest.mark.parametrize("operators", [("tone", "sharpening"), (*DEFAULT_CHAIN, "saturation")])
def test_a_network_made_for_comparison_cannot_ship(
    operators: tuple[str, ...], tmp_path: Path
) -> None:
    design = RedirectorDesign(working_side=64, trunk=16, head=8, operators=operators)
    with pytest.raises(ValueError, match="cannot ship"):
        export_redirector(
            RedirectorNetwork(design),
            tmp_path / "other.onnx",
            model_id="tiny",
            version="7",
            data="noise",
            licence="MIT",
            revision="abc",
        )
    assert not list(tmp_path.iterdir())


def test_the_command_reports_size_parity_and_time(
    network: RedirectorNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from gazeshift_training import instances
    from gazeshift_training.cli.export import command
    from gazeshift_training.redirector import train

    recipe = train.RedirectorRecipe(design=network.design, name="tiny", held_out=1)
    one = instances.Instance("a.png", "a.png", "train", 1, "cup", 0.9, 0.2)
    monkeypatch.setattr(train, "load_trained", lambda run: (recipe, network, 12))
    monkeypatch.setattr(instances, "read_instances", lambda table: [one, one])
    monkeypatch.setattr(instances, "load_pair", lambda data, instance: pairs()[0])
    target = tmp_path / "made.onnx"
    folder = str(tmp_path)
    arguments = ["--run", folder, "--data", folder, "--output", str(target)]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    report = json.loads((tmp_path / "made.parity.json").read_text())
    assert report["step"] == 12
    assert report["bytes"] == target.stat().st_size
    assert report["rendered_codes"] < 0.5
    assert report["milliseconds_on_one_thread"] > 0.0
    assert "ms on one thread" in result.output


def test_an_edit_that_changes_nothing_gets_the_largest_gain() -> None:
    assert find_crossing(lambda gain: 0.0, 0.04) == 1.4
