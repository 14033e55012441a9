"""The one place where services are wired to adapters: for functions, the command line, the local runner and tests.

Nothing happens at import time. What a function needs is made at its first event and kept while it is warm; imports of
what only some functions need stand inside the functions, since import time is what a cold start waits for.
"""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.bootstrap.administration import installation_of
    from postroom.bootstrap.answers import admin_api, desk_api, door
    from postroom.bootstrap.clients import forget
    from postroom.bootstrap.inbound import process_again, process_inbound, sweep
    from postroom.bootstrap.mail_servers import connectors, probe, redeem, tokens
    from postroom.bootstrap.outbound import send_outbound, track_delivery
    from postroom.bootstrap.polling import fetch_ews, fetch_mailboxes, schedule_polls
    from postroom.bootstrap.queues import put_off
    from postroom.bootstrap.stores import Stores, client_of
else:
    __getattr__ = lazily(
        __name__,
        {
            "administration": ["installation_of"],
            "answers": ["admin_api", "desk_api", "door"],
            "clients": ["forget"],
            "inbound": ["process_again", "process_inbound", "sweep"],
            "mail_servers": ["connectors", "probe", "redeem", "tokens"],
            "outbound": ["send_outbound", "track_delivery"],
            "polling": ["fetch_ews", "fetch_mailboxes", "schedule_polls"],
            "queues": ["put_off"],
            "stores": ["Stores", "client_of"],
        },
    )

__all__ = [
    "Stores",
    "admin_api",
    "client_of",
    "connectors",
    "desk_api",
    "door",
    "fetch_ews",
    "fetch_mailboxes",
    "forget",
    "installation_of",
    "probe",
    "process_again",
    "process_inbound",
    "put_off",
    "redeem",
    "schedule_polls",
    "send_outbound",
    "sweep",
    "tokens",
    "track_delivery",
]
