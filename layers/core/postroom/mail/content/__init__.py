"""What a mail says: bodies, files, invitations, signatures."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.mail.content.body_parts import Bodies, bodies
    from postroom.mail.content.calendar import ANSWERS, Invitation, Moment, calendar_answer, invitation, told
    from postroom.mail.content.displayed_text import best_text
    from postroom.mail.content.format_flowed import paragraphs
    from postroom.mail.content.parts_as_files import File, enclosed_files, files
    from postroom.mail.content.reactions import Reaction, reaction
    from postroom.mail.content.signed import protection
else:
    __getattr__ = lazily(
        __name__,
        {
            "body_parts": ["Bodies", "bodies"],
            "calendar": ["ANSWERS", "Invitation", "Moment", "calendar_answer", "invitation", "told"],
            "displayed_text": ["best_text"],
            "format_flowed": ["paragraphs"],
            "parts_as_files": ["File", "enclosed_files", "files"],
            "reactions": ["Reaction", "reaction"],
            "signed": ["protection"],
        },
    )

__all__ = [
    "ANSWERS",
    "Bodies",
    "File",
    "Invitation",
    "Moment",
    "Reaction",
    "best_text",
    "bodies",
    "calendar_answer",
    "enclosed_files",
    "files",
    "invitation",
    "paragraphs",
    "protection",
    "reaction",
    "told",
]
