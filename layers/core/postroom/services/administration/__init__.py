"""Administration: commands on the configuration, how they are put in force, and all that follows from them."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.administration.carrying_out import Performed, PreparedChange, carry_out, perform, propose
    from postroom.services.administration.command_rules import NOUNS, SECTIONS, decide, existing_object
    from postroom.services.administration.commands import (
        SWITCHES,
        Add,
        Apply,
        Command,
        Convert,
        Modify,
        Remove,
        Rename,
        Replace,
        Revert,
        RollBack,
        Switch,
    )
    from postroom.services.administration.entered_secret import try_again_with
    from postroom.services.administration.history import enabled_and_gone, history_of
    from postroom.services.administration.polling import poll_now
    from postroom.services.administration.publication import Installation, publish
    from postroom.services.administration.queues_with_mail import keep_queues_with_mail, past_queues, queues_of
    from postroom.services.administration.rights import BLOCKS, authorise, noun_of, scope_of
else:
    __getattr__ = lazily(
        __name__,
        {
            "carrying_out": ["Performed", "PreparedChange", "carry_out", "perform", "propose"],
            "command_rules": ["NOUNS", "SECTIONS", "decide", "existing_object"],
            "commands": [
                "Add",
                "Apply",
                "Command",
                "Convert",
                "Modify",
                "Remove",
                "Rename",
                "Replace",
                "Revert",
                "RollBack",
                "SWITCHES",
                "Switch",
            ],
            "entered_secret": ["try_again_with"],
            "history": ["enabled_and_gone", "history_of"],
            "polling": ["poll_now"],
            "publication": ["Installation", "publish"],
            "queues_with_mail": ["keep_queues_with_mail", "past_queues", "queues_of"],
            "rights": ["BLOCKS", "authorise", "noun_of", "scope_of"],
        },
    )

__all__ = [
    "BLOCKS",
    "NOUNS",
    "SECTIONS",
    "SWITCHES",
    "Add",
    "Apply",
    "Command",
    "Convert",
    "Installation",
    "Modify",
    "Performed",
    "PreparedChange",
    "Remove",
    "Rename",
    "Replace",
    "Revert",
    "RollBack",
    "Switch",
    "authorise",
    "carry_out",
    "decide",
    "enabled_and_gone",
    "existing_object",
    "history_of",
    "keep_queues_with_mail",
    "noun_of",
    "past_queues",
    "perform",
    "poll_now",
    "propose",
    "publish",
    "queues_of",
    "scope_of",
    "try_again_with",
]
