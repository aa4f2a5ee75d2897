import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeshift.decoder import apply_regions, split_vector
from gazeshift.edit import Edit
from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift_training.redirector.network import (
    STYLE_SIZE,
    RedirectorDesign,
    RedirectorNetwork,
)
from gazeshift_training.redirector.ranges import Bounding, OutputRanges, scale_edit, vector_ids
from gazeshift_training.redirector.rendering import prepare, render_edit, values_of
from gazeshift_training.redirector.statistics import COUNT, describe_regions

HARD = [
    parameter.hard
    for id_ in DEFAULT_CHAIN
    for parameter in OPERATORS[id_].spec.parameters
    for _ in range(parameter.count)
]
IDENTITY = [
    parameter.identity
    for id_ in DEFAULT_CHAIN
    for parameter in OPERATORS[id_].spec.parameters
    for _ in range(parameter.count)
]


def small_network(seed: int = 0) -> RedirectorNetwork:
    torch.manual_seed(seed)
    network = RedirectorNetwork(RedirectorDesign(working_side=64, trunk=16, head=8)).eval()
    for head in network.heads.values():
        torch.nn.init.normal_(head[-1].weight, std=1.0)
    return network


def photo_and_mask(height: int = 48, width: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(height * width)
    mask = torch.zeros(2, 1, height, width)
    mask[:, :, 10:30, 15:40] = 1.0
    return torch.rand(2, 3, height, width, generator=generator), mask


def test_a_new_network_predicts_the_identity() -> None:
    network = RedirectorNetwork(RedirectorDesign(working_side=64, trunk=16, head=8)).eval()
    predicted = network(*photo_and_mask(), torch.zeros(2, 10))
    for vector in predicted:
        assert vector.shape == (2, 70)
        assert np.allclose(vector.detach(), IDENTITY * 2, atol=1e-6)


@pytest.mark.parametrize("size", [(16, 16), (33, 71), (336, 448)])
def test_any_size_gives_numbers_inside_the_hard_ranges(size: tuple[int, int]) -> None:
    image, mask = photo_and_mask(*size)
    predicted = small_network()(image, mask, torch.randn(2, 10))
    low, high = (torch.tensor(side * 2) for side in zip(*HARD, strict=True))
    for vector in predicted:
        assert bool(((vector >= low - 1e-6) & (vector <= high + 1e-6)).all())
        for row in vector.tolist():
            Edit.from_vector(row, direction="attract")


@pytest.mark.parametrize("fill", [0.0, 1.0])
def test_empty_and_full_masks_give_finite_numbers(fill: float) -> None:
    image, mask = photo_and_mask()
    predicted = small_network()(image, torch.full_like(mask, fill), torch.zeros(2, 10))
    assert all(bool(torch.isfinite(vector).all()) for vector in predicted)


def test_photo_mask_and_style_all_matter() -> None:
    network, (image, mask) = small_network(), photo_and_mask()
    style = torch.zeros(2, 10)
    plain = network(image, mask, style).attract
    for changed in (
        network(0.3 * image, mask, style).attract,
        network(image, 1.0 - mask, style).attract,
        network(image, mask, style + 1.0).attract,
    ):
        assert float((changed - plain).detach().abs().max()) > 1e-3


def test_zero_style_is_the_network_without_style() -> None:
    network, (image, mask) = small_network(), photo_and_mask()
    plain = network(image, mask, torch.zeros(2, 10)).divert
    torch.nn.init.zeros_(network.style_scale.weight)
    torch.nn.init.zeros_(network.style_shift.weight)
    assert torch.equal(network(image, mask, torch.zeros(2, 10)).divert, plain)


def test_slopes_keep_a_mean_of_one_where_the_hard_range_allows_it() -> None:
    raw = torch.randn(64, 35, generator=torch.Generator().manual_seed(0)) * 0.3
    bounded = Bounding(OutputRanges())(raw)
    assert np.allclose(bounded[:, 3:11].mean(1), 1.0, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 50.0), st.integers(0, 1000))
def test_no_raw_number_leaves_the_hard_ranges(scale: float, seed: int) -> None:
    raw = scale * torch.randn(4, 35, generator=torch.Generator().manual_seed(seed))
    bounded = Bounding(OutputRanges(tone=(0.51, 1.99), color=(0.81, 1.24)))(raw)
    low, high = (torch.tensor(side) for side in zip(*HARD, strict=True))
    assert bool(((bounded >= low - 1e-6) & (bounded <= high + 1e-6)).all())


def test_a_range_wider_than_the_operator_is_refused() -> None:
    with pytest.raises(ValueError, match="range of contrast"):
        Bounding(OutputRanges(contrast=(-1.5, 0.5)))


def test_scaling_an_edit_equals_turning_the_dial() -> None:
    vector = Bounding(OutputRanges())(
        torch.randn(3, 35, generator=torch.Generator().manual_seed(4))
    )
    both = torch.cat((vector, vector.flip(0)), 1)
    for gain in (0.4, 1.0, 1.3):
        scaled = scale_edit(both, gain)
        rgb = torch.rand(1, 9, 13, 3, generator=torch.Generator().manual_seed(1)).double()
        mask = torch.full((1, 9, 13), 0.4).double()
        for ours, plain in zip(scaled.double().tolist(), both.double().tolist(), strict=True):
            turned = Edit.from_vector(plain, direction="attract").at(gain)
            edit = Edit.from_vector(ours, direction="attract")
            expected = apply_regions(rgb, mask, turned.foreground, turned.background)
            rendered = apply_regions(rgb, mask, edit.foreground, edit.background)
            assert float((expected - rendered).abs().max()) < 1e-4


def test_fast_rendering_equals_the_reference_decoder() -> None:
    image, mask = photo_and_mask(60, 80)
    mask = torch.nn.functional.avg_pool2d(mask, 5, 1, 2)
    vectors = [Bounding(OutputRanges())(torch.randn(2, 35)) for _ in range(2)]
    fast = render_edit(prepare(image), mask, torch.cat(vectors, 1))
    slow = apply_regions(
        image.permute(0, 2, 3, 1), mask[:, 0], *(split_vector(vector) for vector in vectors)
    )
    # Between two of the 257 knots the clip of the exposure can have its corner.
    assert float((fast - slow.permute(0, 3, 1, 2)).abs().max()) < 0.6 / 255


@pytest.mark.parametrize(
    "operators",
    [
        ("tone", "color"),
        ("color",),
        ("color", "tone", "contrast", "exposure", "sharpening"),
        ("tone", "color", "sharpening", "exposure", "contrast"),
        ("contrast", "exposure", "sharpening", "tone", "color"),
        ("sharpening", "exposure", "contrast", "tone", "color", "saturation"),
    ],
)
def test_other_operators_and_orders_render_as_the_reference_decoder(
    operators: tuple[str, ...],
) -> None:
    image, mask = photo_and_mask(60, 80)
    bounding = Bounding(OutputRanges(), vector_ids(operators))
    generator = torch.Generator().manual_seed(5)
    raw = [torch.randn(2, len(bounding.low), generator=generator) * 0.5 for _ in range(2)]
    vectors = [bounding(numbers) for numbers in raw]
    fast = render_edit(prepare(image), mask, torch.cat(vectors, 1), operators)
    slow = apply_regions(
        image.permute(0, 2, 3, 1),
        mask[:, 0],
        *(values_of(vector, operators) for vector in vectors),
        order=operators,
    )
    difference = (fast - slow.permute(0, 3, 1, 2)).abs()
    # A corner between knots that sharpening or saturation comes after is enlarged by it.
    assert float(difference.max()) < 1.0 / 255
    assert float(difference.mean()) < 0.02 / 255


def test_a_restricted_design_leaves_the_rest_at_its_identity() -> None:
    for changes, moving in (
        ({"operators": ("tone",)}, [*range(3, 11), *range(38, 46)]),
        ({"regions": "foreground"}, range(35)),
        ({"regions": "background"}, range(35, 70)),
    ):
        network = disturbed(RedirectorDesign(working_side=64, trunk=16, head=8, **changes))
        image, mask = photo_and_mask(40, 48)
        edits = network(image, mask, torch.zeros(2, STYLE_SIZE))
        identity = network.bounding.identity.repeat(2)
        for edit in edits:
            moved = ((edit - identity).abs() > 1e-6).any(0).nonzero().flatten().tolist()
            assert moved == list(moving)


def test_a_fixed_design_predicts_one_edit_for_all_photos() -> None:
    network = disturbed(RedirectorDesign(working_side=64, trunk=16, head=8, fixed=True))
    image, mask = photo_and_mask(40, 48)
    edit = network(image, mask, torch.zeros(2, STYLE_SIZE)).attract
    assert torch.equal(edit[0], edit[1])
    assert float((edit[0] - network.bounding.identity.repeat(2)).detach().abs().max()) > 0.01


def test_saturation_adds_one_number_per_region() -> None:
    operators = (*DEFAULT_CHAIN, "saturation")
    network = disturbed(RedirectorDesign(working_side=64, trunk=16, head=8, operators=operators))
    image, mask = photo_and_mask(40, 48)
    edit = network(image, mask, torch.zeros(2, STYLE_SIZE)).divert
    assert edit.shape == (2, 72)
    half = scale_edit(edit, 0.5, vector_ids(operators))
    assert torch.allclose(half[:, 35], 0.5 * edit[:, 35])
    assert torch.allclose(half[:, 71], 0.5 * edit[:, 71])


@pytest.mark.parametrize(
    "changes",
    [{"operators": ("magic",)}, {"operators": ()}, {"operators": ("tone", "tone")},
     {"regions": "all"}],
)  # fmt: skip
def test_a_design_of_unknown_parts_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        RedirectorNetwork(RedirectorDesign(**changes))


def disturbed(design: RedirectorDesign) -> RedirectorNetwork:
    """A network whose heads say something."""
    torch.manual_seed(4)
    network = RedirectorNetwork(design).eval()
    for head in network.heads.values():
        torch.nn.init.normal_(head[-1].weight, std=1.0)
        torch.nn.init.normal_(head[-1].bias, std=0.3)
    return network


def test_fast_rendering_has_the_decoders_gradients() -> None:
    image, mask = photo_and_mask(60, 80)
    # No exposure: its clip's corner lies between knots and would need a looser bound.
    raw = torch.randn(2, 70, generator=torch.Generator().manual_seed(2)) * 0.5
    raw[:, [1, 36]] = 0.0
    bounding = Bounding(OutputRanges())
    start = torch.cat((bounding(raw[:, :35]), bounding(raw[:, 35:])), 1).detach()
    weights = torch.rand(image.shape, generator=torch.Generator().manual_seed(3))
    first, second = start.clone().requires_grad_(), start.clone().requires_grad_()
    (render_edit(prepare(image), mask, first) * weights).sum().backward()
    slow = apply_regions(
        image.permute(0, 2, 3, 1),
        mask[:, 0],
        split_vector(second[:, :35]),
        split_vector(second[:, 35:]),
    )
    (slow.permute(0, 3, 1, 2) * weights).sum().backward()
    assert first.grad is not None
    assert second.grad is not None
    # The exposure's own gradient is taken at its corner, where both sides are right.
    others = [i for i in range(70) if i not in (1, 36)]
    difference = (first.grad - second.grad)[:, others].abs()
    assert float(difference.max()) < 0.01 * float(second.grad[:, others].abs().max())


def test_statistics_of_a_flat_picture() -> None:
    rgb = torch.full((1, 3, 32, 32), 0.5)
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., :16] = 1.0
    described = describe_regions(rgb, mask)
    assert described.shape == (1, COUNT)
    inside = described[0, :48].view(4, 12)
    # 0.5 lies between the centres of the sixth and seventh bin: half of the pixels' weight each.
    assert np.allclose(inside[:, 5:7], 1.5, atol=1e-3)
    assert np.allclose(inside.sum(1), 3.0, atol=1e-3)
    # Area one half, its centre a quarter of the width left of the middle.
    assert float(described[0, -5]) == pytest.approx(math.sqrt(0.5))
    assert float(described[0, -3]) == pytest.approx(4 * 0.25, abs=0.07)
