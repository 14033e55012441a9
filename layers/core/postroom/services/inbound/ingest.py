"""Turn a stored raw message into an interaction, or a wrapping interaction; never neither.

The way of one mail: read the raw message → understand (pure) → find its thread (look-ups) → plan (pure) → store. All
that makes up the interaction is written at once under an id that its bytes decide: the same mail again, from a repeated
event, a second download or a redrive, finds itself there and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from postroom.errors import TooLarge
from postroom.model import Absorbed, Added, RawMessage, Understanding, parse_raw_key
from postroom.ports import Clock, Duplicates, Interactions, RawMessages, Trial
from postroom.services.inbound.duplicates import candidates, claims, same_mail, stored_by_a_dead_poll
from postroom.services.inbound.facts import Facts
from postroom.services.inbound.find_thread import find_thread
from postroom.services.inbound.plan import plan_inbound
from postroom.services.inbound.store import Store, Stored
from postroom.services.inbound.understand_mail import understand, wrap
from postroom.services.policy import Policies, Policy

TRIAL_SECONDS = 15.0  # a mail is understood in one


def _all_of_it(raw: RawMessage, policy: Policy) -> str:
    """Do all that is done with a mail's bytes; say why it is wrapped, or nothing."""
    mail = understand(raw.content, policy=policy)
    mail.stable_digest()
    for file in mail.files:
        file.data()
    return mail.wrap_reason or ""


@dataclass(frozen=True, slots=True)
class Ingest:
    """The use case with what it needs; one for each warm function."""

    raw: RawMessages
    interactions: Interactions
    duplicates: Duplicates
    policies: Policies
    store: Store
    trial: Trial
    clock: Clock

    def __call__(self, key: str) -> Stored:
        """Process the raw message under `key`; raises Transient when it must be tried again."""
        return self._whole(self.raw.get(key))

    def carefully(self, key: str) -> Stored:
        """Process a raw message that may have ended a process before (fault 111).

        It is understood in a child first. What kills that is wrapped, by its own fault and for nobody else's.
        """
        raw = self.raw.get(key)
        policy, _mailbox = self.policies.of_mailbox(parse_raw_key(key).mailbox)
        tried = self.trial(lambda: _all_of_it(raw, policy), seconds=TRIAL_SECONDS)
        if tried.died:
            return self._wrap(raw, f"processing it ended the process: {tried.died}")
        return self._wrap(raw, tried.said) if tried.said else self._whole(raw)

    def _whole(self, raw: RawMessage) -> Stored:
        try:
            return self._make(raw, lambda policy: understand(raw.content, policy=policy))
        except TooLarge as error:
            # No later try would do better, and the wrapping one is small whatever the mail is.
            return self._wrap(raw, error.what)

    def wrap(self, key: str, reason: str) -> Stored:
        """Make a wrapping interaction of a raw message that processing failed at again and again."""
        return self._wrap(self.raw.get(key), reason)

    def _wrap(self, raw: RawMessage, reason: str) -> Stored:
        def wrapped(policy: Policy) -> Understanding:
            """Wrap a mail with its header, or, where even that ends a process, without."""
            tried = self.trial(lambda: wrap(raw.content, reason, policy=policy).subject[:0], seconds=TRIAL_SECONDS)
            return wrap(raw.content, reason, policy=policy, raw_key=raw.key, bare=bool(tried.died))

        return self._make(raw, wrapped)

    def _make(self, raw: RawMessage, read: Callable[[Policy], Understanding]) -> Stored:
        name = parse_raw_key(raw.key).mailbox
        policy, mailbox = self.policies.of_mailbox(name)
        mail = read(policy)
        facts = Facts(raw, name, mailbox, self.clock())
        if (known := self._same_mail(mail, facts)) is not None:
            return known
        thread = find_thread(mail, interactions=self.interactions, policy=policy, mailbox=name)
        return self.store(plan_inbound(mail, thread, policy, facts))

    def _same_mail(self, mail: Understanding, facts: Facts) -> Stored | None:
        """Note what is the same mail as an interaction in other bytes; None for a mail of its own."""
        if not mail.stable_digest():
            return None
        before = stored_by_a_dead_poll(facts, self.raw)
        for key in before:
            one = parse_raw_key(key).interaction_id
            if self.interactions.get(one) is None and self.duplicates.find(one) is None:
                self(key)  # what is told of it stands in its history
        among = candidates(mail, facts, before, interactions=self.interactions, duplicates=self.duplicates)
        for claim in claims(mail, facts, among, duplicates=self.duplicates, raw=self.raw):
            absorbed = self.duplicates.absorb(claim, event=same_mail(claim, facts))
            known = self.duplicates.find(claim.id) if absorbed is Absorbed.ALREADY else claim
            there = self.interactions.get(known.of) if known and absorbed is not Absorbed.REFUSED else None
            if there is not None:
                return Stored(there, Added.EXISTED)
        return None
