from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.attention_data import HEIGHT, WIDTH, make_data
from torch import Tensor

from gazeshift_training.attention.batches import (
    draw_edit_pairs,
    draw_fixation_batch,
    plan_batches,
    vary_globally,
)
from gazeshift_training.attention.edits import (
    LOCAL_EDITS,
    LocalEdit,
    blur,
    edit_region,
    is_applicable,
)
from gazeshift_training.attention.packing import PhotoPack, build_pack
from gazeshift_training.attention.reference import (
    EditCase,
    direction_accuracy,
    edit_names,
    fit_centre_prior,
    human_ceiling,
)
from gazeshift_training.fixations import PhotoFixations, read_fixations

BY_NAME = {edit.name: edit for edit in LOCAL_EDITS}


def scene() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    rgb = 0.2 + 0.4 * torch.rand(3, 24, 32)
    mask = torch.zeros(1, 24, 32)
    mask[:, 6:18, 8:24] = 1.0
    return rgb, mask


@pytest.fixture(scope="module")
def pack_and_fixations(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[PhotoPack, dict[str, PhotoFixations]]:
    folder = tmp_path_factory.mktemp("data")
    data = make_data(folder)
    fixations = read_fixations(data / "fixations.csv.gz")
    return build_pack(data, sorted(fixations), folder / "pack", 64 * 96), fixations


@pytest.mark.parametrize("edit", LOCAL_EDITS, ids=lambda edit: edit.name)
def test_an_edit_changes_the_region_and_nothing_else(edit: LocalEdit) -> None:
    rgb, mask = scene()
    original = rgb.clone()
    edited = edit_region(rgb, mask, edit, 1.0)
    outside = (mask == 0).expand_as(rgb)
    assert torch.equal(edited[outside], original[outside])
    assert not torch.equal(edited, original)
    assert torch.equal(rgb, original)
    assert 0.0 <= float(edited.min()) <= float(edited.max()) <= 1.0


def test_amounts_by_hand() -> None:
    rgb, mask = scene()
    inside = (mask > 0).expand_as(rgb)
    darkened = edit_region(rgb, mask, BY_NAME["darken"], 0.0)
    # The weakest darkening is 0.4 stops.
    torch.testing.assert_close(darkened[inside], rgb[inside] * 2**-0.4)
    bleached = edit_region(rgb, mask, BY_NAME["desaturate"], 1.0)
    grey = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
    torch.testing.assert_close(bleached[0][mask[0] > 0], grey[mask[0] > 0])
    flattened = edit_region(rgb, mask, BY_NAME["flatten"], 1.0)
    spread = flattened[0][mask[0] > 0].std() / rgb[0][mask[0] > 0].std()
    assert float(spread) == pytest.approx(0.4, abs=1e-4)


def test_blur_keeps_a_flat_picture_and_the_mean() -> None:
    flat = torch.full((3, 20, 30), 0.3)
    torch.testing.assert_close(blur(flat, 2.0), flat)
    dot = torch.zeros(1, 31, 31)
    dot[0, 15, 15] = 1.0
    spread = blur(dot, 2.0)[0].sum(0)
    offsets = torch.arange(31) - 15
    assert float((spread * offsets**2).sum()) == pytest.approx(4.0, rel=0.05)


def test_a_bright_region_is_not_brightened() -> None:
    _, mask = scene()
    assert not is_applicable(torch.full((3, 24, 32), 0.8), mask, BY_NAME["brighten"], 0.5)
    assert is_applicable(torch.full((3, 24, 32), 0.3), mask, BY_NAME["brighten"], 0.5)
    assert is_applicable(torch.full((3, 24, 32), 0.8), mask, BY_NAME["darken"], 0.5)


def test_direction_accuracy_tells_right_from_wrong() -> None:
    rgb, mask = scene()
    codes = (rgb.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    case = EditCase(codes, mask[0].numpy() > 0)

    def light(rgb: np.ndarray, mask: np.ndarray) -> float:
        energy = rgb.mean(axis=2)
        return float((energy * mask).sum() / energy.sum())

    table = direction_accuracy(light, [case])
    assert set(table) == set(edit_names())
    # Light alone answers to exposure, and by hand: the share s turns into s k / (s k + 1 - s).
    k = 2**-0.8
    share = light(codes / np.float32(255), mask[0].numpy())
    expected = -np.log(k / (share * k + 1 - share))
    assert table["darken inside"]["right"] == 1.0
    assert table["darken inside"]["log_change"] == pytest.approx(expected, abs=1e-4)
    assert table["brighten outside"]["right"] == 1.0
    wrong = direction_accuracy(lambda rgb, mask: 1.0 - light(rgb, mask), [case])
    assert wrong["darken inside"]["right"] == 0.0


def test_global_variation_of_no_strength_changes_nothing() -> None:
    rgb, _ = scene()
    varied = vary_globally(rgb, 0.0, np.random.default_rng(0))
    torch.testing.assert_close(varied, rgb, atol=1e-5, rtol=0)


def test_fixations_follow_crop_and_mirror(
    pack_and_fixations: tuple[PhotoPack, dict[str, PhotoFixations]],
) -> None:
    pack, fixations = pack_and_fixations
    for seed in range(6):
        batch = draw_fixation_batch(
            pack, fixations, [seed, seed + 1], 0.8, 0.0, np.random.default_rng(seed)
        )
        torch.testing.assert_close(batch.density.sum((1, 2, 3)), torch.ones(2))
        for rgb, counts in zip(batch.rgb, batch.counts, strict=True):
            # Everybody looks at the white square, wherever the crop and the mirror put it.
            light = torch.nn.functional.avg_pool2d(rgb.mean(0)[None, None], 4)[0, 0]
            assert float(light[counts[0] > 0].mean()) > float(light.mean()) + 0.3


def test_batches_hold_one_shape_and_every_photo_once(
    pack_and_fixations: tuple[PhotoPack, dict[str, PhotoFixations]],
) -> None:
    pack, _ = pack_and_fixations
    batches = plan_batches(pack, list(range(len(pack.photos))), 4, np.random.default_rng(0))
    assert sorted(index for batch in batches for index in batch) == list(range(len(pack.photos)))
    assert max(map(len, batches)) <= 4


def test_edit_pairs_know_their_direction(
    pack_and_fixations: tuple[PhotoPack, dict[str, PhotoFixations]],
) -> None:
    pack, _ = pack_and_fixations
    pairs = draw_edit_pairs(pack, [0, 1, 2, 3], 0.1, np.random.default_rng(5))
    assert pairs.before.shape == pairs.after.shape
    assert set(pairs.direction.tolist()) <= {-1.0, 1.0}
    assert not torch.equal(pairs.before, pairs.after)
    assert float(pairs.mask.max()) == 1.0


def test_pack_is_reused_for_the_same_photos_only(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    photos = sorted(read_fixations(data / "fixations.csv.gz"))
    build_pack(data, photos, tmp_path / "pack", 64 * 96)
    stamp = (tmp_path / "pack" / "pixels.u8").stat().st_mtime_ns
    build_pack(data, photos, tmp_path / "pack", 64 * 96)
    assert (tmp_path / "pack" / "pixels.u8").stat().st_mtime_ns == stamp
    assert len(build_pack(data, photos[:3], tmp_path / "pack", 64 * 96).photos) == 3


def test_centre_prior_peaks_at_the_mean_fixation() -> None:
    points = np.array([[0.25, 0.5], [0.35, 0.7], [0.15, 0.3]], np.float32)
    entry = PhotoFixations("a", "train", points, np.zeros(3, np.int32))
    prior = fit_centre_prior([entry])(20, 40)
    assert prior.sum() == pytest.approx(1.0, abs=1e-5)
    row, column = np.unravel_index(prior.argmax(), prior.shape)
    # The mean, (0.25, 0.5), lies between columns 9 and 10 and rows 9 and 10.
    assert column in (9, 10)
    assert row in (9, 10)


def test_people_who_agree_score_higher_than_people_who_do_not(tmp_path: Path) -> None:
    fixations = read_fixations(make_data(tmp_path / "data") / "fixations.csv.gz")
    agreeing = [(HEIGHT, WIDTH, entry) for entry in fixations.values()]
    generator = np.random.default_rng(0)
    scattered = [
        (
            HEIGHT,
            WIDTH,
            PhotoFixations(
                entry.photo,
                entry.split,
                generator.random(entry.points.shape, np.float32),
                entry.observers,
            ),
        )
        for entry in fixations.values()
    ]
    assert human_ceiling(agreeing)["nss"] > 2.0
    assert abs(human_ceiling(scattered)["nss"]) < 0.5
