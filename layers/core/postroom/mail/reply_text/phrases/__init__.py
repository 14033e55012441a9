"""The phrases by which mail programs introduce and end what they quote, by language."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.mail.reply_text.phrases import footers, introductions, pointers
    from postroom.mail.reply_text.phrases.footers import ANSWERS_BELOW, FORM_LABELS
    from postroom.mail.reply_text.phrases.legal_notices import FIRST_PERSON, NOTICE_SUBJECTS, NOTICES
else:
    __getattr__ = lazily(
        __name__,
        {
            "footers": ["ANSWERS_BELOW", "FORM_LABELS"],
            "legal_notices": ["FIRST_PERSON", "NOTICES", "NOTICE_SUBJECTS"],
        },
    )

__all__ = [
    "ANSWERS_BELOW",
    "FIRST_PERSON",
    "FORM_LABELS",
    "NOTICES",
    "NOTICE_SUBJECTS",
    "footers",
    "introductions",
    "pointers",
]
