"""A message within an S/MIME signature is shown as if it had come without one; the signature stays beside it."""

import base64
import time

import pytest
from postroom.mail.content.body_parts import bodies
from postroom.mail.content.cms import signed_content
from postroom.mail.content.parts_as_files import files
from postroom.mail.content.signed import Protection, protection
from postroom.mail.reader import read

from tests.support.mutants import mutants

INNER = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    b"Gr\xc3\xbc\xc3\x9fe\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\nPDF\r\n--b--\r\n"
)
OID = bytes.fromhex("06092a864886f70d0107")


def element(tag: int, content: bytes, *, open_end: bool = False) -> bytes:
    """Return a BER element."""
    if open_end:
        return bytes((tag, 0x80)) + content + b"\0\0"
    size = len(content)
    length = bytes((size,)) if size < 128 else b"\x84" + size.to_bytes(4, "big")
    return bytes((tag,)) + length + content


def signed(content: bytes | None, *, pieces: int = 0) -> bytes:
    """Return SignedData around some content, as programs write it at once or, in pieces, while they read."""
    open_end = pieces > 0
    enclosed = OID + b"\x01"
    if content is not None:
        cut = [content[at : at + pieces] for at in range(0, len(content), pieces)] if pieces else []
        octets = element(0x24, b"".join(element(4, one) for one in cut), open_end=True) if cut else element(4, content)
        enclosed += element(0xA0, octets, open_end=open_end)
    algorithms = element(0x31, element(0x30, bytes.fromhex("0609608648016503040201")), open_end=open_end)
    data = b"\x02\x01\x01" + algorithms + element(0x30, enclosed, open_end=open_end) + element(0x31, b"signers")
    return element(
        0x30,
        OID + b"\x02" + element(0xA0, element(0x30, data, open_end=open_end), open_end=open_end),
        open_end=open_end,
    )


def mail(data: bytes, kind: str = "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m") -> bytes:
    """Return a mail that is a CMS structure."""
    head = f"From: a@b.c\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + base64.encodebytes(data)


@pytest.mark.parametrize("pieces", [0, 16, 1_000])
@pytest.mark.parametrize("kind", ["application/pkcs7-mime; smime-type=signed-data", "application/x-pkcs7-mime"])
def test_what_was_signed_is_shown(pieces: int, kind: str) -> None:
    message = read(mail(signed(INNER, pieces=pieces), f"{kind}; name=smime.p7m"))
    found = bodies(message)
    assert found.text == "Grüße"
    assert [(one.name, one.path) for one in found.attachments] == [("smime.p7m", ""), ("a.pdf", "1.signed.2")]
    assert [one.data() for one in files(found)][1] == b"PDF"
    said = protection(message)
    assert said is not None
    assert (said.kind, said.readable) == (Protection.SMIME_OPAQUE, True)


def test_text_beside_the_signature_comes_in_its_place() -> None:
    part = mail(signed(INNER)).removeprefix(b"From: a@b.c\r\n")
    raw = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" + part + b"\r\n--x\r\n\r\nA list\r\n--x--"
    assert bodies(read(raw)).text == "Grüße\nA list"


def test_signatures_around_signatures_are_opened_to_a_depth() -> None:
    data = INNER
    for _ in range(5):
        data = mail(signed(data))
    found = bodies(read(data))
    assert found.text is None
    assert [one.content_type for one in found.attachments] == ["application/pkcs7-mime"] * 4


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"hello", id="no CMS"),
        pytest.param(signed(None), id="detached"),
        pytest.param(signed(INNER).replace(OID + b"\x02", OID + b"\x03"), id="encrypted"),
        pytest.param(signed(INNER, pieces=16)[:40], id="cut off"),
        pytest.param(element(0x30, OID + b"\x02" + b"\xa0\x80\x30\x80" * 100_000, open_end=True), id="nested"),
    ],
)
def test_what_holds_no_message_stays_a_file(data: bytes) -> None:
    found = bodies(read(mail(data)))
    assert (found.text, found.html) == (None, None)
    assert [one.data() for one in found.attachments] == [data]


def test_hostile_structures_take_no_time() -> None:
    start = time.process_time()
    inside = [signed(b"x" * 600_000, pieces=1), signed(INNER)]
    inside.append(element(0x30, OID + b"\x02" + b"\xa0\x80\x30\x80\x02\x01\x01" + b"\x31\x80" * 600_000, open_end=True))
    for data in (*inside, *mutants(inside[1:2], 500, seed=1)):
        signed_content(data)
    assert time.process_time() - start <= 2.0
