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
        original_header,
        without_controls,
    )
    from postroom.mail.outgoing.languages import best_language, language_of
    from postroom.mail.outgoing.mime import Enclosure, Ways, body_of, file_name
    from postroom.mail.outgoing.quoting import (
        Original,
        forwarded_html,
        forwarded_text,
        quoted_html,
        quoted_text,
        text_as_html,
    )
    from postroom.mail.outgoing.subjects import bare_subject, forward_subject, reply_subject
    from postroom.mail.outgoing.thread_token import without_plus_part
    from postroom.mail.outgoing.transfer import base64_size, seven_bit
else:
    __getattr__ = lazily(
        __name__,
        {
            "composition": [
                "Composition",
                "check",
                "compose",
                "deliverable",
                "is_message_id",
                "original_header",
                "without_controls",
            ],
            "languages": ["best_language", "language_of"],
            "mime": ["Enclosure", "Ways", "body_of", "file_name"],
            "quoting": ["Original", "forwarded_html", "forwarded_text", "quoted_html", "quoted_text", "text_as_html"],
            "subjects": ["bare_subject", "forward_subject", "reply_subject"],
            "thread_token": ["without_plus_part"],
            "transfer": ["base64_size", "seven_bit"],
        },
    )

__all__ = [
    "Composition",
    "Enclosure",
    "Original",
    "Ways",
    "bare_subject",
    "base64_size",
    "best_language",
    "body_of",
    "check",
    "compose",
    "deliverable",
    "file_name",
    "forward_subject",
    "forwarded_html",
    "forwarded_text",
    "is_message_id",
    "language_of",
    "original_header",
    "quoted_html",
    "quoted_text",
    "reply_subject",
    "seven_bit",
    "templates",
    "text_as_html",
    "thread_token",
    "without_controls",
    "without_plus_part",
]
