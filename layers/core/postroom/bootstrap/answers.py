"""The functions that answer the HTTP API, and the door before both."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from postroom.bootstrap import clients

if TYPE_CHECKING:
    from postroom.services.api import Administration, Desk
    from postroom.services.desk import CaseReplies, CaseWork
    from postroom.services.requests import Door


@clients.kept
def door() -> Door:
    """Know who asks; reads users and roles, and counts requests."""
    from postroom.services.requests import door as put_together

    stores = clients.stores(clients.settings("table"))
    return put_together(users=stores.users, roles=stores.roles, memory=stores.request_memory, clock=clients.utc_now)


@clients.kept
def admin_api() -> Administration:
    """Answer the routes of administration."""
    from postroom.bootstrap.administration import installation_of
    from postroom.services.api import Administration, ConfigurationDesk, MailboxQueries
    from postroom.services.people import AuditLog, People, RoleBook

    settings = clients.settings(
        "table", "content_bucket", "outbound_queue", "poll_queue", "ews_poll_queue", "first_administrator"
    )
    stores = clients.stores(settings)
    mailboxes = MailboxQueries(
        stores.interactions,
        stores.outbox,
        stores.configurations,
        stores.states,
        clients.utc_now,
        arrivals=stores.arrivals,
        looks=stores.looks,
    )
    return Administration(
        mailboxes=mailboxes,
        configuration=ConfigurationDesk(installation_of(stores, clock=clients.utc_now)),
        poll_queue=stores.queue("poll_queue"),
        ews_poll_queue=stores.queue("ews_poll_queue"),
        people=People(
            stores.users,
            stores.roles,
            stores.configurations,
            clients.utc_now,
            first_administrator=settings["first_administrator"],
        ),
        roles=RoleBook(stores.roles, stores.users, clients.utc_now),
        audit=AuditLog(stores.audit, clients.utc_now),
    )


@clients.kept
def desk_api() -> Desk:
    """Answer the routes of agents and supervisors; reads, and writes cases and replies."""
    from postroom.services.api import CaseDesk, Desk, InteractionQueries, OutboxQueries, Replies

    stores = clients.stores(clients.settings("table", "content_bucket", "outbound_queue"))

    @cache
    def work() -> CaseWork:
        from postroom.services.desk import CaseWork

        return CaseWork(stores.cases, stores.case_notes, stores.configurations, clients.utc_now)

    @cache
    def replies() -> CaseReplies:
        # Imported when the first answer is written: it brings masking and threading, which no reader waits for.
        from postroom.services.desk import CaseReplies

        return CaseReplies(
            stores.cases,
            stores.interactions,
            stores.outbox,
            stores.configurations,
            stores.contents,
            stores.queue("outbound_queue"),
            clients.utc_now,
        )

    return Desk(
        cases=CaseDesk(
            stores.cases,
            stores.case_notes,
            stores.interactions,
            stores.configurations,
            clients.utc_now,
            work=work,
            replies=replies,
        ),
        interactions=InteractionQueries(stores.interactions, stores.configurations),
        outbox=OutboxQueries(stores.interactions, stores.outbox),
        replies=Replies(
            stores.interactions,
            stores.outbox,
            stores.configurations,
            stores.queue("outbound_queue"),
            clients.utc_now,
            stores.contents,
        ),
    )
