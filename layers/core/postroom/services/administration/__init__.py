"""Changes by an administrator, with all that follows from them."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.administration.change_configuration import put_in_force, try_again_with
    from postroom.services.administration.queues_with_mail import keep_queues_with_mail, past_queues, queues_of
else:
    __getattr__ = lazily(
        __name__,
        {
            "change_configuration": ["put_in_force", "try_again_with"],
            "queues_with_mail": ["keep_queues_with_mail", "past_queues", "queues_of"],
        },
    )

__all__ = [
    "keep_queues_with_mail",
    "past_queues",
    "put_in_force",
    "queues_of",
    "try_again_with",
]
