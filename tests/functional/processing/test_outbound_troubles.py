"""Mail that cannot leave is told of at once, with reason and remedy, held, and sent once when that is mended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from postroom import bootstrap
from postroom.adapters.clock import utc_now
from postroom.model.outbound import Outbound, OutboxState
from postroom.rules import thread_markers
from postroom.services.outbound import send_mail as sending
from postroom.services.outbound.record_attempt import MOST_DEATHS
from postroom.services.outbound.settle import resend
from postroom.services.outbound.waiting import wait_after

from tests.functional.processing.conftest import CONFIGURATION
from tests.functional.processing.test_outbound import CALL, Queue, _client_error, replied, send, verified
from tests.support.aws_stack import AwsStack

__all__ = ["verified"]


@contextmanager
def ses(answer: Callable[[], Exception | None]) -> Iterator[list[Any]]:
    """SES answers as told; yields the requests that reached it."""
    requests: list[Any] = []

    def call(client: Any, operation: str, arguments: Any) -> Any:
        if operation == "SendEmail":
            requests.append(arguments)
            if error := answer():
                raise error
        return CALL(client, operation, arguments)

    with patch("botocore.client.BaseClient._make_api_call", call):
        yield requests


def send_at(stack: AwsStack, outbound_id: str, moment: datetime) -> Outbound:
    with patch("postroom.bootstrap.clients.utc_now", lambda: moment):
        bootstrap.forget()
        return send(stack, outbound_id)


def sweep_at(stack: AwsStack, moment: datetime) -> dict[str, int]:
    with patch("postroom.bootstrap.clients.utc_now", lambda: moment):
        bootstrap.forget()
        swept: dict[str, int] = stack.invoke("Sweep", {})
    return swept


def try_until(
    stack: AwsStack, outbound_id: str, *, days: float, apart: timedelta = timedelta(seconds=1)
) -> list[Outbound]:
    """Try whenever it is due, and at least so far apart, for so long or until it is not tried any more."""
    moment, end = utc_now(), utc_now() + timedelta(days=days)
    tried: list[Outbound] = []
    while moment < end and (not tried or tried[-1].state is OutboxState.DEFERRED):
        tried.append(send_at(stack, outbound_id, moment))
        moment = max((tried[-1].due or moment) + timedelta(seconds=1), moment + apart)
    return tried


def whats(stack: AwsStack, outbound_id: str) -> list[str]:
    return [event.what for event in stack.outbox.history(outbound_id)]


def defect(*_arguments: Any, **_options: Any) -> Any:
    raise ZeroDivisionError("4111 1111 1111 1111")


DEFECTS = {
    "composing": (sending, "prepare"),
    "marking": (thread_markers, "marked"),
    "naming": (sending, "_message_id"),
    "choosing-the-server": (sending, "server_of"),
}


@pytest.mark.parametrize(("module", "name"), DEFECTS.values(), ids=DEFECTS.keys())
def test_an_error_that_nobody_foresaw_is_told_on_the_mail_and_given_up_in_the_end(
    verified: AwsStack, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    outbound_id = replied(verified)
    with ses(lambda: None) as requests:
        with monkeypatch.context() as patched:
            patched.setattr(module, name, defect)
            tried = try_until(verified, outbound_id, days=3, apart=timedelta(hours=7))
        first, last = tried[0], tried[-1]
        assert (first.state, first.code, first.tries) == (OutboxState.DEFERRED, "defect", 1)
        assert "ZeroDivisionError in test_outbound_troubles.py:" in first.reason
        assert "4111" not in first.reason
        assert first.due is not None
        assert first.since is not None
        assert first.due - first.since == timedelta(minutes=5)
        assert {one.since for one in tried} == {first.since, None} - ({None} if last.since else set())
        assert (last.state, requests) == (OutboxState.FAILED, [])
        assert len(tried) > 3
        assert f"given up after a day and {last.tries} tries" in last.reason
        assert f"postroom outbox resend {outbound_id}" in last.reason
        assert whats(verified, outbound_id)[-1] == "failed"
        resend(outbound_id, outbox=verified.outbox, queue=Queue(), clock=utc_now, who="ann")
        again = send(verified, outbound_id)
    assert (again.state, len(requests)) == (OutboxState.SENT, 1)


def test_an_error_that_nobody_foresaw_while_the_content_goes_out_leaves_it_uncertain_at_once(
    verified: AwsStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbound_id = replied(verified)
    monkeypatch.setattr("postroom.adapters.transports.ses.message_id_of", defect)
    with ses(lambda: None) as requests:
        outbound = send(verified, outbound_id)
        assert send(verified, outbound_id).state is OutboxState.UNCERTAIN
    assert (outbound.state, len(requests)) == (OutboxState.UNCERTAIN, 1)
    assert "ZeroDivisionError" in outbound.reason


class Killed(BaseException):
    """The process dies: nothing is recorded."""


@pytest.mark.fault(68)
def test_a_mail_that_its_senders_die_of_is_told_and_given_up_in_the_end(
    verified: AwsStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbound_id = replied(verified)
    moment = utc_now()

    def dies(*_arguments: Any, **_options: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(sending, "prepare", dies)
        for _ in range(MOST_DEATHS):
            with pytest.raises(Killed):
                send_at(verified, outbound_id, moment)
            moment += timedelta(minutes=16)
        between = verified.outbox.get(outbound_id)
        outbound = send_at(verified, outbound_id, moment)
    assert between is not None
    assert (between.state, between.unrecorded) == (OutboxState.CLAIMED, MOST_DEATHS)
    assert outbound.state is OutboxState.FAILED
    assert f"{MOST_DEATHS} senders" in outbound.reason
    assert f"postroom outbox resend {outbound_id}" in outbound.reason
    assert whats(verified, outbound_id) == ["sender_died"] * (MOST_DEATHS - 1) + ["failed"]


NOT_PERMITTED = (
    "User `arn:aws:sts::1:assumed-role/x' is not authorized to perform `ses:SendEmail' on resource `identity/x'"
)
SETTINGS = {
    "sender-not-permitted": (_client_error("AccessDeniedException", 403, NOT_PERMITTED), "SesIdentity"),
    "mail-from": (_client_error("MailFromDomainNotVerifiedException", 400), "MAIL FROM"),
    "configuration-set": (_client_error("NotFoundException", 404), "Deploy"),
    "paused": (_client_error("SendingPausedException", 400), "resume"),
    "suspended": (_client_error("AccountSuspendedException", 400), "support case"),
}


@pytest.mark.fault(73)
@pytest.mark.parametrize(("fault", "remedy"), SETTINGS.values(), ids=SETTINGS.keys())
def test_what_only_an_administrator_can_mend_in_ses_is_told_at_once_held_and_sent_soon_after(
    verified: AwsStack, fault: Exception, remedy: str
) -> None:
    outbound_id = replied(verified)
    broken: list[Exception] = [fault]
    with ses(lambda: broken[0] if broken else None) as requests:
        tried = try_until(verified, outbound_id, days=7, apart=timedelta(hours=40))
        assert {one.state for one in tried} == {OutboxState.DEFERRED}
        assert remedy in tried[0].reason
        assert len({one.since for one in tried}) == 1
        last = tried[-1].due
        assert last is not None
        broken.clear()
        assert send_at(verified, outbound_id, last + timedelta(seconds=1)).state is OutboxState.SENT
    assert len(requests) == len(tried) + 1
    assert wait_after(99, code=tried[0].code) == timedelta(minutes=30)
    told = [event for event in verified.outbox.history(outbound_id) if event.what == "deferred"]
    assert remedy in told[0].detail
    assert len(told) == len(tried)


@pytest.mark.parametrize(
    ("fault", "held"),
    [
        (_client_error("AccessDeniedException", 403), 1),
        (_client_error("InternalFailure", 500), 1),
        (_client_error("MessageRejected", 400), 0),
        (_client_error("TooManyRequestsException", 429), 0),
        (None, 0),
    ],
    ids=["held", "uncertain", "refused", "throttled", "sent"],
)
def test_mail_that_waits_for_a_person_is_counted_for_the_alarm(
    verified: AwsStack, caplog: pytest.LogCaptureFixture, fault: Exception | None, held: int
) -> None:
    caplog.set_level(logging.INFO, logger="postroom.services.outbound.record_attempt")
    with ses(lambda: fault):
        send(verified, replied(verified))
    assert [vars(one)["mails_held"] for one in caplog.records if one.message == "outbound_recorded"] == [held]


@pytest.mark.fault(73)
@pytest.mark.parametrize(
    "code", ["ExpiredTokenException", "InvalidSignatureException", "RequestExpired", "UnrecognizedClientException"]
)
def test_a_request_that_aws_turns_away_unread_is_put_off_and_not_called_refused(verified: AwsStack, code: str) -> None:
    outbound_id = replied(verified)
    with ses(lambda: _client_error(code, 403)):
        outbound = send(verified, outbound_id)
    assert (outbound.state, outbound.code) == (OutboxState.DEFERRED, code)


@pytest.mark.fault(75)
def test_patience_begins_anew_with_a_resend_and_when_what_was_missing_is_there(verified: AwsStack) -> None:
    outbound_id = replied(verified)
    answers: list[Exception] = [_client_error("AccessDeniedException", 403)]
    with ses(lambda: answers[0]):
        waited = try_until(verified, outbound_id, days=7, apart=timedelta(hours=40))[-1]
        assert waited.due is not None
        answers[0] = _client_error("RequestExpired", 403)
        throttled = send_at(verified, outbound_id, waited.due + timedelta(seconds=1))
        assert throttled.state is OutboxState.DEFERRED
        assert throttled.due is not None
        given_up = throttled
        while given_up.state is OutboxState.DEFERRED and given_up.due:
            given_up = send_at(verified, outbound_id, given_up.due + timedelta(hours=40))
        assert given_up.state is OutboxState.FAILED
        assert given_up.due is not None
        resend(outbound_id, outbox=verified.outbox, queue=Queue(), clock=utc_now, who="ann")
        once_more = send_at(verified, outbound_id, given_up.due + timedelta(days=1))
    assert (once_more.state, once_more.tries) == (OutboxState.DEFERRED, 1)


@pytest.mark.fault(83)
def test_a_mail_whose_secret_cannot_be_decrypted_waits_for_the_key(verified: AwsStack) -> None:
    server = {
        "name": "smtp-client",
        "type": "smtp",
        "host": "localhost",
        "port": 1,
        "user": "postroom",
        "password": {"secret": "smtp"},
    }
    verified.configure(**{**CONFIGURATION, "outbound_servers": [server]})
    verified.enter_secret("smtp", "hunter2")
    outbound_id = replied(verified)

    def denied(client: Any, operation: str, arguments: Any) -> Any:
        if operation == "Decrypt":
            raise _client_error("KMSInvalidStateException", 400)
        return CALL(client, operation, arguments)

    with patch("botocore.client.BaseClient._make_api_call", denied):
        tried = try_until(verified, outbound_id, days=7, apart=timedelta(hours=40))
    assert {(one.state, one.code) for one in tried} == {(OutboxState.DEFERRED, "aws_denied")}


def test_a_signing_key_that_is_gone_is_told_on_the_mail(verified: AwsStack) -> None:
    outbound_id = replied(verified)

    def gone(client: Any, operation: str, arguments: Any) -> Any:
        if operation == "GetSecretValue":
            raise _client_error("ResourceNotFoundException", 400)
        return CALL(client, operation, arguments)

    with patch("botocore.client.BaseClient._make_api_call", gone):
        bootstrap.forget()
        outbound = send(verified, outbound_id)
    bootstrap.forget()
    assert (outbound.state, outbound.tries) == (OutboxState.DEFERRED, 1)
    assert outbound.reason
    assert outbound.due is not None
    assert send_at(verified, outbound_id, outbound.due + timedelta(seconds=1)).state is OutboxState.SENT


@pytest.mark.fault(71)
@pytest.mark.feature("X09")
def test_a_sender_that_was_taken_for_dead_by_a_clock_ahead_still_has_the_last_word(verified: AwsStack) -> None:
    outbound_id = replied(verified)
    swept: list[dict[str, int]] = []

    def slow() -> None:
        swept.append(sweep_at(verified, utc_now() + timedelta(minutes=20)))

    with ses(slow) as requests:
        outbound = send(verified, outbound_id)
    assert swept[0]["uncertain"] == 1
    assert (outbound.state, len(requests)) == (OutboxState.SENT, 1)
    assert whats(verified, outbound_id) == ["uncertain", "sent"]


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    bootstrap.forget()
