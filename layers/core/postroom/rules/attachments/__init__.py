"""Which attachments are kept out of reach."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.rules.attachments import judge
    from postroom.rules.attachments.judge import Action
    from postroom.rules.attachments.remark import remarks
else:
    __getattr__ = lazily(
        __name__,
        {
            "judge": ["Action"],
            "remark": ["remarks"],
        },
    )

__all__ = [
    "Action",
    "judge",
    "remarks",
]
