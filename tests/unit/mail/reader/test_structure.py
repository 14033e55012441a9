"""The parts of a message are found as its sender meant them, whatever the boundaries look like."""

import pytest
from postroom.mail.reader import Unreadable, read
from postroom.mail.reader.limits import Limits

HEAD = b"From: a@example.com\r\nMIME-Version: 1.0\r\n"


def shape(raw: bytes) -> list[tuple[str, str]]:
    """Return (path, type) of every part."""
    return [(part.path, part.content_type) for part in read(raw).walk()]


def bodies_of(raw: bytes) -> list[bytes]:
    """Return the data of every part without parts."""
    return [part.data() for part in read(raw).walk() if not part.children]


MIXED = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(HEAD + b"\r\nhello\r\n", [b"hello\r\n"], id="no MIME at all"),
        pytest.param(b"", [b""], id="empty input"),
        pytest.param(b"\r\n\r\n", [b"\r\n"], id="empty lines only"),
        pytest.param(HEAD, [b""], id="headers only"),
        pytest.param(HEAD + MIXED + b"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", [b"one", b"two"], id="ordinary"),
        pytest.param(
            HEAD + MIXED + b"pre\r\n--b\r\n\r\none\r\n--b--\r\nepilogue\r\n--b\r\n\r\nx", [b"one"], id="epilogue"
        ),
        pytest.param(HEAD + MIXED + b"--b\r\n\r\none\r\n--b\r\n\r\ntwo", [b"one", b"two"], id="never closed"),
        pytest.param(HEAD + MIXED + b"--b\n\none\n--b\n\ntwo\n--b--\n", [b"one", b"two"], id="LF in the body"),
        pytest.param((HEAD + MIXED + b"--b\r\n\r\none\r\n--b--").replace(b"\r\n", b"\r"), [b"one"], id="CR line ends"),
        pytest.param(
            HEAD + MIXED + b"--b  \t\r\n\r\none\r\n--b-- \r\n", [b"one"], id="white space behind the boundary"
        ),
        pytest.param(
            HEAD + MIXED + b"--bb\r\n\r\n--b\r\n\r\none\r\n--bc\r\n--b--", [b"one\r\n--bc"], id="longer lines are text"
        ),
        pytest.param(HEAD + MIXED + b"--b\r\n--b\r\n\r\none\r\n--b--", [b"one"], id="two delimiters in a row"),
        pytest.param(
            HEAD + MIXED + b"--b\r\n\r\none\r\n\r\n--b--", [b"one\r\n"], id="only the last line end is the boundary's"
        ),
        pytest.param(HEAD + MIXED + b"--b\r\nX-A: b\r\n--b--", [b""], id="a part of headers only"),
        pytest.param(
            HEAD + MIXED + b"--b\r\n\r\none--b\r\nContent-Type: text/html\r\n\r\ntwo--b--\r\n",
            [b"one", b"two"],
            id="no line end in front of the delimiters",
        ),
        pytest.param(
            HEAD + MIXED + b"--b\r\n\r\nsee --b\r\nand --b-- too\r\n--b--\r\n",
            [b"see --b\r\nand --b-- too"],
            id="what looks like a delimiter within a line",
        ),
        pytest.param(
            HEAD + MIXED + b"--b\r\n\r\nContent-Transfer-Encoding: base64\r\n\r\nb25l\r\n--b--\r\n",
            [b"one"],
            id="an empty line in front of the headers of a part",
        ),
        pytest.param(
            HEAD + MIXED + b"--b\r\n\r\none\r\n--b-\r\n", [b"one"], id="the last delimiter without its last dash"
        ),
        pytest.param(HEAD + MIXED + b"just text\r\n", [b"just text\r\n"], id="no delimiter: the body is kept"),
        pytest.param(
            HEAD + b"Content-Type: multipart/mixed\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\none\r\n--x--\r\n",
            [b"one"],
            id="no boundary parameter: guessed",
        ),
        pytest.param(
            HEAD
            + b'Content-Type: multipart/mixed; boundary="wrong"\r\n\r\n--x\r\n\r\none\r\n--x\r\n\r\ntwo\r\n--x--\r\n',
            [b"one", b"two"],
            id="wrong boundary parameter: guessed",
        ),
        pytest.param(
            HEAD + b"Content-Type: multipart/mixed; boundary=a/b=c?d\r\n\r\n--a/b=c?d\r\n\r\none\r\n--a/b=c?d--",
            [b"one"],
            id="boundary that needs quotes and has none",
        ),
        pytest.param(
            HEAD + b"Content-Type: multipart/mixed; boundary*0=a;\r\n boundary*1=b\r\n\r\n--ab\r\n\r\none\r\n--ab--",
            [b"one"],
            id="boundary in RFC 2231 pieces",
        ),
        pytest.param(b"From x@y Mon Jan  1 00:00:00 2024\r\n" + HEAD + b"\r\nhi", [b"hi"], id="From line of an mbox"),
        pytest.param(b"\xef\xbb\xbf" + HEAD + b"\r\nhi", [b"hi"], id="byte order mark"),
        pytest.param(b"\r\n\r\n" + HEAD + b"\r\nhi", [b"hi"], id="empty lines before the headers"),
        pytest.param(b"hello, this is no header\r\nat all", [b"hello, this is no header\r\nat all"], id="text only"),
    ],
)
def test_the_bodies_are_found(raw: bytes, expected: list[bytes]) -> None:
    assert bodies_of(raw) == expected


def test_nested_multiparts_get_paths_and_types() -> None:
    raw = (
        HEAD + MIXED + b"--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n\r\nplain\r\n"
        b"--bb\r\nContent-Type: TEXT/HTML\r\n\r\nhtml\r\n--bb--\r\n--b\r\nContent-Type: image/png\r\n\r\npng\r\n--b--"
    )
    assert shape(raw) == [
        ("", "multipart/mixed"),
        ("1", "multipart/alternative"),
        ("1.1", "text/plain"),
        ("1.2", "text/html"),
        ("2", "image/png"),
    ]


def test_an_outer_boundary_ends_inner_multiparts_that_were_not_closed() -> None:
    raw = (
        HEAD + MIXED + b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\ninner\r\n"
        b"--b\r\n\r\nouter\r\n--b--"
    )
    assert bodies_of(raw) == [b"inner", b"outer"]


def test_an_inner_multipart_with_the_boundary_of_its_parent_takes_the_parts() -> None:
    raw = HEAD + MIXED + b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n--b--"
    assert bodies_of(raw) == [b"one"]


def test_parts_of_a_digest_are_messages_by_default() -> None:
    raw = HEAD + b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: inner\r\n\r\ntext\r\n--b--"
    part = list(read(raw).walk())[1]
    assert part.message is not None
    assert part.message.header("Subject") == "inner"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"7bit", b"Subject: inner\r\n\r\ninner text"),
        (b"base64", b"U3ViamVjdDogaW5uZXINCg0KaW5uZXIgdGV4dA=="),
        (b"quoted-printable", b"Subject: inner\r\n\r\ninner=20text"),
    ],
)
def test_a_forwarded_message_is_read_whatever_its_encoding(encoding: bytes, body: bytes) -> None:
    raw = (
        HEAD + MIXED + b"--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: "
        + encoding + b"\r\n\r\n" + body + b"\r\n--b--"
    )  # fmt: skip
    inner = read(raw).children[0].message
    assert inner is not None
    assert (inner.header("subject"), inner.text()) == ("inner", "inner text")


def test_an_embedded_message_that_is_none_stays_an_attachment() -> None:
    message = read(HEAD + b"Content-Type: message/rfc822\r\n\r\nthis is no message, sorry!\r\n")
    assert message.message is None
    assert message.data() == b"this is no message, sorry!\r\n"
    assert any("is no message" in defect for defect in message.defects)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"text", "text/plain"),
        (b"", "text/plain"),
        (b"text/html", "text/html"),
        (b"Text/HTML ; charset=x", "text/html"),
        (b"text / html", "text/html"),
        (b"(comment) text/html (more)", "text/html"),
        (b'"text/html"', "text/html"),
        (b"text/plain charset=utf-8", "text/plain"),
        (b"multipart", "multipart/mixed"),
        (b"nonsense", "text/plain"),
        (b"application", "application/octet-stream"),
        (b"text/html/x", "text/html"),
    ],
)
def test_the_content_type_is_read_as_meant(value: bytes, expected: str) -> None:
    assert read(b"Content-Type: " + value + b"\r\n\r\nx").content_type == expected


@pytest.mark.parametrize(
    ("limits", "raw", "name"),
    [
        pytest.param(Limits(parts=3), HEAD + MIXED + b"--b\r\n\r\nx\r\n" * 4, "parts", id="parts"),
        pytest.param(
            Limits(header_bytes=100), HEAD + b"X: " + b"y" * 200 + b"\r\n\r\n", "header_bytes", id="header bytes"
        ),
        pytest.param(Limits(headers=5), b"X: y\r\n" * 6, "headers", id="headers"),
        pytest.param(Limits(message_bytes=10), HEAD, "message_bytes", id="size"),
        pytest.param(
            Limits(parameters=5), b"Content-Type: a/b" + b"; c=d" * 6 + b"\r\n\r\n", "parameters", id="parameters"
        ),
        pytest.param(
            Limits(addresses=5, parameters=5), b"To: " + b"a@b, " * 9 + b"\r\n\r\n", "addresses", id="addresses"
        ),
        pytest.param(
            Limits(depth=3),
            HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(6)),
            "depth",
            id="depth",
        ),
    ],
)
def test_a_limit_is_named_when_a_message_is_over_it(limits: Limits, raw: bytes, name: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(raw, limits=limits)
    assert caught.value.limit == name
    assert caught.value.reason


def test_messages_nested_over_the_limit_are_left_unread() -> None:
    raw = b"Content-Type: message/rfc822\r\n\r\n" * 10 + b"Subject: end\r\n\r\n"
    message = read(raw, limits=Limits(depth=4))
    depth = 0
    inner = message.message
    while inner is not None:
        depth += 1
        last, inner = inner, inner.message
    assert depth == 4
    assert any("nested" in defect for defect in last.defects)


def test_the_raw_message_is_given_back_unchanged() -> None:
    raw = b"Subject: x\rFrom: a@b.c\r\rbody\r"
    assert read(raw).raw == raw


def _of_parts(count: int) -> bytes:
    return HEAD + MIXED + b"--b\r\n\r\nx\r\n" * (count - 1)  # the message is a part too


def _of_enclosed_messages(count: int) -> bytes:
    return b"Content-Type: message/rfc822\r\n\r\n" * (count - 1) + b"Subject: end\r\n\r\n"


def _of_depth(count: int) -> bytes:
    levels = (b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (level, level) for level in range(count))
    return HEAD + b"".join(levels) + b"\r\nx"


LIMIT = 7
AT_MOST = {
    "parts": (_of_parts, Limits(parts=LIMIT)),
    "headers": (lambda count: b"X: y\r\n" * count + b"\r\n", Limits(headers=LIMIT)),
    "header_bytes": (lambda count: b"X:" + b"y" * (count - 2), Limits(header_bytes=LIMIT)),
    "message_bytes": (lambda count: b"y" * count, Limits(message_bytes=LIMIT)),
    "parameters": (lambda count: b"Content-Type: a/b" + b"; c=d" * count + b"\r\n\r\n", Limits(parameters=LIMIT)),
    "addresses": (lambda count: b"To:a@b" + b",a@b" * (count - 1) + b"\r\n\r\n", Limits(addresses=LIMIT, parameters=0)),
    "address_bytes": (lambda count: b"To:" + b"a" * count + b"\r\n\r\n", Limits(address_bytes=LIMIT, parameters=0)),
    "depth": (_of_depth, Limits(depth=LIMIT)),
}  # fmt: skip


@pytest.mark.parametrize("name", AT_MOST)
def test_a_limit_is_exact(name: str) -> None:
    make, limits = AT_MOST[name]
    read(make(LIMIT), limits=limits)
    with pytest.raises(Unreadable) as caught:
        read(make(LIMIT + 1), limits=limits)
    assert caught.value.limit == name


def test_the_parts_of_enclosed_messages_count_too() -> None:
    def defects(count: int) -> tuple[str, ...]:
        message = read(_of_enclosed_messages(count), limits=Limits(parts=LIMIT))
        last = message
        while last.message is not None:
            last = last.message
        return last.defects

    assert not defects(LIMIT)
    assert "parts" in defects(LIMIT + 1)[0]


def test_two_delimiters_in_a_row_are_no_part() -> None:
    raw = HEAD + MIXED + b"--b\r\n" * 20 + b"\r\none\r\n--b--"
    assert shape(raw) == [("", "multipart/mixed"), ("1", "text/plain")]
    assert read(raw, limits=Limits(parts=2)).children[0].data() == b"one"
