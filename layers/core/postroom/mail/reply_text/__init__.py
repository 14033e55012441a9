"""What a person wrote anew in a reply: without quotations, signatures and notices."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.mail.reply_text.forwarded_mail import Forwarded, forwarded
    from postroom.mail.reply_text.lines import visible
    from postroom.mail.reply_text.marked import marked_lines
    from postroom.mail.reply_text.reply import reply_text
else:
    __getattr__ = lazily(
        __name__,
        {
            "forwarded_mail": ["Forwarded", "forwarded"],
            "lines": ["visible"],
            "marked": ["marked_lines"],
            "reply": ["reply_text"],
        },
    )

__all__ = [
    "Forwarded",
    "forwarded",
    "marked_lines",
    "reply_text",
    "visible",
]
