"""Authentication-Results: what is believed, and what is not (RFC 8601)."""

from __future__ import annotations

import pytest
from postroom.mail.origin.authentication_results import NO_AUTHSERV_ID, UNCHECKED, Result, auth_results, parse
from postroom.mail.reader import read

from tests.support.growth import exponent
from tests.support.processor_time import takes_at_most
from tests.unit.conftest import MakeMail

GMAIL = (
    "mx.google.com; dkim=pass header.i=@example.com header.s=s1 header.b=AbC; "
    "spf=pass (google.com: domain of ann@example.com designates 192.0.2.1 as permitted sender) "
    "smtp.mailfrom=ann@example.com; arc=pass (i=1 spf=pass); "
    "dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.com"
)
MICROSOFT = (
    "spf=fail (sender IP is 192.0.2.7) smtp.mailfrom=evil.example; dkim=none (message not signed) header.d=none;"
    "dmarc=fail action=oreject header.from=bank.example;compauth=fail reason=000"
)


def test_a_google_header_is_read_whole() -> None:
    found = parse(GMAIL)
    assert found is not None
    assert found.authserv_id == "mx.google.com"
    assert (found.spf, found.dkim, found.dmarc, found.arc) == (Result.PASS,) * 4
    assert (found.spf_domain, found.dmarc_domain, found.dkim_domains) == (
        "example.com",
        "example.com",
        ("example.com",),
    )


def test_a_header_without_a_server_name_goes_by_a_dash() -> None:
    found = parse(MICROSOFT)
    assert found is not None
    assert found.authserv_id == NO_AUTHSERV_ID
    assert (found.spf, found.dkim, found.dmarc) == (Result.FAIL, Result.NONE, Result.FAIL)
    assert found.dmarc_domain == "bank.example"


@pytest.mark.parametrize(
    ("value", "dmarc"),
    [
        pytest.param("mx; spf=pass (dmarc=pass; dmarc=pass header.from=x)", None, id="result-in-a-comment"),
        pytest.param("mx; spf=pass ((nested) dmarc=pass); dmarc=fail", Result.FAIL, id="nested-comment"),
        pytest.param("mx; spf=pass (never closed; dmarc=pass", None, id="open-comment"),
        pytest.param('mx; spf=pass reason="; dmarc=pass"; dmarc=fail', Result.FAIL, id="result-in-a-quoted-string"),
        pytest.param('mx; spf=pass reason="\\"; dmarc=pass"', None, id="escaped-quote"),
        pytest.param("mx; dmarc=fail; dmarc=pass", Result.FAIL, id="the-worse-of-two-counts"),
        pytest.param("mx; dmarc=pass header.from=x; dmarc=fail", Result.FAIL, id="the-worse-of-two-counts-if-second"),
        pytest.param("mx; dmarc = pass", Result.PASS, id="space-around-the-sign"),
        pytest.param("mx; DMARC=Pass", Result.PASS, id="case"),
        pytest.param("mx 1; dmarc/1=pass", Result.PASS, id="versions"),
        pytest.param("mx; dmarc=splendid", Result.UNKNOWN, id="a-word-nobody-knows"),
        pytest.param("mx; dmarc=bestguesspass", Result.NONE, id="microsoft-guesses"),
        pytest.param("mx; none", None, id="no-result"),
    ],
)
def test_only_a_real_result_counts(value: str, dmarc: Result | None) -> None:
    found = parse(value)
    assert found is not None
    assert found.dmarc is dmarc


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(
            'mx; dmarc=pass reason="\\" header.from=bank.example" header.from=evil.example', id="escaped-quote"
        ),
        pytest.param("mx; dmarc=pass header.from=evil.example; dmarc=pass header.from=bank.example", id="two-domains"),
        pytest.param(
            "mx; dmarc=pass header.from=bank.example; dmarc=pass header.from=evil.example", id="two-domains-2"
        ),
        pytest.param(
            'mx; spf=pass (domain of "a); dmarc=pass header.from=bank.example; x=("@evil.example); '
            "dmarc=fail header.from=bank.example",
            id="local-part-that-ends-a-comment",
        ),
    ],
)
def test_a_value_that_the_sender_wrote_proves_no_domain(value: str) -> None:
    found = parse(value)
    assert found is not None
    assert (found.dmarc, found.dmarc_domain) != (Result.PASS, "bank.example")


def test_a_header_in_an_encoded_word_is_not_believed(mail: MakeMail) -> None:
    hidden = "=?utf-8?q?mx=2Eexample=2Ecom=3B_dmarc=3Dpass_header=2Efrom=3Dexample=2Eorg?="
    assert auth_results(mail(Authentication_Results=hidden), authserv_ids=["mx.example.com"]) == UNCHECKED


@pytest.mark.parametrize(
    "joined",
    [
        pytest.param(b"dmarc=pass header.from=bank.example\r\n", id="a line without a fold"),
        pytest.param(b"; dmarc=pass header.from=bank.example\r\n", id="a line that begins with a semicolon"),
        pytest.param(b"1\r\n2\r\n3\r\n4\r\n5\r\n; dmarc=pass header.from=bank.example\r\n", id="the sixth"),
        pytest.param(b"\0 ; dmarc=pass header.from=bank.example\r\n", id="a line that begins with NUL"),
        pytest.param(b"\x0bdmarc=pass header.from=bank.example\r\n", id="a line that begins with a vertical tab"),
        pytest.param(b"\xa0dmarc=pass header.from=bank.example\r\n", id="a line that begins with a no-break space"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("own", [b"mx; spf=pass;", b"mx", b"mx; spf=pass (", b'mx; spf=pass reason="'])
def test_what_another_wrote_below_the_header_is_not_believed_as_part_of_it(own: bytes, joined: bytes) -> None:
    rest = b"From: x@bank.example\r\nSubject: x\r\n\r\nHi"
    message = read(b"Authentication-Results: " + own + b"\r\n" + joined + rest)
    assert auth_results(message, authserv_ids=["mx"]) == UNCHECKED
    assert message.header("from") == "x@bank.example"


@pytest.mark.parametrize("within", [b"\0", b" \0 ", b"\0\r\n ", b"\r"])
def test_a_header_with_nul_or_a_lone_cr_is_not_believed(within: bytes) -> None:
    raw = b"Authentication-Results: mx; spf=pass;" + within + b"dmarc=pass header.from=bank.example\r\n"
    assert auth_results(read(raw + b"From: x@bank.example\r\n\r\nHi"), authserv_ids=["mx"]) == UNCHECKED


def test_the_one_that_is_not_whole_is_not_replaced_by_one_below_it() -> None:
    raw = b"Authentication-Results: mx; spf=pass\0\r\nAuthentication-Results: mx; dmarc=pass header.from=b.example\r\n"
    assert auth_results(read(raw + b"From: x@b.example\r\n\r\nHi"), authserv_ids=["mx"]) == UNCHECKED


@pytest.mark.parametrize("piece", ["a", "a.", "a=b ", "(", '"', "\\", ";", "; a=b c.d=", "a/1 = "])
def test_headers_of_others_take_no_time(piece: str) -> None:
    field = f"Authentication-Results: other; {piece * (16_000 // len(piece))}\r\n"
    message = read((field * 180 + "From: x@b.example\r\n\r\nHi").encode())
    assert takes_at_most(1.0, lambda: auth_results(message, authserv_ids=["mx"]))
    assert exponent(parse, lambda size: "mx; " + piece * (size // len(piece)), sizes=(2_000, 16_000)) <= 1.5


def test_a_folded_header_is_read_whole(mail: MakeMail) -> None:
    folded = "mx.example.com;\r\n\tdmarc=pass (p=none)\r\n header.from=example.org"
    found = auth_results(mail(Authentication_Results=folded), authserv_ids=["mx.example.com"])
    assert (found.dmarc, found.dmarc_domain) == (Result.PASS, "example.org")


def test_one_good_signature_of_several_is_enough() -> None:
    found = parse("mx; dkim=fail header.d=list.example; dkim=pass header.d=example.com")
    assert found is not None
    assert found.dkim is Result.PASS
    assert found.dkim_domains == ("example.com",)


@pytest.mark.parametrize("value", ["", ";", " ; ;"])
def test_an_empty_header_is_none_at_all(value: str) -> None:
    assert parse(value) is None


def test_only_the_topmost_header_of_a_configured_server_is_believed(mail: MakeMail) -> None:
    message = mail(
        Authentication_Results=[
            "other.example; dmarc=pass header.from=example.com",
            "mx.example; dmarc=fail header.from=example.com",
            "mx.example; dmarc=pass header.from=example.com",
        ]
    )
    assert auth_results(message, authserv_ids=["MX.example"]).dmarc is Result.FAIL


@pytest.mark.parametrize("trusted", [[], ["elsewhere.example"]])
def test_without_a_header_that_we_trust_nothing_is_known(mail: MakeMail, trusted: list[str]) -> None:
    message = mail(Authentication_Results="mx.example; dmarc=pass header.from=example.com")
    assert auth_results(message, authserv_ids=trusted) == UNCHECKED


def test_a_private_header_is_not_trusted(mail: MakeMail) -> None:
    message = mail(
        X_Authentication_Results="mx.example; dmarc=pass", ARC_Authentication_Results="i=1; mx.example; dmarc=pass"
    )
    assert auth_results(message, authserv_ids=["mx.example"]) == UNCHECKED
