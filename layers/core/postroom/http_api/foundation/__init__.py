"""What all routes of the API share: who may call, versions, cursors, repetitions, errors."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.http_api.foundation.document import describe
    from postroom.http_api.foundation.parameters import Asking, Cursor, Limit, Name
    from postroom.http_api.foundation.routes import SIGNED_IN, Needs, Routes
else:
    __getattr__ = lazily(
        __name__,
        {
            "document": ["describe"],
            "parameters": ["Asking", "Cursor", "Limit", "Name"],
            "routes": ["Needs", "Routes", "SIGNED_IN"],
        },
    )

__all__ = [
    "SIGNED_IN",
    "Asking",
    "Cursor",
    "Limit",
    "Name",
    "Needs",
    "Routes",
    "describe",
]
