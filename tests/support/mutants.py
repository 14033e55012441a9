"""Mutate mails for fuzzing, repeatably: the same seed gives the same mutants."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

_TOKENS = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"\r\n\r\n",
    b"--",
    b"=?",
    b"?=",
    b"=?utf-8?B?",
    b"=?x?q?=ff?=",
    b'"',
    b"<",
    b">",
    b"(",
    b";",
    b"=",
    b":",
    b",",
    b"@",
    b"\xff\xfe",
    b"\xc3",
    b"\x1b$B",
    b"Content-Type: multipart/mixed; boundary=x\r\n",
    b"Content-Type: message/rfc822\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"; name*0*=utf-8''%",
    b"charset=utf-7",
    b"charset=idna",
    b"begin 644 x\n",
    b"From: ",
    b"\r\n\t",
    b"%00",
    b"====",
    b"Content-Type: text/html; charset=\r\n",
)


def _flip(rng: random.Random, raw: bytearray, _: Sequence[bytes]) -> None:
    for _number in range(rng.randint(1, 20)):
        raw[rng.randrange(len(raw))] = rng.randrange(256)


def _insert(rng: random.Random, raw: bytearray, _: Sequence[bytes]) -> None:
    for _number in range(rng.randint(1, 8)):
        place = rng.randrange(len(raw))
        raw[place:place] = rng.choice(_TOKENS) * rng.choice((1, 1, 1, 2, 50))


def _delete(rng: random.Random, raw: bytearray, _: Sequence[bytes]) -> None:
    place = rng.randrange(len(raw))
    del raw[place : place + rng.choice((1, 2, 10, 100, 1_000))]


def _truncate(rng: random.Random, raw: bytearray, _: Sequence[bytes]) -> None:
    del raw[rng.randrange(len(raw)) :]


def _repeat(rng: random.Random, raw: bytearray, _: Sequence[bytes]) -> None:
    place = rng.randrange(len(raw))
    piece = raw[place : place + rng.choice((1, 5, 60, 500))]
    raw[place:place] = piece * rng.choice((1, 3, 30))


def _splice(rng: random.Random, raw: bytearray, others: Sequence[bytes]) -> None:
    other = rng.choice(others)
    place, start = rng.randrange(len(raw)), rng.randrange(len(other) or 1)
    raw[place:place] = other[start : start + rng.choice((20, 200, 2_000))]


def _swap_lines(rng: random.Random, raw: bytearray, _: Sequence[bytes]) -> None:
    lines = bytes(raw).splitlines(keepends=True)
    for _number in range(5):
        one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
        lines[one], lines[two] = lines[two], lines[one]
    raw[:] = b"".join(lines)


def _line_ends(rng: random.Random, raw: bytearray, _: Sequence[bytes]) -> None:
    ends = (b"\n", b"\r\n", b"\r", b"\r\r\n")
    raw[:] = bytes(raw).replace(b"\r\n", b"\n").replace(b"\n", rng.choice(ends))


_MUTATIONS: tuple[Callable[[random.Random, bytearray, Sequence[bytes]], None], ...] = (
    _flip, _insert, _delete, _truncate, _repeat, _splice, _swap_lines, _line_ends,
)  # fmt: skip


def mutants(mails: Sequence[bytes], count: int, *, seed: int = 1) -> Iterator[bytes]:
    """Make `count` mutants of the mails, one to three mutations each."""
    rng = random.Random(seed)
    mails = [mail for mail in mails if mail]
    for number in range(count):
        raw = bytearray(mails[number % len(mails)])
        for _ in range(rng.randint(1, 3)):
            if raw:
                rng.choice(_MUTATIONS)(rng, raw, mails)
        yield bytes(raw)
