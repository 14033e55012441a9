"""HTML of strangers: made harmless, and as text."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.mail.html.as_text import to_text
    from postroom.mail.html.links import odd_links
    from postroom.mail.html.sanitiser import SanitisedHtml, sanitise
    from postroom.mail.html.shown import visible_controls
else:
    __getattr__ = lazily(
        __name__,
        {
            "as_text": ["to_text"],
            "links": ["odd_links"],
            "sanitiser": ["SanitisedHtml", "sanitise"],
            "shown": ["visible_controls"],
        },
    )

__all__ = [
    "SanitisedHtml",
    "odd_links",
    "sanitise",
    "to_text",
    "visible_controls",
]
