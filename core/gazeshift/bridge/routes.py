"""The bridge's routes as one table; the server and the OpenAPI document are made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from gazeshift.bridge import messages
from gazeshift.bridge.engine import Answer, Engine
from gazeshift.bridge.framing import Sections, parse_json, split_body
from gazeshift.recipes import Recipe, recipes
from gazeshift.schema import decode

Kind = Literal["none", "json", "binary"]
JSON_TYPE = "application/json"
JSON_LIMIT = 1 << 20
"""Longest JSON body in bytes."""
BINARY_LIMIT = 1 << 30
"""Longest binary body in bytes: 100 megapixels of 16-bit RGB and a float mask."""


@dataclass(frozen=True)
class Route:
    """One route: how it is called, what it takes and gives, and what it does."""

    method: Literal["GET", "POST"]
    path: str
    summary: str
    takes: Kind
    request: type[Any] | None
    sections: str
    """Which raw bytes follow the JSON part of a binary request, in words."""
    gives: Kind
    answer: type[Any]
    is_list: bool
    """Whether the answer is a list of `answer` under the key `recipes`."""
    is_open: bool
    """Whether it is answered without a token."""
    is_light: bool
    """Whether it takes milliseconds and must not wait for pictures."""
    run: Callable[[Engine, bytes | bytearray], Answer]
    """Reads the body and works; called outside the event loop."""

    @property
    def limit(self) -> int:
        """Return the longest body in bytes."""
        return {"none": 0, "json": JSON_LIMIT, "binary": BINARY_LIMIT}[self.takes]

    @property
    def content_type(self) -> str:
        """Return the content type that a request must have; empty without a body."""
        return {"none": "", "json": JSON_TYPE, "binary": messages.BINARY_TYPE}[self.takes]


def routes() -> list[Route]:
    """Return every route; one `/v1/recipe/HOST` for each host's recipe."""
    return [
        _get("identity", "Who answers here", messages.IdentityAnswer, Engine.identity, True),
        _get(
            "operators",
            "Operators, styles and model",
            messages.OperatorsAnswer,
            Engine.operators,
            False,
        ),
        _binary(
            "predict",
            "Both directions' edits for a picture and a mask",
            messages.PredictRequest,
            "pixels, mask, ICC profile (icc_bytes)",
            messages.PredictAnswer,
            Engine.predict,
            gives="json",
        ),
        _binary(
            "attention",
            "Where people look",
            messages.AttentionRequest,
            "pixels, mask (if any), ICC profile (icc_bytes)",
            messages.AttentionAnswer,
            Engine.attention,
        ),
        _binary(
            "render",
            "An edit, rendered",
            messages.RenderRequest,
            "pixels, mask (if any)",
            messages.RenderAnswer,
            Engine.render,
        ),
        _binary(
            "preview/open",
            "A picture and a mask, kept for redraws",
            messages.PreviewRequest,
            "pixels, mask",
            messages.PreviewAnswer,
            Engine.open_preview,
            gives="json",
        ),
        _json(
            "preview/draw",
            "An open preview, drawn with an edit",
            messages.RedrawRequest,
            messages.RedrawAnswer,
            Engine.redraw,
            gives="binary",
        ),
        _json(
            "preview/close",
            "An open preview, closed",
            messages.PreviewCloseRequest,
            messages.PreviewCloseAnswer,
            Engine.close_preview,
        ),
        *(_recipe(recipe) for recipe in recipes().values()),
    ]


def _get(
    name: str, summary: str, answer: type[Any], work: Callable[[Engine], Answer], is_open: bool
) -> Route:
    def run(engine: Engine, body: bytes | bytearray) -> Answer:
        return work(engine)

    return Route(
        "GET", f"/v1/{name}", summary, "none", None, "", "json", answer, False, is_open, True, run
    )


def _binary(
    name: str,
    summary: str,
    request: type[Any],
    sections: str,
    answer: type[Any],
    work: Callable[[Engine, Any, Sections], Answer],
    gives: Kind = "binary",
) -> Route:
    def run(engine: Engine, body: bytes | bytearray) -> Answer:
        data, raw = split_body(body)
        return work(engine, decode(request, data), Sections(raw))

    path = f"/v1/{name}"
    return Route(
        "POST", path, summary, "binary", request, sections, gives, answer, False, False, False, run
    )


def _json(
    name: str,
    summary: str,
    request: type[Any],
    answer: type[Any],
    work: Callable[[Engine, Any], Answer],
    gives: Kind = "json",
) -> Route:
    def run(engine: Engine, body: bytes | bytearray) -> Answer:
        return work(engine, decode(request, parse_json(body)))

    path = f"/v1/{name}"
    # Not light: pictures have one thread to themselves, and it owns the previews.
    return Route(
        "POST", path, summary, "json", request, "", gives, answer, False, False, False, run
    )


def _recipe(recipe: Recipe) -> Route:
    return Route(
        method="POST",
        path=f"/v1/recipe/{recipe.host}",
        summary=f"An edit in the numbers of {recipe.label}",
        takes="json",
        request=messages.RecipeRequest,
        sections="",
        gives="json",
        answer=recipe.answer,
        is_list=True,
        is_open=False,
        is_light=True,
        run=partial(_run_recipe, recipe),
    )


def _run_recipe(recipe: Recipe, engine: Engine, body: bytes | bytearray) -> Answer:
    return engine.recipe(recipe, decode(messages.RecipeRequest, parse_json(body)))
