"""The description of both APIs: the routes of the other function are imported when it is asked for."""

from __future__ import annotations


def description() -> str:
    """Describe the API in OpenAPI 3.1, as JSON."""
    from postroom.http_api.whole import openapi

    return openapi()
