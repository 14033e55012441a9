"""What people type is one address as a whole, or refused: no part of it is ever mailed to instead."""

from __future__ import annotations

import pytest
from postroom.mail.headers.address import Address
from postroom.mail.headers.strict_address import NotAnAddress, ascii_domain, typed_address, typed_mailbox
from postroom.mail.outgoing.composition import deliverable


@pytest.mark.parametrize(
    ("typed", "name", "address"),
    [
        ("ann@example.org", "", "ann@example.org"),
        ("  ann@example.org ", "", "ann@example.org"),
        ("<ann@example.org>", "", "ann@example.org"),
        ("Ann <ann@example.org>", "Ann", "ann@example.org"),
        ('"Smith, \\"J.\\"" <j@example.org>', 'Smith, "J."', "j@example.org"),
        ("J. R. (Bob) <j@example.org>", "J. R. (Bob)", "j@example.org"),
        ("=?Cp1252?Q?M=FCller?= <m@example.org>", "Müller", "m@example.org"),
        ("山田 太郎 <t@example.org>", "山田 太郎", "t@example.org"),
        ("نام\u200cخانوادگی <f@example.org>", "نام\u200cخانوادگی", "f@example.org"),
        ('"a b"@example.org', "", '"a b"@example.org'),
        ("o'neil+tag@example.org", "", "o'neil+tag@example.org"),
        ("ann@[192.0.2.1]", "", "ann@[192.0.2.1]"),
        ("ann@ﬁrma.de", "", "ann@firma.de"),
        ("ann@bu\u0308cher.example", "", "ann@bücher.example"),
        ("ann@straße.example", "", "ann@straße.example"),
        ("ann@उदाहरण.परीक्षा", "", "ann@उदाहरण.परीक्षा"),
        ("ann@தமிழ்.example", "", "ann@தமிழ்.example"),
        ("ann@例え。テスト", "", "ann@例え.テスト"),
        ("ann@xn--bcher-kva.example", "", "ann@xn--bcher-kva.example"),
    ],
)
def test_one_address_is_taken_whole_with_its_name(typed: str, name: str, address: str) -> None:
    assert typed_mailbox(typed) == Address(name, address)
    assert deliverable(address).isascii()


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "ann",
        "ann@",
        "@example.org",
        "ann@exa mple.org",
        "Ann Smith ann@example.org",
        "ann@example.org (Ann)",
        "ann(x)@example.org",
        "ann@example.org, bob@example.org",
        "ann@example.org; bob@example.org",
        "ann@bob@example.org",
        "Ann <ann@example.org> Bob",
        "Ann <ann@example.org> <bob@example.org>",
        "Ann <ann@example.org",
        "Smith, J. <j@example.org>",
        "bob@example.org <ann@example.org>",
        "mailto:ann@example.org",
        "ann＠example.org",
        "ann@example.org.",
        "ann@example..org",
        "ann@-example.org",
        "ann@ex%mple.org",
        "ann@exam\u00adple.org",
        "ann@exam\u200bple.org",
        "a\u202ennb@example.org",
        "ann\u2028@example.org",
        "ann\r\nBcc: x@example.org",
        "ann@\ud83d.example",
        "ann@😀.example",
        "ann@xn--a-.example",
        "ann@[nowhere]",
        "a..b@example.org",
        f"{'a' * 65}@example.org",
        f"ann@{'d' * 64}.org",
        f"ann@{'d.' * 130}org",
        "x" * 3_000,
    ],
)
def test_anything_else_is_refused_with_a_problem_and_a_remedy(typed: str) -> None:
    found = typed_mailbox(typed)
    assert isinstance(found, NotAnAddress)
    assert found.problem.endswith(".")
    assert found.remedy.endswith(".")
    assert len(found.problem) < 300
    assert isinstance(typed_address(typed[:400]), NotAnAddress)


@pytest.mark.parametrize(
    ("domain", "ascii_form"),
    [
        ("Example.org", "Example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("a_b.example", "a_b.example"),
        ("ﬁrma.de", "firma.de"),
        ("xn--99999999.example", None),
        ("a b.example", None),
        ("", None),
    ],
)
def test_a_domain_has_one_ascii_form_or_none(domain: str, ascii_form: str | None) -> None:
    assert ascii_domain(domain) == ascii_form
