"""One mail's plan: everything that is to be written, decided without looking anything up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from postroom.model.configuration.document import Configuration
from postroom.model.configuration.mailbox import Mailbox
from postroom.model.decision import Decision, DecisionRule, Outcome
from postroom.model.identity import raw_key
from postroom.model.raw_message import RawMessage
from postroom.services.inbound.facts import Facts
from postroom.services.inbound.find_thread import Threaded
from postroom.services.inbound.plan import InboundPlan, plan_inbound
from postroom.services.inbound.understand_mail import understand, wrap
from postroom.services.policy.compiled import policy_of

COPY_HEADER = Mailbox.model_fields["copy_message_with_header"].default
NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
ALONE = Threaded(None, None, Decision(DecisionRule.THREAD_NO_REFERENCE, Outcome.NEW))
SUPPORT = {"name": "support", "type": "IMAP", "server": "mail.example.com", "address": "support@example.com"}
RAW = (
    b"From: Ann <ann@example.org>\r\nTo: support@example.com, sales@example.com\r\nSubject: Hello\r\n"
    b"Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\n\r\nHello.\r\n--b\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nsmall\r\n"
    b"--b\r\nContent-Disposition: attachment; filename=b.txt\r\n\r\n" + b"large " * 3_000 + b"\r\n"
    b"--b\r\nContent-Disposition: attachment; filename=c.exe\r\n\r\nMZ\r\n--b--\r\n"
)


def planned(
    raw: bytes = RAW, *, thread: Threaded = ALONE, metadata: dict[str, str] | None = None, **mailbox: Any
) -> InboundPlan:
    configuration = Configuration.model_validate({"mailboxes": [{**SUPPORT, **mailbox}]})
    policy = policy_of(configuration)
    key = raw_key("support", NOW, "1/1", "0" * 64)
    facts = Facts(RawMessage(key, raw, metadata or {}), "support", configuration.mailboxes[0], NOW)
    return plan_inbound(understand(raw, policy=policy), thread, policy, facts)


def test_a_plan_is_the_same_every_time() -> None:
    first, again = planned(), planned()
    assert (first.own.interaction, first.own.body) == (again.own.interaction, again.own.body)


def test_each_file_has_its_place() -> None:
    plan = planned()
    small, large, blocked = plan.own.interaction.attachments
    assert (small.inline_data, small.key) == (b"small", None)
    assert large.key == f"attachments/2026/11/21/{large.sha256}"
    assert blocked.key == f"quarantine/2026/11/21/{plan.own.interaction.id}/{blocked.sha256}"
    assert [file.key for file in plan.own.files] == [large.key, blocked.key]


@pytest.mark.feature("G05")
def test_the_interaction_of_the_raw_message_itself_is_written_last() -> None:
    plan = planned(copy_message_to_recipients=True)
    assert [one.interaction.attributes[COPY_HEADER] for one in (*plan.copies, plan.own)] == [
        "sales@example.com",
        "support@example.com",
    ]
    assert plan.own.interaction.id == planned().own.interaction.id


def test_a_mail_that_joins_a_thread_is_a_reply_in_it() -> None:
    plan = planned(thread=Threaded("t1", "p1", Decision(DecisionRule.THREAD_TOKEN, Outcome.JOINED), waits_for=None))
    assert (plan.own.interaction.thread_id, plan.own.interaction.parent_id) == ("t1", "p1")
    assert plan.own.interaction.subtype.value == "InboundCustomerReply"


@pytest.mark.feature("G08")
def test_an_oversize_mail_is_planned_without_its_files() -> None:
    plan = planned(metadata={"oversize": "true", "size": "99999999", "uid": "7"})
    assert (plan.own.files, plan.own.interaction.attachments) == ((), ())
    assert plan.own.interaction.attributes["OverSize"] == "99999999"


def test_a_report_is_planned_for_the_mail_that_it_belongs_to_and_for_none_other() -> None:
    report = (
        b"From: MAILER-DAEMON@example.net\r\nTo: support@example.com\r\nSubject: failed\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nFailed.\r\n--b\r\n"
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        b"Final-Recipient: rfc822; bob@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n--b--\r\n"
    )
    joined = Threaded("t1", "o1", Decision(DecisionRule.THREAD_REPORT, Outcome.JOINED))
    reported = planned(report, thread=joined).reported
    assert reported is not None
    assert (reported.outbound_id, reported.delivery.value, reported.event.what) == ("o1", "bounced", "bounced")
    assert planned(report).reported is None


@pytest.mark.feature("G25")
def test_a_wrapped_mail_names_the_raw_message_as_its_file() -> None:
    configuration = Configuration.model_validate({"mailboxes": [SUPPORT]})
    policy = policy_of(configuration)
    key = raw_key("support", NOW, "1/1", "0" * 64)
    facts = Facts(RawMessage(key, RAW, {}), "support", configuration.mailboxes[0], NOW)
    mail = replace(wrap(RAW, "it failed", policy=policy))
    plan = plan_inbound(mail, ALONE, policy, facts)
    assert plan.own.files == ()
    assert [(one.name, one.key) for one in plan.own.interaction.attachments] == [("original.eml", key)]
