"""A mail whose subject, addresses or names of files no item holds is wrapped at once: it is in its queue, and whole."""

from __future__ import annotations

import random

import pytest

from tests.support.aws_stack import AwsStack

HEAD = "From: ann@example.org\r\nMessage-ID: <1@example.org>\r\nDate: Mon, 1 Jun 2026 10:00:00 +0000\r\n"


def words(count: int, length: int) -> list[str]:
    rng = random.Random(3)
    return ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=length)) for _ in range(count)]


def with_files() -> str:
    parts = [f"--q\r\nContent-Type: application/x-a; name={one}\r\n\r\nx\r\n" for one in words(3_500, 180)]
    return f"{HEAD}Subject: files\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n{''.join(parts)}--q--\r\n"


MAILS = {
    "subject": lambda: f"{HEAD}Subject: {f'{chr(13)}{chr(10)} '.join(words(12_000, 60))}\r\n\r\nhello",
    "addresses": lambda: f"{HEAD}To: {', '.join(f'{one}@example.org' for one in words(9_900, 64))}\r\n\r\nhello",
    "names of files": with_files,
}


@pytest.mark.feature("G25")
@pytest.mark.parametrize("kind", MAILS)
def test_a_mail_with_more_than_an_item_holds_is_wrapped_and_not_tried_for_ever(configured: AwsStack, kind: str) -> None:
    interaction = configured.interactions.get(configured.process(MAILS[kind]().encode()))
    assert interaction is not None
    assert "too large" in (interaction.wrap_reason or "")
    assert [one.name for one in interaction.attachments] == ["original.eml"]
    assert any(one.rule == "route" for one in interaction.decisions)
