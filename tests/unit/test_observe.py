"""Log lines: keys, metrics where alarms look for them, and nothing secret."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from postroom import observe

from tests.support.lambda_log import log_put_back


def line(message: str, **facts: Any) -> dict[str, Any]:
    """Log a line as a function would, and read it as CloudWatch does."""
    record = logging.LogRecord("postroom.test", logging.INFO, __file__, 1, message, (), None)
    for name, value in facts.items():
        setattr(record, name, value)
    read: dict[str, Any] = json.loads(observe.Formatter(service="sweep", namespace="postroom").format(record))
    return read


def test_a_line_has_its_message_its_service_and_its_facts() -> None:
    written = line("polled", mailboxes=3, failures={"support": "login_refused"})
    assert (written["message"], written["service"], written["mailboxes"]) == ("polled", "sweep", 3)
    assert written["failures"] == {"support": "login_refused"}


def test_metrics_are_declared_in_the_line_that_holds_them() -> None:
    written = line("polled", stored=2, lag=1.5, imbalances=0)
    (declared,) = written["_aws"]["CloudWatchMetrics"]
    assert declared["Namespace"] == "postroom"
    assert declared["Dimensions"] == [["service"]]
    assert declared["Metrics"] == [{"Name": "stored", "Unit": "Count"}, {"Name": "lag", "Unit": "Seconds"}]


def test_a_gauge_is_published_when_it_is_zero_so_that_its_alarm_ends() -> None:
    written = line("swept", mailboxes_failing=0, uncertain=0)
    assert [one["Name"] for one in written["_aws"]["CloudWatchMetrics"][0]["Metrics"]] == ["mailboxes_failing"]


def test_a_look_at_idle_mailboxes_publishes_nothing() -> None:
    assert "_aws" not in line("polled", mailboxes=100, stored=0, lag=0.0, imbalances=0)


CANARY = "c4n4ry-h0rse"


@pytest.mark.parametrize(
    ("message", "facts"),
    [
        ("login failed", {"password": CANARY}),
        ("login failed", {"detail": {"client_secret": CANARY}}),
        (f"LOGIN failed: password={CANARY}", {}),
        ("refused", {"header": f"Authorization: Bearer {CANARY}"}),
        ("refused", {"attempts": [{"access_token": CANARY}]}),
        (f"sent to {CANARY}@example.org", {}),
        ("sent", {"to": [f"Anna <{CANARY}@example.org>"]}),
    ],
    ids=["key", "nested-key", "in-text", "bearer", "in-list", "address", "address-in-list"],
)
def test_secrets_and_addresses_do_not_reach_the_log(message: str, facts: dict[str, Any]) -> None:
    assert CANARY not in json.dumps(line(message, **facts))


def test_a_traceback_is_redacted_too() -> None:
    try:
        raise ValueError(f"cannot log in as {CANARY}@example.org")
    except ValueError as error:
        raised = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("postroom.test", logging.ERROR, __file__, 1, "record_failed", (), raised)
    assert CANARY not in observe.Formatter(service="sweep", namespace="postroom").format(record)


def test_nothing_is_set_up_outside_of_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    before = list(logging.getLogger("postroom").handlers)
    observe.begin.__wrapped__()
    assert logging.getLogger("postroom").handlers == before


def test_in_lambda_lines_of_services_go_through_the_formatter(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "postroom-Sweep")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "sweep")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "postroom")
    with log_put_back():
        observe.begin()
        logging.getLogger("postroom.services.sweep").info("swept", extra={"mailboxes_failing": 1})
    written = json.loads(capsys.readouterr().out)
    assert (written["message"], written["mailboxes_failing"]) == ("swept", 1)
    assert written["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "postroom"


class Unwritable:
    """Cannot be told, as an argument of a log line may turn out to be."""

    def __str__(self) -> str:
        raise RuntimeError(f"password={CANARY}")


def test_a_line_that_cannot_be_written_is_told_without_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "postroom-Sweep")
    with log_put_back():
        observe.begin()
        logging.getLogger("postroom.services.sweep").warning("failed for %s", Unwritable())
    told = capsys.readouterr()
    assert "postroom.services.sweep could not be written: RuntimeError" in told.err
    assert CANARY not in told.out + told.err
