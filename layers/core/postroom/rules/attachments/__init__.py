"""Which attachments are kept out of reach."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.rules.attachments import judge
    from postroom.rules.attachments.judge import Action
else:
    __getattr__ = lazily(
        __name__,
        {
            "judge": ["Action"],
        },
    )

__all__ = [
    "Action",
    "judge",
]
