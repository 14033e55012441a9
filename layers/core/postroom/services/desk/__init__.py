"""The desk: what people do with cases, and what mail, time and the outbox do to them."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.desk.case_change import MOST_TRIES, Members, busy, change, read
    from postroom.services.desk.incoming import IncomingCases, ReportOnMail, first_case
    from postroom.services.desk.older_mail import adopt
    from postroom.services.desk.outcomes import follow_outbound, look_after
    from postroom.services.desk.replies import Answering, CaseReplies
    from postroom.services.desk.timers import run_due
    from postroom.services.desk.work import CaseWork
else:
    __getattr__ = lazily(
        __name__,
        {
            "case_change": ["MOST_TRIES", "Members", "busy", "change", "read"],
            "incoming": ["IncomingCases", "ReportOnMail", "first_case"],
            "older_mail": ["adopt"],
            "outcomes": ["follow_outbound", "look_after"],
            "replies": ["Answering", "CaseReplies"],
            "timers": ["run_due"],
            "work": ["CaseWork"],
        },
    )

__all__ = [
    "MOST_TRIES",
    "Answering",
    "CaseReplies",
    "CaseWork",
    "IncomingCases",
    "Members",
    "ReportOnMail",
    "adopt",
    "busy",
    "change",
    "first_case",
    "follow_outbound",
    "look_after",
    "read",
    "run_due",
]
