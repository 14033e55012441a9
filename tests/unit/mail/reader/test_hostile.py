"""Hostile mail costs no more than ordinary mail of its size would, and never an error."""

import time
import tracemalloc

import pytest

from tests.support import corpora
from tests.support.exercise import exercise
from tests.support.hostile import MAKERS
from tests.support.mutants import mutants
from tests.support.processor_time import takes_at_most

SECONDS = 1.0
MEGABYTES = 64


def test_there_are_at_least_fifty_hostile_messages() -> None:
    assert len(MAKERS) >= 50


@pytest.mark.parametrize("name", MAKERS)
def test_a_hostile_message_takes_at_most_a_second(name: str) -> None:
    raw = MAKERS[name]()
    assert takes_at_most(SECONDS, lambda: exercise(raw))


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_a_hostile_message_takes_at_most_four_times_its_size_in_memory(name: str) -> None:
    raw = MAKERS[name]()
    exercise(b"From: a@b.c\r\n\r\n\xe4\xf6\xfc" * 50)  # what is imported late is not the message's
    tracemalloc.start()
    try:
        exercise(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 4 * len(raw) + MEGABYTES * 1024 * 1024


def _corpus() -> list[bytes]:
    return [path.read_bytes() for path in corpora.mails_or_skip("bounces", "mime", "mime-odd")]


def _fuzz(count: int, seed: int) -> float:
    """Read mutants, which must not raise; returns the CPU seconds of the slowest."""
    slowest = 0.0
    for raw in mutants(_corpus(), count, seed=seed):
        start = time.process_time()
        exercise(raw)
        slowest = max(slowest, time.process_time() - start)
    return slowest


def test_mutated_mails_are_read_without_error() -> None:
    assert _fuzz(1_000, seed=3) <= SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("seed", [101, 102, 103, 104])
def test_twenty_thousand_mutated_mails_are_read_without_error(seed: int) -> None:
    assert _fuzz(5_000, seed=seed) <= SECONDS


@pytest.mark.slow
def test_a_mail_of_25_mb_takes_at_most_six_times_its_size_with_its_attachment() -> None:
    import base64

    data = base64.encodebytes(bytes(range(256)) * 72_000)
    raw = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nhi\r\n--b\r\nContent-Type: image/png\r\n'
    raw += b"Content-Transfer-Encoding: base64\r\n\r\n" + data + b"\r\n--b--\r\n"
    tracemalloc.start()
    try:
        message = exercise(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert message is not None
    assert len(message.children[1].data()) == 256 * 72_000
    assert peak + len(raw) <= 3 * len(raw)  # the rest is for those who store it
