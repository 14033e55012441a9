"""The API of administration: everything that is configured, and who may do what."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from postroom.http_api import (
    administration_audit,
    administration_configuration,
    administration_mailboxes,
    administration_people,
    administration_service,
)
from postroom.http_api.foundation import Routes
from postroom.services.api import Administration
from postroom.services.requests import Door


@cache
def routes_of_administration(
    door: Callable[[], Door], behind: Callable[[], Administration], description: Callable[[], str]
) -> Routes[Administration]:
    """Declare its routes; nothing is asked of `door` and `behind` until a request comes.

    `description` returns the OpenAPI document of both APIs.
    """
    api = Routes(door=door, behind=behind)
    administration_service.add_routes(api, description)
    administration_mailboxes.add_routes(api)
    administration_configuration.add_routes(api)
    administration_people.add_routes(api)
    administration_audit.add_routes(api)
    return api
