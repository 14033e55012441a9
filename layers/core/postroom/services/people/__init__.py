"""Users, roles and sign-in."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.people.first import appoint_administrator
    from postroom.services.people.principals import Principals
else:
    __getattr__ = lazily(
        __name__,
        {
            "first": ["appoint_administrator"],
            "principals": ["Principals"],
        },
    )

__all__ = [
    "Principals",
    "appoint_administrator",
]
