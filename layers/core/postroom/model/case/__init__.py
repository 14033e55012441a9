"""The case: the work on one thread, its lists, and what lies beside it."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.model.case.beside import Doing, Draft, Note, Presence
    from postroom.model.case.lists import CaseChange, CaseList, CasePage, CaseRow, ListKind
    from postroom.model.case.number import case_number, parse_case_number
    from postroom.model.case.places import due, list_of, urgency
    from postroom.model.case.work import (
        EVENTS_KEPT,
        MAILS_KEPT,
        REPORTS_KEPT,
        Case,
        CaseAnswer,
        CaseCounts,
        CaseEffects,
        CaseEvent,
        CaseEventKind,
        CaseState,
        Wait,
    )
else:
    __getattr__ = lazily(
        __name__,
        {
            "beside": ["Doing", "Draft", "Note", "Presence"],
            "lists": ["CaseChange", "CaseList", "CasePage", "CaseRow", "ListKind"],
            "number": ["case_number", "parse_case_number"],
            "places": ["due", "list_of", "urgency"],
            "work": [
                "Case",
                "CaseAnswer",
                "CaseCounts",
                "CaseEffects",
                "CaseEvent",
                "CaseEventKind",
                "CaseState",
                "EVENTS_KEPT",
                "MAILS_KEPT",
                "REPORTS_KEPT",
                "Wait",
            ],
        },
    )

__all__ = [
    "EVENTS_KEPT",
    "MAILS_KEPT",
    "REPORTS_KEPT",
    "Case",
    "CaseAnswer",
    "CaseChange",
    "CaseCounts",
    "CaseEffects",
    "CaseEvent",
    "CaseEventKind",
    "CaseList",
    "CasePage",
    "CaseRow",
    "CaseState",
    "Doing",
    "Draft",
    "ListKind",
    "Note",
    "Presence",
    "Wait",
    "case_number",
    "due",
    "list_of",
    "parse_case_number",
    "urgency",
]
