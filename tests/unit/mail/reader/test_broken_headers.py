"""A header section whose lines were broken on the way is read as it was written.

The family: lines without their fold (gateways that break long lines, or take folds away), anywhere in the section and
however many; and one line of a remark above it. What proves that such a line is none of the body: a known field that
follows, or a last field that asks for exactly this.
"""

import pytest
from postroom.mail.reader import Message, read

from tests.support.growth import exponent

FIELDS = b"To: desk@cc.example\nSubject: Order 17\nDate: Mon, 5 Jan 2026 10:00:00 +0000\n"
LETTERS = b"".join(b"QUJD" * 12 + b"%d\n" % number for number in range(10, 90))


def _message(head: bytes, body: bytes = b"Where is it?\n") -> Message:
    return read(head + b"\n" + body)


@pytest.mark.parametrize("count", [1, 5, 6, 20, 80])
@pytest.mark.parametrize(
    ("above", "line"),
    [
        pytest.param(b"X-Scan: AAAA\n", b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY\n", id="letters of a filter"),
        pytest.param(
            b"Received: from a.example\n", b"by mx.example with ESMTPS id 1 for <desk@cc.example>\n", id="way"
        ),
        pytest.param(b"DKIM-Signature: v=1; a=rsa-sha256;\n", b"b=abc/def+ghi=\n", id="signature"),
        pytest.param(b"To: <a@b.example>,\n", b"<c@d.example>,\n", id="recipients"),
        pytest.param(b"X-Note: one\n", b"words that somebody broke in two\n", id="words"),
    ],
)
def test_any_number_of_lines_without_a_fold_joins_while_a_known_field_follows(
    count: int, above: bytes, line: bytes
) -> None:
    message = _message(above + line * count + b"From: Ann <ann@customer.example>\nSubject: Order 17\n")
    assert message.header("from") == "Ann <ann@customer.example>"
    assert message.header("subject") == "Order 17"
    assert message.text() == "Where is it?\n"


def test_any_number_of_places_may_be_broken() -> None:
    head = b"".join(b"X-%d: one\nand two\n" % number for number in range(400))
    message = _message(head + b"From: ann@customer.example\n")
    assert message.header("x-399") == "one and two"
    assert message.header("from") == "ann@customer.example"


@pytest.mark.parametrize(
    ("head", "value"),
    [
        pytest.param(b"Cc: Bo <bo@b.example>, Eve <eve@\nb.c>\n", "Bo <bo@b.example>, Eve <eve@ b.c>", id="angle"),
        pytest.param(b"Cc: a@b.c,\nc@b.c,\nd@b.c\n", "a@b.c, c@b.c, d@b.c", id="list"),
        pytest.param(b"References: <1@b.c>\n<2@b.c>\n<3@b.c>\n", "<1@b.c> <2@b.c> <3@b.c>", id="references"),
        pytest.param(b"Content-Type: a/b;\nx=y;\nz=1\n", "a/b; x=y; z=1", id="parameters"),
        pytest.param(b'Content-Type: text/plain; name="a\nb.txt"\n', 'text/plain; name="a b.txt"', id="quotes"),
        pytest.param(b"Subject: =?utf-8?Q?caf=C3=A9_\nau_lait?=\n", "café  au lait", id="encoded word"),
        pytest.param(b"X-Sig: " + LETTERS, LETTERS.decode().strip().replace("\n", " "), id="letters"),
        pytest.param(b"Received: from a.example;\nMon, 5 Jan 2026\n", "from a.example; Mon, 5 Jan 2026", id="date"),
    ],
)  # fmt: skip
def test_the_last_field_takes_the_lines_that_it_asks_for(head: bytes, value: str) -> None:
    message = _message(b"From: ann@customer.example\n" + head)
    assert message.header(head.partition(b":")[0].decode()) == value
    assert message.text() == "Where is it?\n"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"Hello,\n\nwhere is it?\n", id="a greeting"),
        pytest.param(b"Please send it to eve@b.example, thank you\n\nAnn\n", id="an address"),
        pytest.param(b"One two three\nfour five six\n\nseven\n", id="lines"),
        pytest.param(b"size = 5; colour = red\n\nAnn\n", id="a setting"),
        pytest.param(
            b"a\nb\nc\nd\ne\nf\nFrom: kim@b.example\nSubject: what I answer\n\nquoted\n", id="a quoted header"
        ),
        pytest.param(b"<b>bold</b> words\n\nAnn\n", id="markup"),
    ],
)
@pytest.mark.parametrize(
    "last", [b"To: desk@cc.example\n", b"Subject: Order 17,\n", b"Content-Type: text/plain; charset=utf-8\n"]
)
def test_a_text_without_an_empty_line_above_it_stays_text(body: bytes, last: bytes) -> None:
    message = read(b"From: ann@customer.example\nSubject: Order\n" + last + body)
    assert message.text() == body.decode()


@pytest.mark.parametrize(
    "remark",
    [
        pytest.param(b"---- Original email message ----\n", id="dashes"),
        pytest.param(b"This mail was held back, see below\n", id="words"),
        pytest.param(b"-----\n", id="a rule"),
        pytest.param(b"* 1 FETCH (BODY[] {123}\n", id="an answer of a server"),
        pytest.param(b"---- Original email message ----\n\n", id="with an empty line"),
        pytest.param(b"From ann@customer.example Mon Jan  5 10:00:00 2026\n", id="an mbox"),
        pytest.param(b"\xef\xbb\xbf\n", id="a byte order mark alone"),
    ],
)
def test_one_line_of_a_remark_may_stand_above_the_header_section(remark: bytes) -> None:
    message = _message(remark + b"Return-Path: <ann@customer.example>\nFrom: Ann <ann@customer.example>\n" + FIELDS)
    assert message.header("from") == "Ann <ann@customer.example>"
    assert message.header("subject") == "Order 17"
    assert message.text() == "Where is it?\n"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"Hello,\n\nhere is what I wrote:\nSubject: x\n\ny\n", id="a quoted field"),
        pytest.param(b"--b\nContent-Type: text/plain\n\nx\n--b--\n", id="a part"),
        pytest.param(b"Hello\n\nSubject: x\nPriority: y\n\nz\n", id="fields that nobody sends"),
    ],
)
def test_what_is_no_header_section_below_a_line_is_text(raw: bytes) -> None:
    assert read(raw).header_names == ()


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(b"X-A: " + b"b" * 200 + b"\nbroken\n", id="broken lines between fields"),
        pytest.param(b"broken words\n", id="broken lines in a row"),
        pytest.param(b"X-A: b\n1\n2\n3\n4\n5\n6\nFrom: c\n", id="a field that comes again"),
        pytest.param(b"a@b.example,\n", id="recipients of the last field"),
        pytest.param(b"<1@b.example>\n", id="references of the last field"),
    ],
)
def test_broken_lines_take_time_in_proportion(piece: bytes) -> None:
    def make(size: int) -> bytes:
        return b"To: x@b.example,\n" + piece * (size // len(piece)) + b"\nbody\n"

    assert exponent(lambda raw: read(raw).text(), make, sizes=(100_000, 800_000)) <= 1.5
