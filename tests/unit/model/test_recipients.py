"""What a try, a person or a report makes of a mail whose recipients differ; no state is inferred of a recipient.

The family: one state for many recipients, so that what is true of one is done to all.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from postroom.model.interaction import Subtype
from postroom.model.outbound import (
    AtRecipient,
    Became,
    Delivery,
    Outbound,
    OutboxState,
    after_try,
    at_recipients,
    derived_state,
    recipients_changed,
    recipients_in_flight,
    settlement,
)

NEW, CLAIMED, DATA = OutboxState.NEW, OutboxState.CLAIMED, OutboxState.DATA
SENT, DEFERRED, FAILED, UNCERTAIN = (
    OutboxState.SENT,
    OutboxState.DEFERRED,
    OutboxState.FAILED,
    OutboxState.UNCERTAIN,
)
ALL = ("ann@a.example", "bob@b.example", "cy@c.example")


def outbound(state: OutboxState = CLAIMED, **more: object) -> Outbound:
    given: dict[str, object] = {
        "id": "o",
        "subtype": Subtype.OUTBOUND_REPLY,
        "thread_id": "t",
        "mailbox": "support",
        "department": "service",
        "from_address": "support@example.com",
        "to": ALL,
        "subject": "x",
        "text": "x",
        "created": datetime(2026, 1, 1, tzinfo=UTC),
        "server": "relay",
        "state": state,
    }
    return Outbound(**{**given, **more})  # type: ignore[arg-type]  # of fields of their own types


def states(*three: OutboxState) -> dict[str, AtRecipient]:
    return {to: AtRecipient(state) for to, state in zip(ALL, three, strict=True)}


@pytest.mark.fault(103)
@pytest.mark.parametrize(
    ("three", "state"),
    [
        ((SENT, SENT, SENT), SENT),
        ((SENT, SENT, FAILED), FAILED),
        ((SENT, FAILED, UNCERTAIN), UNCERTAIN),
        ((UNCERTAIN, FAILED, DEFERRED), DEFERRED),
        ((SENT, SENT, NEW), NEW),
        ((DEFERRED, DATA, FAILED), DATA),
        ((DEFERRED, CLAIMED, SENT), CLAIMED),
        ((FAILED, FAILED, FAILED), FAILED),
    ],
)
def test_a_mail_is_in_flight_while_any_recipient_is_then_uncertain_before_failed_before_sent(
    three: tuple[OutboxState, ...], state: OutboxState
) -> None:
    assert derived_state(three) is state


def test_no_recipient_is_named_while_all_are_alike() -> None:
    assert after_try(outbound(), ALL, {}, everybody=ALL) == (SENT, {})
    refused = dict.fromkeys(ALL, AtRecipient(FAILED, "x", "550 no"))
    assert after_try(outbound(), ALL, refused, everybody=ALL) == (FAILED, {})


def test_those_who_have_it_keep_it_through_later_tries() -> None:
    first = after_try(outbound(), ALL, {ALL[1]: AtRecipient(DEFERRED), ALL[2]: AtRecipient(FAILED)}, everybody=ALL)
    assert first == (DEFERRED, states(SENT, DEFERRED, FAILED))
    assert recipients_in_flight(first[1]) == (ALL[1],)
    again = outbound(recipients=first[1], remaining=(ALL[1],))
    assert after_try(again, (ALL[1],), {ALL[1]: AtRecipient(UNCERTAIN)}, everybody=ALL) == (
        UNCERTAIN,
        states(SENT, UNCERTAIN, FAILED),
    )


def test_a_mail_of_an_earlier_version_that_names_who_is_left_is_read_so() -> None:
    old = outbound(DEFERRED, remaining=(ALL[2],))
    assert {to: one.state for to, one in at_recipients(old, ALL).items()} == {
        ALL[0]: SENT,
        ALL[1]: SENT,
        ALL[2]: DEFERRED,
    }
    assert after_try(old, (ALL[2],), {ALL[2]: AtRecipient(FAILED)}, everybody=ALL)[1] == states(SENT, SENT, FAILED)


@pytest.mark.fault(103)
def test_a_change_reaches_the_recipients_in_the_states_that_it_names_and_no_other() -> None:
    mixed = outbound(UNCERTAIN, recipients=states(SENT, UNCERTAIN, FAILED))
    again = (UNCERTAIN, FAILED, DEFERRED)
    assert recipients_changed(mixed, again, AtRecipient(NEW)) == (NEW, states(SENT, NEW, NEW))
    assert recipients_changed(mixed, (UNCERTAIN,), AtRecipient(SENT)) == (FAILED, states(SENT, SENT, FAILED))
    assert recipients_changed(mixed, (UNCERTAIN,), AtRecipient(SENT), only=[ALL[0]])[1] == mixed.recipients
    alike = outbound(UNCERTAIN)
    assert recipients_changed(alike, (UNCERTAIN,), AtRecipient(SENT)) == (SENT, {})


def test_a_recipient_who_is_being_sent_to_is_shown_in_the_state_of_the_mail() -> None:
    shown = at_recipients(outbound(CLAIMED, recipients=states(SENT, DEFERRED, FAILED)), ALL)
    assert [one.state for one in shown.values()] == [SENT, CLAIMED, FAILED]


@pytest.mark.parametrize(
    ("state", "delivery", "became"),
    [
        *((state, Delivery.UNKNOWN, Became.ON_ITS_WAY) for state in (NEW, CLAIMED, DATA, DEFERRED)),
        (SENT, Delivery.UNKNOWN, Became.LEFT),
        (SENT, Delivery.DELIVERED, Became.LEFT),
        (SENT, Delivery.BOUNCED, Became.RETURNED),
        (SENT, Delivery.COMPLAINED, Became.RETURNED),
        (FAILED, Delivery.UNKNOWN, Became.RETURNED),
        (UNCERTAIN, Delivery.UNKNOWN, Became.RETURNED),
        (DEFERRED, Delivery.BOUNCED, Became.ON_ITS_WAY),
    ],
)
def test_who_waits_for_a_mail_hears_what_it_has_come_to(state: OutboxState, delivery: Delivery, became: Became) -> None:
    told = settlement(outbound(state, delivery=delivery, revision=3))
    assert (told.became, told.revision) == (became, 3)
