"""Who stands behind a mail beside its From: who wrote it, who passed it on, and whom an answer goes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from postroom.mail.headers import Address
from postroom.mail.origin import is_own_list, original_author
from postroom.mail.outgoing import without_plus_part
from postroom.mail.reader import Message
from postroom.mail.reply_text import Forwarded, forwarded
from postroom.rules import AnswerTo, Basis, ForwardsTo, answer_to
from postroom.services.policy import Policy


@dataclass(frozen=True, slots=True)
class Correspondents:
    """What a mail's header and text tell of the people behind it."""

    own_list: bool  # it came by a list that is our own front door
    original_author: Address | None
    forwarded: Forwarded | None
    from_ourselves: bool  # From is our own address, and the mail speaks for nobody else
    answer: AnswerTo


def without_forward(people: Correspondents) -> Correspondents:
    """Return what is known where a machine wrote the mail: what it quotes or holds is passed on by nobody."""
    decided = people.answer.decision
    answer = replace(people.answer, decision=None) if decided and decided.outcome is Basis.SENDER else people.answer
    return replace(people, forwarded=None, answer=answer)


def correspondents(
    message: Message, text: str, policy: Policy, *, senders: Sequence[Address], reply_to: Sequence[Address]
) -> Correspondents:
    """Find the people behind a mail; `text` is what people read of it, not masked yet."""
    author = original_author(message)
    passed_on = forwarded(message, text, subject=message.header("subject"))
    own = policy.own_addresses | policy.own_lists
    answer = answer_to(
        sender=senders[0] if senders else None,
        reply_to=reply_to,
        original_author=author,
        forwarded_from=passed_on.sender if passed_on else None,
        own=own,
        forwards=ForwardsTo(policy.configuration.settings.answer_forwards_to),
    )
    is_own = bool(senders) and all(without_plus_part(one.address).lower() in policy.own_addresses for one in senders)
    return Correspondents(
        own_list=is_own_list(message, own_addresses=policy.own_addresses, own_lists=policy.own_lists),
        original_author=author,
        forwarded=passed_on,
        # A contact form writes under our address, and names the customer in Reply-To.
        from_ourselves=is_own and passed_on is None and author is None and not answer.addresses,
        answer=answer,
    )
