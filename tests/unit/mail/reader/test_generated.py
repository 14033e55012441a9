"""Ordinary mails in every charset, transfer encoding and structure are read as what was put into them."""

import pytest
from postroom.mail.content.body_parts import bodies
from postroom.mail.content.parts_as_files import files
from postroom.mail.reader import read

from tests.support import compat32
from tests.support.generated_mails import CHARSETS, Made, make, make_raw


def _without_end(text: str | None) -> str | None:
    return None if text is None else text.rstrip("\n")


def _misread(made: Made) -> list[str]:
    """Name what is read in another way than it was written, or than `email` reads it."""
    message = read(made.raw)
    found = bodies(message)
    pairs = {
        "subject": (message.header("subject"), made.subject),
        "sender": ([one.name for one in message.addresses("from")], [made.sender]),
        "text": (_without_end(found.text), _without_end(made.text)),
        "html": (_without_end(found.html), _without_end(made.html)),
        "files": (tuple((one.name, one.data()) for one in files(found)), made.files),
        "compat32": (
            [(leaf.kind, leaf.text) for leaf in compat32.ours(message)],
            [(leaf.kind, leaf.text) for leaf in compat32.theirs(made.raw)],
        ),
        "defects": (message.defects, ()),
    }
    return [name for name, (ours, right) in pairs.items() if ours != right]


@pytest.mark.parametrize("block", range(4))
def test_ordinary_mail_is_read_as_it_was_written(block: int) -> None:
    wrong = [
        (seed, made.what, misread)
        for seed in range(block * 300, block * 300 + 300)
        if (misread := _misread(made := make(seed)))
    ]
    assert wrong == []


@pytest.mark.parametrize("block", range(2))
def test_raw_headers_are_read_in_the_charset_of_the_text(block: int) -> None:
    wrong = [
        (seed, made.what, misread)
        for seed in range(block * 300, block * 300 + 300)
        if (misread := _misread(made := make_raw(seed)))
    ]
    assert wrong == []


@pytest.mark.slow
def test_much_ordinary_mail_is_read_as_it_was_written() -> None:
    wrong = [(seed, misread) for seed in range(100_000, 115_000) if (misread := _misread(make(seed)))]
    assert wrong == []


def test_the_mails_that_are_made_use_every_charset() -> None:
    used = {make(seed).what.split(" ")[0] for seed in range(1_200)}
    assert used == {label for label, _codec, _text in CHARSETS}
