"""Small mails for the tests of kinds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from postroom.mail.reader import Message, read

MakeMail = Callable[..., Message]


@pytest.fixture
def mail() -> MakeMail:
    """Make a message from header fields (underscores are hyphens; a list repeats the field) and a body."""

    def make(body: str = "Hello", **fields: str | list[str]) -> Message:
        lines: list[str] = []
        for name, value in ({"From": "ann@example.com", "Subject": "A question"} | fields).items():
            for one in [value] if isinstance(value, str) else value:
                lines.append(f"{name.replace('_', '-')}: {one}")
        return read(("\r\n".join(lines) + "\r\n\r\n" + body.replace("\n", "\r\n")).encode())

    return make
