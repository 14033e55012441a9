"""Everything behind the API's routes, by what is asked about."""

from __future__ import annotations

from dataclasses import dataclass

from postroom.ports import Arrivals, Clock, Contents, DatedConfigurations, Looks, MailboxStates, Queue, SecretDates
from postroom.ports import InteractionLists as InteractionLists
from postroom.ports import OutboxHistory as OutboxHistory
from postroom.services.api.cases import CaseDesk
from postroom.services.api.configuration import ConfigurationDesk
from postroom.services.api.interactions import InteractionQueries, Replies
from postroom.services.api.mailboxes import MailboxQueries
from postroom.services.api.outbox import OutboxQueries
from postroom.services.people import AuditLog, People, RoleBook


@dataclass(frozen=True, slots=True)
class Queries:
    """What the API and the command line answer from."""

    mailboxes: MailboxQueries
    interactions: InteractionQueries
    outbox: OutboxQueries
    replies: Replies


def queries(
    *,
    interactions: InteractionLists,
    outbox: OutboxHistory,
    configurations: DatedConfigurations,
    states: MailboxStates,
    outbound_queue: Queue,
    clock: Clock,
    arrivals: Arrivals | None = None,
    secret_dates: SecretDates | None = None,
    looks: Looks | None = None,
    contents: Contents | None = None,
) -> Queries:
    """Put them together; `arrivals`, `secret_dates` and `looks` None: what they know is not told."""
    return Queries(
        mailboxes=MailboxQueries(
            interactions,
            outbox,
            configurations,
            states,
            clock,
            secret_dates=secret_dates,
            arrivals=arrivals,
            looks=looks,
        ),
        interactions=InteractionQueries(interactions, configurations),
        outbox=OutboxQueries(interactions, outbox),
        replies=Replies(interactions, outbox, configurations, outbound_queue, clock, contents),
    )


@dataclass(frozen=True, slots=True)
class Administration:
    """What the routes of administration ask."""

    mailboxes: MailboxQueries
    configuration: ConfigurationDesk
    poll_queue: Queue
    ews_poll_queue: Queue
    people: People
    roles: RoleBook
    audit: AuditLog


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes of agents and supervisors ask."""

    cases: CaseDesk
    interactions: InteractionQueries
    outbox: OutboxQueries
    replies: Replies
