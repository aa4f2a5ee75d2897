from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from gazeshift_training.fixations import (
    DEGREE_FRACTION,
    blur_counts,
    count_fixations,
    read_fixations,
)

TABLE = """photo,split,observer,order,x,y
a/1.jpg,train,0,0,0.25,0.5
a/1.jpg,train,1,0,0.75,0.125
b/2.jpg,test,0,0,0.5,0.5
"""


@pytest.mark.parametrize("name", ["fixations.csv", "fixations.csv.gz"])
def test_table_is_read_plain_and_gzipped(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(TABLE.encode()) if name.endswith("gz") else TABLE.encode())
    table = read_fixations(path)
    assert list(table) == ["a/1.jpg", "b/2.jpg"]
    assert table["a/1.jpg"].split == "train"
    assert table["a/1.jpg"].observers.tolist() == [0, 1]
    np.testing.assert_array_equal(
        table["a/1.jpg"].points, np.array([[0.25, 0.5], [0.75, 0.125]], np.float32)
    )


def test_counts_fall_into_their_cells_and_the_far_edge_into_the_last() -> None:
    # 2 rows, 4 columns: x 0.3 -> column 1 (0.3*4 = 1.2), y 0.6 -> row 1; 1.0 is still inside.
    points = np.array([[0.3, 0.6], [0.3, 0.6], [1.0, 1.0], [0.0, 0.0]], np.float32)
    expected = [[1, 0, 0, 0], [0, 2, 0, 1]]
    np.testing.assert_array_equal(count_fixations(points, 2, 4), expected)


def test_points_outside_the_picture_are_left_out() -> None:
    points = np.array([[-0.01, 0.5], [0.5, 1.01], [0.5, 0.5]], np.float32)
    assert count_fixations(points, 4, 4).sum() == 1


def test_density_sums_to_one_and_has_the_asked_spread() -> None:
    counts = np.zeros((101, 101), np.float32)
    counts[50, 50] = 3
    density = blur_counts(counts, 4.0).astype(np.float64)
    offsets = np.arange(101) - 50
    assert density.sum() == pytest.approx(1.0, abs=1e-5)
    # A Gaussian's variance is sigma squared; cutting it at 4 sigma costs under 0.3 %.
    assert (density.sum(axis=0) * offsets**2).sum() == pytest.approx(16.0, rel=3e-3)


def test_default_blur_is_one_degree_of_the_long_side() -> None:
    counts = np.zeros((60, 100), np.float32)
    counts[30, 50] = 1
    np.testing.assert_array_equal(blur_counts(counts), blur_counts(counts, DEGREE_FRACTION * 100))


def test_a_map_without_fixations_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one fixation"):
        blur_counts(np.zeros((4, 4), np.float32))
