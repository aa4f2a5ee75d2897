import builtins
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.redirector_data import make_lpips, make_trainer, write_photos

from gazeshift_training.redirector.board import MISSING, open_board
from gazeshift_training.redirector.held_out import Shown


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def read_board(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(folder), {"scalars": 0, "images": 0})
    board.Reload()
    return board


def test_a_run_shows_its_figures_and_pictures(tmp_path: Path) -> None:
    data, lpips = write_photos(tmp_path / "data"), make_lpips(tmp_path)
    make_trainer(data, lpips, tmp_path / "run").train(until=2)
    board = read_board(tmp_path / "run" / "board")
    tags = board.Tags()
    assert [event.step for event in board.Scalars("training/loss")] == [1, 2]
    assert {"training/lpips", "held out/attract_ratio"} <= set(tags["scalars"])
    assert {"attract/0", "divert/0"} <= set(tags["images"])


def test_pictures_stand_beside_each_other(tmp_path: Path) -> None:
    board = open_board(tmp_path, 0)
    assert board is not None
    before, after = torch.zeros(3, 8, 10), torch.ones(3, 8, 10)
    board.pictures(5, [Shown("attract/0", before, after)])
    board.close()
    (image,) = read_board(tmp_path).Images("attract/0")
    assert (image.step, image.height, image.width) == (5, 8, 20)


def test_without_tensorboard_one_line_says_so_and_the_log_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = builtins.__import__

    def without_tensorboard(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("torch.utils.tensorboard"):
            raise ImportError(name)
        return found(name, *rest, **named)

    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.setattr(builtins, "__import__", without_tensorboard)
    data, lpips = write_photos(tmp_path / "data"), make_lpips(tmp_path)
    make_trainer(data, lpips, tmp_path / "run").train(until=1)
    assert capsys.readouterr().err.count(MISSING) == 1
    assert (tmp_path / "run" / "log.jsonl").read_text().count("\n") == 1
    assert not (tmp_path / "run" / "board").exists()
