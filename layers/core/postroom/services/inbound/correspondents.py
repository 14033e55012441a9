"""Who stands behind a mail beside its From: who wrote it, who passed it on, and whom an answer goes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from postroom.mail.headers import Address, address_key
from postroom.mail.origin import original_author, stated_author
from postroom.mail.reader import Message
from postroom.mail.reply_text import Forwarded
from postroom.rules import AnswerTo, ForwardsTo, answer_to, is_own
from postroom.services.policy import Policy

Original = Callable[[], Forwarded | None]
"""Finds the original of a forward when it is asked for: reports and most automatic mail never ask."""


@dataclass(frozen=True, slots=True)
class Correspondents:
    """What a mail's header and text tell of the people behind it."""

    original_author: Address | None
    forwarded: Forwarded | None
    answer: AnswerTo


def correspondents(
    message: Message,
    policy: Policy,
    *,
    senders: Sequence[Address],
    reply_to: Sequence[Address],
    passed_on: Forwarded | None,
) -> Correspondents:
    """Find the people behind a mail; `passed_on` is None, too, where a machine wrote it and quotes another mail."""
    author = original_author(message)
    if author is None and senders and all(is_own(one.address, policy.own_addresses) for one in senders):
        # A form that writes under our address, and names the customer in a field of its own.
        author = stated_author(message, other_than=address_key(senders[0].address))
    answer = answer_to(
        senders=senders,
        reply_to=reply_to,
        original_author=author,
        forwarded_from=passed_on.sender if passed_on else None,
        own=policy.own_addresses | policy.own_lists,
        forwards=ForwardsTo(policy.configuration.settings.answer_forwards_to),
    )
    return Correspondents(author, passed_on, answer)


def is_from_ourselves(
    message: Message, policy: Policy, *, senders: Sequence[Address], reply_to: Sequence[Address], original: Original
) -> bool:
    """Say whether From is our own address, and the mail speaks for nobody else.

    A contact form writes under our address, and names the customer in Reply-To; a colleague passes a mail on.
    """
    if not senders or not all(is_own(one.address, policy.own_addresses) for one in senders):
        return False
    people = correspondents(message, policy, senders=senders, reply_to=reply_to, passed_on=None)
    return not people.answer.addresses and original() is None
