"""What functions tell: log lines as JSON with keys, the metrics in them, and nothing secret.

Metrics are part of the lines that services log anyway (CloudWatch's embedded metric format), so they cost no call and
no second line. Alarms and the dashboard in template.yaml know them by the names below.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TextIO

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

METRICS: dict[str, str] = {
    "mailboxes_failing": "Count",  # enabled mailboxes that are not well, by the sweeper
    "mailboxes_not_polled": "Count",  # enabled mailboxes that nobody looks at, by the sweeper
    "mails_not_fetched": "Count",  # given up or set aside, and nobody has seen to them, by the sweeper
    "imbalances": "Count",  # polls whose ledger does not balance
    "stored": "Count",  # raw messages stored
    "oversize": "Count",
    "problem": "Count",  # messages that could not be had
    "lag": "Seconds",  # from the mail server's date to the storing, the worst of a poll
    "to_queue": "Seconds",  # from the mail server's date to the interaction in its queue, each mail
    "raw_queued_again": "Count",
    "dead_letters_queued_again": "Count",
    "wrapped_from_dead_letters": "Count",
    "processing_fails": "Count",  # 1: the sweeper sees healthy mail fail too
    "sends_queued_again": "Count",
    "uncertain": "Count",  # mails of which nobody knows whether they left, by the sweeper
    "records_failed": "Count",  # messages of a queue that are tried again
    "mails_held": "Count",  # tries to send that end with a mail which waits for a person, or of which nobody knows
    "mails_uncertain_now": "Count",  # by the sweeper, as the two below
    "mails_held_now": "Count",  # mails that leave only when a person has acted
    "mails_unarrived_now": "Count",  # mails that failed or came back, and nobody took note yet
}
"""Key of a log line → its unit as a metric."""

GAUGES = frozenset(
    {
        "mailboxes_failing",
        "mailboxes_not_polled",
        "mails_uncertain_now",
        "mails_held_now",
        "mails_unarrived_now",
        "mails_not_fetched",
        "processing_fails",
    }
)
"""Metrics whose 0 is news: the alarm ends by it. Others are left out of a line when they are 0."""

_WORD = re.compile(r"[A-Za-z][\w.-]{0,80}")
_MOST_CAUSES = 6
_SECRET_KEYS = re.compile(r"passw|secret|token|authoriz|credential|cookie|api_?key", re.IGNORECASE)
_PATTERNS = (
    (re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+"), "<address>"),
    (re.compile(r"(?i)\b(bearer|basic|xoauth2)\s+[a-z0-9._~+/=-]{8,}"), r"\1 <secret>"),
    (re.compile(r"(?i)\b(passw(?:or)?d|secret|token)(\s*[=:]\s*)\S+"), r"\1\2<secret>"),
)


def redacted(value: Any) -> Any:
    """Take addresses and what looks like a secret out of a value, whatever is nested in it."""
    if isinstance(value, str):
        for pattern, instead in _PATTERNS:
            value = pattern.sub(instead, value)
        return value
    if isinstance(value, Mapping):
        return {
            str(key): "<secret>" if isinstance(part, str) and _SECRET_KEYS.search(str(key)) else redacted(part)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(part) for part in value]
    return value if value is None or isinstance(value, bool | int | float) else redacted(str(value))


def with_metrics(line: dict[str, Any], *, namespace: str, now: Callable[[], float] = time.time) -> dict[str, Any]:
    """Declare the metrics that a log line holds, as CloudWatch's embedded metric format has it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    found = [
        {"Name": name, "Unit": unit}
        for name, unit in METRICS.items()
        if isinstance(line.get(name), int | float) and (line[name] or name in GAUGES)
    ]
    if not found or not namespace:
        return line
    declared = {"Namespace": namespace, "Dimensions": [["service"]], "Metrics": found}
    return {**line, "_aws": {"Timestamp": int(now() * 1000), "CloudWatchMetrics": [declared]}}


class Formatter(LambdaPowertoolsFormatter):
    """Powertools' JSON lines, redacted, with their metrics."""

    def __init__(self, *, service: str, namespace: str) -> None:
        super().__init__(service=service, utc=True, serialize_stacktrace=False)
        self._namespace = namespace

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        """Tell an exception without its text, which may hold anything: a subject, an address, a whole request."""
        return without_text(ei[1])

    def serialize(self, log: Any) -> str:
        """Write one line."""
        log.pop("exception_notes", None)
        return json.dumps(with_metrics(redacted(log), namespace=self._namespace), ensure_ascii=False)


def code_of(error: BaseException) -> str:
    """Say of what sort an error is: its own code, that of an AWS service, or its type; never a word of its text."""
    response = getattr(error, "response", None)
    told = response.get("Error", {}).get("Code") if isinstance(response, dict) else getattr(error, "code", None)
    return told if isinstance(told, str) and _WORD.fullmatch(told) else type(error).__name__


def without_text(error: BaseException | None) -> str:
    """Tell an error and its causes by where they happened and what sort they are."""
    told: list[str] = []
    while error is not None and len(told) < _MOST_CAUSES:
        frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
        told.append(f"{frames}{type(error).__qualname__}: {code_of(error)}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n… caused by\n".join(told)


class _Output(logging.StreamHandler[TextIO]):
    """Standard output, which tells of a line that cannot be written without a word of it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Say where the line comes from; logging's own report prints its text, arguments and exception."""
        with contextlib.suppress(OSError, ValueError):  # a closed stream
            sys.stderr.write(f"a log line of {record.name} could not be written: {type(sys.exception()).__name__}\n")


@cache
def begin() -> None:
    """Send the log lines of Postroom through our formatter; once for each warm function, and only in Lambda."""
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    handler = _Output(sys.stdout)
    handler.setFormatter(
        Formatter(
            service=os.environ.get("POWERTOOLS_SERVICE_NAME", "postroom"),
            namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", ""),
        )
    )
    log = logging.getLogger("postroom")
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO"))
    logging.getLogger().handlers = [handler]  # libraries warn through the runtime's own handler, which redacts nothing
    threading.excepthook = _thread_failed


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    """Tell what ended a thread; left alone, it is printed with its text."""
    if failed.exc_value is not None:
        raised = (failed.exc_type, failed.exc_value, failed.exc_traceback)
        logging.getLogger("postroom").error("thread_failed", exc_info=raised)
