"""Whom an answer goes to, and why: Reply-To, who sent, who wrote it before a list or a colleague passed it on.

Our own addresses are never answered. Nothing here is proof of who somebody is: agents see the proposal with its hint.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from postroom.mail.headers import Address, address_key, is_valid
from postroom.model import Decision
from postroom.model import DecisionRule as Rule
from postroom.rules.recipients import is_own


class ForwardsTo(StrEnum):
    """Whom the answer to a forwarded mail goes to."""

    SENDER = "sender"  # who forwarded it
    ORIGINAL = "original"  # who wrote it


class Basis(StrEnum):
    """Why somebody is whom we answer."""

    SENDER = "sender"  # who sent it, or whom Reply-To names
    ORIGINAL_AUTHOR = "original-author"  # who wrote it before a list passed it on
    FORWARDED = "forwarded"  # who wrote the mail that was passed on
    NOBODY = "nobody"  # all of them are our own


@dataclass(frozen=True, slots=True)
class AnswerTo:
    """The proposed recipients, and the decision that tells why where they are not simply who sent the mail."""

    addresses: tuple[Address, ...]
    decision: Decision | None = None

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Return the decision as a tuple of one or none."""
        return (self.decision,) if self.decision else ()


def answer_to(
    *,
    senders: Sequence[Address],
    reply_to: Sequence[Address],
    original_author: Address | None,
    forwarded_from: Address | None,
    own: Collection[str],
    forwards: ForwardsTo = ForwardsTo.SENDER,
) -> AnswerTo:
    """Choose whom to answer; `own` are the addresses of this installation in lower case. Empty: nobody is left.

    `senders`: all that From names; both of two authors are answered (RFC 5322 §3.6.2).
    """
    # A colleague who forwards with his own address in Reply-To asks for nothing else than a forward does.
    others = _others(reply_to, own)
    author = _others([forwarded_from] if forwarded_from else (), own)
    if author and forwards is ForwardsTo.ORIGINAL:
        return _because(author, Basis.FORWARDED, "who wrote the mail that was passed on (settings.answer_forwards_to)")
    hint = f"{author[0].address} wrote the mail that was passed on" if author else ""
    if others:
        if original_author and [address_key(one.address) for one in others] == [address_key(original_author.address)]:
            return _because(others, Basis.ORIGINAL_AUTHOR, "who wrote it, as the list's Reply-To says")
        return AnswerTo(others, Decision(Rule.ANSWER_TO, Basis.SENDER, hint) if hint else None)
    wrote = _others([original_author] if original_author else (), own)
    if wrote and not _others(senders, own):
        return _because(wrote, Basis.ORIGINAL_AUTHOR, "who wrote it, as the mail says; From is an address of ours")
    if wrote:
        return _because(wrote, Basis.ORIGINAL_AUTHOR, "who wrote it; From is the list that passed it on")
    sent = _others(senders, own)
    if sent:
        if hint:
            return AnswerTo(sent, Decision(Rule.ANSWER_TO, Basis.SENDER, hint))
        if len(sent) > 1:
            return _because(sent, Basis.SENDER, "all of them wrote it (From names several)")
        return _because(sent, Basis.SENDER, "Reply-To is an address of ours") if reply_to else AnswerTo(sent)
    if author:
        return _because(
            author, Basis.FORWARDED, "who wrote the mail that was passed on; it came from an address of ours"
        )
    return AnswerTo(
        (), Decision(Rule.ANSWER_TO, Basis.NOBODY, "From and Reply-To are our own, or no addresses: say whom to answer")
    )


def _because(addresses: tuple[Address, ...], outcome: Basis, why: str) -> AnswerTo:
    return AnswerTo(
        addresses, Decision(Rule.ANSWER_TO, outcome, f"{', '.join(one.address for one in addresses)}: {why}")
    )


def _others(addresses: Sequence[Address], own: Collection[str]) -> tuple[Address, ...]:
    return tuple(one for one in addresses if is_valid(one.address) and not is_own(one.address, own))
