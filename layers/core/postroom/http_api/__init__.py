"""The routes of the HTTP API."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.http_api.routes import answer
else:
    __getattr__ = lazily(
        __name__,
        {
            "routes": ["answer"],
        },
    )

__all__ = [
    "answer",
]
