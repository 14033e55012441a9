"""Say where a mail is, and what put it there, in one sentence."""

from __future__ import annotations

from postroom.model import DecisionRule, Delivery, Interaction, Outbound, OutboxState, Outcome, Status
from postroom.services.outbound import view
from postroom.services.why.decision_sentences import ended


def summary_of_inbound(interaction: Interaction) -> str:
    """Say where an interaction is, and what put it there."""
    routes = [one for one in interaction.decisions if one.rule == DecisionRule.ROUTE]
    fallen = [one.detail for one in routes if one.outcome == Outcome.FALL_BACK]
    routed = [one.detail for one in routes if one.outcome != Outcome.FALL_BACK]
    why = f": {routed[-1]}" if routed else ""
    if fallen:
        why += f"; but {', and '.join(fallen)}"
    match interaction.status:
        case Status.QUEUED:
            return ended(f"It waits in the queue {interaction.queue}{why}")
        case Status.ASSIGNED:
            return ended(f"An agent has it; it came by the queue {interaction.queue}{why}")
        case _:
            return ended(f"It is done and waits for nobody; it is filed under the queue {interaction.queue}{why}")


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
    OutboxState.CANCELLED: "It was taken back before any sender had it, and is not sent",
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
    return ended(_STATES[outbound.state].format(**values))
