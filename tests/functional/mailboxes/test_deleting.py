"""Aliases and mailboxes in use stay; what is answered after one was deleted leaves by the default server (C04)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from postroom.model.outbound import OutboxState
from postroom_cli.mailservers import SmtpSink

from tests.functional.cli.conftest import Command
from tests.functional.mailboxes.conftest import Clock
from tests.support.aws_stack import sqs_event
from tests.support.mails import mail

pytestmark = pytest.mark.feature("C04")

ALIAS = {"name": "support", "address": "Support <support@example.com>", "outbound_server": "own"}
MAIN = {"name": "main", "address": "main@example.com", "default": True}
MAILBOX = {
    "name": "support",
    "address": "support@example.com",
    "server": "imap.example.com",
    "password": {"secret": "support"},
}

Apply = Callable[..., list[dict[str, str]]]


@pytest.fixture
def sinks() -> Iterator[tuple[SmtpSink, SmtpSink]]:
    """The default server, which wants a login, and the alias's own."""
    with SmtpSink({"postroom": "hunter2"}, require_login=True) as default, SmtpSink() as own:
        yield default, own


@pytest.fixture
def apply(postroom: Command, sinks: tuple[SmtpSink, SmtpSink]) -> Apply:
    """Apply a configuration file with these aliases and mailboxes, and return what was wrong with it."""
    default, own = sinks

    def server(name: str, sink: SmtpSink, **options: Any) -> dict[str, Any]:
        where = {"type": "smtp", "host": "localhost", "port": sink.port, "ca_certificate": sink.ca_pem}
        return {"name": name, **where, **options}

    def applied(aliases: list[Any], mailboxes: list[Any], **more: Any) -> list[dict[str, str]]:
        document = {
            "settings": {"default_inbound_queue": "general"},
            "queues": [{"name": "general"}],
            "outbound_servers": [
                server("smtp-client", default, user="postroom", password={"secret": "smtp"}),
                server("own", own, authentication="anonymous"),
            ],
            "aliases": aliases,
            "mailboxes": mailboxes,
            **more,
        }
        ran = postroom("config", "apply", "-", "--yes", "--json", stdin=json.dumps(document))
        return ran.json["error"]["problems"] if ran.status else []

    return applied


def incoming(postroom: Command) -> str:
    """A mail to the mailbox; returns its interaction."""
    return postroom.stack.process(mail("Auto-Submitted: auto-generated"))


def reply(postroom: Command, interaction_id: str) -> str:
    """Answer as an agent does; returns the outbound mail's id."""
    ran = postroom("reply", interaction_id, "--json", stdin="It is on its way.")
    assert ran.status == 0, ran.err
    return str(ran.json["id"])


def serve_outbox(postroom: Command) -> None:
    """Run the real handler on everything that waits in the queue."""
    for message in postroom.stack.queued("OUTBOUND_QUEUE_URL"):
        answer = postroom.stack.invoke("SendOutbound", sqs_event(message))
        assert answer == {"batchItemFailures": []}


def state(postroom: Command, outbound_id: str) -> str:
    return str(postroom("outbox", "show", outbound_id, "--json").json["state"])


def test_what_is_default_enabled_or_retrieved_is_not_deleted_and_its_user_is_named(
    postroom: Command, apply: Apply
) -> None:
    enabled = {**MAILBOX, "enabled": True}
    assert apply([ALIAS, MAIN], [enabled]) == []
    assert [one["path"] for one in apply([ALIAS], [enabled])] == ["aliases[name=main]"]
    (retrieved,) = apply([MAIN], [enabled])
    assert "the enabled mailbox `support` retrieves its mail" in retrieved["problem"]
    (polled,) = apply([ALIAS, MAIN], [])
    assert (polled["path"], "enabled" in polled["problem"]) == ("mailboxes[name=support]", True)
    assert postroom("mailbox", "remove", "support").status == 2
    # An alias's server is in use as long as the alias is.
    assert apply([ALIAS, MAIN], [enabled], outbound_servers=[{"name": "smtp-client"}])[0]["path"] == (
        "aliases[0].outbound_server"
    )
    # The mailbox of a default alias stays: nobody would fetch the answers.
    default = {**ALIAS, "default": True}
    assert apply([default], [MAILBOX]) == []
    ran = postroom("mailbox", "remove", "support", "--json")
    (problem,) = ran.json["error"]["problems"]
    assert (ran.status, problem["path"]) == (2, "mailboxes[name=support]")
    assert "`support`, the default alias of the department `default`" in problem["problem"]
    assert problem["remedy"] == "Make another alias the default first."
    assert apply([ALIAS, MAIN], [MAILBOX]) == []
    assert postroom("mailbox", "remove", "support").status == 0
    assert apply([MAIN], []) == []


@pytest.mark.parametrize("mailboxes", [[MAILBOX], []], ids=["alias-only", "with-its-mailbox"])
def test_replies_of_a_deleted_alias_leave_by_the_default_server_from_the_same_address(
    postroom: Command, apply: Apply, sinks: tuple[SmtpSink, SmtpSink], mailboxes: list[Any]
) -> None:
    default, own = sinks
    assert postroom("secret", "set", "smtp", stdin="hunter2").status == 0
    assert apply([ALIAS], [MAILBOX]) == []
    interaction = incoming(postroom)
    before, waiting = reply(postroom, interaction), reply(postroom, interaction)
    postroom.stack.invoke("SendOutbound", sqs_event({"v": 1, "outbound": before}))
    assert (len(default.mails), len(own.mails)) == (0, 1)
    assert apply([], mailboxes) == []
    later = reply(postroom, interaction)  # written after the alias was deleted
    serve_outbox(postroom)
    assert [state(postroom, one) for one in (before, waiting, later)] == ["SENT"] * 3
    assert (len(default.mails), len(own.mails)) == (2, 1)
    assert {received.sender for received in default.mails} == {"support@example.com"}
    told = postroom("outbox", "show", waiting, "--json").json["events"][-1]["detail"]
    assert "own, which it was written for" in told


def test_without_its_settings_the_default_server_keeps_the_mail_visible_and_sends_it_when_they_are_there(
    postroom: Command, apply: Apply, sinks: tuple[SmtpSink, SmtpSink], clock: Clock
) -> None:
    default, _own = sinks
    assert apply([ALIAS], [MAILBOX]) == []
    interaction = incoming(postroom)
    assert apply([], []) == []
    waiting = reply(postroom, interaction)
    serve_outbox(postroom)
    for _day in range(7):  # longer than a mail is tried that another server puts off
        clock.wait(days=1)
        assert postroom.stack.invoke("Sweep", {})["sends_queued_again"] == 1
        serve_outbox(postroom)
    (row,) = postroom("outbox", "list", "--state", "DEFERRED", "--json").lines
    assert (row["id"], row["to"]) == (waiting, ['"Ann" <ann@example.org>'])
    assert "has not been entered (smtp)" in row["reason"]
    assert "postroom secret set smtp" in row["reason"]
    assert row["due"]
    assert "postroom secret set smtp" in " ".join(postroom("outbox", "list").out.split())
    assert default.mails == []
    entered = postroom("secret", "set", "smtp", "--json", stdin="hunter2").json
    assert entered["sent_again"] == [waiting]
    serve_outbox(postroom)
    assert state(postroom, waiting) == OutboxState.SENT
    events = postroom("outbox", "show", waiting, "--json").json["events"]
    assert [one["what"] for one in events[-2:]] == ["tried_again", "sent"]
    assert len(default.mails) == 1


def test_a_password_that_is_corrected_sends_what_waited_for_it_also_where_the_wrong_one_is_remembered(
    postroom: Command, apply: Apply, sinks: tuple[SmtpSink, SmtpSink]
) -> None:
    default, _own = sinks
    assert postroom("secret", "set", "smtp", stdin="wrong").status == 0
    assert apply([ALIAS], [MAILBOX]) == []
    interaction = incoming(postroom)
    assert apply([], []) == []
    waiting = reply(postroom, interaction)
    serve_outbox(postroom)
    (row,) = postroom("outbox", "list", "--state", "DEFERRED", "--json").lines
    assert "Enter the right user and password" in row["reason"]
    assert postroom("secret", "set", "smtp", "--json", stdin="hunter2").json["sent_again"] == [waiting]
    serve_outbox(postroom)
    assert state(postroom, waiting) == OutboxState.SENT
    assert len(default.mails) == 1


def test_a_default_server_that_is_configured_anew_sends_what_waited_for_it(
    postroom: Command, apply: Apply, sinks: tuple[SmtpSink, SmtpSink]
) -> None:
    _default, own = sinks
    assert apply([ALIAS], [MAILBOX]) == []
    interaction = incoming(postroom)
    assert apply([], []) == []
    waiting = reply(postroom, interaction)
    serve_outbox(postroom)
    assert state(postroom, waiting) == OutboxState.DEFERRED
    assert apply([], [], queues=[{"name": "general"}, {"name": "new"}]) == []
    assert postroom.stack.queued("OUTBOUND_QUEUE_URL") == []  # nothing about sending was changed
    settings = {"default_inbound_queue": "general", "default_outbound_server": "own"}
    assert apply([], [], settings=settings) == []
    serve_outbox(postroom)
    assert state(postroom, waiting) == OutboxState.SENT
    assert [received.sender for received in own.mails] == ["support@example.com"]


def test_an_address_that_amazon_does_not_know_waits_until_it_is_verified(postroom: Command, apply: Apply) -> None:
    servers = {"outbound_servers": [{"name": "smtp-client"}]}
    alias = {name: value for name, value in ALIAS.items() if name != "outbound_server"}
    assert apply([alias], [MAILBOX], **servers) == []
    interaction = incoming(postroom)
    assert apply([], [], **servers) == []
    waiting = reply(postroom, interaction)
    serve_outbox(postroom)
    (row,) = postroom("outbox", "list", "--state", "DEFERRED", "--json").lines
    assert "Verify support@example.com or its domain in SES; the mail waits." in row["reason"]
    postroom.stack.client("ses").verify_email_identity(EmailAddress="support@example.com")
    assert postroom("outbox", "resend", waiting).status == 0
    serve_outbox(postroom)
    assert state(postroom, waiting) == OutboxState.SENT
