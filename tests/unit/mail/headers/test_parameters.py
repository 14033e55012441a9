"""Parameters and file names are read in every form that senders use."""

import pytest
from postroom.mail.headers.parameters import parse
from postroom.mail.reader import read


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        pytest.param("text/plain; charset=utf-8", "charset", "utf-8", id="plain"),
        pytest.param('text/plain; charset="utf-8"', "charset", "utf-8", id="quoted"),
        pytest.param("text/plain; CHARSET = utf-8 ", "charset", "utf-8", id="spaces and case"),
        pytest.param("text/plain; charset=us-ascii (Plain text)", "charset", "us-ascii", id="comment behind"),
        pytest.param("text/plain; (a (nested) b) charset=utf-8", "charset", "utf-8", id="comment in front"),
        pytest.param('a/b; name="a;b=c\\"d"', "name", 'a;b=c"d', id="quoted marks"),
        pytest.param('a/b; name="C:\\temp\\x.txt"', "name", "C:\\temp\\x.txt", id="Windows path"),
        pytest.param("a/b; name=my file (1).pdf", "name", "my file (1).pdf", id="unquoted with spaces"),
        pytest.param('a/b; name="x.pdf" charset=utf-8', "charset", "utf-8", id="no semicolon behind quotes"),
        pytest.param("text/plain charset=utf-8", "charset", "utf-8", id="no semicolon at all"),
        pytest.param("text/plain; charset=utf-8 format=flowed", "format", "flowed", id="no semicolon between"),
        pytest.param('a/b; name="never closed; charset=x', "charset", "x", id="quote never closed"),
        pytest.param("a/b;; ;name=x", "name", "x", id="empty parameters"),
        pytest.param("a/b; name*=utf-8''%E2%82%AC.txt", "name", "€.txt", id="RFC 2231"),
        pytest.param("a/b; name*=iso-8859-1'en'%A3.txt", "name", "£.txt", id="RFC 2231 with a language"),
        pytest.param("a/b; name*0=ab; name*1=cd", "name", "abcd", id="pieces"),
        pytest.param("a/b; name*1=cd; name*0=ab", "name", "abcd", id="pieces out of order"),
        pytest.param("a/b; name*0*=utf-8''%E2%82; name*1*=%AC", "name", "€", id="a character split over pieces"),
        pytest.param("a/b; name*0*=utf-8''a%20; name*1=b%20c", "name", "a b c", id="mark left off a later piece"),
        pytest.param("a/b; name=plain; name*=utf-8''better", "name", "better", id="both forms"),
        pytest.param("a/b; name=x\r\n\t; charset=y", "charset", "y", id="folded"),
        pytest.param("a/b; name=; charset=y", "charset", "y", id="empty value"),
        pytest.param("a/b; ((((", "name", None, id="open comments"),
    ],
)
def test_a_parameter_is_read(value: str, name: str, expected: str | None) -> None:
    assert parse(value).get(name) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(b'Content-Disposition: attachment; filename="a.pdf"', ("a.pdf",), id="disposition"),
        pytest.param(b'Content-Type: a/b; name="a.pdf"', ("a.pdf",), id="type"),
        pytest.param(
            b'Content-Type: a/b; name="a.exe"\r\nContent-Disposition: attachment; filename="a.pdf"',
            ("a.pdf", "a.exe"),
            id="two different names",
        ),
        pytest.param(
            b"Content-Disposition: attachment; filename=a.pdf; filename*=utf-8''a.exe",
            ("a.exe", "a.pdf"),
            id="both forms",
        ),
        pytest.param(
            b"Content-Disposition: attachment; filename=a.pdf; filename=b.exe", ("a.pdf", "b.exe"), id="the same twice"
        ),
        pytest.param(
            b'Content-Type: a/b; name="=?utf-8?B?w6QucGRm?="', ("ä.pdf", "=?utf-8?B?w6QucGRm?="), id="encoded word"
        ),
        pytest.param(b"Content-Type: a/b; name=a%2Eexe", ("a%2Eexe", "a.exe"), id="percent encoding"),
        pytest.param(b"Content-Type: a/b; name=\xe4.pdf", ("ä.pdf",), id="raw Latin-1"),
        pytest.param(b"Content-Type: a/b; name=\xc3\xa4.pdf", ("ä.pdf",), id="raw UTF-8"),
        pytest.param(b"Content-Type: image/png\r\nContent-Location: http://x/y/a.png?z", ("a.png",), id="location"),
        pytest.param(b'Content-Disposition: attachment; filename="a\r\n b.pdf"', ("a b.pdf",), id="folded"),
        pytest.param(
            b"Content-Disposition: attachment; filename=a.pdf\r\nContent-Disposition: attachment; filename=b.exe",
            ("a.pdf", "b.exe"),
            id="the header twice",
        ),
        pytest.param(
            b'Content-Disposition: attachment; filename="a.pdf".exe',
            ("a.pdf", "a.pdf.exe"),
            id="text behind the quotes",
        ),
        pytest.param(
            b"Content-Type: a/b; name*0*=utf-8''a.pdf; name*0*=utf-8''b.exe", ("a.pdf", "b.exe"), id="one piece twice"
        ),
        pytest.param(b"Content-Type: a/b", (), id="none"),
    ],
)
def test_all_names_of_a_part_are_found_the_best_first(headers: bytes, expected: tuple[str, ...]) -> None:
    part = read(headers + b"\r\n\r\nx")
    assert part.names == expected
    assert part.name == (expected[0] if expected else "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"attachment", "attachment"),
        (b"INLINE; filename=x", "inline"),
        (b'"attachment"; filename=x', "attachment"),
        (b"something-new", "attachment"),
        (b"", None),
        (b"filename=x.pdf", "attachment"),
    ],
)
def test_the_disposition_is_inline_attachment_or_nothing(value: bytes, expected: str | None) -> None:
    assert read(b"Content-Disposition: " + value + b"\r\n\r\nx").disposition == expected


@pytest.mark.parametrize(("value", "expected"), [(b"<a@b>", "a@b"), (b" a@b ", "a@b"), (b"<>", None), (b"<a@b", "a@b")])
def test_the_content_id_is_as_urls_write_it(value: bytes, expected: str | None) -> None:
    assert read(b"Content-ID: " + value + b"\r\n\r\nx").content_id == expected
