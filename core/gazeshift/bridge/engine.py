"""What the bridge does with a request, free of HTTP: typed requests in, typed answers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.bridge import messages
from gazeshift.bridge.framing import Sections, as_coverage
from gazeshift.bridge.previews import IDLE_S, Previews
from gazeshift.edit import Edit, RegionParameters
from gazeshift.errors import ModelError, ParamError
from gazeshift.model_names import name_of
from gazeshift.operators import OPERATORS, Operator
from gazeshift.recipes import Recipe
from gazeshift.recipes.recipe import Target

if TYPE_CHECKING:
    from gazeshift.predict import Redirector

OFFERED_VARIATIONS = 6
"""How many styles beside the default a host is told to offer."""


@dataclass(frozen=True)
class Answer:
    """A typed answer and the raw samples that follow it, if any."""

    header: Any
    sections: list[NDArray[Any]] | None = None
    """None for a JSON answer."""


class Engine:
    """Holds the networks, opened at the first use, and answers requests.

    Parameters
    ----------
    version
        Version of the product.
    instance
        Random name of this process.
    """

    def __init__(self, version: str, instance: str) -> None:
        self._version = version
        self._instance = instance
        self._redirector: Redirector | None = None
        self._previews = Previews()

    def identity(self) -> Answer:
        """Say who answers."""
        return Answer(
            messages.IdentityAnswer(messages.NAME, messages.PROTOCOL, self._version, self._instance)
        )

    def operators(self) -> Answer:
        """Describe the operators and what the model offers."""
        from gazeshift.predict import MAX_STRENGTHS

        model, problem = None, None
        styles: tuple[messages.StyleAnswer, ...] = ()
        try:
            redirector = self._predictor()
            model = redirector.model_id
            styles = _offered_styles(redirector.has_styles)
        except ModelError as error:
            problem = messages.ErrorAnswer(error.code, error.message, error.hint)
        return Answer(
            messages.OperatorsAnswer(
                operators=tuple(map(_describe, OPERATORS.values())),
                styles=styles,
                strength_minimum=MAX_STRENGTHS[0],
                strength_maximum=MAX_STRENGTHS[1],
                model=model,
                problem=problem,
            )
        )

    def warm_up(self) -> None:
        """Open the networks, so that the first request finds them ready.

        Raises
        ------
        ModelError
            If a network file is missing, broken or made for another version.
        """
        half = np.zeros((64, 64), np.float32)
        half[:32] = 1.0
        self._predictor().predict(np.zeros((64, 64, 3), np.uint8), half)

    def predict(self, request: messages.PredictRequest, sections: Sections) -> Answer:
        """Predict both directions' edits in the styles asked for."""
        from gazeshift.mask import mask_codes_from_array
        from gazeshift.proxy import make_proxy

        pixels, raw_mask, profile = _picture(request, sections)
        if raw_mask is None:
            raise ParamError("A prediction needs a mask.")
        height, width = pixels.shape[:2]
        mask = mask_codes_from_array(raw_mask, height=height, width=width)
        redirector = self._predictor()
        proxy = make_proxy(pixels, mask, icc_profile=profile, long_side=redirector.proxy_long_side)
        predictions = []
        share_before = 0.0
        for style in request.styles:
            prediction = redirector.predict_proxy(proxy, style)
            attract, divert = prediction.attract, prediction.divert
            share_before = _measured(attract.share_before)
            shares = tuple(
                messages.ShareAt(strength, _measured(prediction.at(strength).share_after))
                for strength in request.strengths
            )
            predictions.append(
                messages.StylePrediction(
                    style,
                    attract.to_json(),
                    divert.to_json(),
                    _measured(attract.share_after),
                    _measured(divert.share_after),
                    shares,
                )
            )
        warnings = (*proxy.warnings, *redirector.warnings)
        return Answer(
            messages.PredictAnswer(redirector.model_id, share_before, tuple(predictions), warnings)
        )

    def attention(self, request: messages.AttentionRequest, sections: Sections) -> Answer:
        """Predict where people look, and how much of it falls on the mask."""
        from gazeshift.attention import attention_share
        from gazeshift.proxy import make_proxy

        pixels, raw_mask, profile = _picture(request, sections)
        mask = None if raw_mask is None else as_coverage(raw_mask)
        proxy = make_proxy(pixels, mask, icc_profile=profile)
        model = self._predictor().attention
        attention = model.map(proxy.rgb)
        share = None if proxy.mask is None else attention_share(attention, proxy.mask)
        shown: NDArray[Any] = attention
        if request.dtype == "uint8":
            shown = np.rint(attention * (255.0 / float(attention.max()))).astype(np.uint8)
        height, width = attention.shape
        header = messages.AttentionAnswer(
            width, height, request.dtype, share, name_of(model.network)
        )
        return Answer(header, [shown])

    def render(self, request: messages.RenderRequest, sections: Sections) -> Answer:
        """Render the edit, or one region's edit on every pixel."""
        from gazeshift.render import render

        layout = request.image
        pixels = sections.pixels(layout)
        mask = None
        if request.mask is not None:
            raw = sections.mask(request.mask, layout)
            mask = raw if raw.dtype == np.uint8 else as_coverage(raw)
        sections.finish()
        edit = Edit.from_json(request.edit)
        if mask is None and "result" in request.parts:
            raise ParamError("The part 'result' needs a mask.")
        is_grey = layout.channels <= 2
        limited = _only(edit, request.operators, is_grey)
        strength = edit.strength if request.strength is None else request.strength
        colours = 1 if is_grey else 3
        rgb = _as_rgb(pixels, layout.channels)
        rendered = []
        for part in request.parts:
            weights, of_part = mask, limited
            if weights is None or part != "result":
                # Both regions alike, so that the mask does not matter.
                weights = np.ones(rgb.shape[:2], np.float32)
                region = limited.background if part == "background" else limited.foreground
                of_part = replace(limited, foreground=region, background=region)
            result = render(rgb, weights, of_part, strength)
            rendered.append(_with_alpha(result[..., :colours], pixels, layout.channels))
        return Answer(messages.RenderAnswer(layout, request.parts), rendered)

    def open_preview(self, request: messages.PreviewRequest, sections: Sections) -> Answer:
        """Keep a picture and its mask, so that redraws need an edit only."""
        from gazeshift.preview import Preview

        layout = request.image
        pixels = sections.pixels(layout)
        raw = sections.mask(request.mask, layout)
        sections.finish()
        # The request's body is not kept.
        samples, mask = pixels.copy(), as_coverage(raw).copy()

        def make() -> Preview:
            return Preview(_as_rgb(samples, layout.channels), mask)

        name, kept = self._previews.add(layout, samples, make)
        return Answer(messages.PreviewAnswer(name, kept.bytes_held, IDLE_S))

    def redraw(self, request: messages.RedrawRequest) -> Answer:
        """Draw an open preview with another edit."""
        kept = self._previews.find(request.preview)
        channels = kept.layout.channels
        edit = Edit.from_json(request.edit)
        limited = _only(edit, None, channels <= 2)
        strength = edit.strength if request.strength is None else request.strength
        drawn = kept.preview.at(limited, strength)
        shown = _with_alpha(drawn[..., : 1 if channels <= 2 else 3], kept.pixels, channels)
        return Answer(messages.RedrawAnswer(kept.layout), [shown])

    def close_preview(self, request: messages.PreviewCloseRequest) -> Answer:
        """Close a preview before its time."""
        return Answer(messages.PreviewCloseAnswer(self._previews.remove(request.preview)))

    def recipe(self, recipe: Recipe, request: messages.RecipeRequest) -> Answer:
        """Translate an edit into a host's own numbers, once for each strength."""
        edit = Edit.from_json(request.edit)
        target = Target(request.width, request.height, request.is_grey)
        strengths = (edit.strength,) if request.strengths is None else request.strengths
        if len(strengths) > recipe.most_strengths:
            raise ParamError(
                f"{recipe.label} gives at most {recipe.most_strengths} recipes per request."
            )
        return Answer({"recipes": [recipe.make(edit, strength, target) for strength in strengths]})

    def _predictor(self) -> Redirector:
        if self._redirector is None:
            from gazeshift.predict import Redirector

            self._redirector = Redirector()
        return self._redirector


def _picture(
    request: messages.PredictRequest | messages.AttentionRequest, sections: Sections
) -> tuple[NDArray[Any], NDArray[Any] | None, bytes | None]:
    pixels = sections.pixels(request.image)
    mask = None if request.mask is None else sections.mask(request.mask, request.image)
    profile = sections.blob(request.icc_bytes) or None
    sections.finish()
    return _as_rgb(pixels, request.image.channels), mask, profile


def _as_rgb(pixels: NDArray[Any], channels: int) -> NDArray[Any]:
    is_grey = channels <= 2
    rgb = np.repeat(pixels[..., :1], 3, axis=2) if is_grey else pixels[..., :3]
    return np.ascontiguousarray(rgb)


def _describe(operator: Operator) -> messages.OperatorAnswer:
    spec = operator.spec
    return messages.OperatorAnswer(
        id=spec.id,
        version=spec.version,
        label=spec.label,
        help=spec.help,
        is_default=spec.is_default,
        parameters=tuple(
            messages.ParameterAnswer(
                name=parameter.name,
                count=parameter.count,
                identity=parameter.identity,
                minimum=parameter.hard[0],
                maximum=parameter.hard[1],
                slider_minimum=parameter.ui[0],
                slider_maximum=parameter.ui[1],
                unit=parameter.unit,
                is_relative=parameter.is_relative,
                help=parameter.help,
            )
            for parameter in spec.parameters
        ),
    )


def _offered_styles(has_styles: bool) -> tuple[messages.StyleAnswer, ...]:
    if not has_styles:
        return ()
    variations = range(1, OFFERED_VARIATIONS + 1)
    return (
        messages.StyleAnswer(0, "Default"),
        *(messages.StyleAnswer(number, f"Variation {number}") for number in variations),
    )


def _measured(share: float | None) -> float:
    if share is None:
        raise ModelError("The attention share could not be measured.")
    return share


def _only(edit: Edit, operators: Sequence[str] | None, is_grey: bool) -> Edit:
    unknown = sorted(set(operators or ()) - set(OPERATORS))
    if unknown:
        raise ParamError(
            f"There is no operator named '{unknown[0][:40]}'.",
            hint=f"Known operators: {', '.join(OPERATORS)}.",
        )

    def kept(region: RegionParameters) -> RegionParameters:
        return RegionParameters(
            {
                id_: region.arguments(id_)
                for id_ in region.active()
                if (operators is None or id_ in operators) and not (is_grey and id_ in _COLOURFUL)
            }
        )

    return replace(edit, foreground=kept(edit.foreground), background=kept(edit.background))


_COLOURFUL = ("color", "saturation")


def _with_alpha(result: NDArray[Any], pixels: NDArray[Any], channels: int) -> NDArray[Any]:
    if channels in (1, 3):
        return result
    return np.concatenate([result, pixels[..., channels - 1 :]], axis=2)
