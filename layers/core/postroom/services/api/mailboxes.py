"""What the API answers about mailboxes: how they are, what to see to, what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from postroom.errors import NotFound, no_such
from postroom.model import Balance, OutboxState
from postroom.model.access import Block, Level, Principal
from postroom.model.configuration import Configuration, Mailbox
from postroom.ports import Arrivals, Clock, DatedConfigurations, Looks, MailboxStates, SecretDates
from postroom.ports import InteractionLists as InteractionLists
from postroom.ports import OutboxHistory as OutboxHistory
from postroom.rules.access import require, scope_of_mailbox, visible
from postroom.services.api.answers import (
    MailboxCosts,
    MailboxHealth,
    MailboxNow,
    MailboxPage,
    MailboxProblems,
    MailboxRow,
    MailboxShown,
    MailSetAside,
    PollBalance,
    Service,
    ToQueue,
    Warned,
)
from postroom.services.api.stores import MOST_ROWS
from postroom.services.mailboxes import Delay, Polls, costs, delays, secrets_of, view
from postroom.services.outbound import view as outbox_view
from postroom.services.why import unfetched

MOST_MAILBOXES = 100
"""Mailboxes of a page, which ends sooner where they have much to tell."""

LARGEST_PAGE = 100_000
"""Bytes of JSON."""


@dataclass(frozen=True, slots=True)
class MailboxQueries:
    """Questions about mailboxes; `secret_dates`, `arrivals` and `looks` None: what they know is not told."""

    interactions: InteractionLists
    outbox: OutboxHistory
    configurations: DatedConfigurations
    states: MailboxStates
    clock: Clock
    secret_dates: SecretDates | None = None
    arrivals: Arrivals | None = None
    looks: Looks | None = None

    def service(self) -> Service:
        """Tell that the API and its table answer, and which configuration is in force."""
        configuration = self.configurations.current()
        return Service(mailboxes=len(configuration.mailboxes), queues=len(configuration.queues))

    def page(self, *, principal: Principal, after: str = "", most: int = MOST_MAILBOXES) -> MailboxPage:
        """List mailboxes from the one behind `after` on, in at most LARGEST_PAGE bytes, but one mailbox at least.

        `next` is the name of the last one.

        Raises NotFound for a cursor whose mailbox is gone.
        """
        configuration = self.configurations.current()
        seen = visible(principal, Block.MAILBOX_HEALTH)
        mailboxes = [one for one in configuration.mailboxes if seen.admits(scope_of_mailbox(configuration, one))]
        start = 0
        if after:
            place = [mailbox.name for mailbox in mailboxes]
            if after not in place:
                raise NotFound(
                    "There is no mailbox of this cursor any more", on=after, remedy="Begin again without `cursor`."
                )
            start = place.index(after) + 1
        asked = mailboxes[start : start + most]
        shown: list[MailboxRow] = []
        size = 0
        for row in self._rows(asked, configuration):
            size += len(row.model_dump_json(by_alias=True)) + 2
            if shown and size > LARGEST_PAGE:
                break
            shown.append(row)
        more = start + len(shown) < len(mailboxes)
        return MailboxPage(items=tuple(shown), next=shown[-1].name if more and shown else None, as_of=self.clock())

    def all(self) -> list[MailboxRow]:
        """List all mailboxes at once, for who prints them on the spot."""
        configuration = self.configurations.current()
        return list(self._rows(configuration.mailboxes, configuration))

    def show(self, name: str, *, principal: Principal) -> MailboxShown:
        """Show one mailbox: its settings (secrets as references), health, last balances, and what to see to."""
        configuration, mailbox = self._existing(name, principal)
        ((now, polls),) = self._now([configuration.effective(mailbox)], configuration)
        return MailboxShown(settings=mailbox, balances=tuple(polls), **_parts(now))

    def unfetched(self, name: str, *, principal: Principal) -> MailboxProblems:
        """List the mails of a mailbox that were given up or set aside."""
        self._existing(name, principal)
        found = unfetched.unfetched(name, configurations=self.configurations, states=self.states)
        return MailboxProblems(items=tuple(MailSetAside.model_validate(one) for one in found))

    def cost(self, name: str, *, principal: Principal) -> MailboxCosts:
        """Estimate what a mailbox costs a month, by what was counted."""
        self._existing(name, principal)
        (found,) = self.costs((name,))
        return MailboxCosts(mailbox=name, total=found.dollars, parts={line.what: line.dollars for line in found.steps})

    def _existing(self, name: str, principal: Principal) -> tuple[Configuration, Mailbox]:
        configuration = self.configurations.current()
        mailbox = configuration.mailbox(name)
        if mailbox is None:
            raise no_such("mailbox", on=name)
        scope = scope_of_mailbox(configuration, mailbox)
        require(principal, scope, (Block.MAILBOXES, Level.VIEW), on=name, noun="mailbox")
        return configuration, mailbox

    def costs(self, names: Sequence[str] = (), *, mails: float | None = None) -> list[costs.Estimate]:
        """Estimate what mailboxes cost a month, the named ones or all; by what was counted, or by so many mails."""
        configuration = self.configurations.current()
        wanted = [mailbox for mailbox in configuration.mailboxes if mailbox.name in names or not names]
        states = self.states.load([mailbox.identity for mailbox in wanted]) if wanted else {}
        return costs.estimates(wanted, configuration, states, now=self.clock(), mails=mails)

    def _rows(self, asked: Sequence[Mailbox], configuration: Configuration) -> Iterator[MailboxRow]:
        mailboxes = [configuration.effective(mailbox) for mailbox in asked]
        for mailbox, (now, polls) in zip(mailboxes, self._now(mailboxes, configuration), strict=True):
            yield MailboxRow(
                name=mailbox.name,
                address=mailbox.address,
                type=mailbox.type,
                department=mailbox.department,
                enabled=mailbox.enabled,
                last_poll=polls[-1] if polls else None,
                **_parts(now),
            )

    def _now(
        self, mailboxes: Sequence[Mailbox], configuration: Configuration
    ) -> list[tuple[MailboxNow, list[PollBalance]]]:
        if not mailboxes:
            return []
        states = self.states.load([mailbox.identity for mailbox in mailboxes])
        dates = self.secret_dates.valid_until(secrets_of(mailboxes)) if self.secret_dates else {}
        now = self.clock()
        slow: Mapping[str, Delay] = {}
        if self.arrivals is not None:
            slow = delays(mailboxes, states, configuration=configuration, arrivals=self.arrivals)
        polls = self._polls(mailboxes)
        estimated = costs.estimates(mailboxes, configuration, states, now=now)
        deferred = islice(self.interactions.list_outbox(OutboxState.DEFERRED, newest_first=False), MOST_ROWS)
        ids = [*(row["id"] for row in deferred), *islice(self.outbox.unarrived(), MOST_ROWS)]
        unsent = outbox_view.concerns(self.outbox.read(ids).values())
        told = []
        for mailbox, cost in zip(mailboxes, estimated, strict=True):
            seen = view(mailbox, states[mailbox.identity], now=now, valid_until=dates, polls=polls.get(mailbox.name))
            delay = slow.get(mailbox.identity)
            warnings = (*seen.warnings, *unsent.get(mailbox.identity, ()))
            here = MailboxNow(
                health=MailboxHealth.model_validate(seen.health),
                looked_at=seen.looked_at,
                last_look=seen.last_look,
                waiting_since=seen.waiting_since,
                lag=seen.lag,
                lag_exact=seen.lag_exact,
                problems=seen.problems,
                warnings=tuple(Warned.model_validate(one) for one in warnings),
                to_queue=ToQueue.model_validate(delay) if delay else None,
                monthly_cost=round(cost.dollars, 4),
            )
            told.append((here, [_balance(at, balance) for at, balance in seen.polls]))
        return told

    def _polls(self, mailboxes: Sequence[Mailbox]) -> Mapping[str, Polls]:
        if self.looks is None:
            return {}
        last = self.looks.last([mailbox.name for mailbox in mailboxes])
        since = self.configurations.in_force_since()
        return {mailbox.name: Polls(last.get(mailbox.name), since) for mailbox in mailboxes}


def _balance(at: datetime, balance: Balance) -> PollBalance:
    return PollBalance(
        at=at,
        listed=balance.listed,
        stored=balance.stored,
        known=balance.known,
        oversize=balance.oversize,
        problem=balance.problem,
        left=balance.left,
        even=balance.even,
    )


def _parts(now: MailboxNow) -> dict[str, Any]:
    return {name: getattr(now, name) for name in MailboxNow.model_fields}
