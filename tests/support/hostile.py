"""Make hostile messages: each costs a careless reader minutes or gigabytes. Sizes are those of attacks, or worse."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Iterator

_HEAD = b"From: a@example.com\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
_MB = 1_000_000
MAKERS: dict[str, Callable[[], bytes]] = {}


def _hostile(make: Callable[[], bytes]) -> Callable[[], bytes]:
    MAKERS[make.__name__] = make
    return make


def messages() -> Iterator[tuple[str, bytes]]:
    """Make all of them, one at a time."""
    for name, make in MAKERS.items():
        yield name, make()


def _header(name: bytes, value: bytes) -> bytes:
    return b"From: a@example.com\r\nTo: b@example.org\r\n" + name + b": " + value + b"\r\n\r\nbody\r\n"


def _multipart(boundary: bytes, body: bytes, kind: bytes = b"mixed") -> bytes:
    return _HEAD + b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"\r\n\r\n' + body


# Headers


@_hostile
def subject_of_encoded_words() -> bytes:
    return _header(b"Subject", b" ".join([b"=?utf-8?B?w6TDtsO8?="] * (1_300_000 // 21)))


@_hostile
def subject_of_folded_encoded_words() -> bytes:
    return _header(b"Subject", b"\r\n ".join([b"=?utf-8?Q?=C3=A4?="] * 60_000))


@_hostile
def subject_of_words_in_alternating_charsets() -> bytes:
    return _header(b"Subject", b" ".join([b"=?utf-8?Q?a?=", b"=?koi8-r?Q?=C1?="] * 30_000))


@_hostile
def subject_of_words_in_unknown_charsets() -> bytes:
    return _header(b"Subject", b" ".join(b"=?x-%d?Q?=E4=F6?=" % number for number in range(40_000)))


@_hostile
def subject_of_words_that_never_end() -> bytes:
    return _header(b"Subject", b"=?utf-8?Q?" * 130_000)


@_hostile
def subject_of_word_beginnings() -> bytes:
    return _header(b"Subject", b"=?" * 650_000)


@_hostile
def subject_of_question_marks() -> bytes:
    return _header(b"Subject", b"=?a?q?" + b"?" * _MB)


@_hostile
def subject_of_broken_base64() -> bytes:
    return _header(b"Subject", b" ".join([b"=?utf-8?B?w6T-_D=tsO8=?="] * 40_000))


@_hostile
def subject_of_raw_bytes() -> bytes:
    return _header(b"Subject", bytes(range(128, 256)) * 10_000)


@_hostile
def subject_of_spaces() -> bytes:
    return _header(b"Subject", b"a" + b" " * _MB + b"b")


@_hostile
def subject_of_empty_folds() -> bytes:
    return _header(b"Subject", b"a" + b"\r\n " * 400_000 + b"b")


@_hostile
def subject_of_carriage_returns() -> bytes:
    return _header(b"Subject", b"a" + b"\r" * _MB + b"b")


@_hostile
def subject_of_nulls() -> bytes:
    return _header(b"Subject", b"\0" * _MB)


@_hostile
def subject_of_escape_sequences() -> bytes:
    return _header(b"Subject", b"\x1b$B\x1b(B" * 150_000)


@_hostile
def header_of_three_megabytes() -> bytes:
    return _header(b"X-Long", b"x" * 3 * _MB)


@_hostile
def hundred_thousand_headers() -> bytes:
    return b"X-A: b\r\n" * 100_000 + b"\r\nbody\r\n"


@_hostile
def same_header_nine_thousand_times() -> bytes:
    return b"Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n" * 9_000 + _HEAD + b"\r\nbody\r\n"


@_hostile
def broken_header_lines() -> bytes:
    return b"no header here\r\nSubject: x\r\n" * 60_000 + b"\r\nbody\r\n"


@_hostile
def header_names_without_end() -> bytes:
    return b"A" * 3 * _MB


@_hostile
def references_of_a_megabyte() -> bytes:
    return _header(b"References", b" ".join(b"<%d@example.com>" % number for number in range(50_000)))


@_hostile
def references_of_open_brackets() -> bytes:
    return _header(b"References", b"<" * _MB)


@_hostile
def message_id_of_words_with_at() -> bytes:
    return _header(b"Message-ID", b"a@" * 500_000)


# Addresses


@_hostile
def twenty_thousand_addresses() -> bytes:
    return _header(b"Cc", b", ".join(b'"Name %d" <n%d@example.com>' % (number, number) for number in range(20_000)))


@_hostile
def nine_thousand_addresses() -> bytes:
    return _header(b"Cc", b",\r\n ".join(b"=?utf-8?Q?N=C3=A4?= <n%d@example.com>" % number for number in range(9_000)))


@_hostile
def address_in_nested_comments() -> bytes:
    return b"From: " + b"(" * 200_000 + b")" * 200_000 + b" <a@example.com>\r\n\r\nbody\r\n"


@_hostile
def address_of_open_comments() -> bytes:
    return b"From: " + b"( " * 300_000 + b"<a@example.com>\r\n\r\nbody\r\n"


@_hostile
def address_of_open_quotes() -> bytes:
    return b"From: " + b'"\\' * 300_000 + b" <a@example.com>\r\n\r\nbody\r\n"


@_hostile
def address_of_open_angles() -> bytes:
    return b"From: " + b"<" * 300_000 + b"a@example.com>\r\n\r\nbody\r\n"


@_hostile
def address_of_angles_with_commas() -> bytes:
    return b"From: " + b"<a" * 150_000 + b"\r\n\r\nbody\r\n"


@_hostile
def address_of_words() -> bytes:
    return b"From: " + b"word " * 150_000 + b"\r\n\r\nbody\r\n"


@_hostile
def address_of_spaces() -> bytes:
    return b"From: x" + b" " * 250_000 + b"y" + b" " * 250_000 + b",\r\n\r\nbody\r\n"


@_hostile
def names_of_encoded_spaces() -> bytes:
    return _header(b"Cc", b",".join([b"=?utf-8?Q?x" + b"_" * 1_900 + b"=40?="] * 450))


@_hostile
def address_of_dots_and_ats() -> bytes:
    return b"From: " + b".@" * 250_000 + b"\r\n\r\nbody\r\n"


@_hostile
def groups_in_groups() -> bytes:
    return b"To: " + b"g:" * 100_000 + b"a@example.com" + b";" * 100_000 + b"\r\n\r\nbody\r\n"


# Parameters


def _parameters(parameters: bytes) -> bytes:
    return _HEAD + b"Content-Type: application/pdf" + parameters + b"\r\n\r\nbody\r\n"


@_hostile
def continued_parameters() -> bytes:
    return _parameters(b"".join(b";\r\n name*%d*=%%41" % number for number in range(22_000)))


@_hostile
def nineteen_hundred_continued_parameters() -> bytes:
    return _parameters(b"".join(b"; name*%d*=%s" % (number, b"%41" * 70) for number in range(1_900)))


@_hostile
def parameter_with_huge_numbers() -> bytes:
    return _parameters(b"".join(b"; name*9%d*=a" % (number * 10**50) for number in range(1_500)))


@_hostile
def parameters_of_comments() -> bytes:
    return _parameters(b"; (" * 1_900 + b"(" * 400_000)


@_hostile
def parameters_of_carriage_returns() -> bytes:
    return _parameters(b'; name="' + b"\r" * 500_000 + b'.pdf"')


@_hostile
def parameters_of_quotes() -> bytes:
    return _parameters(b'; name="' + b'\\"' * 300_000)


@_hostile
def parameters_of_equals_and_spaces() -> bytes:
    return _parameters(b"; name" + b" " * 400_000 + b"= =" + b" " * 400_000)


# Structure


@_hostile
def hundred_thousand_parts() -> bytes:
    return _multipart(b"b", b"--b\r\n\r\nx\r\n" * 100_000 + b"--b--\r\n")


@_hostile
def nine_thousand_parts() -> bytes:
    return _multipart(b"b", b"--b\r\nContent-Type: text/plain; charset=x-none\r\n\r\n\xe4x\r\n" * 9_000 + b"--b--\r\n")


@_hostile
def three_thousand_levels() -> bytes:
    levels = b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (number, number + 1)
        for number in range(3_000)
    )
    return _multipart(b"b0", levels)


@_hostile
def three_thousand_messages_in_messages() -> bytes:
    return b"Content-Type: message/rfc822\r\n\r\n" * 3_000 + b"Subject: the end\r\n\r\nbody\r\n"


@_hostile
def messages_in_messages_in_base64() -> bytes:
    inner = b"Subject: the end\r\n\r\n" + b"body\r\n" * 1_000
    for _ in range(12):
        inner = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(inner)
    return inner


@_hostile
def boundary_prefixes() -> bytes:
    boundary = b"b" * 70
    return _multipart(boundary, (b"--" + boundary[:-1] + b"\r\n") * 40_000 + b"--" + boundary + b"--\r\n")


@_hostile
def dashes_in_every_line() -> bytes:
    head = b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n"
    return _multipart(b"x", head + b"--\n" * _MB)


@_hostile
def ninety_open_boundaries_over_dashes() -> bytes:
    levels = b"".join(
        b"--%dz\r\nContent-Type: multipart/mixed; boundary=%dz\r\n\r\n" % (number, number + 1) for number in range(90)
    )
    return _multipart(b"0z", levels + b"--9\n" * 500_000)


@_hostile
def multiparts_without_boundaries() -> bytes:
    return _multipart(b"b", b"--b\r\nContent-Type: multipart/mixed\r\n\r\n--\r\n--x y\r\n" * 9_000)


@_hostile
def guessed_boundaries_in_guessed_boundaries() -> bytes:
    return (
        _HEAD
        + b"Content-Type: multipart/mixed\r\n\r\n"
        + b"".join(b"--g%d\r\nContent-Type: multipart/mixed\r\n\r\n" % number for number in range(3_000))
    )


@_hostile
def same_boundary_at_every_level() -> bytes:
    return _multipart(b"b", b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 3_000)


@_hostile
def boundary_of_a_megabyte() -> bytes:
    boundary = b"b" * _MB
    return _multipart(boundary, b"--" + boundary + b"\r\n\r\nx\r\n--" + boundary + b"--\r\n")


@_hostile
def lines_of_carriage_returns() -> bytes:
    return _multipart(b"b", b"--b\r\n\r\n" + b"\r" * 3 * _MB + b"--b--")


# Bodies


@_hostile
def base64_of_padding() -> bytes:
    return _HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"YQ==" * 500_000


@_hostile
def base64_of_foreign_characters() -> bytes:
    return _HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"!A" * _MB


@_hostile
def quoted_printable_of_spaces() -> bytes:
    return _HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + (b"= " + b" " * 50_000) * 40


@_hostile
def quoted_printable_of_equals() -> bytes:
    return _HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=" * 2 * _MB


@_hostile
def text_in_no_charset() -> bytes:
    return _HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + bytes(range(1, 256)) * 8_000


@_hostile
def text_in_utf7() -> bytes:
    return _HEAD + b"Content-Type: text/plain; charset=utf-7\r\n\r\n" + b"+AGE-+" * 300_000


@_hostile
def text_in_hz() -> bytes:
    return _HEAD + b"Content-Type: text/plain; charset=hz-gb-2312\r\n\r\n" + b"~{~}" * 500_000


@_hostile
def text_in_idna() -> bytes:
    return _HEAD + b"Content-Type: text/plain; charset=idna\r\n\r\n" + b"xn--" + b"a" * _MB


@_hostile
def uuencode_beginnings() -> bytes:
    return _HEAD + b"\r\n" + b"begin 644 a\r\n" * 150_000


@_hostile
def uuencode_that_never_ends() -> bytes:
    return _HEAD + b"\r\n" + b"begin 644 a\r\n" + b"#0V%T\r\n" * 150_000


@_hostile
def attachment_of_ten_megabytes() -> bytes:
    data = base64.encodebytes(bytes(range(256)) * 30_000)
    return _multipart(
        b"b", b"--b\r\nContent-Transfer-Encoding: base64\r\nContent-Type: image/png\r\n\r\n" + data + b"--b--"
    )


@_hostile
def compressed_bomb() -> bytes:
    data = base64.encodebytes(gzip.compress(b"\0" * 50 * _MB, 9))
    return _multipart(
        b"b", b"--b\r\nContent-Transfer-Encoding: base64\r\nContent-Encoding: gzip\r\n\r\n" + data + b"--b--"
    )


@_hostile
def nothing_but_line_ends() -> bytes:
    return b"\r\n" * _MB


@_hostile
def nothing_but_nulls() -> bytes:
    return b"\0" * 3 * _MB
