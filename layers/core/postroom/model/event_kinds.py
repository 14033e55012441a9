"""What may happen to a mail after it was made: the vocabulary of histories, stored by value.

`services/why/event_sentences.py` has a sentence for each; one that is missing does not type-check.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

UnlistedKind = NewType("UnlistedKind", str)
"""A kind that this version does not know: what a later one wrote, or what SES has come to report."""


class EventKind(StrEnum):
    """One kind of entry in the history of a mail, in or out, or of a notice to administrators."""

    # Of an incoming mail.
    SEEN_AGAIN = "seen_again"  # its bytes came again under another id of the server
    SAME_MAIL = "same_mail"  # it came again in other bytes, which are kept beside it
    TAKEN_APART = "taken_apart"  # a person made such bytes an interaction of their own
    TAKEN_IN = "taken_in"  # a person asked for it, since its raw message was no interaction
    THREAD_HEALED = "thread_healed"  # it joined a thread when what it answers came in
    REPLIED = "replied"  # a person answered it
    REPLAYED = "replayed"  # it was read again by later rules
    ATTACHMENT_RESTORED = "attachment_restored"  # a person let a blocked file in
    ATTACHMENT_DELETED = "attachment_deleted"  # a person deleted a blocked file
    MERGED = "merged"  # moved into another thread, with all of its own
    SPLIT = "split"  # made the root of a thread, with what answers it
    UNDONE = "undone"  # moved back by the undoing of a merge or split
    # Of a mail of ours, on its way.
    SENT = "sent"  # the next server has taken it
    PARTLY_SENT = "partly_sent"  # for some of its recipients
    DEFERRED = "deferred"  # certainly not sent; tried again later
    FAILED = "failed"  # refused; not tried again by itself
    SENDER_DIED = "sender_died"  # before the content went out; taken again
    UNCERTAIN = "uncertain"  # nobody knows whether it left
    SETTLED = "settled"  # a report shows that it had left
    TRIED_AGAIN = "tried_again"  # a person, or a mended setting, did not wait for its time
    RESEND_REQUESTED = "resend_requested"  # a person had it sent again
    FAILURE_ACKNOWLEDGED = "failure_acknowledged"  # a person took note that it did not arrive
    MARKED_SENT = "marked_sent"  # a person says that it left
    RATE_LIMITED = "rate"  # the way out takes no more at this pace
    QUOTA_SPENT = "quota"  # the way out takes no more today
    # Of a mail of ours, by reports.
    TAKEN_BY_SES = "taken_by_ses"
    DELIVERED = "delivered"
    DELAYED = "delayed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    REJECTED = "rejected"  # SES took it and did not send it
    OPENED = "opened"
    DISPOSITION = "disposition"  # a receipt that says less than that it was opened
    # Of no mail.
    UNMATCHED_REPORT = "unmatched_report"  # a report of SES about no mail of ours


def event_kind(text: str) -> EventKind | UnlistedKind:
    """Read a stored kind."""
    return EventKind(text) if text in _KNOWN else UnlistedKind(text)


_KNOWN = frozenset(kind.value for kind in EventKind)
