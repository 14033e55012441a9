"""Whether a mail may be answered by itself: guards, and caps on how often."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.rules.automatic_replies import caps
    from postroom.rules.automatic_replies.guards import AutoReplyFacts, is_no_reply, refusal
else:
    __getattr__ = lazily(
        __name__,
        {
            "guards": ["AutoReplyFacts", "is_no_reply", "refusal"],
        },
    )

__all__ = [
    "AutoReplyFacts",
    "caps",
    "is_no_reply",
    "refusal",
]
