from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from gazeshift_training.backbone import (
    BATCH_NORM_EPSILON,
    VARIANTS,
    EfficientNetLite,
    SameConv2d,
    block_shapes,
    fold_batch_norm,
    load_imagenet_weights,
)


def test_block_counts_and_channels_of_the_variants() -> None:
    # Repeats 2, 2, 3, 3, 4 of the inner stages times 1.1, rounded up: 3, 3, 4, 4, 5; plus 2.
    assert len(block_shapes(VARIANTS["efficientnet_lite0"])) == 16
    assert len(block_shapes(VARIANTS["efficientnet_lite1"])) == 21
    assert EfficientNetLite("efficientnet_lite0").channels == (40, 112, 320)
    assert EfficientNetLite("efficientnet_lite1").level_ends == (6, 14, 20)


def test_levels_have_strides_8_16_32() -> None:
    with torch.no_grad():
        levels = EfficientNetLite()(torch.rand(1, 3, 64, 96))
    assert [tuple(level.shape[2:]) for level in levels] == [(8, 12), (4, 6), (2, 3)]


def test_stride_two_pads_below_and_on_the_right() -> None:
    convolution = SameConv2d(1, 1, 3, stride=2)
    with torch.no_grad():
        convolution.weight.fill_(1.0)
        nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
        sums = convolution(torch.ones(1, 1, 4, 4))
    # The first window lies fully inside; the last ones hang over by one row or column.
    assert sums.flatten().tolist() == [9.0, 6.0, 6.0, 4.0]


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 1), (1, 1), (3, 2), (5, 2)])
def test_output_is_the_input_divided_by_the_stride(kernel: int, stride: int) -> None:
    output = SameConv2d(2, 3, kernel, stride)(torch.zeros(1, 2, 8, 12))
    assert tuple(output.shape) == (1, 3, 8 // stride, 12 // stride)


def test_folded_batch_norm_equals_torch() -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 5, 3, bias=False)
    norm = nn.BatchNorm2d(5, eps=BATCH_NORM_EPSILON).eval()
    with torch.no_grad():
        for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            values.uniform_(0.2, 2.0)  # type: ignore[union-attr]
        state = {f"bn.{name}": value for name, value in norm.state_dict().items()}
        weight, bias = fold_batch_norm(convolution.weight, state, "bn")
        picture = torch.rand(2, 3, 9, 7)
        torch.testing.assert_close(
            functional.conv2d(picture, weight, bias), norm(convolution(picture))
        )


def test_weights_are_read_from_a_published_file(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(1)
    backbone = EfficientNetLite()
    published: dict[str, torch.Tensor] = {}

    def publish(convolution: str, norm: str, weight: torch.Tensor) -> None:
        published[f"{convolution}.weight"] = torch.randn(weight.shape, generator=generator) * 0.1
        for name in ("weight", "bias", "running_mean", "running_var"):
            drawn = torch.rand(weight.shape[0], generator=generator)
            published[f"{norm}.{name}"] = drawn + 0.5 if name == "running_var" else drawn

    publish("_conv_stem", "_bn0", backbone.stem.weight)
    state = backbone.state_dict()
    for index in range(len(backbone.blocks)):
        source = f"_blocks.{index}"
        for target, name, norm in (
            ("expand", "_expand_conv", "_bn0"),
            ("depthwise", "_depthwise_conv", "_bn1"),
            ("project", "_project_conv", "_bn2"),
        ):
            key = f"blocks.{index}.{target}.weight"
            if key in state:
                publish(f"{source}.{name}", f"{source}.{norm}", state[key])
    path = tmp_path / "published.pth"
    torch.save(published, path)
    load_imagenet_weights(backbone, path)
    picture = torch.rand(1, 3, 8, 8)
    padded = functional.pad(picture, (0, 1, 0, 1))
    expected = functional.batch_norm(
        functional.conv2d(padded, published["_conv_stem.weight"], stride=2),
        published["_bn0.running_mean"],
        published["_bn0.running_var"],
        published["_bn0.weight"],
        published["_bn0.bias"],
        eps=BATCH_NORM_EPSILON,
    )
    torch.testing.assert_close(backbone.stem(picture), expected)
    assert backbone.blocks[15].project.weight.shape == (320, 1152, 1, 1)  # type: ignore[union-attr]


def test_installed_weight_package_fits_the_module() -> None:
    backbone = EfficientNetLite("efficientnet_lite0")
    load_imagenet_weights(backbone)
    # An edge makes trained filters answer; a flat grey picture does so far less.
    picture = torch.full((1, 3, 64, 64), 0.5)
    with torch.no_grad():
        flat = backbone(picture)[0][:, :, 2:-2, 2:-2].std()
        picture[..., 32:] = 0.9
        edge = backbone(picture)[0][:, :, 2:-2, 2:-2].std()
    assert edge > 1.05 * flat


def test_frozen_blocks_get_no_gradient() -> None:
    backbone = EfficientNetLite()
    backbone.freeze_until(5)
    sum(level.sum() for level in backbone(torch.rand(1, 3, 64, 64))).backward()  # type: ignore[union-attr]
    assert backbone.blocks[4].project.weight.grad is None  # type: ignore[union-attr]
    assert backbone.blocks[5].project.weight.grad is not None  # type: ignore[union-attr]
    backbone.freeze_until(0)
    assert all(parameter.requires_grad for parameter in backbone.parameters())
