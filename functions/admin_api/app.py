"""The HTTP API of administration; its routes are in postroom.http_api."""

from __future__ import annotations

from typing import Any

from postroom import bootstrap
from postroom.edge import leaves_no_text
from postroom.http_api import description, routes_of_administration


@leaves_no_text
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of the HTTP API (format 2.0)."""
    return routes_of_administration(bootstrap.door, bootstrap.admin_api, description).answer(event, context)
