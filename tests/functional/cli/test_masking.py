"""`postroom masking try` and `postroom reply`: what would be stored, and what leaves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.functional.cli.conftest import Command
from tests.functional.processing.conftest import CONFIGURATION
from tests.support.mails import mail

FILE = """
masking_patterns:
  - {name: stored, pattern: 'in-\\d+', outbound: false}
  - {name: sent, pattern: 'out-\\d+', inbound: false}
  - {name: legal, pattern: 'law-\\d+', department: legal}
departments: [{name: default}, {name: legal}]
"""


@pytest.mark.feature("C15")
@pytest.mark.parametrize(
    ("options", "shown", "hits"),
    [
        ((), "**** out-2 law-3", {"stored": 1}),
        (("--outbound",), "in-1 ***** law-3", {"sent": 1}),
        (("--outbound", "--department", "legal"), "in-1 ***** *****", {"sent": 1, "legal": 1}),
    ],
    ids=["stored", "sent", "sent-by-a-department"],
)
def test_a_text_is_shown_as_it_would_be_stored_or_sent(
    postroom: Command, write: Callable[[str], str], options: tuple[str, ...], shown: str, hits: dict[str, int]
) -> None:
    ran = postroom("masking", "try", "-", "--config", write(FILE), *options, "--json", stdin="in-1 out-2 law-3")
    assert ran.json["text"] == shown
    assert {hit["name"]: hit["count"] for hit in ran.json["hits"]} == hits


def test_html_is_shown_as_it_would_be_sent(postroom: Command, write: Callable[[str], str]) -> None:
    html = ("masking", "try", "-", "--config", write(FILE), "--html", "--outbound", "--json")
    assert postroom(*html, stdin="<p style='x'>out<b>-2</b></p>").json["text"] == "<p>***<b>**</b></p>"
    assert postroom(*html, stdin="<p style='x'>in-1</p>").json["text"] == "<p style='x'>in-1</p>"


@pytest.mark.feature("C15")
def test_a_reply_is_stored_masked_and_says_what_was_masked(postroom: Command) -> None:
    postroom.stack.configure(**CONFIGURATION, masking_patterns=[{"name": "cards", "kind": "card"}])
    asked = postroom.stack.process(mail())
    sent = postroom("reply", asked, "--json", stdin="Card 4111 1111\n1111 1111\n").json["id"]
    shown = postroom("outbox", "show", sent, "--json").json
    assert shown["text"].strip() == "Card **** ****\n**** ****"
    assert {"rule": "masking", "outcome": "masked", "detail": "cards: 1 in the text"} in shown["decisions"]
    assert "cards: 1 in the text" in postroom("outbox", "show", sent).out
