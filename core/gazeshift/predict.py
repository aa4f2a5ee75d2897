"""The redirector network: from a picture and a mask to an edit for either direction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from gazeshift.attention import AttentionModel
from gazeshift.decoder import apply_regions
from gazeshift.edit import DIRECTIONS, Direction, Edit
from gazeshift.errors import GazeShiftError, ModelError, ParamError
from gazeshift.operators import DEFAULT_CHAIN, OPERATORS, vector_size
from gazeshift.proxy import Proxy, make_proxy
from gazeshift.sessions import Contract, Network, enlarge_small, model_path

if TYPE_CHECKING:
    import PIL.Image

    from gazeshift.pictures import MaskLike

STYLE_SIZE = 10
"""Numbers in a style."""

MAX_STRENGTHS = (-1.5, 1.5)
"""Ends of the signed dial: look away … look here."""

SMALLEST_CHANGE = 1e-4
"""A share that moves by less than this counts as unmoved."""

CONTRACT = Contract(
    kind="redirector network",
    inputs={
        "image": (1, 3, None, None),
        "mask": (1, 1, None, None),
        "style": (1, STYLE_SIZE),
    },
    outputs={direction: (1, 2 * vector_size()) for direction in DIRECTIONS},
)

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Prediction:
    """What the network proposes for one picture and mask."""

    attract: Edit
    """Draws attention to the selection, at strength 1."""
    divert: Edit
    """Draws attention away from the selection, at strength 1."""
    proxy: Proxy
    """The small copy that was looked at, with its mask."""
    redirector: Redirector = field(repr=False, compare=False)
    """Who made the prediction; it measures other dial positions."""

    def at(self, strength: float, *, measure: bool = True) -> Edit:
        """Return the edit at a position of the signed dial.

        Parameters
        ----------
        strength
            -1.5 to 1.5; negative positions use the edit that draws attention away.
        measure
            Whether to measure the share after the edit at exactly this position.

        Raises
        ------
        ParamError
            If `strength` is not finite or out of range.
        """
        edit = self.divert if strength < 0.0 else self.attract
        moved = edit.with_strength(abs(check_signed_strength(strength)))
        if measure and moved.share_after is None:
            moved = self.redirector.measure(self.proxy, moved)
        return moved


class Redirector:
    """Predicts edits. Networks are opened at the first use; threads may share it.

    Parameters
    ----------
    model
        ONNX file of the redirector; by default the one that comes with GazeShift.
    attention
        Network that measures the attention share; by default the one that comes with GazeShift.
    provider
        `auto`, `cpu`, `cuda`, `coreml` or `directml`; used for the default attention network too.

    Raises
    ------
    ParamError
        If the provider's name is unknown.
    """

    def __init__(
        self,
        model: Path | None = None,
        *,
        attention: AttentionModel | None = None,
        provider: str = "auto",
    ) -> None:
        self.network = Network(model or model_path("redirector"), CONTRACT, provider)
        self.attention = attention or AttentionModel(provider=provider)
        self._checked: _Facts | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what went wrong without stopping the work, such as a failed accelerator."""
        return (*self.network.warnings, *self.attention.warnings)

    @property
    def model_id(self) -> str:
        """Return the network's name and version, as edits keep it.

        Raises
        ------
        ModelError
            If the network file is missing, broken or made for another version.
        """
        return self._facts().model_id

    @property
    def has_styles(self) -> bool:
        """Return whether a style changes the prediction.

        Raises
        ------
        ModelError
            If the network file is missing, broken or made for another version.
        """
        return self._facts().has_styles

    def open_ahead(self) -> None:
        """Begin to open both networks in threads; nothing is raised before they are used."""
        self.network.open_ahead()
        self.attention.network.open_ahead()

    def predict_proxy(
        self, proxy: Proxy, style: int | Sequence[float] | None = None, *, measure: bool = True
    ) -> Prediction:
        """Predict both edits for a proxy.

        Parameters
        ----------
        proxy
            Picture and mask from `make_proxy`.
        style
            None or 0 for the default style; a positive number draws a style at random, always
            the same one for the same number; ten numbers give the style itself.
        measure
            Whether to measure the attention share before and after, which takes three runs of
            the attention network; `measure` can do it later for one edit.

        Returns
        -------
        Prediction
            Both edits at strength 1.

        Raises
        ------
        ParamError
            If the proxy has no mask, or the style is none or not offered by the network.
        ModelError
            If a network file is missing, broken or made for another version.
        """
        if proxy.mask is None:
            raise ParamError("A prediction needs a mask.")
        facts = self._facts()
        feeds = {
            "image": np.moveaxis(enlarge_small(proxy.rgb), -1, 0)[None],
            "mask": enlarge_small(proxy.mask)[None, None],
            "style": self._style(style)[None],
        }
        outputs = self.network.run(
            {name: np.ascontiguousarray(values, np.float32) for name, values in feeds.items()}
        )
        before = self.share(proxy) if measure else None
        edits: dict[Direction, Edit] = {}
        for direction in DIRECTIONS:
            try:
                edit = Edit.from_vector(
                    [float(number) for number in outputs[direction][0]],
                    direction=direction,
                    model=facts.model_id,
                )
            except GazeShiftError as error:
                raise self.network.error(f"predicts an impossible edit: {error.message}") from error
            edit = replace(edit, share_before=before)
            edits[direction] = self.measure(proxy, edit) if measure else edit
        return Prediction(edits["attract"], edits["divert"], proxy, self)

    def measure(self, proxy: Proxy, edit: Edit) -> Edit:
        """Return the edit with the attention share before and after, at its own strength.

        Parameters
        ----------
        proxy
            Picture and mask from `make_proxy`.
        edit
            The share after is measured on the proxy as the reference decoder renders it with
            this edit; a share before that is already there is kept.

        Raises
        ------
        ParamError
            If the proxy has no mask.
        ModelError
            If the attention network is missing or broken.
        """
        before = self.share(proxy) if edit.share_before is None else edit.share_before
        if edit.is_identity:
            return replace(edit, share_before=before, share_after=before)
        after = self.share(proxy._replace(rgb=render_proxy(proxy, edit)))
        return replace(edit, share_before=before, share_after=after)

    def share(self, proxy: Proxy) -> float:
        """Measure how much of the viewers' attention falls on a proxy's mask, 0-1.

        Raises
        ------
        ParamError
            If the proxy has no mask.
        ModelError
            If the attention network is missing or broken.
        """
        if proxy.mask is None:
            raise ParamError("An attention share needs a mask.")
        return self.attention.share(proxy.rgb, proxy.mask)

    def predict(
        self,
        image: PIL.Image.Image | NDArray[Any],
        mask: MaskLike,
        style: int | Sequence[float] | None = None,
        icc_profile: bytes | None = None,
    ) -> Prediction:
        """Predict both edits for a picture in memory.

        Parameters
        ----------
        image
            A PIL image, or an array of shape (H, W), (H, W, 3) or (H, W, 4) with uint8, uint16
            or float values (0-1).
        mask
            A PIL image or an array of shape (H, W), bool, integer or float (0-1); or
            `rect:x,y,w,h`, `ellipse:x,y,w,h` or the path of a mask file.
        style
            See `predict_proxy`.
        icc_profile
            The picture's colour profile; by default the PIL image's own, else sRGB.

        Raises
        ------
        ImageError
            If the picture or the mask cannot be used.
        ParamError
            If the style is none or not offered by the network.
        ModelError
            If a network file is missing, broken or made for another version.
        """
        from gazeshift.pictures import unpack_mask, unpack_picture

        picture = unpack_picture(image)
        height, width = picture.pixels.shape[:2]
        proxy = make_proxy(
            picture.pixels,
            unpack_mask(mask, height=height, width=width),
            icc_profile=icc_profile or picture.icc_profile,
            long_side=self._facts().proxy_long_side,
        )
        return self.predict_proxy(proxy, style)

    @overload
    def redirect(
        self,
        image: PIL.Image.Image,
        mask: MaskLike,
        strength: float = 1.0,
        style: int | Sequence[float] | None = None,
    ) -> PIL.Image.Image: ...

    @overload
    def redirect(
        self,
        image: NDArray[Scalar],
        mask: MaskLike,
        strength: float = 1.0,
        style: int | Sequence[float] | None = None,
    ) -> NDArray[Scalar]: ...

    def redirect(
        self,
        image: PIL.Image.Image | NDArray[Any],
        mask: MaskLike,
        strength: float = 1.0,
        style: int | Sequence[float] | None = None,
    ) -> PIL.Image.Image | NDArray[Any]:
        """Predict an edit and render it, in one step.

        Parameters
        ----------
        image, mask, style
            See `predict`.
        strength
            -1.5 to 1.5; negative draws attention away, 0 changes nothing, 1 is the prediction.

        Returns
        -------
        PIL.Image.Image or NDArray
            A new picture of the same kind, mode or dtype, and size.

        Raises
        ------
        ImageError
            If the picture or the mask cannot be used.
        ParamError
            If the strength is out of range, or the style is none or not offered.
        ModelError
            If a network file is missing, broken or made for another version.
        """
        from gazeshift.pictures import render_picture

        prediction = self.predict(image, mask, style)
        return render_picture(image, mask, prediction.at(strength, measure=False))

    @property
    def proxy_long_side(self) -> int:
        """Return the long side in pixels of the proxies that the network was trained for.

        Raises
        ------
        ModelError
            If the network file is missing, broken or made for another version.
        """
        return self._facts().proxy_long_side

    def _facts(self) -> _Facts:
        if self._checked is None:
            self._checked = _read_facts(self.network)
        return self._checked

    def _style(self, style: int | Sequence[float] | None) -> NDArray[np.float32]:
        if style is None or (isinstance(style, int) and style == 0):
            return np.zeros(STYLE_SIZE, np.float32)
        if not self.has_styles:
            raise ParamError(
                f"The network {self.model_id} has no styles.", hint="Leave the style out, or use 0."
            )
        if isinstance(style, int):
            if not 0 < style < 2**32:
                raise ParamError(f"A style's number must lie in 0 to {2**32 - 1}, not {style}.")
            # RandomState's stream is frozen by numpy's policy: a style keeps its look.
            return np.random.RandomState(style).standard_normal(STYLE_SIZE).astype(np.float32)
        numbers = np.asarray(style, np.float32)
        if numbers.shape != (STYLE_SIZE,) or not np.isfinite(numbers).all():
            raise ParamError(f"A style is a number or {STYLE_SIZE} finite numbers.")
        return numbers


def render_proxy(proxy: Proxy, edit: Edit) -> NDArray[np.float32]:
    """Render an edit on a proxy with the reference decoder.

    Parameters
    ----------
    proxy
        With a mask.
    edit
        Used at its own strength.

    Returns
    -------
    NDArray[np.float32]
        Shape (h, w, 3), sRGB 0-1.
    """
    regions = edit.regions()
    rendered: NDArray[np.float32] = apply_regions(
        proxy.rgb, proxy.mask, regions.foreground, regions.background
    )
    return rendered


def is_effective(edit: Edit) -> bool | None:
    """Tell whether a measured edit moves attention the way it is meant to.

    Parameters
    ----------
    edit
        With the shares before and after.

    Returns
    -------
    bool or None
        None where nothing was measured or nothing was asked for (strength 0).
    """
    if edit.share_before is None or edit.share_after is None or edit.strength == 0.0:
        return None
    change = edit.share_after - edit.share_before
    return (change if edit.direction == "attract" else -change) > SMALLEST_CHANGE


def check_signed_strength(strength: float) -> float:
    """Return a position of the signed dial as a float.

    Raises
    ------
    ParamError
        If it is not finite or lies outside -1.5 to 1.5.
    """
    low, high = MAX_STRENGTHS
    if not low <= strength <= high:  # false for NaN too
        raise ParamError(f"The strength must lie in {low:g} to {high:g}, not {strength:g}.")
    return float(strength)


@dataclass(frozen=True)
class _Facts:
    """What a checked redirector file says about itself."""

    model_id: str
    proxy_long_side: int
    has_styles: bool


def _read_facts(network: Network) -> _Facts:
    _check_operators(network)
    try:
        long_side = int(network.require("gazeshift.proxy_long_side"))
        styles = int(network.metadata.get("gazeshift.styles", "0"))
    except ValueError as error:
        raise network.error("holds metadata that are no numbers") from error
    if long_side < 1:
        raise network.error(f"asks for a proxy of {long_side} pixels")
    name, version = (network.require(f"gazeshift.{key}") for key in ("model_id", "version"))
    return _Facts(f"{name} {version}", long_side, styles > 0)


def _check_operators(network: Network) -> None:
    """Refuse a network whose 70 numbers mean something else than ours."""
    text = network.require("gazeshift.operators")
    try:
        versions = [(str(id_), int(version)) for id_, version in _pairs(json.loads(text))]
    except (ValueError, TypeError, AttributeError) as error:
        raise network.error("has unreadable operator versions") from error
    known = [(id_, OPERATORS[id_].spec.version) for id_ in DEFAULT_CHAIN]
    if versions != known:
        raise ModelError(
            f"{network.path.name} was made for the operators {_list(versions)}; this GazeShift "
            f"has {_list(known)}.",
            hint="Use the network that comes with this GazeShift, or update GazeShift.",
        )


def _pairs(versions: Any) -> Any:
    """Accept an object (id → version, in order) and a list of [id, version]."""
    return versions.items() if isinstance(versions, dict) else versions


def _list(versions: list[tuple[str, int]]) -> str:
    return ", ".join(f"{id_} {version}" for id_, version in versions)
