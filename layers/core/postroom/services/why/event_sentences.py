"""Say what happened to a mail in a sentence that an administrator understands: one case for each kind."""

from __future__ import annotations

import json

from postroom.model import Event, EventKind
from postroom.services.why.decision_sentences import ended


def tell_event(event: Event) -> str:
    """Say one event as a sentence; a kind that is not known is told as it stands."""
    detail = _where(event.detail) if event.what in _MOVES else event.detail.rstrip(". ")
    if not isinstance(event.what, EventKind):
        return ended(f"{event.what}: {detail} ({event.who})")
    says = sentence_of(event.what)
    if not detail:
        says = says.replace(": {detail}", "").replace(" {detail}", "")
    return ended(says.format(detail=detail, who=event.who))


def sentence_of(kind: EventKind) -> str:
    """Return the sentence of a kind, with places for `detail` and `who`."""
    match kind:
        case EventKind.SEEN_AGAIN:
            return "The same bytes came again, and made no second interaction: {detail}."
        case EventKind.SAME_MAIL:
            return "The same mail came in other bytes, and made no second interaction: {detail}."
        case EventKind.TAKEN_APART:
            return "What had been taken for the same mail was made an interaction of its own, by {who}: {detail}."
        case EventKind.TAKEN_IN:
            return "Its raw message was stored and no interaction, until {who} had it taken in: {detail}."
        case EventKind.THREAD_HEALED:
            return "It joined a thread later: {detail}."
        case EventKind.REPLIED:
            return "It was answered by {who}: {detail}."
        case EventKind.REPLAYED:
            return "It was read again by later rules, for {who}; changed: {detail}."
        case EventKind.ATTACHMENT_RESTORED:
            return "An attachment was let in by {who}: {detail}."
        case EventKind.ATTACHMENT_DELETED:
            return "A blocked attachment was deleted by {who}: {detail}."
        case EventKind.MERGED:
            return "It was moved into {detail}, by {who}."
        case EventKind.SPLIT:
            return "It was split off to {detail}, by {who}."
        case EventKind.UNDONE:
            return "It was moved back to {detail}, by {who}."
        case EventKind.TAKEN_BY_SES:
            return "Amazon SES took it."
        case EventKind.SENT:
            return "It was sent {detail}."
        case EventKind.PARTLY_SENT:
            return "It was sent to some of its recipients: {detail}."
        case EventKind.DEFERRED:
            return "It could not be sent yet, and is tried again: {detail}."
        case EventKind.RATE_LIMITED:
            return "Its way out takes no more at this pace, and it is tried again shortly: {detail}."
        case EventKind.QUOTA_SPENT:
            return "Its way out takes no more today, and it is tried again later: {detail}."
        case EventKind.FAILED:
            return "It did not leave, and is not tried again by itself: {detail}."
        case EventKind.SENDER_DIED:
            return "It is taken once more: {detail}."
        case EventKind.UNCERTAIN:
            return "Nobody knows whether it left, and it is not sent again by itself: {detail}."
        case EventKind.SETTLED:
            return "Whether it left is certain now: {detail}."
        case EventKind.TRIED_AGAIN:
            return "It is tried again at once, by {who}: {detail}."
        case EventKind.RESEND_REQUESTED:
            return "{who} had it sent again: {detail}."
        case EventKind.FAILURE_ACKNOWLEDGED:
            return "{who} took note that it did not arrive: {detail}."
        case EventKind.MARKED_SENT:
            return "{who} says that it left: {detail}."
        case EventKind.DELIVERED:
            return "It was delivered: {detail}."
        case EventKind.DELAYED:
            return "Its delivery is late: {detail}."
        case EventKind.BOUNCED:
            return "It came back: {detail}."
        case EventKind.COMPLAINED:
            return "Its recipient complained: {detail}."
        case EventKind.REJECTED:
            return "Amazon SES refused to send it: {detail}."
        case EventKind.OPENED:
            return "It was opened: {detail}."
        case EventKind.DISPOSITION:
            return "Its recipient's mail program sent a receipt: {detail}."
        case EventKind.UNMATCHED_REPORT:
            return "A report of Amazon SES came that is about no mail of ours: {detail}."


_MOVES = frozenset({EventKind.MERGED, EventKind.SPLIT, EventKind.UNDONE})


def _where(detail: str) -> str:
    try:
        record = json.loads(detail)
        return f"the thread {record['to']} from {record['from']}, {len(record['members'])} in all"
    except (ValueError, KeyError, TypeError):
        return detail
