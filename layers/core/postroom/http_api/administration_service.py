"""Routes about the service itself."""

from __future__ import annotations

from collections.abc import Callable

from aws_lambda_powertools.event_handler import Response

from postroom.http_api.foundation import SIGNED_IN, Routes
from postroom.services.api import Administration, Service


def add_routes(api: Routes[Administration], describe: Callable[[], str]) -> None:
    """Declare them; `describe` returns the OpenAPI document."""

    @api.get("/health", "service", SIGNED_IN)
    def health() -> Service:
        """Tell that the API and its table answer."""
        return api.behind().mailboxes.service()

    @api.get("/openapi.json", "service", SIGNED_IN, described=False)
    def description() -> Response[str]:
        """Return the description of the API."""
        return Response(200, "application/json", describe())
