"""Whatever fails: what the runtime prints holds no address, subject, body or secret (fault 92)."""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from postroom import bootstrap, observe
from postroom.edge import HandlerFailed
from postroom.errors import PostroomError, ServerMisbehaved
from postroom.model.configuration.mailbox import Mailbox
from pydantic import ValidationError

from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.lambda_log import log_put_back

pytestmark = pytest.mark.fault(92)

CANARY = "Subject: divorce papers of ann@example.com, password=hunter-2-canary"


def _pydantic() -> ValidationError:
    try:
        Mailbox.model_validate({"name": CANARY, "address": CANARY})
    except ValidationError as error:
        return error
    raise AssertionError


def _chained() -> RuntimeError:
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise ValueError(CANARY) from error
    except ValueError:
        try:
            raise RuntimeError(CANARY)
        except RuntimeError as error:
            error.add_note(CANARY)
            return error


FAILURES: dict[str, Exception] = {
    "ours": ServerMisbehaved(CANARY, on="ann@example.com"),
    "a-key": KeyError(CANARY),
    "a-codec": UnicodeEncodeError("ascii", CANARY, 0, 1, CANARY),
    "a-service-of-aws": ClientError({"Error": {"Code": "ValidationException", "Message": CANARY}}, "PutItem"),
    "a-parameter-of-aws": ParamValidationError(report=CANARY),
    "a-model": _pydantic(),
    "with-causes-and-notes": _chained(),
}

HANDLERS: dict[str, tuple[str, Any]] = {
    "FetchMailboxes": ("fetch_mailboxes", sqs_event({"v": 1, "mailboxes": ["a"]}, {"v": 1, "mailboxes": ["b"]})),
    "FetchEws": ("fetch_ews", sqs_event({"v": 1, "mailboxes": ["a"]})),
    "ProcessInbound": ("process_inbound", sqs_event({"Records": []}, {"Records": []}, {"Records": []})),
    "SendOutbound": ("send_outbound", sqs_event({"v": 1, "outbound": "a"}, {"v": 1, "outbound": "b"})),
    "TrackDelivery": ("track_delivery", sqs_event({"detail": {}}, {"detail": {}})),
    "Sweep": ("sweep", {}),
    "SchedulePolls": ("schedule_polls", {}),
}


@pytest.fixture
def in_lambda(stack: AwsStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStack]:
    """The process as Lambda makes it: our log on standard output, and what libraries warn of."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "test")
    with log_put_back():
        yield stack


def as_the_runtime_does(stack: AwsStack, function: str, event: Any) -> None:
    """Call a handler, and print what leaves it as Lambda's runtime does: type, text and trace, causes included."""
    try:
        stack.invoke(function, event)
    except Exception as error:
        traceback.print_exception(error)
        failed = {"errorMessage": str(error), "errorType": type(error).__name__, "repr": repr(error)}
        sys.stderr.write(json.dumps(failed))
        raise


def nothing_told(printed: tuple[str, str]) -> str:
    both: str = "".join(printed)
    for part in ("divorce", "hunter-2", "ann@", CANARY):
        assert part not in both
    return both


@pytest.mark.parametrize("function", HANDLERS)
def test_every_handler_fails_without_a_word_of_why(
    in_lambda: AwsStack, function: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name, event = HANDLERS[function]
    for failure in FAILURES.values():

        def fails(*_args: object, found: Exception = failure, **_kwargs: object) -> Any:
            raise found

        monkeypatch.setattr(bootstrap, name, lambda: fails)
        with pytest.raises(HandlerFailed):
            as_the_runtime_does(in_lambda, function, event)
        assert "failed" in nothing_told(capsys.readouterr())


def test_a_function_that_cannot_be_put_together_fails_without_a_word_of_why(
    in_lambda: AwsStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> Any:
        raise PostroomError(CANARY, code="no_setting")

    for function, (name, event) in HANDLERS.items():
        monkeypatch.setattr(bootstrap, name, fails)
        with pytest.raises(HandlerFailed, match=r"^no_setting$"):
            as_the_runtime_does(in_lambda, function, event)
    assert "no_setting" in nothing_told(capsys.readouterr())


def test_the_api_answers_without_a_word_of_what_nobody_foresaw(
    in_lambda: AwsStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for failure in ("a-key", "a-codec", "a-parameter-of-aws", "a-model", "with-causes-and-notes"):

        def fails(found: Exception = FAILURES[failure]) -> Any:
            raise found

        monkeypatch.setattr(bootstrap, "door", fails)
        event = {
            "version": "2.0",
            "rawPath": "/v1/health",
            "headers": {},
            "requestContext": {"http": {"method": "GET"}},
        }
        event["requestContext"] |= {"stage": "$default"}  # type: ignore[operator]
        answer = in_lambda.invoke("AdminApi", event)
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (500, "unexpected")
        assert "divorce" not in json.dumps(answer)
    assert "api_failed" in nothing_told(capsys.readouterr())


def test_the_log_says_where_and_of_what_sort() -> None:
    try:
        raise FAILURES["a-service-of-aws"]
    except ClientError as error:
        told = observe.without_text(error)
    assert told.endswith("ClientError: ValidationException")
    assert "test_nothing_told.py" in told


def test_a_thread_that_dies_and_a_library_that_warns_tell_nothing_either(
    in_lambda: AwsStack, capsys: pytest.CaptureFixture[str]
) -> None:
    observe.begin()

    def dies() -> None:
        raise KeyError(CANARY)

    thread = threading.Thread(target=dies)
    thread.start()
    thread.join()
    logging.getLogger("some.library").warning("refused: %s", "password=hunter-2-canary for ann@example.com")
    assert "thread_failed" in nothing_told(capsys.readouterr())
