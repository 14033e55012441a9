"""The protocol trace of `enable_debug` shows what is talked about, and no password or token anywhere (G10)."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from postroom.errors import LoginRefused
from postroom.model.configuration.mailbox import Type
from postroom_cli.mailservers.imap import ImapServer
from postroom_cli.mailservers.pop3 import Pop3Server

from tests.functional.fetching.conftest import Site
from tests.functional.mail_protocols.opening import imap_session, mailbox, pop3_session
from tests.support.mails import mail

CANARY = "canary-Pa55/w0rd+x"
USER = "box0@example.com"
FORMS = (
    CANARY,
    base64.b64encode(f"\0{USER}\0{CANARY}".encode()).decode(),
    base64.b64encode(CANARY.encode()).decode().rstrip("="),
)


def everything_logged(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, with every extra field."""
    return "\n".join(repr(vars(record)) for record in caplog.records)


def everything_stored(site: Site) -> str:
    """All items of the table, and all objects of the buckets."""
    session = boto3.Session()
    found = [repr(session.client("dynamodb").scan(TableName=site.stack.table)["Items"])]
    s3 = session.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for row in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            found.append(repr(s3.get_object(Bucket=bucket["Name"], Key=row["Key"])))
            found.append(row["Key"])
    return "\n".join(found)


def protocol_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The trace."""
    return [vars(record) for record in caplog.records if record.msg == "protocol"]


@pytest.mark.feature("G10")
@pytest.mark.parametrize("mechanism", ["LOGIN", "PLAIN"])
@pytest.mark.parametrize("refusal", ["", f"[AUTHENTICATIONFAILED] {CANARY} is wrong"], ids=["let in", "refused"])
def test_the_trace_of_a_poll_shows_commands_and_no_password_anywhere(
    site: Site, caplog: pytest.LogCaptureFixture, mechanism: str, refusal: str
) -> None:
    caplog.set_level(logging.DEBUG, "postroom")
    site.server.store.users[USER] = CANARY
    site.enter_secret(CANARY)
    site.server.faults.login_refusal = refusal
    site.configure(enable_debug=True, properties={"mail.imap.auth.mechanisms": mechanism})
    site.deliver(mail(body="what the mail says"))
    site.poll()
    assert len(site.raw()) == (0 if refusal else 1)
    shown = [line["line"] for line in protocol_lines(caplog)]
    assert any("ready" in line for line in shown)  # the greeting
    assert any("FETCH" in line for line in shown) is not bool(refusal)
    assert any(line["step"] == "login" and line["line"] == "(not shown)" for line in protocol_lines(caplog))
    logged, stored = everything_logged(caplog), everything_stored(site)
    for form in FORMS:
        assert form not in logged
        assert form not in stored
    assert "what the mail says" not in logged
    assert "(not shown) is wrong" in site.state().health.reason or not refusal


def test_without_the_option_nothing_is_traced(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "postroom")
    site.configure()
    site.poll()
    assert protocol_lines(caplog) == []


@pytest.mark.feature("G10")
@pytest.mark.parametrize("type_", [Type.IMAP, Type.POP3])
@pytest.mark.parametrize("good", [True, False], ids=["taken", "refused"])
def test_no_token_is_in_a_trace_or_an_error(caplog: pytest.LogCaptureFixture, type_: Type, good: bool) -> None:
    caplog.set_level(logging.DEBUG, "postroom")
    made: Callable[..., Any] = ImapServer if type_ is Type.IMAP else Pop3Server
    opened = imap_session if type_ is Type.IMAP else pop3_session
    with made({"user0": "x"}, tokens=[CANARY if good else "another"]) as server:
        box = mailbox(server.port, server.ca_pem, type_=type_, client_id="app", enable_debug=True)
        if good:
            with opened(box, secret=CANARY) as session:
                session.list(None)
        else:
            with pytest.raises(LoginRefused) as raised, opened(box, secret=CANARY):
                pass
            assert CANARY not in str(raised.value)
    assert any(line["direction"] == "<" for line in protocol_lines(caplog))
    logged = everything_logged(caplog)
    bearer = base64.b64encode(f"user=user0\x01auth=Bearer {CANARY}\x01\x01".encode()).decode()
    assert not any(form in logged for form in (*FORMS, bearer))


@pytest.mark.feature("G10")
@pytest.mark.parametrize("mechanism", ["LOGIN", "PLAIN"])
def test_no_password_is_in_a_trace_of_pop3(caplog: pytest.LogCaptureFixture, mechanism: str) -> None:
    caplog.set_level(logging.DEBUG, "postroom")
    with Pop3Server({USER: CANARY}) as server:
        server.append(USER, mail())
        properties = {"mail.pop3.auth.mechanisms": mechanism}
        box = mailbox(server.port, server.ca_pem, user=USER, type_=Type.POP3, properties=properties, enable_debug=True)
        with pop3_session(box, secret=CANARY) as session:
            assert len(session.list(None).news) == 1
    shown = [line["line"] for line in protocol_lines(caplog)]
    assert "UIDL" in shown
    assert not any(form in everything_logged(caplog) for form in FORMS)
