"""Mail that cannot leave is seen at once, wherever an administrator looks: outbox, why, and its mailbox."""

from __future__ import annotations

import pytest
from postroom.services import send as sending

from tests.functional.cli.conftest import Command
from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_outbound import _client_error, replied, send
from tests.functional.processing.test_outbound_troubles import defect, ses


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
    assert row["to"] == ["ann@example.org"]
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
