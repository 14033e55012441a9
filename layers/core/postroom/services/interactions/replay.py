"""Process stored mail again with today's rules, first as a dry run that shows the difference (X03).

The interaction keeps its id, its thread, its place in time and its status; nothing is acknowledged or sent again. Only
a wrapped mail that can be read today becomes what it would have become at first (services/interactions/unwrap.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from postroom.errors import NotFound, TooLarge
from postroom.model import (
    MAILBOX_ADDRESS,
    Body,
    Decision,
    Event,
    EventKind,
    Interaction,
    Outcome,
    Status,
    Subtype,
    Understanding,
)
from postroom.model import DecisionRule as Rule
from postroom.ports import Clock, InteractionLists, RawMessages, Rewrites
from postroom.rules import route
from postroom.services.inbound import Facts, Store, preview, stripped, understand, with_replacement_text, wrap
from postroom.services.interactions.unwrap import Whole, whole_again, write_acknowledgement, write_rest
from postroom.services.policy import Policies, Policy

_KEPT_RULES = frozenset({Rule.AUTO_REPLY, Rule.COPIES})  # decided once, when the mail came in
_SHOWN = ("subject", "subtype", "queue", "department", "wrap_reason", "sender", "attributes", "thread_id", "parent_id")


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that today's rules would change."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay changed, or would change."""

    interaction_id: str
    differences: tuple[Difference, ...]
    applied: bool
    problem: str = ""  # why a mail is not as today's rules would have it


@dataclass(frozen=True, slots=True)
class Replay:
    """The use case with what it needs."""

    raw: RawMessages
    stored: InteractionLists
    rewrites: Rewrites
    store: Store
    policies: Policies
    clock: Clock

    def __call__(self, interaction_id: str, *, apply: bool, who: str) -> Replayed:
        """Read one stored mail again; with `apply`, record the result and who asked for it."""
        before = self.stored.get(interaction_id)
        body_before = self.stored.body(interaction_id)
        if before is None or body_before is None:
            raise NotFound("there is no such inbound interaction", on=interaction_id)
        if before.wrap_reason is not None and (whole := self._whole(before)) is not None:
            return self._made_whole(before, body_before, whole, apply=apply, who=who)
        after, body, problem = self._again(before, body_before)
        differences = tuple(_differences(before, after, body_before, body))
        if apply and differences:
            self.rewrites.rewrite(before, after, body=body, event=self._event(differences, who))
            self.store.cases.reread(after, who=who, now=self.clock())
        return Replayed(interaction_id, differences, applied=bool(apply and differences), problem=problem)

    def _event(self, differences: tuple[Difference, ...], who: str) -> Event:
        detail = ", ".join(one.field for one in differences)
        return Event(at=self.clock(), what=EventKind.REPLAYED, detail=detail, who=who)

    def _whole(self, before: Interaction) -> Whole | None:
        """Plan a wrapped mail anew; None when it cannot be read today either, or no item holds it."""
        stored = self.raw.get(before.raw_key)
        policy, mailbox = self.policies.of_mailbox(before.mailbox)
        mail = understand(stored.content, policy=policy)
        if mail.wrap_reason is not None:
            return None
        facts = Facts(stored, before.mailbox, mailbox, self.clock())
        whole = whole_again(before, mail, policy=policy, facts=facts, interactions=self.stored)
        if whole is None:
            return None
        try:
            self.rewrites.check(whole.own.interaction, body=whole.own.body)
        except TooLarge:
            return None
        return whole

    def _made_whole(self, before: Interaction, body_before: Body, whole: Whole, *, apply: bool, who: str) -> Replayed:
        after, sent = whole.own.interaction, whole.own.acknowledgement.id if whole.own.acknowledgement else None
        if apply:
            after, sent = write_acknowledgement(whole.own, self.store)
        found = _differences(before, after, body_before, whole.own.body)
        names = [[one.name for one in interaction.attachments] for interaction in (before, after)]
        found += [Difference("attachments", *names)] if names[0] != names[1] else []
        found += [Difference("acknowledgement", None, sent)] if sent else []
        differences = tuple(found)
        if apply:
            self.rewrites.rewrite(before, after, body=whole.own.body, event=self._event(differences, who))
            self.store.cases.reread(after, who=who, now=self.clock())
            write_rest(whole, after, sent, self.store)
        return Replayed(before.id, differences, applied=apply)

    def _again(self, before: Interaction, body_before: Body) -> tuple[Interaction, Body, str]:
        """Return the mail as today's rules have it; with a problem, as it can be kept."""
        stored = self.raw.get(before.raw_key)
        policy, mailbox = self.policies.of_mailbox(before.mailbox)
        facts = Facts(stored, before.mailbox, mailbox, before.created)
        mail = understand(stored.content, policy=policy)
        if facts.oversize:
            mail = stripped(mail, policy, facts)
        after, body = _rewritten(before, mail, policy, facts)
        try:
            self.rewrites.check(after, body=body)
        except TooLarge as error:
            if before.wrap_reason is None:
                return before, body_before, f"{error.what}: it stays as it is"
            mail = wrap(stored.content, error.what, policy=policy, raw_key=before.raw_key)
            after, body = _rewritten(before, mail, policy, facts)
            return after, body, f"{error.what}: it stays wrapped, with the original attached"
        return after, body, ""


def _rewritten(before: Interaction, mail: Understanding, policy: Policy, facts: Facts) -> tuple[Interaction, Body]:
    subtype = mail.subtype or _of_a_person(before)
    routed = route(policy.configuration, facts.mailbox, subtype)
    queue = routed.queue if before.status is Status.QUEUED else before.queue
    kept = tuple(one for one in before.decisions if one.rule in _KEPT_RULES or one.rule.startswith("thread."))
    body = with_replacement_text(mail.body, policy)
    after = replace(
        before,
        subject=mail.subject,
        sender=mail.sender,
        reply_to=mail.reply_to,
        to=mail.to,
        cc=mail.cc,
        date=mail.date,
        subtype=subtype,
        queue=queue,
        department=routed.department,
        wrap_reason=mail.wrap_reason,
        attributes={**_copied(before), **mail.attributes},
        decisions=(
            *mail.decisions,
            *kept,
            *routed.decisions,
            Decision(Rule.REPLAY, Outcome.REPLAYED, "by today's rules"),
        ),
        preview=preview(mail.body),
    )
    return after, body


def _of_a_person(before: Interaction) -> Subtype:
    return Subtype.INBOUND_CUSTOMER_REPLY if before.thread_id != before.id else Subtype.INBOUND_NEW


def _copied(before: Interaction) -> dict[str, str]:
    """Keep what is not in the mail's bytes: which recipient a copy is for, and the address that the mail came in by."""
    return {
        name: value
        for name, value in before.attributes.items()
        if name.lower().startswith("x-") or name == MAILBOX_ADDRESS
    }


def _differences(before: Interaction, after: Interaction, old: Body, new: Body) -> list[Difference]:
    found = [
        Difference(name, getattr(before, name), getattr(after, name))
        for name in _SHOWN
        if getattr(before, name) != getattr(after, name)
    ]
    found += [
        Difference(name, getattr(old, name), getattr(new, name))
        for name in ("text", "text_reply", "html")
        if getattr(old, name) != getattr(new, name)
    ]
    return found
