"""The loop guards: to whom no automatic reply is ever sent (docs/threat-model.md 7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from postroom.mail.reports.automatic_evidence import Automatic, Evidence
from postroom.model.interaction import Subtype
from postroom.rules.automatic_replies.guards import GUARDS, AutoReplyFacts, is_no_reply, refusal

PERSON = AutoReplyFacts(
    subtype=Subtype.INBOUND_NEW,
    from_address="ann@example.com",
    return_path="<ann@example.com>",
    own_addresses=frozenset({"support@example.org"}),
    age=timedelta(minutes=1),
)


def test_a_person_may_be_answered() -> None:
    assert refusal(PERSON) is None


@pytest.mark.parametrize(
    ("guard", "facts"),
    [
        ("report", {"subtype": Subtype.INBOUND_NDR}),
        ("report", {"subtype": Subtype.INBOUND_DISPOSITION}),
        ("report", {"subtype": Subtype.INBOUND_FEEDBACK}),
        ("report", {"subtype": Subtype.TEMPORARY_UNDELIVERABLE}),
        ("delivery-exception", {"delivery_exception": "vacation"}),
        ("null-return-path", {"return_path": "<>"}),
        ("null-return-path", {"return_path": ""}),
        ("automatic", {"automatic": Automatic(True, "Auto-Submitted: auto-replied", "x", Evidence.REPLY)}),
        ("automatic", {"automatic": Automatic(True, "X-Autoreply: yes", "x", Evidence.GENERATED)}),
        ("list", {"automatic": Automatic(True, "Precedence: bulk", "x", Evidence.LIST)}),
        ("list", {"list_headers": ("List-Id",)}),
        ("wrapped", {"wrapped": True}),
        ("own-tag", {"has_own_tag": True}),
        ("no-sender", {"from_address": ""}),
        ("no-sender", {"from_address": "nobody"}),
        ("own-address", {"from_address": "Support@Example.org"}),
        ("own-address", {"from_address": f"support+pr1.abc.{'a' * 16}@example.org"}),
        ("no-reply", {"from_address": "no-reply@example.com"}),
        ("missing-return-path", {"return_path": None}),
        ("dmarc", {"dmarc_failed": True}),
        ("first-connection", {"before_first_connection": True}),
        ("age", {"age": timedelta(days=3)}),
    ],
)
def test_a_guard_refuses_and_names_itself(guard: str, facts: dict[str, Any]) -> None:
    decision = refusal(replace(PERSON, **facts))
    assert decision is not None
    assert (decision.rule, decision.outcome) == ("auto-reply", "suppressed")
    assert decision.detail.startswith(f"{guard}: ")


def test_every_guard_is_tested_above() -> None:
    tested = {row[0] for mark in test_a_guard_refuses_and_names_itself.pytestmark for row in mark.args[1]}
    assert tested == {guard.name for guard in GUARDS}


def test_a_mailbox_whose_server_records_no_return_path_is_answered_all_the_same() -> None:
    assert refusal(replace(PERSON, return_path=None, return_path_expected=False)) is None


def test_a_mail_as_old_as_the_limit_is_still_answered() -> None:
    assert refusal(replace(PERSON, age=timedelta(days=2))) is None
    assert refusal(replace(PERSON, age=timedelta(days=2, seconds=1))) is not None
    assert refusal(replace(PERSON, age=timedelta(hours=3), age_limit=timedelta(hours=2))) is not None


@pytest.mark.parametrize(
    "address",
    [
        "noreply@x.example",
        "No-Reply@x.example",
        "no_reply+abc@x.example",
        "news.noreply@x.example",
        "do-not-reply@x.example",
        "donotreply@x.example",
        "bounces+123=x@x.example",
        "bounce-1234@x.example",
        "nobody@x.example",
        "nicht-antworten@x.example",
    ],
)
def test_an_address_that_nobody_reads_is_known(address: str) -> None:
    assert is_no_reply(address)


@pytest.mark.parametrize(
    "address", ["ann@noreply.example", "reply@x.example", "norm@x.example", "anybody@x.example", ""]
)
def test_other_addresses_are_read_by_somebody(address: str) -> None:
    assert not is_no_reply(address)
