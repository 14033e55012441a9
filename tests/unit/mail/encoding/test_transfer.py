"""Transfer encodings are undone, damage and all."""

import base64
import binascii

import pytest
from postroom.mail.encoding.transfer import decode_transfer, encoding_of
from postroom.mail.encoding.uuencode import find_files

TEXT = b"The quick brown fox jumps over the lazy dog. " * 5


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(base64.b64encode(TEXT), TEXT, id="one line"),
        pytest.param(base64.encodebytes(TEXT), TEXT, id="lines"),
        pytest.param(base64.encodebytes(TEXT).replace(b"\n", b" \r\n"), TEXT, id="CRLF and spaces"),
        pytest.param(base64.b64encode(TEXT + b"x").rstrip(b"="), TEXT + b"x", id="padding missing"),
        pytest.param(base64.b64encode(TEXT)[:-1], TEXT[:-1], id="last character lost"),
        pytest.param(base64.b64encode(TEXT + b"x") + b"A", TEXT + b"x", id="one character behind the padding"),
        pytest.param(base64.b64encode(b"a") + base64.b64encode(b"bc"), b"abc", id="padded in pieces"),
        pytest.param(
            base64.encodebytes(TEXT + b"x") + b"_______\nlist footer, unsubscribe here\n", TEXT + b"x", id="list footer"
        ),
        pytest.param(base64.urlsafe_b64encode(b"\xff\xfe\xfd" * 20), b"\xff\xfe\xfd" * 20, id="URL alphabet"),
        pytest.param(b"", b"", id="empty"),
        pytest.param(b"=", b"", id="padding only"),
        pytest.param(
            b"This is just text, sent under a wrong label.", b"This is just text, sent under a wrong label.", id="text"
        ),
        pytest.param(
            b"words of letters alone\nwithout any mark\n" * 4,
            b"words of letters alone\nwithout any mark\n" * 4,
            id="words",
        ),
    ],
)
def test_base64_is_decoded(data: bytes, expected: bytes) -> None:
    assert decode_transfer(data, "base64") == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"Gr=C3=BC=C3=9Fe", "Grüße".encode(), id="ordinary"),
        pytest.param(b"a=\r\nb=\nc", b"abc", id="soft breaks"),
        pytest.param(b"a= \t\r\nb", b"ab", id="white space behind a soft break"),
        pytest.param(b"a=c3=bc", b"a\xc3\xbc", id="lower case"),
        pytest.param(b"1 = 1 and 2 =zz", b"1 = 1 and 2 =zz", id="not encoded at all"),
        pytest.param(b"a=", b"a", id="cut off"),
        pytest.param(b"a_b", b"a_b", id="underscore is itself in a body"),
        pytest.param(b"\xe4=E4", b"\xe4\xe4", id="raw bytes among escapes"),
    ],
)
def test_quoted_printable_is_decoded(data: bytes, expected: bytes) -> None:
    assert decode_transfer(data, "quoted-printable") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("base64", "base64"),
        (" BASE64 ", "base64"),
        ('"base64"', "base64"),
        ("base64;", "base64"),
        ("base64 (comment)", "base64"),
        ("(comment) base64", "base64"),
        ("quoted-printable; charset=x", "quoted-printable"),
        ("x-uuencode", "uuencode"),
        ("7bit", "8bit"),
        ("8bit", "8bit"),
        ("binary", "8bit"),
        ("plain", "8bit"),
        ("text/html", "8bit"),
        ("", "8bit"),
    ],
)
def test_the_encoding_is_read_as_meant(value: str, expected: str) -> None:
    assert encoding_of(value) == expected


def uuencoded(data: bytes, name: bytes = b"a.bin") -> bytes:
    """Return data as the uuencode command writes it."""
    lines = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
    return b"begin 644 " + name + b"\n" + b"".join(lines) + b"`\nend\n"


def test_uuencoded_files_are_found_within_text() -> None:
    text = b"Hello,\n" + uuencoded(TEXT) + b"and\n" + uuencoded(b"x" * 100, b"b c.txt") + b"bye\n"
    found = find_files(text)
    assert [(file.name, file.data) for file in found] == [(b"a.bin", TEXT), (b"b c.txt", b"x" * 100)]
    assert text[: found[0].start] == b"Hello,\n"
    assert text[found[0].end : found[1].start] == b"and\n"


@pytest.mark.parametrize(
    "text",
    [
        b"we begin 644 things\nand end\n",
        b"begin 644 a\nthis is ordinary prose, not data\nend\n",
        b"begin 644 a\n#0V%T\n",
        b"begin nothing\nend\n",
    ],
)
def test_prose_is_no_uuencoded_file(text: bytes) -> None:
    assert find_files(text) == []


def test_a_body_in_x_uuencode_is_decoded() -> None:
    assert decode_transfer(b"\n" + uuencoded(TEXT).replace(b"\n", b"\r\n"), "uuencode") == TEXT
    assert decode_transfer(b"not uuencoded", "uuencode") == b"not uuencoded"
