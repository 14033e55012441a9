"""From a raw message to an interaction."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.inbound.explanation import explain
    from postroom.services.inbound.facts import Facts, stripped, with_replacement_text
    from postroom.services.inbound.ingest import Ingest
    from postroom.services.inbound.plan import preview
    from postroom.services.inbound.store import Store
    from postroom.services.inbound.understand_mail import understand, wrap
else:
    __getattr__ = lazily(
        __name__,
        {
            "explanation": ["explain"],
            "facts": ["Facts", "stripped", "with_replacement_text"],
            "ingest": ["Ingest"],
            "plan": ["preview"],
            "store": ["Store"],
            "understand_mail": ["understand", "wrap"],
        },
    )

__all__ = [
    "Facts",
    "Ingest",
    "Store",
    "explain",
    "preview",
    "stripped",
    "understand",
    "with_replacement_text",
    "wrap",
]
