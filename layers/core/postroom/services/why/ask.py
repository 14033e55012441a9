"""Why is this mail where it is? Every decision and event of a mail, found by whatever an administrator has of it (X04).

Mails that made no new interaction answer too: a repeated one by the interaction it repeats, one that could not be
fetched by its id on the server, one that is stored and waits to be processed by its raw key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from postroom.errors import NotFound
from postroom.mail.outgoing import thread_token
from postroom.model import Decision, Duplicate, Event, Interaction, Named, Outbound, interaction_id, parse_raw_key
from postroom.model import DecisionRule as Rule
from postroom.ports import Configurations, Duplicates, Interactions, MailboxStates, OutboxHistory, RawMessages
from postroom.services.inbound import TOLD
from postroom.services.outbound import view
from postroom.services.why import unfetched
from postroom.services.why.decision_sentences import tell_decision
from postroom.services.why.event_sentences import tell_event
from postroom.services.why.summaries import summary_of_inbound, summary_of_outbound

_ID = re.compile(r"[a-z2-7]{26}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_MAILBOXES = 1000  # asked about the same bytes; an installation has rarely more


@dataclass(frozen=True, slots=True)
class Step:
    """One decision, and the sentence that says it."""

    rule: str
    outcome: str
    detail: str
    says: str


@dataclass(frozen=True, slots=True)
class Happened:
    """One event since, and the sentence that says it."""

    at: datetime
    what: str
    detail: str
    who: str
    says: str


@dataclass(frozen=True, slots=True)
class Related:
    """Another mail that an administrator wants to know of: `how` is a word, `says` the sentence."""

    id: str
    how: str
    says: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One mail: what it is, where and why, what was decided on the way, what happened since, what goes with it."""

    id: str
    direction: str
    mailbox: str
    message_id: str | None
    subject: str
    subtype: str
    state: str
    queue: str | None
    summary: str
    created: datetime | None = None
    thread_id: str = ""
    parent_id: str | None = None
    raw_key: str = ""
    decisions: tuple[Step, ...] = ()
    events: tuple[Happened, ...] = ()
    related: tuple[Related, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """The use case with what it needs."""

    interactions: Interactions
    outbox: OutboxHistory
    configurations: Configurations
    states: MailboxStates
    raw: RawMessages
    duplicates: Duplicates

    def __call__(self, asked: str) -> list[Explanation]:
        """Explain every mail that the text names; NotFound says what was looked for, and what to try."""
        asked = asked.strip()
        for looked in (self._known, self._unprocessed, self._unfetched):
            if found := looked(asked):
                return found
        if self.configurations.current().mailbox(asked):
            raise NotFound(
                "No mail that was seen in this mailbox was left unfetched",
                on=asked,
                remedy="Ask for a mail by its Message-ID or id, see `postroom interaction list`; "
                f"`postroom mailbox show {asked}` tells how the mailbox is.",
            )
        raise NotFound(
            "No mail is known by this name",
            on=asked[:200],
            remedy=" ".join(unfetched.advice(configurations=self.configurations, states=self.states)),
        )

    # --- where it may be ---

    def _known(self, asked: str) -> list[Explanation]:
        found = []
        for one in self._ids(asked):
            interaction = self.interactions.get(one)
            if interaction is not None:
                found.append(self._inbound(interaction))
            elif outbound := self.outbox.get(one):
                found.append(self._outbound(outbound))
            elif duplicate := self.duplicates.find(one):
                found.append(self._duplicate(duplicate))
        return found

    def _ids(self, asked: str) -> Sequence[str]:
        """List the ids of interactions, in or out, that the text may mean."""
        if _ID.fullmatch(asked):
            return [asked]
        if asked.startswith("raw/"):
            try:
                return [parse_raw_key(asked).interaction_id]
            except ValueError:
                return []
        if _SHA256.fullmatch(asked.lower()):
            return self._same_bytes(asked.lower())
        bare = asked.strip("<> \t")
        # A Message-ID is no identity (X02): several mails may carry it, and each is told.
        hits = [hit.interaction_id for hit in self.interactions.by_message_ids([f"<{bare}>"])]
        # The next server may have put its own Message-ID over ours; the token says which mail it was.
        ours = thread_token.claimed_id(asked)
        return list(dict.fromkeys([*hits, *([ours] if ours else [])]))

    def _same_bytes(self, sha256: str) -> list[str]:
        """Find these bytes in every mailbox: an id is made of the two."""
        mailboxes = self.configurations.current().mailboxes[:_MOST_MAILBOXES]
        ids = [interaction_id(mailbox.identity, sha256) for mailbox in mailboxes]
        there = self.interactions.present(ids) if ids else frozenset()
        return [one for one in ids if one in there]

    def _unprocessed(self, asked: str) -> list[Explanation]:
        """Tell of a raw message that is stored and has not become an interaction yet."""
        try:
            key = parse_raw_key(asked)
            stored = self.raw.get(asked)
        except (ValueError, NotFound):
            return []
        says = (
            "It is stored and waits to be processed; should its turn have been lost, the sweeper repeats it within "
            "minutes, and what fails again and again becomes a wrapping interaction. `postroom dlq list` counts what "
            "failed."
        )
        return [
            Explanation(
                id=key.interaction_id,
                direction="inbound",
                mailbox=self._name(key.mailbox),
                message_id=None,
                subject="",
                subtype="",
                state=f"stored, {len(stored.content)} bytes, not processed yet",
                queue=None,
                summary=says,
                raw_key=asked,
            )
        ]

    def _unfetched(self, asked: str) -> list[Explanation]:
        found = unfetched.unfetched(asked, configurations=self.configurations, states=self.states)
        return [
            Explanation(
                id=f"{one.mailbox}/{one.server_id}",
                direction="inbound",
                mailbox=one.mailbox,
                message_id=None,
                subject="",
                subtype="",
                state=one.state,
                queue=None,
                summary=one.says,
                decisions=_steps([Decision(Rule.NOT_FETCHED, Named(one.state), one.reason)] if one.reason else []),
            )
            for one in found
        ]

    # --- what is said of it ---

    def _name(self, identity: str) -> str:
        """Name a mailbox as it is called now; by its identity where it is not configured any more."""
        mailbox = self.configurations.current().mailbox_of(identity)
        return mailbox.name if mailbox else identity

    def _inbound(self, interaction: Interaction) -> Explanation:
        return Explanation(
            id=interaction.id,
            direction="inbound",
            mailbox=self._name(interaction.mailbox),
            message_id=interaction.message_id,
            subject=interaction.subject,
            subtype=interaction.subtype.value,
            state=interaction.status.value,
            queue=interaction.queue,
            summary=summary_of_inbound(interaction),
            created=interaction.created,
            thread_id=interaction.thread_id,
            parent_id=interaction.parent_id,
            raw_key=interaction.raw_key,
            decisions=_steps(interaction.decisions),
            events=_events(self.interactions.history(interaction.id)),
            related=tuple(self._related(interaction)),
        )

    def _duplicate(self, duplicate: Duplicate) -> Explanation:
        there = self.interactions.get(duplicate.of)
        says = (
            f"It is the same mail as {duplicate.of}, {TOLD[duplicate.evidence]}, and made no second interaction. Its "
            "bytes are kept; should it be another mail after all, make it an interaction of its own: "
            f"`postroom raw ingest {duplicate.raw_key} --apart --apply`."
        )
        return Explanation(
            id=duplicate.id,
            direction="inbound",
            mailbox=duplicate.mailbox,
            message_id=there.message_id if there else None,
            subject=there.subject if there else "",
            subtype="",
            state="the same mail in other bytes",
            queue=None,
            summary=says,
            created=duplicate.at,
            raw_key=duplicate.raw_key,
            related=(Related(duplicate.of, "same-mail", f"{duplicate.of} is the interaction of this mail."),),
        )

    def _outbound(self, outbound: Outbound) -> Explanation:
        answers = outbound.answers
        answered = (Related(answers, "answers", f"It answers {answers}."),) if answers else ()
        return Explanation(
            id=outbound.id,
            direction="outbound",
            mailbox=self._name(outbound.mailbox),
            message_id=outbound.message_id,
            subject=outbound.subject,
            subtype=outbound.subtype.value,
            state=view.state_in_words(
                outbound.state.value,
                delivery=outbound.delivery.value,
                needs_attention=view.needs_attention(outbound),
            ),
            queue=None,
            summary=f"{summary_of_outbound(outbound)}{self._uncounted(outbound)}",
            created=outbound.created,
            thread_id=outbound.thread_id,
            parent_id=answers,
            decisions=_steps(outbound.decisions),
            events=_events(self.outbox.history(outbound.id)),
            related=answered,
        )

    def _uncounted(self, outbound: Outbound) -> str:
        """Say of a mail that did not arrive that no warning counts it: the note of it is gone, or never was."""
        if not view.missed(outbound) or outbound.id in self.outbox.unarrived():
            return ""
        return (
            " It failed more than 30 days ago, or before such mail was counted: neither the warnings of its mailbox "
            "nor the alarm tell of it; `postroom outbox unsettled` lists it until somebody acknowledges it."
        )

    def _related(self, interaction: Interaction) -> Iterator[Related]:
        if interaction.parent_id is not None:
            outbound = self.outbox.get(interaction.parent_id)
            what = f'our mail to {", ".join(outbound.to)}, "{outbound.subject}"' if outbound else "a mail that came in"
            yield Related(interaction.parent_id, "answers", f"It belongs to {interaction.parent_id}, {what}.")
        for duplicate in self.duplicates.of(interaction.id):
            says = "was made an interaction of its own" if duplicate.apart else TOLD[duplicate.evidence]
            yield Related(duplicate.id, "other-bytes", f"{duplicate.id} ({duplicate.raw_key}): {says}.")
        if interaction.message_id is not None:
            hits = self.interactions.by_message_ids([interaction.message_id])
            others = [hit.interaction_id for hit in hits]
        else:
            others = self._same_bytes(interaction.sha256)
        for one in dict.fromkeys(others):
            other = self.interactions.get(one) if one != interaction.id else None
            if other is not None:
                how, says = _likeness(interaction, other)
                yield Related(one, how, f"{one} in the mailbox {self._name(other.mailbox)} {says}.")


def _likeness(interaction: Interaction, other: Interaction) -> tuple[str, str]:
    here = other.mailbox == interaction.mailbox
    if other.sha256 == interaction.sha256:
        copy = ("copy", "is the copy of this mail for another recipient")
        return copy if here else ("same-mail", "is this very mail, which came in there too")
    alike = all(getattr(other, part) == getattr(interaction, part) for part in ("sender", "date", "subject"))
    if alike and not here:
        # Every server on the way writes headers of its own, so two deliveries of one mail are rarely the same bytes.
        return "same-mail", "is the same mail by Message-ID, sender, date and subject, delivered there too"
    same = "Message-ID, sender, date and subject" if alike else "Message-ID"
    return "same-message-id", f"carries the same {same}, but other bytes: it counts as another mail"


def _steps(decisions: Sequence[Decision]) -> tuple[Step, ...]:
    return tuple(Step(one.rule, one.outcome, one.detail, tell_decision(one)) for one in decisions)


def _events(events: Sequence[Event]) -> tuple[Happened, ...]:
    return tuple(Happened(one.at, one.what, one.detail, one.who, tell_event(one)) for one in events)
