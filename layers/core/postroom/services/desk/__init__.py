"""The desk: what people do with cases, and what mail, time and the outbox do to them."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.desk.adopt import adopt
    from postroom.services.desk.change import Members, change
    from postroom.services.desk.incoming import IncomingCases, ReportOnMail, first_case, stored_case
    from postroom.services.desk.threads import Threads
else:
    __getattr__ = lazily(
        __name__,
        {
            "adopt": ["adopt"],
            "change": ["Members", "change"],
            "incoming": ["IncomingCases", "ReportOnMail", "first_case", "stored_case"],
            "threads": ["Threads"],
        },
    )

__all__ = ["IncomingCases", "Members", "ReportOnMail", "Threads", "adopt", "change", "first_case", "stored_case"]
