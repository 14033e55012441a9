"""OAuth accounts: consent."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.accounts import consent
    from postroom.services.accounts.consent import ConsentRequest
else:
    __getattr__ = lazily(
        __name__,
        {
            "consent": ["ConsentRequest"],
        },
    )

__all__ = [
    "ConsentRequest",
    "consent",
]
