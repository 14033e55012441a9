"""A server that hands out a notice of its own for a mail that it cannot read: the mail stays, and it is shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.functional.fetching.conftest import Site
from tests.functional.fetching.pop3_site import pop3_site
from tests.support.mails import crlf, mail

GOOD = mail(subject="Good")
NOTICE = crlf(
    [
        "From: Mailserver 2010",
        "To: support@example.com",
        "Subject: Die Nachricht 20004 konnte nicht abgerufen werden",
        "Date: Mon, 30 Nov 2026 09:00:00 +0000",
        "MIME-Version: 1.0",
        'Content-Type: text/plain; charset="us-ascii"',
        "",
        "Betreff: Reklamation",
        "",
    ]
)


@pytest.mark.fault(96)
@pytest.mark.parametrize("options", [{}, {"leave_msg_on_server": True}], ids=["deleted-afterwards", "left"])
def test_a_notice_instead_of_a_mail_is_not_stored_by_imap(
    connected: Callable[..., Site], options: dict[str, bool]
) -> None:
    site = connected(**options)
    site.deliver(NOTICE, GOOD)
    site.server.faults.wrong_size = {1: 19_189}  # of the mail that the server cannot read
    for _ in range(2):
        site.poll()
    assert [stored.content for stored in site.raw()] == [GOOD]
    inbox = site.server.folder("box0@example.com", "INBOX")
    assert "\\Seen" not in inbox.with_uid(1).flags
    position = site.state().position
    assert position is not None
    assert "notice of its own" in position.reasons["1"]


@pytest.mark.fault(96)
@pytest.mark.parametrize(("announced", "reason"), [(19_189, "which is not all of it"), (150, "notice of its own")])
def test_a_notice_instead_of_a_mail_is_not_stored_by_pop3(announced: int, reason: str) -> None:
    with pop3_site() as site:
        site.connect()
        site.poll()
        site.deliver(NOTICE, GOOD)
        site.server.faults.wrong_size = {1: announced}
        for _ in range(3):
            site.poll()
        assert site.contents() == [GOOD]
        assert site.left() == 1
        position = site.post.state.position
        assert position is not None
        assert reason in next(iter(position.reasons.values()))
