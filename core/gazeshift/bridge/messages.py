"""The bridge's requests and answers, as typed objects.

The server reads and writes them, and the OpenAPI document is made from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from gazeshift.schema import About

PROTOCOL = 1
"""Raised when a plug-in of the old protocol could misunderstand the bridge, or the reverse."""

PROTOCOL_HEADER = "GazeShift-Protocol"
"""Header that every request but identity carries, and every answer."""

CHALLENGE_HEADER = "GazeShift-Challenge"
"""Header of an identity request: random digits that the bridge has to answer with a proof."""

PROOF_HEADER = "GazeShift-Proof"
"""Header of an identity answer: HMAC-SHA256 of the challenge and the port, keyed by the token."""

BINARY_TYPE = "application/x-gazeshift"
"""Content type of a JSON header followed by raw bytes."""

NAME = "gazeshift"
"""The name by which a plug-in knows that it talks to this bridge."""

Dtype = Literal["uint8", "uint16", "float32"]
Part = Literal["result", "foreground", "background"]


@dataclass(frozen=True)
class IdentityAnswer:
    """Who answers on this port."""

    name: Annotated[str, About("Always 'gazeshift'.")]
    protocol: Annotated[int, About("Protocol version that the bridge speaks.")]
    version: Annotated[str, About("Version of the product.")]
    instance: Annotated[str, About("Random name of this process, also in the runtime file.")]


@dataclass(frozen=True)
class ErrorAnswer:
    """What went wrong, in words for the user."""

    code: Annotated[str, About("Stable name of the kind of error.")]
    message: Annotated[str, About("One sentence.")]
    hint: Annotated[str, About("What to do about it; may be empty.")]


@dataclass(frozen=True)
class ParameterAnswer:
    """One parameter of an operator: a number, or a list of equal numbers."""

    name: Annotated[str, About("Permanent name, unique within the operator.")]
    count: Annotated[int, About("Number of elements; 1 is a plain number in the edit.")]
    identity: Annotated[float, About("Value of each element that changes nothing.")]
    minimum: Annotated[float, About("Smallest accepted value.")]
    maximum: Annotated[float, About("Largest accepted value.")]
    slider_minimum: Annotated[float, About("Lower end that a slider should offer.")]
    slider_maximum: Annotated[float, About("Upper end that a slider should offer.")]
    unit: Annotated[str, About("Unit shown to people; empty for a pure number.")]
    is_relative: Annotated[bool, About("Whether only the ratios of the elements matter.")]
    help: Annotated[str, About("One line for people.")]


@dataclass(frozen=True)
class OperatorAnswer:
    """One operator's specification."""

    id: Annotated[str, About("Permanent id.")]
    version: Annotated[int, About("Raised when the meaning of a parameter changes.")]
    label: Annotated[str, About("Name shown to people.")]
    help: Annotated[str, About("One line for people.")]
    is_default: Annotated[bool, About("Whether the model predicts it.")]
    parameters: tuple[ParameterAnswer, ...]


@dataclass(frozen=True)
class StyleAnswer:
    """One style that a host can offer."""

    number: Annotated[int, About("Number to send to predict; 0 is the default style.")]
    label: Annotated[str, About("Name shown to people.")]


@dataclass(frozen=True)
class OperatorsAnswer:
    """The operators in the order of application, and what the model offers."""

    operators: tuple[OperatorAnswer, ...]
    styles: Annotated[
        tuple[StyleAnswer, ...], About("Styles to offer; empty if the model has none.")
    ]
    strength_minimum: Annotated[float, About("Lower end of the dial (divert).")]
    strength_maximum: Annotated[float, About("Upper end of the dial (attract).")]
    model: Annotated[str | None, About("Id of the model; null if it cannot be used.")]
    problem: Annotated[ErrorAnswer | None, About("Why there is no model; null if there is one.")]


@dataclass(frozen=True)
class ImageLayout:
    """How a picture's raw bytes are laid out: rows top to bottom, channels interleaved."""

    width: Annotated[int, About("Pixels per row.", 1, 65535)]
    height: Annotated[int, About("Rows.", 1, 65535)]
    channels: Annotated[
        Literal[1, 2, 3, 4], About("1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.")
    ]
    dtype: Annotated[
        Dtype, About("Little-endian, encoded values: 0-255, 0-65535, or nominally 0-1.")
    ]


@dataclass(frozen=True)
class MaskLayout:
    """How the mask's raw bytes are laid out: one channel, the picture's size, white selected."""

    dtype: Annotated[Dtype, About("Little-endian: 0-255, 0-65535, or 0-1.")]


@dataclass(frozen=True)
class PredictRequest:
    """Ask for both directions' edits. Then follow pixels, mask and profile, in this order."""

    image: ImageLayout
    mask: MaskLayout
    icc_bytes: Annotated[
        int, About("Length of the ICC profile that follows; 0 for sRGB.", 0, 4 << 20)
    ] = 0
    styles: Annotated[
        tuple[Annotated[int, About("Number of the style.", 0, 2**32 - 1)], ...],
        About("Numbers of the styles to predict; 0 is the default.", 1, 32),
    ] = (0,)
    strengths: Annotated[
        tuple[Annotated[float, About("Dial position.", -1.5, 1.5)], ...],
        About("Dial positions at which to predict the share, -1.5 (divert) to 1.5.", 0, 64),
    ] = ()


@dataclass(frozen=True)
class ShareAt:
    """The predicted share of attention at one dial position."""

    strength: Annotated[float, About("Dial position, -1.5 to 1.5.")]
    share: Annotated[float, About("Share of attention inside the mask.", 0, 1)]


@dataclass(frozen=True)
class StylePrediction:
    """Both directions' edits in one style."""

    style: Annotated[int, About("Number of the style.")]
    attract: Annotated[dict[str, Any], About("Edit that draws attention to the mask.")]
    divert: Annotated[dict[str, Any], About("Edit that draws attention away from it.")]
    attract_share: Annotated[float, About("Share predicted at attract strength 1.", 0, 1)]
    divert_share: Annotated[float, About("Share predicted at divert strength 1.", 0, 1)]
    shares: Annotated[tuple[ShareAt, ...], About("Shares at the strengths that were asked for.")]


@dataclass(frozen=True)
class PredictAnswer:
    """The predictions, one per style, in the order asked for."""

    model: Annotated[str | None, About("Id of the model.")]
    share_before: Annotated[float, About("Share of attention inside the mask, unedited.", 0, 1)]
    predictions: tuple[StylePrediction, ...]
    warnings: Annotated[
        tuple[str, ...], About("What could not be done as asked, one sentence each.")
    ]


@dataclass(frozen=True)
class AttentionRequest:
    """Ask for the attention map. Then follow pixels, mask if any, and profile, in this order."""

    image: ImageLayout
    mask: Annotated[MaskLayout | None, About("The mask that follows; null for none.")] = None
    icc_bytes: Annotated[
        int, About("Length of the ICC profile that follows; 0 for sRGB.", 0, 4 << 20)
    ] = 0
    dtype: Annotated[
        Literal["float32", "uint8"],
        About("float32: probabilities that sum to 1; uint8: scaled so that the peak is 255."),
    ] = "float32"


@dataclass(frozen=True)
class AttentionAnswer:
    """The map's layout; its raw bytes follow."""

    width: int
    height: int
    dtype: Literal["float32", "uint8"]
    share: Annotated[float | None, About("Share inside the mask; null without a mask.")]
    model: Annotated[str | None, About("Id of the attention model.")]


@dataclass(frozen=True)
class RenderRequest:
    """Ask for rendered pixels. Then follow pixels and, if `mask` is given, the mask."""

    image: ImageLayout
    edit: Annotated[dict[str, Any], About("An edit, format gazeshift-edit/1.")]
    mask: Annotated[
        MaskLayout | None, About("The mask that follows; needed for the part 'result'.")
    ] = None
    strength: Annotated[float | None, About("Dial position; null for the edit's own.", 0, 1.5)] = (
        None
    )
    parts: Annotated[
        tuple[Part, ...],
        About("'result' is the blend; the others are one region's edit on every pixel.", 1, 3),
    ] = ("result",)
    operators: Annotated[
        tuple[str, ...] | None, About("Ids of the operators to apply; null for all.", 0, 16)
    ] = None


@dataclass(frozen=True)
class RenderAnswer:
    """Layout of each part; the parts' raw bytes follow in the order asked for."""

    image: ImageLayout
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class PreviewRequest:
    """Keep a picture and its mask for redraws. Then follow pixels and mask, in this order."""

    image: ImageLayout
    mask: MaskLayout


@dataclass(frozen=True)
class PreviewAnswer:
    """The open preview."""

    preview: Annotated[str, About("Its random name, for redraws.")]
    bytes: Annotated[int, About("Memory that it takes in the bridge.")]
    idle_s: Annotated[float, About("Seconds without use after which it is closed.")]


@dataclass(frozen=True)
class RedrawRequest:
    """Ask for an open preview's picture with an edit."""

    preview: Annotated[str, About("The preview's name.")]
    edit: Annotated[dict[str, Any], About("An edit, format gazeshift-edit/1.")]
    strength: Annotated[float | None, About("Dial position; null for the edit's own.", 0, 1.5)] = (
        None
    )


@dataclass(frozen=True)
class RedrawAnswer:
    """The picture's layout; its raw bytes follow."""

    image: ImageLayout


@dataclass(frozen=True)
class PreviewCloseRequest:
    """Close a preview before its time."""

    preview: Annotated[str, About("The preview's name.")]


@dataclass(frozen=True)
class PreviewCloseAnswer:
    """Whether there was anything to close."""

    closed: Annotated[bool, About("False if the preview was not open any more.")]


@dataclass(frozen=True)
class RecipeRequest:
    """Ask for an edit in the host's own numbers."""

    edit: Annotated[dict[str, Any], About("An edit, format gazeshift-edit/1.")]
    width: Annotated[int, About("Width of the full picture in pixels.", 1, 1 << 20)]
    height: Annotated[int, About("Height of the full picture in pixels.", 1, 1 << 20)]
    strengths: Annotated[
        tuple[Annotated[float, About("Dial position.", 0, 1.5)], ...] | None,
        About("Dial positions; null for the edit's own.", 1, 256),
    ] = None
    is_grey: Annotated[bool, About("Whether the document has one colour channel.")] = False
