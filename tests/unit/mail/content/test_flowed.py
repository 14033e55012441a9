"""Text that says `format=flowed` becomes paragraphs in the reply text, and keeps its lines in the text."""

from __future__ import annotations

import pytest
from postroom.mail.content.body_parts import bodies
from postroom.mail.content.format_flowed import unflow
from postroom.mail.reader import read
from postroom.model.configuration.document import Configuration
from postroom.model.configuration.policies import MaskingPattern
from postroom.services.inbound.understand_mail import understand
from postroom.services.policy.compiled import policy_of

from tests.support.processor_time import takes_at_most

CASES = [
    pytest.param("One \nline.\n\nTwo.\n", "One line.\n\nTwo.\n", id="a soft break"),
    pytest.param("One\nline.", "One\nline.", id="a hard break"),
    pytest.param("One \n\nTwo.", "One\n\nTwo.", id="a soft break before an empty line"),
    pytest.param(" From here\n >no quote\n  in", "From here\n>no quote\n in", id="stuffed spaces"),
    pytest.param("> a \n> b\nc", "> a b\nc", id="a quoted paragraph"),
    pytest.param(">> a \n>> b \n> c", ">> a b\n> c", id="another depth ends a paragraph"),
    pytest.param("> > a \n> > b", ">> a b", id="depths with spaces between"),
    pytest.param(">\n> a", ">\n> a", id="an empty quoted line"),
    pytest.param("Bye \n-- \nAnn \nExample", "Bye\n-- \nAnn Example", id="the line above a signature stays"),
    pytest.param("> Bye\n> -- \n> Ann", "> Bye\n> --\n> Ann", id="that line within a quote"),
    pytest.param("last \n", "last\n", id="a soft break at the end"),
    pytest.param("", "", id="nothing"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_lines_flow_together(text: str, expected: str) -> None:
    assert unflow(text) == expected


def test_the_space_of_a_soft_break_goes_where_the_mail_says_so() -> None:
    assert unflow("火曜日で \n大丈夫 \nです。\n> a \n> b", delete_space=True) == "火曜日で大丈夫です。\n> ab"


@pytest.mark.parametrize("line", ["a ", "> a ", "", ">" * 50, "-- ", "  "])
def test_a_megabyte_of_lines_takes_less_than_a_second(line: str) -> None:
    text = f"{line}\n" * (1_000_000 // (len(line) + 1))
    assert takes_at_most(1.0, lambda: unflow(text))


_POLICY = policy_of(Configuration())
_MAIL = (
    "From: ann@example.com\r\nSubject: Re: lamp\r\nContent-Type: text/plain; charset=utf-8{}\r\n"
    "\r\nThe green lamp that I bought \r\nin May is broken.\r\n\r\n"
    "On 05/02/2024 10:43, Shop wrote:\r\n> Which lamp do \r\n> you mean?\r\n"
)
_WHOLE = "The green lamp that I bought in May is broken."


@pytest.mark.parametrize(
    ("parameters", "reply"),
    [
        pytest.param("; format=flowed", _WHOLE, id="flowed"),
        pytest.param('; format="Flowed"; delsp=no', _WHOLE, id="quoted"),
        pytest.param(
            "; format=flowed; delsp=yes", "The green lamp that I boughtin May is broken.", id="without spaces"
        ),
        pytest.param("; format=fixed", "The green lamp that I bought \nin May is broken.", id="fixed"),
        pytest.param("", "The green lamp that I bought \nin May is broken.", id="says nothing"),
    ],
)
def test_the_reply_flows_and_the_text_keeps_its_lines(parameters: str, reply: str) -> None:
    raw = _MAIL.format(parameters).encode()
    mail = understand(raw, policy=_POLICY)
    assert mail.body.text_reply == reply
    assert mail.body.text == bodies(read(raw)).text
    assert "bought \nin" in mail.body.text


def test_a_number_on_two_lines_of_a_quote_is_masked_when_they_become_one() -> None:
    raw = (
        b"From: ann@example.com\nSubject: card\nContent-Type: text/plain; format=flowed\n\n"
        b"> my card is 4111 1111 \n> 1111 1111 as you know\n\nPlease remove it.\n"
    )
    cards = MaskingPattern(name="cards", kind="card")
    mail = understand(raw, policy=policy_of(Configuration(masking_patterns=(cards,))))
    assert "1111 1111" not in mail.body.text_reply
    assert "Please remove it." in mail.body.text_reply
