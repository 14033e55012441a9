"""Decisions: what kind of mail it is, where it goes, which thread it joins. Pure."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.rules import delivery_exceptions, limits, patterns, recipients, thread_markers, way_out
    from postroom.rules.answer_address import AnswerTo, Basis, ForwardsTo, answer_to
    from postroom.rules.delivery_exceptions import (
        DeliveryException,
        ExceptionType,
        Failure,
        evaluate,
        predefined,
        problem_with,
    )
    from postroom.rules.kind import REACTION, Kind, decide_kind
    from postroom.rules.patterns import compile_pattern, explain
    from postroom.rules.recipients import Addressed, is_own, own_addresses
    from postroom.rules.routing import department_of, route
    from postroom.rules.sending_options import Sending, explained, sending_of
    from postroom.rules.threads import (
        Claims,
        ReferenceFact,
        SubjectFact,
        ThreadDecision,
        ThreadSettings,
        TokenFact,
        decide,
    )
    from postroom.rules.way_out import Recipients, recipients_of, server_of
else:
    __getattr__ = lazily(
        __name__,
        {
            "answer_address": ["AnswerTo", "Basis", "ForwardsTo", "answer_to"],
            "delivery_exceptions": [
                "DeliveryException",
                "ExceptionType",
                "Failure",
                "evaluate",
                "predefined",
                "problem_with",
            ],
            "kind": ["Kind", "REACTION", "decide_kind"],
            "patterns": ["compile_pattern", "explain"],
            "recipients": ["Addressed", "is_own", "own_addresses"],
            "routing": ["department_of", "route"],
            "sending_options": ["Sending", "explained", "sending_of"],
            "threads": [
                "Claims",
                "ReferenceFact",
                "SubjectFact",
                "ThreadDecision",
                "ThreadSettings",
                "TokenFact",
                "decide",
            ],
            "way_out": ["Recipients", "recipients_of", "server_of"],
        },
    )

__all__ = [
    "REACTION",
    "Addressed",
    "AnswerTo",
    "Basis",
    "Claims",
    "DeliveryException",
    "ExceptionType",
    "Failure",
    "ForwardsTo",
    "Kind",
    "Recipients",
    "ReferenceFact",
    "Sending",
    "SubjectFact",
    "ThreadDecision",
    "ThreadSettings",
    "TokenFact",
    "answer_to",
    "compile_pattern",
    "decide",
    "decide_kind",
    "delivery_exceptions",
    "department_of",
    "evaluate",
    "explain",
    "explained",
    "is_own",
    "limits",
    "own_addresses",
    "patterns",
    "predefined",
    "problem_with",
    "recipients",
    "recipients_of",
    "route",
    "sending_of",
    "server_of",
    "thread_markers",
    "way_out",
]
