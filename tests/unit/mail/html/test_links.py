"""A link that says one thing and leads to another is told."""

import pytest
from postroom.mail.html.links import LinkFlag, odd_links
from postroom.mail.html.sanitiser import sanitise
from postroom.model.configuration.document import Configuration
from postroom.services.inbound.understand_mail import understand
from postroom.services.policy.compiled import policy_of

from tests.support.growth import exponent

L = LinkFlag


@pytest.mark.parametrize(
    ("html", "flags"),
    [
        pytest.param('<a href="https://shop.example/x">our shop</a>', [], id="words"),
        pytest.param('<a href="https://shop.example/x">shop.example</a>', [], id="the same host"),
        pytest.param('<a href="https://www.shop.example/x">https://shop.example/</a>', [], id="www"),
        pytest.param('<a href="https://mail.shop.example/x">shop.example</a>', [], id="below it"),
        pytest.param('<a href="https://shop.example/x">invoice.pdf</a>', [], id="a file's name"),
        pytest.param('<a href="https://shop.example/x">Visit bank.example now</a>', [], id="words around a name"),
        pytest.param('<a href="mailto:a@b.example">c@d.example</a>', [], id="a mail address"),
        pytest.param('<a href="https://evil.example/">bank.example</a>', [L.OTHER_HOST], id="another host"),
        pytest.param('<a href="https://evil.example/">https://bank.example/?x</a>', [L.OTHER_HOST], id="another URL"),
        pytest.param('<a href="https://bank.example.evil.example/">bank.example</a>', [L.OTHER_HOST], id="as a prefix"),
        pytest.param('<a href="https://evil.example/"><b>bank</b>.exam<i>ple</i></a>', [L.OTHER_HOST], id="in pieces"),
        pytest.param('<a href="https://bank.example@evil.example/">x</a>', [L.USER_IN_URL], id="user part"),
        pytest.param('<a href="https://bank.example:443@evil.example/">x</a>', [L.USER_IN_URL], id="user and password"),
        pytest.param(
            '<a href="https://bank.example@evil.example/">bank.example</a>', [L.USER_IN_URL, L.OTHER_HOST], id="both"
        ),
        pytest.param('<a href="https://b\u0430nk.example/">x</a>', [L.LOOK_ALIKE_HOST], id="a Cyrillic letter"),
        pytest.param('<a href="https://xn--pple-43d.com/">x</a>', [L.LOOK_ALIKE_HOST], id="the same in ASCII"),
        pytest.param('<a href="https://m\u00fcll.example/">m\u00fcll.example</a>', [], id="a letter of the language"),
        pytest.param('<a href="https://shop.example/a@b">x</a>', [], id="a sign in the path"),
        pytest.param('<a href="https://shop.example?a@b">x</a>', [], id="a sign in the query"),
        pytest.param('<a href="//bank.example@evil.example/">x</a>', [], id="no link"),
        pytest.param('<p>write href="https://a@b.example/" there</p>', [], id="words of the text"),
    ],
)  # fmt: skip
def test_what_is_odd_about_links_is_told(html: str, flags: list[LinkFlag]) -> None:
    assert [odd.flag for odd in odd_links(sanitise(html).html)] == flags


def test_the_decisions_of_a_mail_say_where_a_link_leads() -> None:
    raw = b'From: a@b.example\nContent-Type: text/html\n\n<a href="https://evil.example/">bank.example</a>'
    mail = understand(raw, policy=policy_of(Configuration.model_validate({})))
    told = [one for one in mail.decisions if one.rule == "link"]
    assert [(one.outcome, one.detail) for one in told] == [
        (L.OTHER_HOST, "a link shows bank.example and leads to evil.example")
    ]


def test_every_flag_has_its_words() -> None:
    for flag in LinkFlag:
        html = '<a href="https://b@xn--pple-43d.com/">bank.example</a>'
        assert all(odd.words for odd in odd_links(html) if odd.flag is flag)


@pytest.mark.parametrize(
    "piece", ['<a href="https://a@b/">', "<a ", '<a href="https://a/">b.example</a>', "a.", "<a href="]
)
def test_links_take_time_in_proportion(piece: str) -> None:
    def make(size: int) -> str:
        return '<a href="https://b/">x</a>' + piece * (size // len(piece))

    assert exponent(odd_links, make, sizes=(50_000, 400_000)) <= 1.5
