"""A mail that ends the process that reads it: its neighbours go on, and it is wrapped for its own fault alone.

The family: every way in which a process ends that no `except` sees (signals, exit, no time), and what comes near it
(memory), while a mail is understood and while it is wrapped.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from postroom.adapters.trial import try_out
from postroom.model import Understanding
from postroom.model.messages import stored_event
from postroom.services.inbound import understand_mail

from tests.functional.processing.test_sweep import dead_letter, sweep
from tests.support.aws_stack import AwsStack, sqs_event
from tests.support.mails import mail

KILLER = b"A killer"


def _endless() -> None:
    while True:
        time.sleep(0.01)


def _hungry() -> None:
    kept = [bytearray(64 * 1024 * 1024) for _ in range(64)]
    raise AssertionError(len(kept))  # the bound was not kept


DEATHS: dict[str, tuple[Callable[[], object], str]] = {
    "killed": (lambda: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL"),
    "segmentation-fault": (lambda: os.kill(os.getpid(), signal.SIGSEGV), "SIGSEGV"),
    "exit": (lambda: os._exit(3), "exit status 3"),
    "no-end": (_endless, "longer than"),
    "memory": (_hungry, "MemoryError"),
}


@contextmanager
def killing(death: Callable[[], object], *, where: str = "_understand") -> Iterator[None]:
    """Let reading a killer end the process."""
    inner: Any = getattr(understand_mail, where)
    seconds = 1.0 if death is _endless else 15.0

    def dying(raw: bytes, *arguments: Any, **named: Any) -> Any:
        if KILLER in raw:
            death()
        return inner(raw, *arguments, **named)

    with patch.object(understand_mail, where, dying), patch("postroom.services.inbound.ingest.TRIAL_SECONDS", seconds):
        yield


def batch(stack: AwsStack, *, received: int) -> dict[str, Any]:
    """Store three mails, the second a killer, and return the event that gives them out for the n-th time."""
    mails = [mail(subject=one, message_id=f"<{one[:3]}@example.org>") for one in ("One", KILLER.decode(), "Two")]
    event = sqs_event(*[stored_event(stack.environment["RAW_BUCKET"], stack.store_raw(one)) for one in mails])
    for record in event["Records"]:
        record["attributes"]["ApproximateReceiveCount"] = str(received)
    return event


def subjects(stack: AwsStack) -> dict[str, str | None]:
    """Return the subjects of all interactions, and why they are wrapped."""
    found = [stack.interactions.get(row["id"]) for row in stack.interactions.list_queue("support")]
    return {one.subject: one.wrap_reason for one in found if one is not None}


@pytest.mark.fault(111)
@pytest.mark.fault(51)
@pytest.mark.feature("G25")
@pytest.mark.parametrize(("death", "words"), DEATHS.values(), ids=DEATHS.keys())
def test_a_mail_that_ends_its_process_is_wrapped_and_its_neighbours_are_processed(
    configured: AwsStack, death: Callable[[], object], words: str
) -> None:
    with killing(death):
        assert configured.invoke("ProcessInbound", batch(configured, received=2)) == {"batchItemFailures": []}
    found = subjects(configured)
    assert found.keys() == {"One", "A killer", "Two"}
    assert (found["One"], found["Two"]) == (None, None)
    assert words in (found["A killer"] or "")


@pytest.mark.fault(111)
def test_the_first_time_the_whole_process_dies(configured: AwsStack) -> None:
    event = batch(configured, received=1)
    with killing(DEATHS["killed"][0]):
        died = try_out(lambda: str(configured.invoke("ProcessInbound", event)), seconds=60, memory=2**34).died
    assert "SIGKILL" in died


@pytest.mark.fault(111)
def test_a_mail_whose_header_ends_the_process_is_wrapped_without_it(configured: AwsStack) -> None:
    with ExitStack() as both:
        for where in ("_understand", "_peek"):
            both.enter_context(killing(DEATHS["killed"][0], where=where))
        assert configured.invoke("ProcessInbound", batch(configured, received=2)) == {"batchItemFailures": []}
        configured.process(mail(body="healthy"))
        dead = stored_event(configured.environment["RAW_BUCKET"], configured.store_raw(mail(subject="A killer, again")))
        dead["Records"][0]["postroomRepeated"] = "2100-01-01T00:00:00+00:00"
        dead_letter(configured, dead)
        assert sweep(configured)["wrapped_from_dead_letters"] == 1  # and the sweeper lives
    assert "SIGKILL" in (subjects(configured)[understand_mail.UNKNOWN_SUBJECT] or "")


@pytest.mark.fault(111)
def test_the_sweeper_does_not_try_processing_with_a_mail_that_ended_a_process(configured: AwsStack) -> None:
    with killing(DEATHS["killed"][0]):
        configured.invoke("ProcessInbound", batch(configured, received=2))
        for _time in range(2):
            assert sweep(configured)["processing_fails"] == 0


@pytest.mark.fault(111)
def test_no_trial_is_begun_without_time_for_it(configured: AwsStack) -> None:
    event = batch(configured, received=2)
    with pytest.raises(Exception, match="BatchProcessingError"):
        configured.invoke("ProcessInbound", event, seconds=20)
    assert subjects(configured) == {}


def test_a_healthy_mail_says_nothing_and_a_trial_leaves_no_process_behind() -> None:
    assert try_out(lambda: "", seconds=5, memory=2**30).died == ""
    assert try_out(lambda: "x" * 300_000, seconds=5, memory=2**30).said == "x" * 300_000
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_what_the_reader_gives_up_on_is_wrapped_for_the_reader_s_reason(configured: AwsStack) -> None:
    def exhausted(*_arguments: Any, **_named: Any) -> Understanding:
        raise MemoryError

    with patch.object(understand_mail, "_understand", exhausted):
        configured.invoke("ProcessInbound", batch(configured, received=2))
    assert set(subjects(configured).values()) == {"the message exhausts the reader (MemoryError)"}
