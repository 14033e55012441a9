"""Invitations, protected mail and winmail.dat are recognised and opened."""

import base64
import struct
import time
from datetime import UTC, date, datetime

import pytest
from postroom.mail.containers.rtf import decompress, rtf_text
from postroom.mail.containers.tnef import open_tnef
from postroom.mail.content.body_parts import bodies
from postroom.mail.content.calendar import Person, invitation, parse
from postroom.mail.content.signed import Protection, protection
from postroom.mail.reader import read

from tests.support.mutants import mutants
from tests.support.processor_time import takes_at_most

ICS = """BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:16010101T030000
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:42@example.com
SUMMARY:Besprechung\\, kurz
LOCATION:Raum 1\\nHaus B
ORGANIZER;CN="Müller, Eva":mailto:eva@example.com
ATTENDEE;CN=Bo;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIP
 ANT:MAILTO:bo@example.com
DTSTART;TZID=Europe/Berlin:20240115T100000
DTEND:20240115T100000Z
RRULE:FREQ=DAILY
BEGIN:VALARM
SUMMARY:not this one
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:other
END:VEVENT
END:VCALENDAR
"""


def test_an_invitation_is_recognised() -> None:
    raw = b'Content-Type: text/calendar; method=REQUEST; charset="utf-8"\r\n\r\n' + ICS.replace("\n", "\r\n").encode()
    found = invitation(read(raw))
    assert found is not None
    assert (found.method, found.uid, found.summary) == ("REQUEST", "42@example.com", "Besprechung, kurz")
    assert found.location == "Raum 1 Haus B"
    assert found.organiser == Person("eva@example.com", "Müller, Eva", "")
    assert found.attendees == (Person("bo@example.com", "Bo", "NEEDS-ACTION"),)
    assert found.start is not None
    assert (found.start.at, found.start.zone) == (datetime(2024, 1, 15, 10), "Europe/Berlin")  # noqa: DTZ001
    assert found.end is not None
    assert (found.end.at, found.end.zone) == (datetime(2024, 1, 15, 10, tzinfo=UTC), "")
    assert found.recurring


def test_a_whole_day_has_a_date_and_a_named_file_is_a_calendar_too() -> None:
    raw = (
        b'Content-Type: application/octet-stream; name="invite.ics"\r\n\r\n'
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20240115\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    found = invitation(read(raw))
    assert found is not None
    assert found.start is not None
    assert found.start.at == date(2024, 1, 15)
    assert (found.method, found.organiser) == ("", None)


@pytest.mark.parametrize(
    "body", ["", "BEGIN:VCALENDAR\nEND:VCALENDAR", "hello", "BEGIN:VEVENT", "DTSTART:20249999T999999"]
)
def test_a_broken_calendar_is_no_error(body: str) -> None:
    found = invitation(read(b"Content-Type: text/calendar\r\n\r\n" + body.encode()))
    assert found is None or found.start is None


def test_an_impossible_time_is_left_out() -> None:
    found = invitation(read(b"Content-Type: text/calendar\r\n\r\nBEGIN:VEVENT\nUID:1\nDTSTART:20249999T999999\n"))
    assert found is not None
    assert (found.uid, found.start) == ("1", None)


@pytest.mark.parametrize(
    ("raw", "kind", "readable"),
    [
        pytest.param(
            b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=b\r\n\r\n'
            b"--b\r\n\r\nx\r\n--b--",
            Protection.SMIME_SIGNED,
            True,
            id="S/MIME signed",
        ),
        pytest.param(
            b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n"
            b"Content-Type: application/pgp-signature\r\n\r\n--b--",
            Protection.PGP_SIGNED,
            True,
            id="PGP signed, protocol left out",
        ),
        pytest.param(
            b"Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data\r\n\r\nx",
            Protection.SMIME_ENCRYPTED,
            False,
            id="S/MIME encrypted",
        ),
        pytest.param(
            b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nx",
            Protection.SMIME_OPAQUE,
            True,
            id="S/MIME opaque",
        ),
        pytest.param(
            b'Content-Type: application/octet-stream; name="smime.p7m"\r\n\r\nx',
            Protection.SMIME_ENCRYPTED,
            False,
            id="S/MIME through a gateway",
        ),
        pytest.param(
            b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b\r\n\r\n'
            b"--b\r\n\r\nx\r\n--b--",
            Protection.PGP_ENCRYPTED,
            False,
            id="PGP encrypted",
        ),
        pytest.param(
            b"Subject: x\r\n\r\nHello\r\n-----BEGIN PGP MESSAGE-----\r\n",
            Protection.PGP_INLINE_ENCRYPTED,
            False,
            id="PGP inline",
        ),
        pytest.param(
            b"Subject: x\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nHello\r\n",
            Protection.PGP_INLINE_SIGNED,
            True,
            id="PGP signed inline",
        ),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\r\n"
            b"--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
            b"--b\r\nContent-Type: application/octet-stream; name=encrypted.asc\r\n\r\nx\r\n--b--",
            Protection.PGP_ENCRYPTED,
            False,
            id="PGP encrypted, taken apart",
        ),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/octet-stream;\r\n"
            b' name="PGPMIME Versions Identification"\r\n\r\nVersion: 1\r\n--b--',
            Protection.PGP_ENCRYPTED,
            False,
            id="PGP encrypted, its types gone",
        ),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n"
            b"--b\r\nContent-Type: application/pgp-signature; name=signature.asc\r\n\r\nx\r\n--b--",
            Protection.PGP_SIGNED,
            True,
            id="PGP signed, in a list's mixed",
        ),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n"
            b"--b\r\nContent-Type: application/x-pkcs7-signature; name=smime.p7s\r\n\r\nx\r\n--b--",
            Protection.SMIME_SIGNED,
            True,
            id="S/MIME signed, in a list's mixed",
        ),
    ],
)
def test_protection_is_recognised(raw: bytes, kind: Protection, readable: bool) -> None:
    found = protection(read(raw))
    assert found is not None
    assert (found.kind, found.readable) == (kind, readable)


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: x\r\n\r\n> -----BEGIN PGP MESSAGE-----\r\n",
        b"Content-Type: application/pkcs7-mime; smime-type=certs-only\r\n\r\n",
        b"Content-Type: application/octet-stream; name=key.asc\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n",
        b"Content-Type: application/pgp-keys; name=key.asc\r\n\r\nx",
    ],
)
def test_ordinary_mail_is_not_called_protected(raw: bytes) -> None:
    assert protection(read(raw)) is None


def attribute(level: int, number: int, value: bytes) -> bytes:
    """Return one TNEF attribute."""
    return struct.pack("<BII", level, number, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def properties(*items: tuple[int, int, bytes]) -> bytes:
    """Return an encapsulated property list of variable values."""
    out = struct.pack("<I", len(items))
    for number, kind, value in items:
        out += struct.pack("<HHII", kind, number, 1, len(value)) + value + b"\0" * (-len(value) % 4)
    return out


def tnef(*attributes: bytes) -> bytes:
    """Return a TNEF stream."""
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


STREAM = tnef(
    attribute(1, 0x00089006, b"\0\0\1\0"),
    attribute(1, 0x00069007, struct.pack("<II", 1252, 0)),
    attribute(1, 0x0002800C, "Grüße".encode("cp1252") + b"\0"),
    attribute(2, 0x00069002, b"\0" * 14),
    attribute(2, 0x00018010, b"ANGEBO~1.PDF\0"),
    attribute(2, 0x0006800F, b"%PDF-1.4 data"),
    attribute(
        2,
        0x00069005,
        properties((0x3707, 0x001F, "Angebot №1.pdf\0".encode("utf-16-le")), (0x370E, 0x001E, b"application/pdf\0")),
    ),
)


def test_a_tnef_stream_gives_its_text_and_files_under_all_their_names() -> None:
    found = open_tnef(STREAM)
    assert found is not None
    assert (found.text, found.cut) == ("Grüße", False)
    assert [(one.names, one.content_type, one.data) for one in found.attachments] == [
        (("Angebot №1.pdf", "ANGEBO~1.PDF"), "application/pdf", b"%PDF-1.4 data")
    ]


def winmail(stream: bytes) -> bytes:
    """Return a mail with a winmail.dat."""
    return (
        b"From: a@b.c\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(stream)
    )


def test_the_files_of_winmail_dat_take_its_place() -> None:
    found = bodies(read(winmail(STREAM)))
    assert found.text == "Grüße"
    assert [(one.names, one.content_type, one.data()) for one in found.attachments] == [
        (("Angebot №1.pdf", "ANGEBO~1.PDF"), "application/pdf", b"%PDF-1.4 data")
    ]


@pytest.mark.parametrize("code_page", [1251, 65001, 20866, 28595])
def test_the_html_of_winmail_dat_is_read_in_its_own_code_page(code_page: int) -> None:
    encoding = {1251: "cp1251", 65001: "utf-8", 20866: "koi8-r", 28595: "iso8859-5"}[code_page]
    page = struct.pack("<I", 2) + struct.pack("<HHI", 0x0003, 0x3FDE, code_page)
    html = properties((0x1013, 0x0102, "<p>Привет</p>".encode(encoding)))[4:]
    stream = tnef(
        attribute(1, 0x00069007, struct.pack("<II", 1251, 0)),
        attribute(1, 0x00069003, page + html),
    )
    beside = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n \r\n--b\r\n"
    raw = beside + winmail(stream).removeprefix(b"From: a@b.c\r\n") + b"\r\n--b--"
    assert bodies(read(raw)).html == "<p>Привет</p>"


def test_a_winmail_dat_that_breaks_off_is_kept_beside_what_was_found_in_it() -> None:
    found = bodies(read(winmail(STREAM[:-40])))
    assert [one.name for one in found.attachments] == ["winmail.dat", "ANGEBO~1.PDF"]


def test_what_is_no_tnef_stays_as_it_is() -> None:
    found = bodies(read(winmail(b"no such thing")))
    assert [one.name for one in found.attachments] == ["winmail.dat"]


@pytest.mark.parametrize("size", range(0, len(STREAM), 7))
def test_any_piece_of_a_tnef_stream_is_read_without_error(size: int) -> None:
    found = open_tnef(STREAM[:size])
    assert found is None or len(found.attachments) <= 1


def test_compressed_rtf_is_the_example_of_its_specification() -> None:
    # [MS-OXRTFCP] §4.1.1
    data = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert decompress(data) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


@pytest.mark.parametrize(
    ("rtf", "expected"),
    [
        pytest.param(rb"{\rtf1\ansi\ansicpg1252 Gr\'fc\'dfe\par bye}", ("Grüße\nbye", None), id="text"),
        pytest.param(
            rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\uc1 \u8364?5{\*\generator x;}}", ("€5", None), id="destinations"
        ),
        pytest.param(rb"{\rtf1\ansi \u-10179?\u-8704?}", ("😀", None), id="UTF-16 pair"),
        pytest.param(
            rb"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}\htmlrtf \par \htmlrtf0 Hi{\*\htmltag72 </p>}}",
            (None, "<p>Hi</p>"),
            id="enclosed HTML",
        ),
        pytest.param(b"no RTF", (None, None), id="no RTF"),
    ],
)
def test_text_or_html_is_taken_out_of_rtf(rtf: bytes, expected: tuple[str | None, str | None]) -> None:
    assert rtf_text(rtf) == expected


@pytest.mark.parametrize(
    "rtf",
    [b"{\\rtf1" + b"{\\b x}" * 1_000_000, b"{\\rtf1" + b"{" * 3_000_000, b"{\\rtf1" + b"\\u8364?" * 800_000],
    ids=["groups", "open groups", "words"],
)
def test_hostile_rtf_takes_at_most_a_second(rtf: bytes) -> None:
    assert takes_at_most(1.0, lambda: rtf_text(rtf))


@pytest.mark.parametrize("seed", range(3))
def test_mutated_streams_and_calendars_are_read_without_error(seed: int) -> None:
    rtf = rb"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}\htmlrtf \par \htmlrtf0 Hi\u8364?{\*\htmltag72 </p>}}"
    start = time.process_time()
    for raw in mutants([STREAM, rtf, ICS.encode()], 1_000, seed=seed):
        open_tnef(STREAM[:6] + raw[6:])
        decompress(b"\0\0\0\0\xff\xff\x0f\0LZFu\0\0\0\0" + raw)
        rtf_text(b"{\\rtf1" + raw)
        parse(raw.decode("latin-1"))
    assert time.process_time() - start <= 10.0
