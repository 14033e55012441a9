"""Changes by an administrator, with all that follows from them."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.administration.change_configuration import put_in_force, try_again_with
else:
    __getattr__ = lazily(
        __name__,
        {
            "change_configuration": ["put_in_force", "try_again_with"],
        },
    )

__all__ = [
    "put_in_force",
    "try_again_with",
]
