"""Writing mail: templates, our signed token, MIME."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.mail.outgoing import templates, thread_token
    from postroom.mail.outgoing.composition import (
        Composition,
        check,
        compose,
        deliverable,
        is_message_id,
        without_controls,
    )
    from postroom.mail.outgoing.subjects import forward_subject, reply_subject
    from postroom.mail.outgoing.thread_token import without_plus_part
else:
    __getattr__ = lazily(
        __name__,
        {
            "composition": ["Composition", "check", "compose", "deliverable", "is_message_id", "without_controls"],
            "subjects": ["forward_subject", "reply_subject"],
            "thread_token": ["without_plus_part"],
        },
    )

__all__ = [
    "Composition",
    "check",
    "compose",
    "deliverable",
    "forward_subject",
    "is_message_id",
    "reply_subject",
    "templates",
    "thread_token",
    "without_controls",
    "without_plus_part",
]
