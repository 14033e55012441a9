"""The trace of a Graph mailbox and of its token requests: what was asked, and no token or secret anywhere (G10)."""

from __future__ import annotations

import base64
import logging
from typing import Any

import boto3
import pytest
from postroom.model.mailbox_state import HealthState
from postroom_cli.mailservers.graph_calls import error
from postroom_cli.mailservers.tokens import refusal

from tests.functional.oauth.conftest import Site
from tests.functional.oauth.conftest import site as handler_site  # noqa: F401 - the fixture of whole stacks
from tests.support.mails import mail

pytestmark = pytest.mark.feature("G10")

SECRET = "canary-Pa55/w0rd+x"


@pytest.fixture(name="site")
def _site(handler_site: Site, caplog: pytest.LogCaptureFixture) -> Site:  # noqa: F811 - a fixture's name is its argument
    caplog.set_level(logging.DEBUG)
    handler_site.enter("app", SECRET)
    handler_site.service.secrets = {SECRET}
    return handler_site


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    """Step, direction and text of the trace."""
    records = [vars(record) for record in caplog.records if record.msg == "protocol"]
    return [(record["step"], record["direction"], record["line"]) for record in records]


def assert_nothing_secret(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Look for what must not be told: in every field of every log line of ours, and in everything that was stored."""
    session = boto3.Session()
    stored = repr(session.client("dynamodb").scan(TableName=site.stack.table)["Items"])
    ours = [record for record in caplog.records if record.name.startswith("postroom")]
    logged = "\n".join(repr(vars(record)) for record in ours)
    forms = [SECRET, *site.service.issued, "Contoso", "what the mail says"]
    forms += [base64.b64encode(form.encode()).decode().rstrip("=") for form in forms]
    assert [form for form in forms if form in logged or form in stored] == []
    traced = "\n".join(line for _step, _direction, line in lines(caplog))
    assert "box0@" not in traced
    assert "Bearer" not in logged


@pytest.mark.feature("G24")
def test_a_poll_shows_each_request_with_status_time_and_size(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.configure({"type": "GRAPH", "enable_debug": True, "folder_path": "Cases", "leave_msg_on_server": True})
    cases = site.graph.make("Cases")
    site.graph.page = 1
    site.graph.deliver(mail(body="what the mail says"), mail(subject="second"), folder=cases)
    site.poll()
    assert len(site.raw()) == 2
    shown = lines(caplog)
    login = [text for step, _direction, text in shown if step == "login"]
    assert login[0].startswith(f"POST {site.authority.removeprefix('https://')}, grant client_credentials, ")
    assert login[1].startswith("200 in 0.")
    assert login[2].startswith("an access token, until ")
    asked = [text for _step, direction, text in shown if direction == ">"]
    assert any(text.startswith("GET /mailFolders?$filter=displayName") for text in asked)
    assert any("/messages?(next page)" in text for text in asked)
    assert any(text.startswith("GET /messages/") and "/$value" in text for text in asked)
    assert any(text.startswith("PATCH /messages/") for text in asked)
    answered = [text for step, direction, text in shown if direction == "<" and step != "login"]
    assert len(answered) == len([step for step, direction, _text in shown if direction == ">" and step != "login"])
    assert all(text.startswith("200 in 0.") and text.endswith("bytes") for text in answered)
    assert_nothing_secret(site, caplog)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(lambda: refusal(401, "invalid_client", 7000215, text=SECRET), "client_secret_wrong", id="secret"),
        pytest.param(lambda: refusal(429, "x", text=SECRET, retry_after="60"), "throttled", id="throttled"),
    ],
)
def test_a_refused_token_shows_its_code_and_not_what_was_said(
    site: Site, caplog: pytest.LogCaptureFixture, answer: Any, code: str
) -> None:
    site.service.script.append(answer())
    site.configure({"type": "GRAPH", "enable_debug": True})
    site.poll()
    assert site.health().code == code
    login = [text for step, _direction, text in lines(caplog) if step == "login"]
    assert login[0].endswith("bytes")
    assert "grant client_credentials" in login[0]
    assert login[1].startswith(("401 in ", "429 in "))
    assert login[2] == f"no access token: {code}"
    assert_nothing_secret(site, caplog)


def test_a_refused_request_shows_its_status_and_its_number_for_microsoft_s_support(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    number = "0f9b1c2d-1111-2222-3333-444455556666"

    def answer() -> Any:
        reply = error(403, "ErrorAccessDenied")
        reply.headers = {**reply.headers, "request-id": number}
        return reply

    site.graph.fail("GET", ".*", answer, times=9)
    site.configure({"type": "GRAPH", "enable_debug": True})
    site.poll()
    assert site.health().state is HealthState.NEEDS_ATTENTION
    refused = [text for step, _direction, text in lines(caplog) if step != "login" and text.startswith("403")]
    assert refused
    assert all(f"request-id {number}" in text for text in refused)
    assert_nothing_secret(site, caplog)


def test_without_the_option_nothing_is_traced(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.configure({"type": "GRAPH"})
    site.poll()
    assert site.well()
    assert lines(caplog) == []
