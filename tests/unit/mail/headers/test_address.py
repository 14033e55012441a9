"""Mailboxes are read from address headers as people would read them."""

import pytest
from postroom.mail.headers.address import Address, is_valid, parse_addresses, parse_mailboxes
from postroom.mail.reader import read

from tests.support.growth import exponent
from tests.support.processor_time import takes_at_most


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("a@b.c", [("", "a@b.c")], id="bare"),
        pytest.param("<a@b.c>", [("", "a@b.c")], id="angle"),
        pytest.param("Ann <a@b.c>", [("Ann", "a@b.c")], id="name"),
        pytest.param('"Doe, Ann" <a@b.c>, x@y.z', [("Doe, Ann", "a@b.c"), ("", "x@y.z")], id="comma in quotes"),
        pytest.param('"Ann \\"A\\" Doe" <a@b.c>', [('Ann "A" Doe', "a@b.c")], id="escaped quotes"),
        pytest.param("a@b.c (Ann Doe)", [("Ann Doe", "a@b.c")], id="name in a comment"),
        pytest.param("Ann (work) <a@b.c>", [("Ann", "a@b.c")], id="comment beside a name"),
        pytest.param("(" * 500 + ")" * 500 + "Ann <a@b.c>", [("Ann", "a@b.c")], id="1 KB of nested comment"),
        pytest.param("=?utf-8?Q?J=C3=B6rg?= <a@b.c>", [("Jörg", "a@b.c")], id="encoded word"),
        pytest.param('"=?utf-8?Q?J=C3=B6rg?=" <a@b.c>', [("Jörg", "a@b.c")], id="encoded word in quotes"),
        pytest.param("=?utf-8?Q?Doe,_Ann?= <a@b.c>", [("Doe, Ann", "a@b.c")], id="comma in an encoded word"),
        pytest.param("=?utf-8?Q?Ann_<a@b.c>?=", [("Ann", "a@b.c")], id="the mailbox in an encoded word"),
        pytest.param("=?utf-8?Q?a?= =?utf-8?Q?b?= <a@b.c>", [("ab", "a@b.c")], id="two encoded words"),
        pytest.param("Ann Doe a@b.c", [("Ann Doe", "a@b.c")], id="no angles"),
        pytest.param("a@b.c; x@y.z", [("", "a@b.c"), ("", "x@y.z")], id="semicolon"),
        pytest.param("<a@b.c> <x@y.z>", [("", "a@b.c"), ("", "x@y.z")], id="no separator"),
        pytest.param("A <a@b.c> via B <x@y.z>", [("A", "a@b.c"), ("via B", "x@y.z")], id="names without separator"),
        pytest.param("a@b.c x@y.z", [("", "a@b.c"), ("", "x@y.z")], id="bare without separator"),
        pytest.param("<<a@b.c>>", [("", "a@b.c")], id="doubled angles"),
        pytest.param("[a@b.c]", [("", "a@b.c")], id="square brackets"),
        pytest.param("Team: a@b.c, Bo <x@y.z>;, q@r.s", [("", "a@b.c"), ("Bo", "x@y.z"), ("", "q@r.s")], id="group"),
        pytest.param("undisclosed-recipients:;", [], id="empty group"),
        pytest.param("a@b.c,,x@y.z,", [("", "a@b.c"), ("", "x@y.z")], id="empty members"),
        pytest.param("mailto:a@b.c", [("", "a@b.c")], id="mailto"),
        pytest.param("<mailto:a@b.c>", [("", "a@b.c")], id="mailto in angles"),
        pytest.param("<@r1,@r2:a@b.c>", [("", "a@b.c")], id="source route"),
        pytest.param("< a@b.c >", [("", "a@b.c")], id="spaces in angles"),
        pytest.param("a @ b . c", [("", "a @ b . c")], id="spaces around the marks"),
        pytest.param("Ann <a@b.c", [("Ann", "a@b.c")], id="angle never closed"),
        pytest.param('"Ann <a@b.c>', [("Ann", "a@b.c")], id="quote never closed"),
        pytest.param("Ann (x <a@b.c>", [("Ann x", "a@b.c")], id="comment never closed"),
        pytest.param('"a b"@c.d', [("", '"a b"@c.d')], id="quoted local part"),
        pytest.param("Whomever", [("Whomever", "")], id="a name alone"),
        pytest.param("<>", [], id="null path"),
        pytest.param("", [], id="empty"),
        pytest.param("ceo@bank.com <x@evil.com>", [("ceo@bank.com", "x@evil.com")], id="an address as name"),
        pytest.param("'a@b.c' <'a@b.c'>", [("'a@b.c'", "a@b.c")], id="single quotes"),
        pytest.param("jörg@müller.de", [("", "jörg@müller.de")], id="internationalised"),
        pytest.param("Jörg <a@b.c>".encode("latin-1"), [("Jörg", "a@b.c")], id="raw Latin-1"),
        pytest.param("Jörg <a@b.c>".encode(), [("Jörg", "a@b.c")], id="raw UTF-8"),
        pytest.param(b"\x1b$B:4F#\x1b(B <a@b.c>, x@y.z", [("佐藤", "a@b.c"), ("", "x@y.z")], id="raw ISO-2022-JP"),
        pytest.param(
            '"Novità à la Società" <a@b.c>, 신 à <x@y.z>'.encode(),
            [("Novità à la Società", "a@b.c"), ("신 à", "x@y.z")],
            id="raw UTF-8 with a byte that is white space elsewhere",
        ),
        pytest.param("a@b.c,\r\n\tx@y.z", [("", "a@b.c"), ("", "x@y.z")], id="folded"),
        pytest.param("a@[192.0.2.1]", [("", "a@[192.0.2.1]")], id="address literal"),
        pytest.param("John Q. Public <a@b.c>", [("John Q. Public", "a@b.c")], id="dot in the name"),
    ],
)
def test_mailboxes_are_read(value: str | bytes, expected: list[tuple[str, str]]) -> None:
    assert parse_addresses(value) == [Address(*pair) for pair in expected]


def test_a_message_gives_the_mailboxes_of_all_headers_of_a_name() -> None:
    raw = "To: Žofie <a@b.c>\r\nTo: x@y.z\r\nContent-Type: text/plain; charset=iso-8859-2\r\n\r\n".encode("iso-8859-2")
    assert read(raw).addresses("to") == [Address("Žofie", "a@b.c"), Address("", "x@y.z")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("Bank <info@bank .example>", [("Bank", "info@bank .example")], id="a space in the domain"),
        pytest.param("<sales office@b.example>", [("", "sales office@b.example")], id="a space in the local part"),
        pytest.param("<a@b.\r\n example>", [("", "a@b. example")], id="a fold"),
        pytest.param("x@exa mple.com", [("", "x@exa mple.com")], id="a bare one in two"),
        pytest.param("x@example .com", [("", "x@example .com")], id="a bare one before the dot"),
        pytest.param("x @example.com", [("", "x @example.com")], id="a bare one before the sign"),
        pytest.param("<info@ba\0nk.example>", [("", "info@ba\ufffdnk.example")], id="NUL"),
        pytest.param('"a"b@bank.example', [("", '"a"b@bank.example')], id="quotes beside an atom"),
    ],
)
def test_an_address_is_never_made_up_by_joining(value: str, expected: list[tuple[str, str]]) -> None:
    found = parse_mailboxes(value)
    assert found.addresses == tuple(Address(*pair) for pair in expected)
    assert not any(is_valid(one.address) for one in found.addresses)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param('"a@bank.example", <x@z.example>', [("a@bank.example", ""), ("", "x@z.example")], id="first"),
        pytest.param('<x@z.example>, "a@bank.example"', [("", "x@z.example"), ("a@bank.example", "")], id="last"),
        pytest.param('"a@bank.example"', [("a@bank.example", "")], id="alone"),
        pytest.param('"Ann <a@bank.example>"', [("Ann <a@bank.example", "")], id="with brackets"),
        pytest.param('"a@bank.example" (x@z.example)', [("a@bank.example", "")], id="with a comment"),
        pytest.param('"a@bank.example";', [("a@bank.example", "")], id="with a semicolon"),
        pytest.param('"=?utf-8?Q?a=40bank.example?="', [("a@bank.example", "")], id="encoded"),
        pytest.param('x@z.example "a@bank.example"', [("a@bank.example", "x@z.example")], id="behind an address"),
    ],
)
def test_a_quoted_string_is_a_name_and_never_an_address(value: str, expected: list[tuple[str, str]]) -> None:
    assert parse_addresses(value) == [Address(*pair) for pair in expected]


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        pytest.param("<First <a@b.c, Bo <d@e.f>, Kim <g@h.i>", ["a@b.c", "d@e.f", "g@h.i"], id="doubled"),
        pytest.param("First <a@b.c, Second <d@e.f", ["a@b.c", "d@e.f"], id="none closed"),
        pytest.param("First <a@b.c Second <d@e.f>", ["a@b.c", "d@e.f"], id="no comma either"),
        pytest.param("<a@b.c <d@e.f>", ["a@b.c", "d@e.f"], id="one in the other"),
        pytest.param("<a@b.c, d@e.f>", ["a@b.c", "d@e.f"], id="two in one pair of brackets"),
        pytest.param("<a@b.c; d@e.f>, g@h.i", ["a@b.c", "d@e.f", "g@h.i"], id="with a semicolon"),
        pytest.param("a@b.c d@e.f", ["a@b.c", "d@e.f"], id="no separator"),
        pytest.param("<a@b.c><d@e.f>", ["a@b.c", "d@e.f"], id="brackets without separator"),
        pytest.param('"First <a@b.c>, Second <d@e.f>', ["a@b.c", "d@e.f"], id="a quote never closed"),
        pytest.param("First (x <a@b.c>, Second <d@e.f>", ["a@b.c", "d@e.f"], id="a comment never closed"),
        pytest.param("a@b.c> , d@e.f", ["a@b.c", "d@e.f"], id="a bracket never opened"),
        pytest.param("=?utf-8?Q?Ann_<a@b.c>?=, d@e.f", ["a@b.c", "d@e.f"], id="in an encoded word"),
        pytest.param("<a@b c.d>, d@e.f", ["a@b c.d", "d@e.f"], id="an invalid one"),
    ],
)  # fmt: skip
def test_nobody_is_lost_out_of_a_malformed_list(value: str, addresses: list[str]) -> None:
    found = parse_mailboxes(value)
    assert [one.address for one in found.addresses] == addresses
    assert found.malformed


@pytest.mark.parametrize(
    "value",
    [
        "a@b.c",
        "Ann <a@b.c>",
        '"Doe, Ann" <a@b.c>, x@y.z',
        "a@b.c (Ann)",
        '"a@b.c" <a@b.c>',
        "a@b.c <a@b.c>",
        '"a b"@c.d',
        "<@r1,@r2:a@b.c>",
        "=?utf-8?Q?J=C3=B6rg?= <a@b.c>",
        "Jörg <jörg@müller.de>",
        "John Q. Public <a@b.c>",
        "Team: a@b.c;",
        "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
    ],
)
def test_a_list_is_not_malformed(value: str) -> None:
    assert not parse_mailboxes(value).malformed


@pytest.mark.parametrize(
    "piece",
    ["<", "<a@b.c,", "<a@b.c", 'x <"', "<,", '"a@b.c" ', "a@b c.d ", '"\\"<', "(<", "a@b.c: ", "=?u?Q?a?= <", "<a;b>"],
)
def test_lists_of_one_piece_take_time_in_proportion(piece: str) -> None:
    assert exponent(parse_addresses, lambda size: piece * (size // len(piece)), sizes=(15_000, 120_000)) <= 1.5


@pytest.mark.parametrize(
    "address",
    [
        "a@b.c",
        "a.b+c@d-e.example",
        '"a b"@c.d',
        "a@[192.0.2.1]",
        "jörg@müller.de",
        "o'neill@x.y",
        "a@localhost",
        "1@2.3",
    ],
)
def test_an_address_is_valid(address: str) -> None:
    assert is_valid(address)


@pytest.mark.parametrize(
    "address",
    [
        *[
            "",
            "a",
            "@b.c",
            "a@",
            "a b@c.d",
            "a@b..c",
            ".a@b.c",
            "a.@b.c",
            "a@-b.c",
            "a@b.c\r\nBcc: x@y",
            "a" * 65 + "@b.c",
        ],
        *["a@b@c", "a\u202e@b.c", "a\u200b@b.c", "<a@b.c>", "a@" + "b" * 64 + ".c", "a@b.c\n", "a,b@c.d"],
    ],
)
def test_an_address_is_not_valid(address: str) -> None:
    assert not is_valid(address)


def test_the_domain_is_what_follows_the_last_at() -> None:
    assert Address("", "a@b@C.D").domain == "c.d"
    assert Address("", "a@b@C.D").local == "a@b"
    assert Address("x", "").domain == ""


def test_a_header_of_nothing_but_addresses_and_colons_takes_no_time() -> None:
    header = "a@b.c: " * 15_000
    assert parse_addresses(header)
    assert takes_at_most(3.0, lambda: parse_addresses(header))  # read anew at every colon, it took half a minute
