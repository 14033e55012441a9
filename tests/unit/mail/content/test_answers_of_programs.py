"""Answers that a press of a button makes: to invitations, and reactions to our mail."""

from __future__ import annotations

import base64
import json

import pytest
from postroom.mail.content.calendar import calendar_answer, told
from postroom.mail.reader import read
from postroom.model.configuration.document import Configuration
from postroom.model.interaction import Subtype
from postroom.model.understanding import Understanding
from postroom.services.inbound.understand_mail import understand
from postroom.services.policy.compiled import policy_of

from tests.support.mails import mail

POLICY = policy_of(Configuration())


def calendar(method: str, *lines: str, partstat: str = "ACCEPTED") -> str:
    rows = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        "UID:1",
        "DTSTART:20261203T090000Z",
        "DTEND:20261203T100000Z",
        "ORGANIZER;CN=Shop:mailto:support@shop.example",
        f"ATTENDEE;PARTSTAT={partstat};CN=Kim Doe:mailto:kim@customer.example",
        "SUMMARY:Call",
        *lines,
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\r\n".join(rows)


def understood(raw: bytes) -> Understanding:
    return understand(raw, policy=POLICY)


@pytest.mark.parametrize(
    ("method", "partstat", "lines", "said"),
    [
        ("REPLY", "ACCEPTED", (), "Kim Doe accepted: Call\nTime: 2026-12-03 09:00 UTC to 2026-12-03 10:00 UTC"),
        ("REPLY", "DECLINED", ("COMMENT:I am away\\, sorry",), "Kim Doe declined: Call"),
        ("REPLY", "TENTATIVE", (), "Kim Doe accepted tentatively: Call"),
        ("REPLY", "X-NEW", (), "Kim Doe answered the invitation: Call"),
        (
            "COUNTER",
            "TENTATIVE",
            ("LOCATION:Leeds",),
            "Kim Doe proposes a change: Call\nProposed time: 2026-12-03 09:00",
        ),
        ("CANCEL", "NEEDS-ACTION", (), "Shop cancelled: Call"),
        ("DECLINECOUNTER", "NEEDS-ACTION", (), "Shop declined the proposed change: Call"),
    ],
)
def test_an_answer_to_an_invitation_is_told_where_it_has_no_text(
    method: str, partstat: str, lines: tuple[str, ...], said: str
) -> None:
    body = calendar(method, *lines, partstat=partstat)
    found = understood(mail(f"Content-Type: text/calendar; method={method}; charset=utf-8", body=body))
    assert found.body.text.startswith(said)
    assert found.body.text_reply == found.body.text
    assert (found.subtype, found.automatic.rule) == (Subtype.INBOUND_AUTOMATIC, "calendar-answer")
    assert (found.attributes["Calendar-Partstat"], found.attributes["Calendar-Attendee"]) == (
        partstat,
        "kim@customer.example",
    )


def test_what_the_answer_says_beside_is_told() -> None:
    answer = calendar_answer(
        read(
            mail(
                "Content-Type: text/calendar; method=COUNTER",
                body=calendar("COUNTER", "LOCATION:Leeds\\, room 2", "COMMENT:Later\\nplease"),
            )
        )
    )
    assert answer is not None
    assert told(answer).split("\n")[-2:] == ["Place: Leeds, room 2", "Comment: Later please"]


def test_the_text_that_a_client_writes_beside_its_answer_stays() -> None:
    part = f"Content-Type: text/calendar; method=REPLY\r\n\r\n{calendar('REPLY')}"
    body = f"--b\r\n\r\nI accept, thanks.\r\n--b\r\n{part}\r\n--b--"
    found = understood(mail("Content-Type: multipart/alternative; boundary=b", body=body))
    assert found.body.text.strip() == "I accept, thanks."
    assert found.automatic.is_automatic


@pytest.mark.parametrize(
    "part",
    [
        pytest.param("Content-Type: text/calendar; method=REQUEST", id="an invitation"),
        pytest.param(
            "Content-Type: text/calendar; method=CANCEL\r\nContent-Disposition: attachment; filename=a.ics", id="a file"
        ),
        pytest.param("Content-Type: text/calendar; name=a.ics", id="a part without a method"),
    ],
)
def test_a_person_who_sends_a_calendar_stays_a_person(part: str) -> None:
    method = "REQUEST" if "REQUEST" in part else "CANCEL"
    body = f"--b\r\n\r\nWhat is this?\r\n--b\r\n{part}\r\n\r\n{calendar(method)}\r\n--b--"
    found = understood(mail("Content-Type: multipart/mixed; boundary=b", body=body))
    assert (found.subtype, found.automatic.is_automatic) == (None, False)


def gmail(blob: bytes) -> bytes:
    part = base64.b64encode(blob).decode()
    text = base64.b64encode("👍\n\nKim Doe reacted via Gmail\n".encode()).decode()
    body = (
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{text}\r\n"
        "--b\r\nContent-Type: text/vnd.google.email-reaction+json; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{part}\r\n--b--"
    )
    return mail("Content-Type: multipart/alternative; boundary=b", sender="Kim Doe <kim@x.example>", body=body)


@pytest.mark.parametrize("emoji", ["👍", "❤️", "👩‍👩‍👧‍👦", "3️⃣", "🏳️‍🌈"])
def test_a_reaction_of_gmail_is_one_line_without_a_file(emoji: str) -> None:
    found = understood(gmail(json.dumps({"version": 1, "emoji": emoji}).encode()))
    assert (found.body.text_reply, found.files) == (emoji, ())
    assert (found.subtype, found.automatic.rule) == (Subtype.INBOUND_AUTOMATIC, "reaction")


@pytest.mark.parametrize(
    "blob",
    [b"", b"[]", b"{", b'{"emoji": 5}', b'{"emoji": "Buy now"}', b'{"emoji": "\\n"}', b"[" * 4000, b"\xff\xfe"],
    ids=["empty", "a list", "broken", "a number", "words", "a control", "deep", "no text"],
)
def test_what_is_no_emoji_makes_no_reaction(blob: bytes) -> None:
    found = understood(gmail(blob))
    assert found.automatic.rule != "reaction"
    assert "Kim Doe reacted" in found.body.text_reply


QUOTED = (
    "\r\n________________________________\r\nFrom: Shop <support@shop.example>\r\n"
    "Sent: Monday, 5 February 2024 10:43\r\nTo: Kim\r\nSubject: Your order\r\n\r\nShipped."
)


@pytest.mark.parametrize(
    "line",
    [
        "Kim Doe reacted to your message:",
        "Kim Doe hat auf Ihre Nachricht reagiert:",
        "Kim Doe a réagi à votre message :",
    ],
)
def test_a_reaction_of_outlook_is_its_line(line: str) -> None:
    raw = mail("Content-Type: text/plain; charset=utf-8", sender="Kim Doe <kim@x.example>", body=f"{line}\r\n{QUOTED}")
    found = understood(raw)
    assert (found.body.text_reply, found.automatic.rule) == (line, "reaction")


@pytest.mark.parametrize(
    "line",
    ["My boss reacted to your message: he is not happy.", "Nobody reacted to your message.\r\nWhat now, Kim Doe?"],
)
def test_a_sentence_about_reacting_is_none(line: str) -> None:
    raw = mail(sender="Kim Doe <kim@x.example>", body=f"{line}\r\n{QUOTED}")
    assert understood(raw).subtype is None
