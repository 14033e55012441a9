"""Message identifiers and dates are read in the forms that senders use."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from postroom.mail.headers.date import parse_date
from postroom.mail.origin.message_ids import in_reply_to, message_id, references
from postroom.mail.reader import read

from tests.support.growth import exponent
from tests.support.processor_time import takes_at_most


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(b"<a@b>", "<a@b>", id="ordinary"),
        pytest.param(b"  <a@b>  (comment)", "<a@b>", id="comment"),
        pytest.param(b"<a\r\n b@c>", "<ab@c>", id="folded within"),
        pytest.param(b"a@b", "<a@b>", id="no brackets"),
        pytest.param(b"<a@b", "<a@b>", id="never closed"),
        pytest.param(b"<no-at-sign>", "<no-at-sign>", id="no domain"),
        pytest.param(b"oddity", "<oddity>", id="a word"),
        pytest.param(b"", None, id="empty"),
        pytest.param(b"<>", None, id="empty brackets"),
    ],
)
def test_the_message_id_is_read(value: bytes, expected: str | None) -> None:
    assert message_id(read(b"Message-ID: " + value + b"\r\n\r\n")) == expected


def test_a_message_may_have_no_identifier() -> None:
    message = read(b"Subject: x\r\n\r\n")
    assert (message_id(message), references(message), in_reply_to(message)) == (None, (), ())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(b"<a@b> <c@d>", ("<a@b>", "<c@d>"), id="ordinary"),
        pytest.param(b"<a@b>\r\n\t<c@d>", ("<a@b>", "<c@d>"), id="folded"),
        pytest.param(b"<a@b><c@d>,<a@b>", ("<a@b>", "<c@d>"), id="no space, comma, twice"),
        pytest.param(b"a@b c@d", ("<a@b>", "<c@d>"), id="no brackets"),
        pytest.param(b"<a@b> [broken <c@d>", ("<a@b>", "<c@d>"), id="one broken"),
        pytest.param(b"", (), id="empty"),
    ],
)
def test_references_are_read_in_order(value: bytes, expected: tuple[str, ...]) -> None:
    assert references(read(b"References: " + value + b"\r\n\r\n")) == expected


@pytest.mark.parametrize(
    "piece", [b"a", b"a@", b"@", b"<", b"<a", b"a ", b"a@b ", b"<a@b> ", b"a<", b'"a@', b"<a@b", b"a" * 490 + b" "]
)
@pytest.mark.parametrize("header", [b"In-Reply-To", b"References", b"Message-ID"])
def test_identifiers_take_time_in_proportion_whatever_the_fields(header: bytes, piece: bytes) -> None:
    field = header + b": " + piece * (100_000 // len(piece)) + b"\r\n"

    def look(fields: int) -> None:
        message = read(field * fields + b"\r\n")
        message_id(message), references(message), in_reply_to(message)

    assert takes_at_most(1.0, lambda: look(28))
    assert exponent(look, lambda fields: fields, sizes=(1, 8)) <= 1.5


def test_in_reply_to_may_have_phrases_around_the_identifier() -> None:
    raw = b'In-Reply-To: Your message of "Mon, 1 Jan 2024" <a@b>\r\n\r\n'
    assert in_reply_to(read(raw)) == ("<a@b>",)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("Fri, 21 Nov 1997 09:55:06 -0600", (1997, 11, 21, 9, 55, 6, -360), id="RFC 5322"),
        pytest.param("21 Nov 97 09:55 GMT", (1997, 11, 21, 9, 55, 0, 0), id="RFC 822"),
        pytest.param("Fri, 21 Nov 1997 09(comment):55:06 -0600 (CST)", (1997, 11, 21, 9, 55, 6, -360), id="comments"),
        pytest.param("Fri Nov 21 09:55:06 1997", (1997, 11, 21, 9, 55, 6, 0), id="asctime"),
        pytest.param("Fri Nov 21 09:55:06 EST 1997", (1997, 11, 21, 9, 55, 6, -300), id="asctime with zone"),
        pytest.param("1997-11-21T09:55:06Z", (1997, 11, 21, 9, 55, 6, 0), id="ISO 8601"),
        pytest.param("1997-11-21 09:55:06 +0200", (1997, 11, 21, 9, 55, 6, 120), id="ISO with zone"),
        pytest.param("Fri, 21 Nov 1997 09:55:60 +0000", (1997, 11, 21, 9, 55, 59, 0), id="leap second"),
        pytest.param("Fr, 21 Okt 2022 09.55.06 +0200", (2022, 10, 21, 9, 55, 6, 120), id="German with dots"),
        pytest.param("21-Nov-2022 9:5:6 PST", (2022, 11, 21, 9, 5, 6, -480), id="dashes"),
        pytest.param("Fri, 21 Nov 1997 09:55:06 +05:30", (1997, 11, 21, 9, 55, 6, 330), id="zone with a colon"),
        pytest.param("Fri, 21 Nov 1997 09:55:06 GMT+0200", (1997, 11, 21, 9, 55, 6, 120), id="GMT and offset"),
        pytest.param("Fri, 21 November 1997 09:55:06", (1997, 11, 21, 9, 55, 6, 0), id="long month, no zone"),
        pytest.param("21 Nov 103 09:55:06", (2003, 11, 21, 9, 55, 6, 0), id="year of three digits"),
    ],
)
def test_a_date_is_read(value: str, expected: tuple[int, ...]) -> None:
    *parts, offset = expected
    zone = timezone(timedelta(minutes=offset)) if offset else UTC
    found = parse_date(value)
    assert found is not None
    assert found == datetime(*parts, tzinfo=zone)  # type: ignore[misc,arg-type]  # six numbers
    assert found.utcoffset() == timedelta(minutes=offset)


@pytest.mark.parametrize(
    "value", ["", "yesterday", "32 Nov 1997 09:55", "1 Foo 2020", "99:99", "0000-00-00", "(", "9" * 10_000]
)
def test_what_is_no_date_is_none(value: str) -> None:
    assert parse_date(value) is None
