"""What the HTTP API answers: plain values for JSON, made by the same services that the command line uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from itertools import islice
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from postroom import ports
from postroom.errors import Invalid, NotFound, Problem
from postroom.model.configuration.document import Configuration
from postroom.model.configuration.mailbox import Mailbox
from postroom.model.interaction import Event
from postroom.model.outbound import Outbound, OutboxState
from postroom.ports import Clock, Configurations, MailboxStates, Queue
from postroom.services.mailboxes import costs
from postroom.services.mailboxes.latency import Arrivals, Delay, delays
from postroom.services.mailboxes.view import SecretDates, secrets_of, view
from postroom.services.outbound import reply as replying
from postroom.services.outbound import view as outbox_view

MOST_ROWS = 200
"""Rows of a list in one answer; older ones are reached by narrowing the question."""


class Interactions(ports.Interactions, Protocol):
    """Interactions with their lists and history."""

    def history(self, interaction_id: str) -> list[Event]: ...

    def list_queue(self, queue: str, *, newest_first: bool = True) -> Iterable[Mapping[str, Any]]: ...

    def list_outbox(self, state: OutboxState, *, newest_first: bool = True) -> Iterable[Mapping[str, Any]]: ...


class Outbox(ports.Outbox, Protocol):
    """The outbox with its history."""

    def history(self, outbound_id: str) -> list[Event]: ...

    def read(self, ids: Sequence[str]) -> Mapping[str, Outbound]: ...


class ReplyRequest(BaseModel):
    """What an agent sends; empty recipients and subject are taken from the interaction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(description="The answer as plain text.")
    html: str | None = Field(None, description="The same as HTML.")
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything behind the API's routes; one method a route."""

    interactions: Interactions
    outbox: Outbox
    configurations: Configurations
    states: MailboxStates
    outbound_queue: Queue
    clock: Clock
    secret_dates: SecretDates | None = None  # None: expiring secrets are not foretold
    arrivals: Arrivals | None = None  # None: how long mail takes is not told

    def health(self) -> dict[str, Any]:
        """Tell that the API and its table answer, and which configuration is in force."""
        configuration = self.configurations.current()
        return {"status": "ok", "mailboxes": len(configuration.mailboxes), "queues": len(configuration.queues)}

    def mailboxes(self) -> list[dict[str, Any]]:
        """List the mailboxes with their health, their last poll that found something, and what to see to."""
        configuration = self.configurations.current()
        mailboxes = [configuration.effective(mailbox) for mailbox in configuration.mailboxes]
        listed = []
        for mailbox, seen in zip(mailboxes, self._views(mailboxes, configuration), strict=True):
            polls = seen.pop("polls")
            listed.append(
                {
                    "name": mailbox.name,
                    "address": mailbox.address,
                    "type": mailbox.type.value,
                    "department": mailbox.department,
                    "enabled": mailbox.enabled,
                    **seen,
                    "last_poll": polls[-1] if polls else None,
                }
            )
        return listed

    def mailbox(self, name: str) -> dict[str, Any]:
        """Show one mailbox: its settings (secrets as references), health, last balances, and what to see to."""
        configuration = self.configurations.current()
        mailbox = configuration.mailbox(name)
        if mailbox is None:
            raise NotFound("there is no such mailbox", on=name)
        seen = self._views([configuration.effective(mailbox)], configuration)[0]
        return {"settings": mailbox.model_dump(mode="json"), "balances": seen.pop("polls"), **seen}

    def costs(self, names: Sequence[str] = (), *, mails: float | None = None) -> list[costs.Estimate]:
        """Estimate what mailboxes cost a month, the named ones or all; by what was counted, or by so many mails."""
        configuration = self.configurations.current()
        wanted = [mailbox for mailbox in configuration.mailboxes if mailbox.name in names or not names]
        states = self.states.load([mailbox.name for mailbox in wanted]) if wanted else {}
        return costs.estimates(wanted, configuration, states, now=self.clock(), mails=mails)

    def _views(self, mailboxes: Sequence[Mailbox], configuration: Configuration) -> list[dict[str, Any]]:
        if not mailboxes:
            return []
        states = self.states.load([mailbox.name for mailbox in mailboxes])
        dates = self.secret_dates.valid_until(secrets_of(mailboxes)) if self.secret_dates else {}
        now = self.clock()
        slow: Mapping[str, Delay] = {}
        if self.arrivals is not None:
            slow = delays(mailboxes, states, configuration=configuration, arrivals=self.arrivals)
        estimated = costs.estimates(mailboxes, configuration, states, now=now)
        deferred = islice(self.interactions.list_outbox(OutboxState.DEFERRED, newest_first=False), MOST_ROWS)
        unsent = outbox_view.concerns(self.outbox.read([row["id"] for row in deferred]).values())
        views = [view(mailbox, states[mailbox.name], now=now, valid_until=dates) for mailbox in mailboxes]
        return [
            plain(seen)
            | {
                "warnings": plain((*seen.warnings, *unsent.get(mailbox.name, ()))),
                "to_queue": plain(slow.get(mailbox.name)),
                "monthly_cost": round(cost.dollars, 4),
                "polls": [{"at": at.isoformat(), **plain(balance), "even": balance.even} for at, balance in seen.polls],
            }
            for mailbox, seen, cost in zip(mailboxes, views, estimated, strict=True)
        ]

    def in_queue(self, queue: str) -> list[dict[str, Any]]:
        """List the newest interactions of a queue."""
        return [plain(row) for row in islice(self.interactions.list_queue(queue), MOST_ROWS)]

    def interaction(self, interaction_id: str) -> dict[str, Any]:
        """Show one inbound interaction with what people read of it."""
        interaction = self.interactions.get(interaction_id)
        if interaction is None:
            raise NotFound("there is no such interaction", on=interaction_id)
        body = self.interactions.body(interaction_id)
        shown: dict[str, Any] = plain(interaction)
        return shown | {"body": plain(body)}

    def history(self, interaction_id: str) -> dict[str, Any]:
        """Tell what was decided on an interaction when it came, and what happened to it since."""
        interaction = self.interactions.get(interaction_id)
        if interaction is None:
            raise NotFound("there is no such interaction", on=interaction_id)
        return {
            "decisions": plain(interaction.decisions),
            "events": plain(self.interactions.history(interaction_id)),
        }

    def reply(self, interaction_id: str, wanted: ReplyRequest, *, key: str, agent: str) -> dict[str, Any]:
        """Put a reply into the outbox; the same key again answers with the same mail."""
        replied = replying.reply(
            interaction_id,
            replying.Reply(**wanted.model_dump(), idempotency_key=key, agent=agent),
            interactions=self.interactions,
            outbox=self.outbox,
            configurations=self.configurations,
            outbound_queue=self.outbound_queue,
            clock=self.clock,
        )
        return {"id": replied.outbound.id, "state": replied.outbound.state.value, "created": replied.created}

    def in_outbox(self, state: str) -> list[dict[str, Any]]:
        """List the newest outbound mails in a state."""
        try:
            wanted = OutboxState(state.upper())
        except ValueError as error:
            states = ", ".join(known.value for known in OutboxState)
            raise Invalid([Problem("state", f"{state!r} is no state.", f"Use one of {states}.")]) from error
        rows = [plain(row) for row in islice(self.interactions.list_outbox(wanted), MOST_ROWS)]
        # The index does not carry why: written there, it would cost every mail a write unit more.
        found = self.outbox.read([row["id"] for row in rows])
        return [{**row, **outbox_view.told(found.get(row["id"]))} for row in rows]

    def outbound(self, outbound_id: str) -> dict[str, Any]:
        """Show one outbound mail with its history."""
        outbound = self.outbox.get(outbound_id)
        if outbound is None:
            raise NotFound("there is no such outbound mail", on=outbound_id)
        shown: dict[str, Any] = plain(outbound)
        return shown | outbox_view.told(outbound) | {"events": plain(self.outbox.history(outbound_id))}


def plain(value: Any) -> Any:
    """Turn a model into what JSON can say; bytes are left out, since files have their own way to people."""
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: plain(part) for name, part in parts.items() if not isinstance(part, bytes)}
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(name): plain(part) for name, part in value.items() if not isinstance(part, bytes)}
        case str() | int() | float() | None:
            return value
        case Iterable():
            return [plain(part) for part in value]
    return str(value)


def caller(event: Mapping[str, Any]) -> str:
    """Name who calls, as the authorizer proved it: a token's user, or an IAM principal; HTTP API format 2.0."""
    authorizer = event.get("requestContext", {}).get("authorizer", {})
    claims = authorizer.get("jwt", {}).get("claims", {})
    names = (claims.get("email"), claims.get("username"), claims.get("sub"), authorizer.get("iam", {}).get("userArn"))
    return next((str(name) for name in names if name), "unknown")
