"""The API of agents and supervisors."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from postroom.http_api import desk_case_acts, desk_cases, desk_interactions, desk_outbox
from postroom.http_api.foundation import Routes
from postroom.services.api import Desk
from postroom.services.requests import Door


@cache
def routes_of_desk(door: Callable[[], Door], behind: Callable[[], Desk]) -> Routes[Desk]:
    """Declare its routes; nothing is asked of `door` and `behind` until a request comes."""
    api = Routes(door=door, behind=behind)
    desk_cases.add_routes(api)
    desk_case_acts.add_routes(api)
    desk_interactions.add_routes(api)
    desk_outbox.add_routes(api)
    return api
