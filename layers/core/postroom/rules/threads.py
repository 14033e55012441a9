"""Which thread a mail belongs to: a pure decision over facts that were looked up (docs/threat-model.md 6).

Rows in this order, the first that matches decides: our signed token in the references or the plus-address; a reference
to a mail of a thread, from one of its participants, proven; a body marker from a participant; the subject, where that
is switched on. What is claimed and not proven starts a new thread with a hint: a person can merge, nobody can break in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from postroom.model import DecisionRule as Rule
from postroom.model import Outcome, TokenPlace


class Confidence(StrEnum):
    """How sure a thread's choice is."""

    PROVEN = "proven"  # our own signature, or an id that only recipients of our mail know
    VERIFIED = "verified"  # a participant, proven by DMARC
    LIKELY = "likely"  # by a setting that trusts more than proof
    NEW = "new"  # no claim to any thread
    REFUSED = "refused"  # a claim that was not believed: a new thread with a hint


@dataclass(frozen=True, slots=True)
class TokenFact:
    """A token whose signature was verified, and the thread of the outbound mail that it names (None: gone)."""

    outbound_id: str
    place: TokenPlace
    thread_id: str | None
    participants: frozenset[str] = frozenset()  # lower case


@dataclass(frozen=True, slots=True)
class ReferenceFact:
    """A Message-ID that the mail refers to, and what was found under it."""

    message_id: str
    thread_id: str | None  # None: nothing is known under this id
    participants: frozenset[str] = frozenset()  # lower case
    deleted: bool = False  # it was there, and was deleted or archived (G27)
    ours: bool = False  # we sent it; without a valid token the claim may be forged
    unguessable: bool = False  # given by the sending service, so that only recipients know it: as good as a token


@dataclass(frozen=True, slots=True)
class SubjectFact:
    """A thread whose configured subject substring, or subject, the mail repeats."""

    thread_id: str
    participants: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Claims:
    """Everything that could tie a mail to a thread; the ids are looked up before, nothing is asked for here."""

    sender: str  # From address, lower case; "" without one
    sender_verified: bool = False  # SenderVerdict.verified
    dmarc_failed: bool = False
    tokens: tuple[TokenFact, ...] = ()
    forged_token: bool = False  # something of the token's shape whose signature is wrong
    references: tuple[ReferenceFact, ...] = ()  # nearest first: In-Reply-To, then References from the end
    subject: SubjectFact | None = None


@dataclass(frozen=True, slots=True)
class ThreadSettings:
    """What an installation trusts beyond proof; all off by default."""

    subject_joins: bool = False  # the reference system's subject substrings
    unverified_participants_join: bool = False  # for servers that write no Authentication-Results


@dataclass(frozen=True, slots=True)
class ThreadDecision:
    """The thread to join, or None for a new one; `hint` is for people, `suggested` the thread that was claimed."""

    join: str | None
    confidence: Confidence
    why: str
    hint: str | None = None
    suggested: str | None = None
    rule: Rule = Rule.THREAD_NO_REFERENCE

    @property
    def outcome(self) -> Outcome:
        """Return what is recorded as the outcome: joined or new."""
        return Outcome.JOINED if self.join else Outcome.NEW

    @property
    def detail(self) -> str:
        """Return what is recorded beside the outcome."""
        return f"{self.confidence.value}: {self.hint or self.why}"


ThreadRule = Callable[[Claims, ThreadSettings], ThreadDecision | None]


def decide(claims: Claims, settings: ThreadSettings = ThreadSettings()) -> ThreadDecision:
    """Return the thread of a mail; always exactly one decision, whose rule is named."""
    for rule in RULES:
        decision = rule(claims, settings)
        if decision is not None:
            return decision
    return ThreadDecision(None, Confidence.NEW, "it refers to nothing", rule=Rule.THREAD_NO_REFERENCE)


def _signed_token(claims: Claims, _: ThreadSettings) -> ThreadDecision | None:
    for token in claims.tokens:
        if token.place is not TokenPlace.BODY and token.thread_id:
            why = f"our signed token for {token.outbound_id} in its {token.place.value}"
            return ThreadDecision(token.thread_id, Confidence.PROVEN, why, rule=Rule.THREAD_TOKEN)
    return None


def _unguessable_reference(claims: Claims, _: ThreadSettings) -> ThreadDecision | None:
    for reference in claims.references:
        if reference.unguessable and reference.thread_id and not reference.deleted:
            why = f"it answers {reference.message_id}, an id that only recipients of our mail know"
            return ThreadDecision(reference.thread_id, Confidence.PROVEN, why, rule=Rule.THREAD_SENT_ID)
    return None


def _participant_reference(claims: Claims, settings: ThreadSettings) -> ThreadDecision | None:
    for reference in claims.references:
        if not reference.thread_id or reference.deleted or claims.sender not in reference.participants:
            continue
        if claims.sender_verified:
            why = f"it refers to {reference.message_id}, and its sender takes part and passes DMARC"
            return ThreadDecision(reference.thread_id, Confidence.VERIFIED, why, rule=Rule.THREAD_PARTICIPANT)
        if settings.unverified_participants_join and not claims.dmarc_failed:
            why = f"it refers to {reference.message_id}, and its sender takes part (unproven; the setting allows it)"
            return ThreadDecision(reference.thread_id, Confidence.LIKELY, why, rule=Rule.THREAD_UNVERIFIED_PARTICIPANT)
    return None


def _body_marker(claims: Claims, _: ThreadSettings) -> ThreadDecision | None:
    # The marker is quoted whenever the mail is forwarded: it shows that the text was seen, not by whom.
    for token in claims.tokens:
        if token.place is TokenPlace.BODY and token.thread_id:
            if claims.sender in token.participants and not claims.dmarc_failed:
                why = f"our signed marker for {token.outbound_id} in its text, and its sender takes part"
                return ThreadDecision(token.thread_id, Confidence.VERIFIED, why, rule=Rule.THREAD_BODY_MARKER)
            return _refused(
                Rule.THREAD_BODY_MARKER,
                token.thread_id,
                "its text quotes our marker, but its sender is new there",
            )
    return None


def _subject(claims: Claims, settings: ThreadSettings) -> ThreadDecision | None:
    if claims.subject is None or not settings.subject_joins or claims.dmarc_failed:
        return None
    why = "its subject carries a configured reference (the setting lets the subject decide)"
    return ThreadDecision(claims.subject.thread_id, Confidence.LIKELY, why, rule=Rule.THREAD_SUBJECT)


def _unproven_reference(claims: Claims, _: ThreadSettings) -> ThreadDecision | None:
    for reference in claims.references:
        if reference.thread_id and not reference.deleted:
            if claims.sender in reference.participants:
                doubt = "fails DMARC" if claims.dmarc_failed else "is not proven by DMARC"
                return _refused(
                    Rule.THREAD_UNPROVEN,
                    reference.thread_id,
                    f"its sender takes part in that thread, but {doubt}",
                )
            return _refused(Rule.THREAD_STRANGER, reference.thread_id, "its sender has no part in that thread")
    return None


def _parent_gone(claims: Claims, _: ThreadSettings) -> ThreadDecision | None:
    for token in claims.tokens:
        if token.thread_id is None:
            hint = f"it answers our mail {token.outbound_id}, whose thread was deleted or archived"
            return ThreadDecision(None, Confidence.NEW, hint, hint=hint, rule=Rule.THREAD_PARENT_DELETED)
    for reference in claims.references:
        if reference.deleted:
            hint = f"it answers {reference.message_id}, which was deleted or archived"
            return ThreadDecision(None, Confidence.NEW, hint, hint=hint, rule=Rule.THREAD_PARENT_DELETED)
    return None


def _forged_token(claims: Claims, _: ThreadSettings) -> ThreadDecision | None:
    if not claims.forged_token:
        return None
    return _refused(Rule.THREAD_FORGED_TOKEN, None, "it carries a token in our form whose signature is wrong")


def _subject_hint(claims: Claims, _: ThreadSettings) -> ThreadDecision | None:
    if claims.subject is None:
        return None
    return _refused(Rule.THREAD_SUBJECT_ALONE, claims.subject.thread_id, "only its subject is that of another thread")


def _parent_missing(claims: Claims, _: ThreadSettings) -> ThreadDecision | None:
    if not claims.references:
        return None
    hint = f"it answers {claims.references[0].message_id}, which is not here (yet)"
    return ThreadDecision(None, Confidence.NEW, hint, hint=hint, rule=Rule.THREAD_PARENT_MISSING)


RULES: tuple[ThreadRule, ...] = (
    _signed_token,
    _unguessable_reference,
    _participant_reference,
    _body_marker,
    _subject,
    _unproven_reference,
    _parent_gone,
    _forged_token,
    _subject_hint,
    _parent_missing,
)


def _refused(rule: Rule, suggested: str | None, doubt: str) -> ThreadDecision:
    where = f" thread {suggested} is suggested for merging" if suggested else ""
    hint = f"a new thread was started: {doubt};{where}" if where else f"a new thread was started: {doubt}"
    return ThreadDecision(None, Confidence.REFUSED, doubt, hint=hint, suggested=suggested, rule=rule)
