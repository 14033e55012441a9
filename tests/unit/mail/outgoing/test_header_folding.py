"""What is written in a header is what every reader gets back: nothing is changed by folding or encoding."""

from __future__ import annotations

import random
import re
import sys
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from postroom.errors import Invalid
from postroom.mail.headers.address import Address
from postroom.mail.outgoing.composition import Composition, compose
from postroom.mail.outgoing.header_folding import addresses_field, ids_field, references, text_field
from postroom.mail.reader import Message, read

WORDS = (
    "Re:", "AW:", "Your", "order", "No.", "4711", "(urgent)", "a", "I", "invoice_2026-11.pdf", "50%", "=", "=?", "?=",
    "=?utf-8?q?x?=", "a=?b", "[Ticket#99]", '"quoted"', "back\\slash", "semi;colon", "at@sign", "<tag>", "x" * 60,
    "y" * 90, "z" * 300, "Grüße", "aus", "München", "naïve", "Ærøskøbing", "Straße", "日本語の件名", "注文", "Привет",
    "Заказ", "مرحبا", "שלום", "ทดสอบ", "नमस्ते", "👍", "👨‍👩‍👧‍👦", "e\u0301", "—", "…", "„Zitat“", "\u00a0", "ß" * 40,
    "漢" * 60, "😀" * 30, "", "",
)  # fmt: skip
NAMES = (
    "Ann", "Bob", "von", "der", "O'Neil", "Smith, J.", "J.", "(Sales)", '"Ann"', "a\\b", "=?utf-8?q?x?=", "Müller",
    "Łukasz", "山田", "太郎", "Иван", "Sørensen", "é", "ı", "x" * 70, "Ж" * 40, "Team:", "a;b", "a<b>c", "@", ",",
)  # fmt: skip
MOST = 20_000


def subject(chance: random.Random) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, 14))).strip()


def mailboxes(chance: random.Random) -> list[Address]:
    return [
        Address(
            " ".join(chance.choice(NAMES) for _ in range(chance.randint(0, 5))),
            f"{'a' * chance.randint(1, 40)}{number}@{'d' * chance.randint(1, 30)}.example",
        )
        for number in range(chance.randint(1, 5))
    ]


def read_by_all(field: str) -> tuple[Message, object, object]:
    content = (field + "\r\nx\r\n").encode("ascii")
    return read(content), message_from_bytes(content), message_from_bytes(content, policy=policy.default)


def check_lines(field: str) -> None:
    for line in field.removesuffix("\r\n").split("\r\n"):
        assert line.strip(), "a line of nothing but white space"
        assert all(len(word) <= 75 for word in re.findall(r"=\?utf-8\?\S*\?=", line))
        if "=?utf-8?" in line:
            assert len(line) <= 76
    assert re.fullmatch(r"[ -~]+(\r\n [ -~]+)*\r\n", field)


def changed_subject(value: str) -> list[str]:
    field = text_field("Subject", value)
    check_lines(field)
    assert max(map(len, field.split("\r\n"))) <= 78
    ours, compat32, default = read_by_all(field)
    raw = compat32["Subject"].replace("\r\n", "").replace("\n", "")  # type: ignore[index]  # any message
    read = {
        "ours": ours.header("Subject"),
        "compat32": str(make_header(decode_header(raw))),
        "default": str(default["Subject"]),  # type: ignore[index]
    }
    return [f"{who}: {got!r} of {value!r} in {field!r}" for who, got in read.items() if got != value]


def changed_mailboxes(value: list[Address]) -> list[str]:
    field = addresses_field("To", value)
    check_lines(field)
    ours, compat32, default = read_by_all(field)
    raw = compat32["To"].replace("\r\n", "").replace("\n", "")  # type: ignore[index]
    wanted = [(one.name, one.address) for one in value]
    read = {
        "ours": [(one.name, one.address) for one in ours.addresses("To")],
        "compat32": [(str(make_header(decode_header(name))), address) for name, address in getaddresses([raw])],
        "default": [(one.display_name, one.addr_spec) for one in default["To"].addresses],  # type: ignore[index]
    }
    if sys.version_info < (3, 13, 2):  # gh-128110: that reader puts spaces between the words of a long name
        read["default"] = [(name.replace(" ", ""), address) for name, address in read["default"]]
        long = [(name.replace(" ", ""), address) for name, address in wanted]
        read["default"] = wanted if read["default"] == long else read["default"]
    return [f"{who}: {got!r} of {wanted!r} in {field!r}" for who, got in read.items() if got != wanted]


@pytest.mark.feature("S01")
@pytest.mark.parametrize("count", [500, pytest.param(MOST, marks=pytest.mark.slow)], ids=["some", "twenty thousand"])
def test_no_generated_subject_is_changed_for_any_of_three_readers(count: int) -> None:
    chance = random.Random(20261130)
    changed = [told for _ in range(count) for told in changed_subject(subject(chance))]
    assert changed[:3] == []


@pytest.mark.feature("S01")
@pytest.mark.parametrize("count", [500, pytest.param(MOST, marks=pytest.mark.slow)], ids=["some", "twenty thousand"])
def test_no_generated_list_of_names_is_changed_for_any_of_three_readers(count: int) -> None:
    chance = random.Random(20261130)
    changed = [told for _ in range(count) for told in changed_mailboxes(mailboxes(chance))]
    assert changed[:3] == []


@pytest.mark.feature("X05")
@pytest.mark.parametrize("length", [20, 60, 66, 70, 77, 78, 82, 120, 300, 900])
def test_an_id_of_any_length_stands_as_it_is(length: int) -> None:
    one = f"<{'i' * (length - 14)}@example.org>"
    for name in ("In-Reply-To", "References"):
        field = ids_field(name, [one, "<2@example.org>"])
        content = (field + "\r\nx\r\n").encode("ascii")
        assert " ".join(message_from_bytes(content)[name].split()) == f"{one} <2@example.org>"
        assert "=?" not in field
        # Longer lines only where an id leaves no choice.
        assert all(len(line) <= max(78, length + len(name) + 2) for line in field.split("\r\n"))
        assert not field.startswith(f"{name}:\r\n") or length <= 77


def test_a_long_chain_keeps_its_first_id_and_the_newest_within_four_kilobytes() -> None:
    chain = [f"<{number}{'x' * 150}@example.org>" for number in range(60)]
    kept = references([*chain, chain[-1]])
    assert (kept[0], kept[-1]) == (chain[0], chain[-1])
    assert kept[1:] == chain[-len(kept) + 1 :]
    assert len(ids_field("References", kept)) <= 4_100
    assert references([]) == []
    short = [f"<{number}@x.example>" for number in range(30)]
    assert references(short) == [short[0], *short[-19:]]


def mail(**changes: object) -> Composition:
    given = {
        "sender": '"Müller, Büro" <us@example.com>',
        "to": ["Ann <ann@example.org>"],
        "subject": "Grüße",
        "text": "x",
        "date": datetime(2026, 11, 30, tzinfo=UTC),
        "message_id": "<1@example.com>",
        "references": [f"<{'i' * 70}@example.org>"],
        "html": "<p>x</p>",
        **changes,
    }
    return Composition(**given)  # type: ignore[arg-type]  # the fields above


def test_a_composed_mail_has_every_field_once_and_its_body() -> None:
    content = compose(mail())
    parsed = message_from_bytes(content, policy=policy.default)
    assert len(parsed.keys()) == len(set(parsed.keys()))
    assert parsed["From"].addresses[0].display_name == "Müller, Büro"
    assert parsed.get_content_type() == "multipart/alternative"
    assert f"<{'i' * 70}@example.org>".encode() in content
    assert b"\n" not in content.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "half \ud83d"},
        {"sender": "half \udc00 <us@example.com>"},
        {"message_id": "1@example.com"},
        {"message_id": "<ä@example.com>"},
        {"to": ["bär@example.org"]},
    ],
    ids=["subject", "name", "id without brackets", "id beyond ascii", "local part beyond ascii"],
)
def test_what_no_header_can_carry_is_refused_by_field(changes: dict[str, object]) -> None:
    with pytest.raises(Invalid) as caught:
        compose(mail(**changes))
    (problem,) = caught.value.problems
    assert problem.path == ("from" if "sender" in changes else next(iter(changes)))
