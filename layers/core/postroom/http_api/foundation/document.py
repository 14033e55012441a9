"""The description of the whole API: one OpenAPI document of the routes of several functions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from postroom.http_api.foundation.routes import Routes

_FRAMEWORK = ("HTTPValidationError", "ResponseValidationError", "ValidationError")  # its own errors, which none sends


def describe(apis: Sequence[Routes[Any]]) -> str:
    """Describe the routes in OpenAPI 3.1, as JSON."""
    whole: dict[str, Any] = {}
    for api in apis:
        text: str = api.app.get_openapi_json_schema(
            title="Postroom",
            version="1",
            openapi_version="3.1.0",
            description="The e-mail channel of a contact centre: administration, and the agents' desk.",
        )
        one = json.loads(text)
        for name in _FRAMEWORK:
            one["components"]["schemas"].pop(name, None)
        if not whole:
            whole = one
            continue
        whole["paths"].update(one["paths"])
        whole["components"]["schemas"].update(one["components"]["schemas"])
    whole["paths"] = {path: whole["paths"][path] for path in sorted(whole["paths"])}
    whole["components"]["schemas"] = dict(sorted(whole["components"]["schemas"].items()))
    for operations in whole["paths"].values():
        for operation in operations.values():
            _tell_of_nothing(operation["responses"])
            operation["responses"].get("204", {}).pop("content", None)
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _tell_of_nothing(responses: dict[str, Any]) -> None:
    """Describe an answer that may be nothing as the two that it is: 204 is sent for nothing."""
    for response in [one for status, one in responses.items() if status.startswith("2")]:
        for content in response.get("content", {}).values():
            kinds = content["schema"].get("anyOf", ())
            if {"type": "null"} in kinds:
                (content["schema"],) = [kind for kind in kinds if kind != {"type": "null"}]
                responses["204"] = {"description": "There is none."}
