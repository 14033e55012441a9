"""The protocol trace of an EWS mailbox shows what is asked and answered, and no secret and no mail anywhere (G10)."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest
from postroom.errors import LoginRefused, PostroomError
from postroom.model.server_mail import Action
from postroom_cli.mailservers.ews import EwsServer
from postroom_cli.mailservers.ews_answers import whole_answer
from postroom_cli.mailservers.ews_store import Code, Cut, Fault, Mailbox, Planted, Raw, Status

from tests.functional.ews.opening import ADDRESS, collect, opened
from tests.functional.ews.site import Site
from tests.support.mails import mail

CANARY = "canary-Pa55/w0rd+x"
SECRETS = (
    CANARY,
    base64.b64encode(f"{ADDRESS}:{CANARY}".encode()).decode(),
    base64.b64encode(CANARY.encode()).decode().rstrip("="),
    "TlRMTVNTUAAD",  # how the message of an NTLM login begins that proves the password
    "Where is my parcel",  # the subject
    "what the mail says",
    base64.b64encode(b"what the mail says").decode()[:20],
)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The trace: step, direction and line."""
    rows = [vars(record) for record in caplog.records if record.msg == "protocol"]
    return [f"{row['step']} {row['direction']} {row['line']}" for row in rows]


def everything(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, with every extra field."""
    return "\n".join(repr(vars(record)) for record in caplog.records)


@pytest.mark.feature("G10")
@pytest.mark.parametrize(
    ("offers", "options", "login"),
    [
        pytest.param(("Basic",), {}, "login by Basic", id="Basic"),
        pytest.param(("NTLM",), {}, "login by NTLM", id="NTLM"),
        pytest.param((), {"client_id": "app"}, "login by Bearer", id="a token"),
    ],
)
def test_the_trace_shows_operations_sizes_and_codes_and_no_secret(
    caplog: pytest.LogCaptureFixture, offers: tuple[str, ...], options: dict[str, Any], login: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with EwsServer({ADDRESS: CANARY}, offers=offers) as ews:
        ews.tokens[CANARY] = ADDRESS
        ews.mailboxes[ADDRESS].deliver(mail(body="what the mail says"))
        with opened(ews, secret=CANARY, enable_debug=True, **options) as session:
            news = session.list(None).news
            contents, _failures = collect(session, news)
            session.act([item.id for item in news], Action.DELETE)
    assert len(contents) == 1
    shown = "\n".join(lines(caplog))
    for expected in (
        login,
        "login > POST GetFolder, ",
        "list > POST FindItem, ",
        "fetch > POST GetItem of 1 items, ",
        "act > POST DeleteItem of 1 items, ",
        "< 200 in 0.",
        " bytes: 1 × NoError",
        "bytes: 1 × a message",
    ):
        assert expected in shown
    logged = everything(caplog)
    assert [secret for secret in SECRETS if secret in logged] == []


@pytest.mark.feature("G10")
@pytest.mark.parametrize(
    ("planted", "shown"),
    [
        pytest.param(None, "login < 401 in 0.", id="refused"),
        pytest.param(Status(503, {"Retry-After": CANARY}), "login < 503 in 0.", id="a header"),
        pytest.param(Fault(f"Error{CANARY}"), "login < 500 in 0.", id="an unknown fault"),
        pytest.param(Fault("ErrorServerBusy"), "bytes: 1 × ErrorServerBusy", id="a known fault"),
        pytest.param(Code("ErrorCanaryPassword"), "1 × an unknown code", id="a code of its own"),
        pytest.param(Raw(whole_answer("GetFolder", CANARY)), "1 × NoError", id="an answer that repeats it"),
        pytest.param(Cut(0.5), "login < 200 in 0.", id="a broken connection"),
    ],
)
def test_whatever_the_server_answers_the_trace_repeats_none_of_it(
    ews: EwsServer, box: Mailbox, caplog: pytest.LogCaptureFixture, planted: Planted | None, shown: str
) -> None:
    caplog.set_level(logging.DEBUG)
    if planted is not None:
        ews.users[ADDRESS] = CANARY
        ews.plant("GetFolder", planted)
    with pytest.raises(PostroomError), opened(ews, secret=CANARY, enable_debug=True):
        pass
    assert shown in "\n".join(lines(caplog))
    assert not any(secret in "\n".join(lines(caplog)) for secret in (*SECRETS, "CanaryPassword"))


def test_a_server_that_says_nothing_is_shown_with_what_became_of_it(
    ews: EwsServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(PostroomError), opened(ews, enable_debug=True, server="https://localhost:1/EWS/Exchange.asmx"):
        pass
    assert any("< connect_refused after 0." in line for line in lines(caplog))


@pytest.mark.feature("G10")
def test_a_poll_is_traced_where_the_mailbox_says_so_and_only_there(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "postroom")
    site.box.deliver(mail(body="what the mail says"))
    site.configure()
    site.poll()
    assert lines(caplog) == []
    site.box.deliver(mail(subject="Another"))
    site.configure(enable_debug=True)
    site.poll()
    assert any("POST GetItem of 1 items" in line for line in lines(caplog))
    assert len(site.raw()) == 2


def test_a_token_is_in_no_error(ews: EwsServer) -> None:
    with pytest.raises(LoginRefused) as raised, opened(ews, secret=CANARY, client_id="app", enable_debug=True):
        pass
    assert CANARY not in str(raised.value)
