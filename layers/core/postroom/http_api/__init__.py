"""The routes of the HTTP API."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.http_api.administration import routes_of_administration
    from postroom.http_api.described import description
    from postroom.http_api.desk import routes_of_desk
    from postroom.http_api.whole import openapi
else:
    __getattr__ = lazily(
        __name__,
        {
            "administration": ["routes_of_administration"],
            "described": ["description"],
            "desk": ["routes_of_desk"],
            "whole": ["openapi"],
        },
    )

__all__ = [
    "description",
    "openapi",
    "routes_of_administration",
    "routes_of_desk",
]
