"""The description of both APIs, which is docs/openapi.json."""

from __future__ import annotations

from typing import NoReturn

from postroom.http_api.administration import routes_of_administration
from postroom.http_api.desk import routes_of_desk
from postroom.http_api.foundation import describe


def openapi() -> str:
    """Describe the API in OpenAPI 3.1, as JSON."""
    administration = routes_of_administration(_nothing_behind, _nothing_behind, _nothing_behind)
    return describe([administration, routes_of_desk(_nothing_behind, _nothing_behind)])


def _nothing_behind() -> NoReturn:
    raise AssertionError("a description asks nothing")
