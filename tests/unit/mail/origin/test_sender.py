"""The sender: flags of docs/threat-model.md 6, and when a sender is proven."""

from __future__ import annotations

import pytest
from postroom.mail.headers.domain_names import suspicious_domain
from postroom.mail.origin.authentication_results import auth_results
from postroom.mail.origin.sender import SenderFlag, sender_verdict
from postroom.model.configuration.document import Configuration
from postroom.services.inbound.understand_mail import understand
from postroom.services.policy.compiled import policy_of

from tests.unit.conftest import MakeMail

F = SenderFlag


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        pytest.param({"From": "Ann <ann@example.com>"}, set(), id="ordinary"),
        pytest.param({"From": "ann@example.com"}, set(), id="bare"),
        pytest.param({"From": '"ann@example.com" <ann@example.com>'}, set(), id="own-address-as-name"),
        pytest.param({"From": '"ann@mail.example.com" <ann@example.com>'}, set(), id="own-subdomain-as-name"),
        pytest.param({"From": '"ceo@bank.example" <x@evil.example>'}, {F.ADDRESS_IN_NAME}, id="other-address-as-name"),
        pytest.param(
            {"From": "=?utf-8?q?ceo=40bank=2Eexample?= <x@evil.example>"}, {F.ADDRESS_IN_NAME}, id="encoded-name"
        ),
        pytest.param({"From": '"ceo\uff20bank.example" <x@evil.example>'}, {F.ADDRESS_IN_NAME}, id="full-width-at"),
        pytest.param({"From": "a@example.com, b@example.com"}, {F.SEVERAL_FROM}, id="two-addresses"),
        pytest.param({"From": ["a@example.com", "b@example.com"]}, {F.SEVERAL_FROM}, id="two-fields"),
        pytest.param({"From": ["a@example.com", "a@example.com"]}, {F.SEVERAL_FROM}, id="the-same-field-twice"),
        pytest.param({"From": ""}, {F.NO_FROM, F.MALFORMED_FROM}, id="empty"),
        pytest.param({"From": "undisclosed"}, {F.NO_FROM, F.MALFORMED_FROM}, id="no-address"),
        pytest.param({"From": "Ann <ann@@example.com>"}, {F.MALFORMED_FROM}, id="two-signs"),
        pytest.param({"From": "Bank <info@bank .example>"}, {F.MALFORMED_FROM}, id="space-in-address"),
        pytest.param({"From": "x@exa mple.com"}, {F.MALFORMED_FROM}, id="bare-in-two"),
        pytest.param({"From": "Ann <ann@example.com> x"}, {F.MALFORMED_FROM}, id="words-behind"),
        pytest.param({"From": "Ann ann@example.com"}, {F.MALFORMED_FROM}, id="no-brackets"),
        pytest.param({"From": "<<ann@example.com>>"}, {F.MALFORMED_FROM}, id="doubled-brackets"),
        pytest.param({"From": "<=?utf-8?Q?ann=40example.com?=>"}, {F.MALFORMED_FROM}, id="encoded-address"),
        pytest.param({"From": "=?utf-8?Q?ann=40example.com?="}, {F.MALFORMED_FROM}, id="encoded-alone"),
        pytest.param({"From": "Team: ann@example.com;"}, {F.MALFORMED_FROM}, id="group"),
        pytest.param({"From": "Ann\0 <ann@example.com>"}, {F.MALFORMED_FROM}, id="nul"),
        pytest.param({"From": "Ann <ann@example.com>" + " " * 20_000 + "(x)"}, {F.MALFORMED_FROM}, id="very-long"),
        pytest.param({"From": "Doe, Ann <ann@example.com>"}, set(), id="unquoted-comma"),
        pytest.param({"From": '"a@bank.example"'}, {F.NO_FROM, F.MALFORMED_FROM}, id="quotes-alone"),
        pytest.param(
            {"From": '"a@bank.example", <x@z.example>'}, {F.MALFORMED_FROM, F.ADDRESS_IN_NAME}, id="quotes-and-comma"
        ),
        pytest.param(
            {"From": "a@bank.example <x@z.example>"}, {F.MALFORMED_FROM, F.ADDRESS_IN_NAME}, id="unquoted-as-name"
        ),
        pytest.param({"From": "<a@bank.example> <x@z.example>"}, {F.MALFORMED_FROM, F.SEVERAL_FROM}, id="no-separator"),
        pytest.param({"From": "Ann <ann@раypal.example>"}, {F.MIXED_SCRIPT_DOMAIN}, id="cyrillic-pa"),
        pytest.param({"From": "Ann <ann@xn--pple-43d.com>"}, {F.MIXED_SCRIPT_DOMAIN}, id="punycode"),
        pytest.param({"From": "A\u202enn <ann@example.com>"}, {F.HIDDEN_CHARACTERS}, id="right-to-left"),
        pytest.param({"From": "A\u200bnn <ann@example.com>"}, {F.HIDDEN_CHARACTERS}, id="zero-width"),
        pytest.param({"From": "a@example.com", "Reply_To": "b@evil.example"}, {F.REPLY_TO_ELSEWHERE}, id="reply-to"),
        pytest.param({"From": "a@example.com", "Reply_To": "b@mail.example.com"}, set(), id="reply-to-below"),
    ],
)
def test_what_is_odd_is_flagged(mail: MakeMail, fields: dict[str, str], flags: set[SenderFlag]) -> None:
    assert set(sender_verdict(mail(**fields)).flags) == flags


def test_a_mail_without_from_has_no_sender(mail: MakeMail) -> None:
    verdict = sender_verdict(mail(From=[]))
    assert verdict.address is None
    assert verdict.flags == (F.NO_FROM,)


def test_a_name_is_not_the_sender(mail: MakeMail) -> None:
    verdict = sender_verdict(mail(From="ceo@bank.example <x@evil.example>"))
    assert verdict.address is not None
    assert verdict.address.address == "x@evil.example"


@pytest.mark.parametrize(
    ("domain", "suspicious"),
    [
        ("example.com", False),
        ("müller.example", False),
        ("пример.example", False),
        ("例え-shop.example", False),
        ("한국mail.example", False),
        ("аррӏе.com", True),
        ("exаmple.com", True),
        ("xn--e1afmkfd.example", False),
        ("xn--\u00fc.example", False),
        ("", False),
    ],
)
def test_a_domain_in_several_scripts_is_suspicious(domain: str, suspicious: bool) -> None:
    assert suspicious_domain(domain) is suspicious


@pytest.mark.parametrize(
    ("sender", "results", "verified"),
    [
        ("ann@example.com", "mx; dmarc=pass header.from=example.com", True),
        ("ann@EXAMPLE.com", "mx; dmarc=pass header.from=Example.COM", True),
        ("ann@example.com", "mx; dmarc=fail header.from=example.com", False),
        ("ann@example.com", "mx; dmarc=pass header.from=other.example", False),
        ("ann@example.com", "mx; dmarc=pass", False),
        ("ann@example.com", "mx; spf=pass smtp.mailfrom=example.com; dkim=pass header.d=example.com", False),
        ("ann@example.com", "other; dmarc=pass header.from=example.com", False),
        ("ann@example.com, bob@evil.example", "mx; dmarc=pass header.from=example.com", False),
    ],
)
def test_a_sender_is_proven_by_dmarc_for_the_very_domain(
    mail: MakeMail, sender: str, results: str, verified: bool
) -> None:
    message = mail(From=sender, Authentication_Results=results)
    assert sender_verdict(message, auth=auth_results(message, authserv_ids=["mx"])).verified is verified


def test_who_is_answered_is_who_the_verdict_is_about() -> None:
    raw = b"From: Ann <>, ann@example.org\r\nTo: support@example.com\r\n\r\nHello"
    mail = understand(raw, policy=policy_of(Configuration.model_validate({})))
    assert mail.sender is not None
    assert mail.sender_verdict.address is not None
    assert mail.sender.address == mail.sender_verdict.address.address == "ann@example.org"
