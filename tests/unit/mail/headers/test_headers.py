"""Header fields are split and decoded as senders mean them."""

import pytest
from postroom.mail.headers.encoded_words import decode_header
from postroom.mail.reader import read


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße", id="Q"),
        pytest.param("=?utf-8?q?a_b=5Fc?=", "a b_c", id="underscore is a space"),
        pytest.param("=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße", id="B"),
        pytest.param("Re: =?utf-8?Q?=C3=A4?= und =?utf-8?Q?=C3=B6?= x", "Re: ä und ö x", id="between text"),
        pytest.param("=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab", id="white space between words goes"),
        pytest.param("=?utf-8?Q?a?=\r\n  =?utf-8?Q?b?=", "ab", id="a fold between words goes"),
        pytest.param("=?utf-8?Q?a?==?utf-8?Q?b?=", "ab", id="no white space between words"),
        pytest.param("=?utf-8?B?w7w=?= =?utf-8?Q?=C3=BC?=", "üü", id="two encodings"),
        pytest.param("=?utf-8?Q?=E2=82?= =?utf-8?Q?=AC?=", "€", id="a character split over two words"),
        pytest.param("=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€", id="split in base64"),
        pytest.param("=?iso-8859-1?Q?=E4?= =?utf-8?Q?=C3=B6?=", "äö", id="two charsets"),
        pytest.param("=?utf-8?Q?a b c?=", "a b c", id="spaces within a word"),
        pytest.param("=?utf-8?Q?a?b?=", "a?b", id="question mark within a word"),
        pytest.param("=?utf-8?Q?Hallo_Welt", "Hallo Welt", id="the end is missing"),
        pytest.param("=?utf-8?B?R3LDvMOfZQ", "Grüße", id="padding and end are missing"),
        pytest.param("=?utf-8?B?R3LDvMOfZQ=?=", "Grüße", id="padding is too short"),
        pytest.param("=?utf-8?Q?=C3=A4=?=", "ä", id="a lone = at the end"),
        pytest.param("=?utf-8*de?Q?=C3=A4?=", "ä", id="language"),
        pytest.param("=? utf-8 ? Q ?=C3=A4?=", "ä", id="spaces around the pieces"),
        pytest.param("=?x-unknown?Q?=E4?=", "ä", id="unknown charset"),
        pytest.param("=?utf-8?Q?=E4?=", "ä", id="Latin-1 labelled UTF-8"),
        pytest.param("=?iso-8859-1?Q?=93x=94?=", "“x”", id="windows-1252 labelled Latin-1"),
        pytest.param("=?gb2312?B?xOO6w4Ew?=", None, id="GBK labelled GB2312 gives some text"),
        pytest.param("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本", id="ISO-2022-JP"),
        pytest.param("=?ks_c_5601-1987?B?x9G17g==?=", "한등", id="Korean by its old name"),
        pytest.param("=?utf-7?Q?Fr+APY-sche?=", "Frösche", id="UTF-7"),
        pytest.param("=?utf-8?X?abc?=", "=?utf-8?X?abc?=", id="unknown encoding stays"),
        pytest.param("=?utf-8?Q??=", "", id="empty word"),
        pytest.param("a =? b ?= c", "a =? b ?= c", id="no word at all"),
        pytest.param("=?utf-8?Q?a=0D=0ABcc:_x?=", "a Bcc: x", id="encoded line ends make no new header"),
        pytest.param("a\r\n\tb", "a b", id="folded with a tab"),
        pytest.param("Grüße".encode(), "Grüße", id="raw UTF-8"),
        pytest.param("Grüße".encode("latin-1"), "Grüße", id="raw Latin-1"),
        pytest.param("Счёт на оплату".encode("koi8-r"), "Счёт на оплату", id="raw KOI8-R"),
        pytest.param(b"\xe4 =?utf-8?Q?=C3=B6?=", "ä ö", id="raw and encoded"),
        pytest.param(b"a\0b", "a b", id="NUL"),
    ],
)
def test_a_header_value_is_decoded(value: str | bytes, expected: str | None) -> None:
    decoded = decode_header(value)
    assert decoded == expected if expected is not None else decoded.startswith("你好")


def test_raw_text_is_read_in_the_charset_of_the_body_when_it_is_not_utf8() -> None:
    subject = "Žádost".encode("iso-8859-2")
    message = read(b"Subject: " + subject + b"\r\nContent-Type: text/plain; charset=iso-8859-2\r\n\r\nx")
    assert message.header("subject") == "Žádost"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"Subject: a\r\nTo: b\r\n\r\n", {"subject": ["a"], "to": ["b"]}, id="ordinary"),
        pytest.param(b"SUBJECT : a\r\n\r\n", {"subject": ["a"]}, id="space before the colon"),
        pytest.param(b"Subject:a\r\n  b\r\n\tc\r\n\r\n", {"subject": ["a b c"]}, id="folded"),
        pytest.param(b"Subject:\r\n a\r\n\r\n", {"subject": ["a"]}, id="fold at once"),
        pytest.param(b"X: a\r\nX: b\r\n\r\n", {"x": ["a", "b"]}, id="twice"),
        pytest.param(b"X:\r\nY: a\r\n\r\n", {"x": [""], "y": ["a"]}, id="empty value"),
        pytest.param(b"X: a\nY: b\r\n\n", {"x": ["a"], "y": ["b"]}, id="mixed line ends"),
        pytest.param(b"X: a\r\r\nY: b\r\r\n\r\r\nbody", {"x": ["a"], "y": ["b"]}, id="doubled CR"),
        pytest.param(
            b"Subject: long\r\nbroken line\r\nTo: b\r\n\r\n",
            {"subject": ["long broken line"], "to": ["b"]},
            id="no fold",
        ),
        pytest.param(b"  From: a\r\nTo: b\r\n\r\n", {"from": ["a"], "to": ["b"]}, id="spaces before the first field"),
        pytest.param(b"X: a\r\n>From x Mon\r\nTo: b\r\n\r\n", {"x": ["a"], "to": ["b"]}, id="From line within"),
        pytest.param(
            b"X: a\r\nNote: this\r\nis text\r\n", {"x": ["a"], "note": ["this"]}, id="text without empty line"
        ),
        pytest.param("X-Ü: a\r\nTo: b\r\n\r\n".encode(), {"to": ["b"]}, id="name that is not ASCII"),
    ],
)
def test_fields_are_split(raw: bytes, expected: dict[str, list[str]]) -> None:
    message = read(raw)
    assert {name: message.headers(name) for name in message.header_names} == expected


def test_text_behind_headers_without_an_empty_line_is_the_body() -> None:
    message = read(b"Subject: x\r\nHello there,\r\nthis is text\r\n")
    assert message.header("subject") == "x"
    assert message.text() == "Hello there,\nthis is text\n"


def test_access_by_name_ignores_case_and_knows_absence() -> None:
    message = read(b"X-Test: \r\n\r\n")
    assert message.has("x-TEST")
    assert not message.has("x-other")
    assert message.header("x-other") == ""
    assert message.headers("x-other") == []
    assert message.raw_headers("X-Test") == [b""]
