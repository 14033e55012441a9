"""Say decisions and events in sentences that an administrator understands: one table, the first row that fits.

A row names a rule, or everything that begins with it, and an outcome, or any. What no row knows is told as it stands.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from postroom.model.decision import Decision
from postroom.model.interaction import Event, Interaction, Status
from postroom.model.outbound import Delivery, Outbound, OutboxState
from postroom.services.outbound import view

ANY = "*"


@dataclass(frozen=True, slots=True)
class Row:
    """`rule` ending in a full stop or colon fits whatever begins so; `{outcome}` and `{detail}` are the decision's."""

    rule: str
    outcome: str
    says: str

    def fits(self, decision: Decision) -> bool:
        """Say whether this row tells the decision."""
        by_prefix = self.rule.endswith((".", ":")) and decision.rule.startswith(self.rule)
        return (by_prefix or decision.rule == self.rule) and self.outcome in (ANY, decision.outcome)


DECISIONS: tuple[Row, ...] = (
    Row("wrap", ANY, "It could not be read, so it is shown wrapped, with the original attached: {detail}."),
    Row("over-size", ANY, "It is over-size: {detail}."),
    Row("kind", "person", "A person wrote it: {detail}."),
    Row("kind.report", "ndr", "It is a report that a delivery failed or is late, by {detail}."),
    Row("kind.report", "report", "It is a report that a delivery worked, by {detail}."),
    Row("kind.report", "disposition", "It is a receipt of a mail program (read, deleted, …), by {detail}."),
    Row("kind.report", "feedback", "It is a complaint about a mail, by {detail}."),
    Row("kind.message-part", ANY, "It is a delivery failure: {detail}."),
    Row("kind.ndr-sender", ANY, "It is a delivery failure: {detail}."),
    Row("kind.automatic", ANY, "A program wrote it ({outcome}): {detail}."),
    Row("kind.delivery-exception", "hint", "A delivery-exception phrase fits, as a hint only: {detail}."),
    Row("kind.delivery-exception", ANY, "A delivery-exception phrase says {outcome} failure: {detail}."),
    Row("sender", "no-from", "It has no sender."),
    Row("sender", "several-from", "It names several senders."),
    Row("sender", "malformed-from", "Its sender's address is none that mail could be sent to."),
    Row("sender", "mixed-script-domain", "Its sender's domain mixes scripts: it may imitate another."),
    Row("sender", "hidden-characters", "Its sender hides invisible characters in name or address."),
    Row("sender", "address-in-name", "Its sender's display name shows another address than the real one."),
    Row("sender", "reply-to-elsewhere", "Answers to it would go to another domain than it comes from."),
    Row("attachment:", "delete", "An attachment was taken out and not kept: {detail}."),
    Row("attachment:", ANY, "An attachment was put into quarantine: {detail}."),
    Row("masking", "cut", "Not all of it could be searched for what must be masked; the rest was left out: {detail}."),
    Row("masking", ANY, "Masked: {detail}."),
    Row("html", "cut", "Its HTML goes over a limit and was cut: {detail}."),
    Row("text", "missing", "It has no text: the replacement text stands in its place."),
    Row("thread.report", "joined", "It was put to the mail that it is about: {detail}."),
    Row("thread.", "joined", "It joined a thread ({rule}), {detail}."),
    Row("thread.no-reference", ANY, "It began a thread of its own: it refers to nothing."),
    Row("thread.", ANY, "It began a thread of its own ({rule}), {detail}."),
    Row("copies", ANY, "It is one of several interactions of one mail, one for each recipient: {detail}."),
    Row("department", ANY, "It belongs to the department {outcome}: {detail}."),
    Row("endpoint", ANY, "Its mailbox leads to no endpoint of its own: {detail}."),
    Row("route", "fall-back", "The {detail}, so the next one in line was tried."),
    Row("route", ANY, "It went to the queue {outcome}: {detail}."),
    Row("auto-reply", "suppressed", "No acknowledgement was sent, by {detail}."),
    Row("auto-reply", "queued", "It was acknowledged: {detail}."),
    Row("auto-reply", "written", "It was written by a rule: {detail}."),
    Row("replay", ANY, "It was read again later, {detail}."),
    Row("reply", ANY, "It was written by a person: {detail}."),
    Row("from", ANY, "It leaves as {outcome}: {detail}."),
    Row("server", ANY, "It goes out by the server {outcome}: {detail}."),
    Row("recipients", "overridden", "Its recipients were replaced by {detail}."),
    Row("recipients", ANY, "A blind copy goes to {detail}."),
    Row("thread-token", ANY, "Answers find its thread by our signed token {detail}."),
    Row("not-fetched", ANY, "The last try to fetch it ended with: {detail}."),
)

EVENTS: dict[str, str] = {
    "seen_again": "The same bytes came again, and made no second interaction: {detail}.",
    "thread_healed": "It joined a thread later: {detail}.",
    "replied": "It was answered by {who}: {detail}.",
    "replayed": "It was read again by later rules, for {who}; changed: {detail}.",
    "attachment_restored": "An attachment was let in by {who}: {detail}.",
    "attachment_deleted": "A blocked attachment was deleted by {who}: {detail}.",
    "taken_by_ses": "Amazon SES took it.",
    "sent": "It was sent {detail}.",
    "partly_sent": "It was sent to some of its recipients: {detail}.",
    "deferred": "It could not be sent yet, and is tried again: {detail}.",
    "failed": "It did not leave, and is not tried again by itself: {detail}.",
    "sender_died": "It is taken once more: {detail}.",
    "uncertain": "Nobody knows whether it left: {detail}.",
    "settled": "Whether it left is certain now: {detail}.",
    "tried_again": "It is tried again at once, by {who}: {detail}.",
    "resend_requested": "{who} had it sent again: {detail}.",
    "marked_sent": "{who} says that it left: {detail}.",
    "delivered": "It was delivered: {detail}.",
    "delayed": "Its delivery is late: {detail}.",
    "bounced": "It came back: {detail}.",
    "complained": "Its recipient complained: {detail}.",
    "rejected": "Amazon SES refused to send it: {detail}.",
    "opened": "It was opened: {detail}.",
    "disposition": "Its recipient's mail program sent a receipt: {detail}.",
}
_MOVES = {"merged": "moved into", "split": "split off to", "undone": "moved back to"}


def tell_decision(decision: Decision) -> str:
    """Say one decision as a sentence."""
    row = next((row for row in DECISIONS if row.fits(decision)), None)
    if row is None:
        return _ended(f"{decision.rule}: {decision.outcome} {decision.detail}")
    detail = decision.detail.rstrip(". ") or decision.outcome
    return _ended(row.says.format(rule=decision.rule, outcome=decision.outcome, detail=detail))


def tell_event(event: Event) -> str:
    """Say one event as a sentence."""
    if event.what in _MOVES:
        return _moved(event)
    says = EVENTS.get(event.what)
    detail = event.detail.rstrip(". ")
    if says is None:
        return _ended(f"{event.what}: {detail} ({event.who})")
    if not detail:
        says = says.replace(": {detail}", "").replace(" {detail}", "")
    return _ended(says.format(detail=detail, who=event.who))


def _moved(event: Event) -> str:
    try:
        record = json.loads(event.detail)
        where = f"the thread {record['to']} from {record['from']}, {len(record['members'])} in all"
    except (ValueError, KeyError, TypeError):
        where = event.detail
    return _ended(f"It was {_MOVES[event.what]} {where}, by {event.who}")


def summary_of_inbound(interaction: Interaction) -> str:
    """Say where an interaction is, and what put it there."""
    routed = [one for one in interaction.decisions if one.rule == "route" and one.outcome != "fall-back"]
    why = f": {routed[-1].detail}" if routed else ""
    fallen = [one.detail for one in interaction.decisions if (one.rule, one.outcome) == ("route", "fall-back")]
    if fallen:
        why += f"; but {', and '.join(fallen)}"
    match interaction.status:
        case Status.QUEUED:
            return _ended(f"It waits in the queue {interaction.queue}{why}")
        case Status.ASSIGNED:
            return _ended(f"An agent has it; it came by the queue {interaction.queue}{why}")
        case _:
            return _ended(f"It is done and waits for nobody; it is filed under the queue {interaction.queue}{why}")


_STATES: dict[OutboxState, str] = {
    OutboxState.NEW: "It waits to be sent, within minutes",
    OutboxState.CLAIMED: "A sender has just taken it{before}",
    OutboxState.DATA: "It is on the wire",
    OutboxState.SENT: "The next server has taken it, and {delivery}",
    OutboxState.DEFERRED: "It is certainly not sent yet{since}, after {tries}; it is tried again {due}: {reason}",
    OutboxState.FAILED: (
        "It did not leave, and is not tried again by itself: {reason}; when that is mended, a person sends it with "
        "`postroom outbox resend`"
    ),
    OutboxState.UNCERTAIN: (
        "Nobody knows whether it left, so it is not sent again by itself: {reason}; a person decides with "
        "`postroom outbox resend` or `postroom outbox mark-sent`"
    ),
}
_DELIVERIES: dict[Delivery, str] = {
    Delivery.UNKNOWN: "no report about its delivery has come",
    Delivery.TAKEN: "no report about its delivery has come, but that SES took it",
    Delivery.DELIVERED: "reports say that it was delivered",
    Delivery.DELAYED: "reports say that its delivery is late",
    Delivery.BOUNCED: "reports say that it came back",
    Delivery.COMPLAINED: "its recipient complained about it",
    Delivery.REJECTED: "refused to send it on",
    Delivery.OPENED: "reports say that it was opened",
}


def summary_of_outbound(outbound: Outbound) -> str:
    """Say how far a mail of ours has come."""
    reason = view.reason_of(outbound).rstrip(". ") or "no reason was given"
    values = {
        "due": f"at {outbound.due:%Y-%m-%d %H:%M} UTC" if outbound.due else "soon",
        "since": f", failing since {outbound.since:%Y-%m-%d %H:%M} UTC" if outbound.since else "",
        "tries": "1 try" if outbound.tries == 1 else f"{outbound.tries} tries",
        "before": f"; {reason}" if outbound.unrecorded > 1 else "",
        "reason": reason,
        "delivery": _DELIVERIES[outbound.delivery],
    }
    return _ended(_STATES[outbound.state].format(**values))


def _ended(sentence: str) -> str:
    sentence = sentence.strip()
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
