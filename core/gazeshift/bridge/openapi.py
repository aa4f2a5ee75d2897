"""The OpenAPI document, generated from the table of routes and the typed messages.

`python -m gazeshift.bridge.openapi` prints it; the copy beside this module is compared in a test.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gazeshift.bridge import messages
from gazeshift.bridge.routes import JSON_TYPE, Route, routes
from gazeshift.schema import json_schema

DOCUMENT = Path(__file__).with_name("openapi.json")
"""The copy that is checked in."""


_DIGITS = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_PROOF = {
    "description": (
        "HMAC-SHA256, keyed by the token's text, of 'gazeshift-identity PORT CHALLENGE'; only "
        "when a challenge was sent."
    ),
    "schema": _DIGITS,
}


def build_document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document as plain data."""
    components: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    error = {"schema": json_schema(messages.ErrorAnswer, components)}
    for route in routes():
        operation: dict[str, Any] = {
            "operationId": route.path.removeprefix("/v1/").replace("/", "_"),
            "summary": route.summary,
            "security": [] if route.is_open else [{"token": []}],
            "responses": {
                "200": _answer(route, components),
                "default": {"description": "An error", "content": {JSON_TYPE: error}},
            },
        }
        needed = "challenge" if route.is_open else "protocol"
        operation["parameters"] = [{"$ref": f"#/components/parameters/{needed}"}]
        if route.is_open:
            operation["responses"]["200"]["headers"] = {messages.PROOF_HEADER: _PROOF}
        if route.request is not None:
            operation["requestBody"] = _request(route, route.request, components)
        paths[route.path] = {route.method.lower(): operation}
    return {
        "openapi": "3.1.0",
        "info": {"title": "GazeShift bridge", "version": str(messages.PROTOCOL)},
        "servers": [{"url": "http://127.0.0.1:47613"}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "parameters": {
                "protocol": {
                    "name": messages.PROTOCOL_HEADER,
                    "in": "header",
                    "required": True,
                    "schema": {"const": str(messages.PROTOCOL)},
                },
                "challenge": {
                    "name": messages.CHALLENGE_HEADER,
                    "in": "header",
                    "required": False,
                    "description": "Random digits, for a proof that the bridge knows the token.",
                    "schema": _DIGITS,
                },
            },
            "schemas": dict(sorted(components.items())),
        },
    }


def document_text() -> str:
    """Return the document as it is checked in."""
    return json.dumps(build_document(), indent=1, ensure_ascii=False) + "\n"


def _request(route: Route, request: type[Any], components: dict[str, Any]) -> dict[str, Any]:
    schema = json_schema(request, components)
    if route.takes == "json":
        return {"required": True, "content": {JSON_TYPE: {"schema": schema}}}
    return {
        "required": True,
        "description": f"JSON length (uint32, little-endian), JSON, then {route.sections}.",
        "content": {messages.BINARY_TYPE: _binary(schema)},
    }


def _answer(route: Route, components: dict[str, Any]) -> dict[str, Any]:
    schema = json_schema(route.answer, components)
    if route.gives == "binary":
        return {
            "description": "JSON length (uint32, little-endian), JSON, then raw samples.",
            "content": {messages.BINARY_TYPE: _binary(schema)},
        }
    if route.is_list:
        schema = {
            "type": "object",
            "required": ["recipes"],
            "properties": {"recipes": {"type": "array", "items": schema}},
        }
    return {"description": route.summary, "content": {JSON_TYPE: {"schema": schema}}}


def _binary(schema: dict[str, Any]) -> dict[str, Any]:
    # OpenAPI has no words for a JSON part before raw bytes; the extension names its schema.
    return {"schema": {"type": "string", "format": "binary"}, "x-json-part": schema}


if __name__ == "__main__":
    import sys

    sys.stdout.write(document_text())
