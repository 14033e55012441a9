"""What people see of mail that has not left: why, since when, how often it was tried, and what waits for them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from postroom.mail.headers import parse_addresses
from postroom.model import Delivery, Outbound, OutboxState, any_recipient_in, at_recipients
from postroom.services.mailboxes import Concern
from postroom.services.outbound.waiting import waiting_for

_GONE = frozenset({OutboxState.SENT})


def needs_attention(outbound: Outbound) -> bool:
    """Tell whether the mail leaves, for any of its recipients, only when a person has done something."""
    if any_recipient_in(outbound, OutboxState.FAILED, OutboxState.UNCERTAIN):
        return True
    return outbound.state is OutboxState.DEFERRED and waiting_for(outbound.code).needs_person


def held_for_person(outbound: Outbound) -> bool:
    """Tell whether a mail that waits to be sent waits for a person, too: for a setting, or to say what became of it.

    One that a recipient refused while others are put off is told once it is finished.
    """
    if outbound.state is not OutboxState.DEFERRED:
        return False
    return waiting_for(outbound.code).needs_person or any_recipient_in(outbound, OutboxState.UNCERTAIN)


def did_not_arrive(outbound: Outbound) -> bool:
    """Tell whether the mail was refused for good, or left and came back."""
    if outbound.state is OutboxState.SENT:
        return outbound.delivery.failed
    return outbound.state is OutboxState.FAILED


def missed(outbound: Outbound) -> bool:
    """Tell whether nobody has taken note yet that a mail which somebody waits for did not arrive.

    Automatic replies to senders that do not exist come back every day; of them only what failed by our fault counts.
    """
    if not did_not_arrive(outbound) or outbound.acknowledged is not None:
        return False
    return not outbound.automatic or waiting_for(outbound.code).held


def told(outbound: Outbound | None) -> dict[str, Any]:
    """Return what a list says of a mail beside its row; `reason` and what follows only of one that has not left."""
    if outbound is None:
        return {}
    row: dict[str, Any] = {
        "to": list(outbound.to),
        "tries": outbound.tries,
        "delivery": outbound.delivery.value,
        "acknowledged": outbound.acknowledged.isoformat() if outbound.acknowledged else None,
    }
    if outbound.state in _GONE:
        return row
    return row | {
        "reason": reason_of(outbound),
        "code": outbound.code,
        "since": outbound.since.isoformat() if outbound.since else None,
        "due": outbound.due.isoformat() if outbound.due else None,
        "needs_attention": needs_attention(outbound),
    }


def by_recipient(outbound: Outbound) -> list[dict[str, Any]]:
    """Say of each recipient what became of the mail: its state, what the server said, what reports say."""
    written = [
        parsed[0].address for text in (*outbound.to, *outbound.cc, *outbound.bcc) if (parsed := parse_addresses(text))
    ]
    return [
        {
            "address": address,
            "state": one.state,
            "code": one.code,
            "said": one.said,
            "delivery": outbound.deliveries.get(address, Delivery.UNKNOWN),
        }
        for address, one in at_recipients(outbound, written).items()
    ]


NOT_ARRIVED: Mapping[Delivery, str] = {
    Delivery.BOUNCED: "it came back",
    Delivery.COMPLAINED: "its recipient complained about it",
    Delivery.REJECTED: "the next server took it and refused to send it on",
}
"""What a report may say of a mail that left and did its work for nobody."""


def why_unsettled(state: OutboxState, *, delivery: Delivery, needs_attention: bool, reason: str) -> str | None:
    """Say in words why a mail has not arrived and nobody but a person changes that; None for every other mail."""
    if state is OutboxState.SENT:
        return NOT_ARRIVED.get(delivery)
    if state is OutboxState.UNCERTAIN:
        return f"nobody knows whether it left, and it is not sent again by itself: {reason or 'no answer came'}"
    if state is OutboxState.FAILED:
        return f"it did not leave, or not for everybody: {reason or 'no reason was recorded'}"
    if state is OutboxState.DEFERRED and needs_attention:
        return f"it waits for an administrator: {reason or 'no reason was recorded'}"
    return None


def state_in_words(state: str, *, delivery: str, needs_attention: bool) -> str:
    """Name a state with what matters of it at a glance: `DEFERRED, needs attention`, `SENT, delivered`."""
    told = ["needs attention"] if needs_attention else []
    if delivery not in ("", Delivery.UNKNOWN, Delivery.TAKEN):
        told.append(delivery)
    return ", ".join([state, *told])


def reason_of(outbound: Outbound) -> str:
    """Say why a mail has not left; of one that a sender has, only what became of those before."""
    deaths = outbound.unrecorded - 1
    if outbound.state is OutboxState.CLAIMED and deaths > 0:
        return f"{deaths} sender{'s' if deaths > 1 else ''} before died of it before anything was sent"
    return outbound.reason


def concerns(waiting: Iterable[Outbound]) -> Mapping[str, tuple[Concern, ...]]:
    """Say for each mailbox which of its mails wait for an administrator, and for what; and which did not arrive."""
    held: defaultdict[tuple[str, str], list[Outbound]] = defaultdict(list)
    lost: Counter[str] = Counter()
    for outbound in waiting:
        if missed(outbound):
            lost[outbound.mailbox] += 1
        elif held_for_person(outbound):
            held[outbound.mailbox, outbound.code or "uncertain"].append(outbound)
    found: defaultdict[str, tuple[Concern, ...]] = defaultdict(tuple)
    for (mailbox, code), mails in held.items():
        oldest = min(mails, key=lambda one: one.since or one.created)
        count = "1 mail waits" if len(mails) == 1 else f"{len(mails)} mails wait"
        since = f"{oldest.since or oldest.created:%Y-%m-%d %H:%M} UTC"
        text = f"{count} to be sent since {since}: {oldest.reason.rstrip('. ')}."
        found[mailbox] += (Concern(f"unsent.{code}", text, "`postroom outbox list --state DEFERRED` lists them."),)
    for mailbox, number in lost.items():
        text = "1 mail did not arrive." if number == 1 else f"{number} mails did not arrive."
        remedy = "`postroom outbox unsettled` says which and why; resend or acknowledge them."
        found[mailbox] += (Concern("unarrived", text, remedy),)
    return found
