"""Find the thread of a mail: look its claims up, then let the pure rules of rules/threads.py decide.

A report is tied to the mail of ours that it is about; only a signed or unguessable identifier proves that, since
anybody can write a bounce (docs/threat-model.md 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from postroom.mail.headers import address_key
from postroom.mail.outgoing import thread_token
from postroom.model import Decision, Outcome, ThreadHit, Understanding
from postroom.model import DecisionRule as Rule
from postroom.ports import Interactions
from postroom.rules import Claims, ReferenceFact, SubjectFact, ThreadDecision, TokenFact, decide
from postroom.services.policy import Policy

_MOST_TOKENS = 4
_MOST_REFERENCES = 12  # the nearest and the root decide; the middle of a long chain adds nothing


@dataclass(frozen=True, slots=True)
class Threaded:
    """The thread to join and the mail in it that is answered; both None for a new thread."""

    join: str | None
    parent: str | None
    decision: Decision
    waits_for: str | None = None  # Message-ID of a mail that is not here, when the sender may join its thread


def find_thread(mail: Understanding, *, interactions: Interactions, policy: Policy, mailbox: str) -> Threaded:
    """Look up what a mail of `mailbox` refers to, and decide; no look-up at all for one that refers to nothing."""
    by_token: dict[str, ThreadHit | None] = {}
    if mail.original_message_id is not None:
        found = _outbound(mail.original_message_id, interactions, policy.thread_keys)
        if found is not None:
            return _about(found, "")
    if mail.report is not None:
        # Every token was proven by its MAC; a mail system is no participant, and does not need to be.
        by_token = {one.outbound_id: interactions.find(one.outbound_id) for one in mail.tokens[:_MOST_TOKENS]}
        ours = next((hit for hit in by_token.values() if hit is not None and hit.outbound), None)
        if ours is not None:
            return _about(ours, ", by our signed token in what it returns")
    by_token = by_token or {one.outbound_id: interactions.find(one.outbound_id) for one in mail.tokens[:_MOST_TOKENS]}
    wanted = _wanted(mail)
    proven = any(hit is not None for hit in by_token.values())
    hits = _one_each(interactions.by_message_ids(wanted), interactions, mailbox) if wanted and not proven else {}
    by_subject = None if proven else _of_subject(mail, interactions, policy)
    decision = decide(_claims(mail, by_token, wanted, hits, by_subject), policy.threads)
    parent = _parent(decision, mail, by_token, wanted, hits) if decision.join else None
    waits = decision.rule is Rule.THREAD_PARENT_MISSING and mail.sender_verdict.verified
    return Threaded(
        decision.join,
        parent,
        Decision(decision.rule, decision.outcome, decision.detail),
        waits_for=wanted[0] if waits and wanted else None,
    )


def _about(outbound: ThreadHit, how: str) -> Threaded:
    detail = f"the report is about our mail {outbound.interaction_id}{how}"
    return Threaded(outbound.thread_id, outbound.interaction_id, Decision(Rule.THREAD_REPORT, Outcome.JOINED, detail))


def _one_each(found: Sequence[ThreadHit], interactions: Interactions, mailbox: str) -> dict[str, ThreadHit]:
    """Choose one mail for each Message-ID that several may carry: ours, then one of this mailbox, then the first.

    Others may send mail under a Message-ID that they have seen; what came first is what was answered.
    """
    several: dict[str, list[ThreadHit]] = {}
    for hit in found:
        several.setdefault(hit.message_id, []).append(hit)
    chosen: dict[str, ThreadHit] = {}
    for message_id, hits in several.items():
        best = [hit for hit in hits if hit.outbound] or [hit for hit in hits if hit.mailbox == mailbox] or hits
        if len({hit.thread_id for hit in best}) > 1:
            stored = [one for hit in best if (one := interactions.get(hit.interaction_id)) is not None]
            first = min(stored, key=lambda one: (one.created, one.id), default=None)
            best = [hit for hit in best if first is None or hit.interaction_id == first.id]
        chosen[message_id] = best[0]
    return chosen


def _outbound(message_id: str, interactions: Interactions, thread_keys: Sequence[bytes]) -> ThreadHit | None:
    signed = thread_token.verify(message_id, keys=thread_keys) if thread_keys else None
    if signed is not None:
        return interactions.find(signed)
    return next((hit for hit in interactions.by_message_ids([message_id]) if hit.outbound), None)


def _of_subject(mail: Understanding, interactions: Interactions, policy: Policy) -> ThreadHit | None:
    """Find the interaction whose id the subject carries, where the configuration lets subjects decide."""
    if policy.subject_reference is None:
        return None
    found = policy.subject_reference.search(mail.subject)
    return interactions.find(found.group(1).lower()) if found and found.group(1) else None


def _wanted(mail: Understanding) -> list[str]:
    chain = list(dict.fromkeys([*mail.in_reply_to, *reversed(mail.references)]))
    if len(chain) > _MOST_REFERENCES:
        chain = [*chain[: _MOST_REFERENCES - 1], chain[-1]]
    return chain


def _claims(
    mail: Understanding,
    by_token: dict[str, ThreadHit | None],
    wanted: list[str],
    hits: dict[str, ThreadHit],
    by_subject: ThreadHit | None,
) -> Claims:
    return Claims(
        sender=address_key(mail.sender.address) if mail.sender else "",
        sender_verified=mail.sender_verdict.verified,
        dmarc_failed=mail.sender_verdict.dmarc_failed,
        tokens=tuple(
            TokenFact(
                outbound_id=one.outbound_id,
                place=one.place,
                thread_id=hit.thread_id if hit else None,
                participants=hit.participants if hit else frozenset(),
            )
            for one in mail.tokens[:_MOST_TOKENS]
            for hit in (by_token[one.outbound_id],)
        ),
        forged_token=mail.forged_token,
        references=tuple(_reference(message_id, hits.get(message_id)) for message_id in wanted),
        subject=SubjectFact(by_subject.thread_id, by_subject.participants) if by_subject else None,
    )


def _reference(message_id: str, hit: ThreadHit | None) -> ReferenceFact:
    if hit is None:
        return ReferenceFact(message_id, None)
    return ReferenceFact(
        message_id,
        hit.thread_id,
        participants=hit.participants,
        ours=hit.outbound,
        # Ours, and not of our making: the sending service wrote it, and only recipients have seen it.
        unguessable=hit.outbound and not thread_token.looks_ours(message_id),
    )


def _parent(
    decision: ThreadDecision,
    mail: Understanding,
    by_token: dict[str, ThreadHit | None],
    wanted: list[str],
    hits: dict[str, ThreadHit],
) -> str | None:
    found = [by_token[one.outbound_id] for one in mail.tokens[:_MOST_TOKENS]] + [hits.get(one) for one in wanted]
    return next((hit.interaction_id for hit in found if hit and hit.thread_id == decision.join), decision.join)
