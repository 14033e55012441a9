"""Mail that cannot leave is seen at once, wherever an administrator looks: outbox, why, and its mailbox."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from postroom.services.outbound import send_mail as sending
from postroom.services.outbound.view import state_in_words

from tests.functional.cli.conftest import Command
from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_outbound import BOUNCE, _client_error, event, replied, send
from tests.functional.processing.test_outbound_troubles import defect, ses
from tests.support.aws_stack import sqs_event


@pytest.mark.feature("X04")
@pytest.mark.fault(73)
def test_mail_from_a_sender_that_the_stack_may_not_use_is_told_everywhere_with_the_remedy(postroom: Command) -> None:
    postroom.stack.configure(**CONFIGURATION)
    postroom.stack.client("ses").verify_email_identity(EmailAddress="support@example.com")
    outbound_id = replied(postroom.stack)
    refused = _client_error("AccessDeniedException", 403, "User x is not authorized to perform ses:SendEmail")
    with ses(lambda: refused):
        outbound = send(postroom.stack, outbound_id)
    (row,) = postroom("outbox", "list", "--state", "deferred", "--json").lines
    assert (row["id"], row["code"], row["tries"], row["needs_attention"]) == (
        outbound_id,
        "sender_not_permitted",
        1,
        True,
    )
    assert outbound.since is not None
    assert row["since"] == outbound.since.isoformat()
    assert row["to"] == ['"Ann" <ann@example.org>']
    assert "SesIdentity" in row["reason"]
    # Tables are cut to the width of the terminal.
    assert "needs" in postroom("outbox", "list").out
    assert "SesIdentity" in postroom("outbox", "show", outbound_id).out.replace("\n", "")
    told = " ".join(postroom("why", outbound_id).out.split())
    assert "after 1 try; it is tried again at" in told
    assert "SesIdentity" in told
    (warning,) = postroom("mailbox", "show", "support", "--json").json["warnings"]
    assert warning["rule"] == "unsent.sender_not_permitted"
    assert "1 mail waits to be sent since" in warning["text"]
    assert "SesIdentity" in warning["text"]
    assert "Warning, support: 1 mail waits" in " ".join(postroom("mailbox", "list").out.split())
    with ses(lambda: None):
        assert postroom("outbox", "resend", outbound_id).status == 0
        send(postroom.stack, outbound_id)
    assert postroom("mailbox", "show", "support", "--json").json["warnings"] == []


def test_an_error_of_ours_is_seen_in_the_outbox_and_in_why(postroom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    postroom.stack.configure(**CONFIGURATION)
    outbound_id = replied(postroom.stack)
    with monkeypatch.context() as patched:
        patched.setattr(sending, "prepare", defect)
        send(postroom.stack, outbound_id)
    (row,) = postroom("outbox", "list", "--state", "deferred", "--json").lines
    assert (row["code"], row["tries"], bool(row["since"]), bool(row["due"])) == ("defect", 1, True, True)
    assert "An error of ours before anything was sent: ZeroDivisionError" in row["reason"]
    (event,) = postroom("outbox", "show", outbound_id, "--json").json["events"]
    assert event["what"] == "deferred"
    assert "ZeroDivisionError" in " ".join(postroom("why", outbound_id).out.split())


def _told(out: str) -> dict[str, str]:
    return dict(re.findall(r"^(\S+(?: \S+)*?)  +(\S.*)$", out.split("\n\n", 1)[0], flags=re.MULTILINE))


@pytest.mark.feature("X04")
def test_an_outgoing_mail_is_shown_in_words_without_what_only_its_sender_needs(postroom: Command) -> None:
    postroom.stack.configure(**CONFIGURATION)
    postroom.stack.client("ses").verify_email_identity(EmailAddress="support@example.com")
    outbound_id = replied(postroom.stack)
    refused = _client_error("AccessDeniedException", 403, "User x is not authorized to perform ses:SendEmail")
    with ses(lambda: refused):
        outbound = send(postroom.stack, outbound_id)
    assert outbound.since is not None
    assert outbound.due is not None
    out = postroom("outbox", "show", outbound_id).out
    lines = _told(out)
    assert lines["state"] == "DEFERRED, needs attention"
    assert "SesIdentity" in lines["why"]
    assert lines["failing since"] == f"{outbound.since:%Y-%m-%d %H:%M:%S}"
    assert lines["next try"] == f"{outbound.due:%Y-%m-%d %H:%M:%S}"
    assert (lines["to"], lines["answers"]) == ('"Ann" <ann@example.org>', outbound.answers)
    assert not {"claim", "unrecorded", "body_marker", "attributes", "delivery"} & lines.keys()
    assert outbound.text in out
    assert "\nstate       DEFERRED, needs attention\n" in postroom("why", outbound_id).out
    with ses(lambda: None):
        postroom("outbox", "resend", outbound_id)
        send(postroom.stack, outbound_id)
    lines = _told(postroom("outbox", "show", outbound_id).out)
    assert lines["state"] == "SENT"
    assert not {"why", "failing since", "next try"} & lines.keys()
    assert "\nstate       SENT\n" in postroom("why", outbound_id).out
    (row,) = postroom("outbox", "list", "--state", "sent", "--json").lines
    assert (row["to"], row["delivery"]) == (['"Ann" <ann@example.org>'], "unknown")


@pytest.mark.parametrize(
    ("delivery", "needs_attention", "told"),
    [
        pytest.param("unknown", False, "SENT", id="no report has come"),
        pytest.param("taken", False, "SENT", id="SES has it, which SENT says already"),
        pytest.param("delivered", False, "SENT, delivered", id="delivered"),
        pytest.param("bounced", False, "SENT, bounced", id="came back"),
        pytest.param("", True, "SENT, needs attention", id="waits for a person"),
    ],
)
def test_a_state_is_told_with_what_matters_of_it(delivery: str, needs_attention: bool, told: str) -> None:
    assert state_in_words("SENT", delivery=delivery, needs_attention=needs_attention) == told


@pytest.mark.fault(79)
def test_a_report_about_a_mail_that_is_not_ours_is_listed(postroom: Command) -> None:
    postroom.stack.configure(**CONFIGURATION)
    assert "about a mail in the outbox" in postroom("outbox", "unmatched").out
    postroom.stack.invoke("TrackDelivery", sqs_event(event("Bounce", "nobody", **BOUNCE)))
    # Two days, as a day may end between the report and the question.
    (line,) = postroom("outbox", "unmatched", "--days", "2", "--json").lines
    assert datetime.now(UTC) - datetime.fromisoformat(line["at"]) < timedelta(minutes=10)
    assert line["detail"].startswith("Bounce")
    assert "Bounce" in postroom("outbox", "unmatched", "--days", "2").out
    assert postroom("outbox", "unmatched", "--days", "91").status == 2
