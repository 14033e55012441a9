"""From a raw message to an interaction."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.inbound import find_thread
    from postroom.services.inbound.acknowledge import without_acknowledgement
    from postroom.services.inbound.duplicates import TOLD
    from postroom.services.inbound.explanation import explain
    from postroom.services.inbound.facts import Facts, stripped, with_replacement_text
    from postroom.services.inbound.ingest import Ingest
    from postroom.services.inbound.late_parents import heal_threads
    from postroom.services.inbound.plan import InboundPlan, PlannedInteraction, plan_inbound, preview
    from postroom.services.inbound.store import Store
    from postroom.services.inbound.understand_mail import understand, wrap
else:
    __getattr__ = lazily(
        __name__,
        {
            "acknowledge": ["without_acknowledgement"],
            "duplicates": ["TOLD"],
            "explanation": ["explain"],
            "facts": ["Facts", "stripped", "with_replacement_text"],
            "ingest": ["Ingest"],
            "late_parents": ["heal_threads"],
            "plan": ["InboundPlan", "PlannedInteraction", "plan_inbound", "preview"],
            "store": ["Store"],
            "understand_mail": ["understand", "wrap"],
        },
    )

__all__ = [
    "TOLD",
    "Facts",
    "InboundPlan",
    "Ingest",
    "PlannedInteraction",
    "Store",
    "explain",
    "find_thread",
    "heal_threads",
    "plan_inbound",
    "preview",
    "stripped",
    "understand",
    "with_replacement_text",
    "without_acknowledgement",
    "wrap",
]
