from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gazeshift_training.instances import (
    TRAINING_AREA,
    Instance,
    eligible,
    hold_out,
    load_pair,
    read_instances,
    validation_candidates,
    validation_pairs,
)


def instance(photo: str, number: int, area: float, split: str = "val") -> Instance:
    return Instance(photo, photo + ".png", split, number, "cup", 0.9, area)


TABLE = [
    instance("a", 1, 0.01),
    instance("a", 2, 0.10),
    instance("a", 3, 0.25),
    instance("b", 1, 0.10),  # alone in its photo
    instance("c", 1, 0.50),
    instance("c", 2, 0.60),
    instance("d", 1, 0.05, "train"),
    instance("d", 2, 0.38, "train"),
]


def test_photos_need_two_instances_and_one_of_the_right_size() -> None:
    assert {
        p: [one.number for one in g] for p, g in eligible(TABLE, "val", (0.02, 0.3)).items()
    } == {"a": [2, 3]}
    assert list(eligible(TABLE, "train", TRAINING_AREA)) == ["d"]


def test_validation_takes_one_instance_per_photo_and_never_another_one() -> None:
    many = [instance(f"p{i}", n, 0.1) for i in range(30) for n in (1, 2, 3)]
    chosen = validation_candidates(many)
    assert [one.photo for one in chosen] == sorted({one.photo for one in many})
    assert chosen == validation_candidates(many)
    assert len({one.number for one in chosen}) == 3


def test_salient_masks_are_left_out_of_validation() -> None:
    many = [instance(f"p{i}", n, 0.1) for i in range(10) for n in (1, 2)]
    kept = validation_pairs(many, lambda one: 0.3 if one.photo < "p5" else 0.31)
    assert [one.photo for one in kept] == ["p0", "p1", "p2", "p3", "p4"]


def test_table_and_masks_are_read(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    index = np.zeros((4, 6), np.uint8)
    index[:2, :3], index[2:, 3:] = 1, 2
    Image.fromarray(np.full((4, 6, 3), 7, np.uint8)).save(tmp_path / "photos" / "x.png")
    Image.fromarray(index).save(tmp_path / "masks" / "x.png")
    table = tmp_path / "instances.csv"
    table.write_text(
        "photo,mask,split,instance,category,score,area\nx.png,x.png,val,2,cup,0.7,0.25\n"
    )
    (one,) = read_instances(table)
    assert one == Instance("x.png", "x.png", "val", 2, "cup", 0.7, 0.25)
    pixels, mask = load_pair(tmp_path, one)
    assert pixels.shape == (4, 6, 3)
    assert mask.mean() == pytest.approx(one.area)
    assert mask[3, 5] == 1.0


def test_held_out_photos_are_apart_from_the_rest() -> None:
    photos = [str(i) for i in range(20)]
    trained, held = hold_out(photos, 5)
    assert len(held) == 5
    assert sorted(trained + held) == sorted(photos)
