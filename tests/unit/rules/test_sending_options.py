"""How mail is written: the queue before the alias before the installation, and where each value came from."""

from __future__ import annotations

from typing import Any

import pytest
from postroom.model.configuration.document import Configuration
from postroom.rules.sending_options import explained, sending_of


def configuration(settings: dict[str, Any], alias: dict[str, Any], queue: dict[str, Any]) -> Configuration:
    return Configuration.model_validate(
        {
            "settings": {"languages": ["de", "en"], "sending": settings},
            "aliases": [{"name": "a", "address": "a@example.com", "sending": alias}],
            "queues": [{"name": "q", "sending": queue}],
        }
    )


@pytest.mark.feature("S09")
@pytest.mark.parametrize(
    ("settings", "alias", "queue", "value", "source"),
    [
        ({}, {}, {}, "none", "default"),
        ({"quote": "below"}, {}, {}, "below", "settings.sending.quote"),
        ({"quote": "below"}, {"quote": "none"}, {}, "none", "aliases[name=a].sending.quote"),
        ({"quote": "none"}, {"quote": "none"}, {"quote": "below"}, "below", "queues[name=q].sending.quote"),
    ],
    ids=["nowhere", "installation", "alias", "queue"],
)
def test_the_most_specific_level_decides(
    settings: dict[str, Any], alias: dict[str, Any], queue: dict[str, Any], value: str, source: str
) -> None:
    made = configuration(settings, alias, queue)
    found = sending_of(made, alias=made.aliases[0], queue="q")
    assert found.quote == value
    (told,) = explained("sending.quote", made, alias=made.aliases[0], queue="q")
    assert (told[0].value, told[0].source) == (value, source)
    assert [path for path, _value in told[1]] == [
        "queues[name=q].sending.quote",
        "aliases[name=a].sending.quote",
        "settings.sending.quote",
    ]


def test_a_signature_in_html_is_not_taken_from_a_wider_level_than_its_text() -> None:
    made = configuration({"signature": "wide", "signature_html": "<b>wide</b>"}, {"signature": "own"}, {})
    found = sending_of(made, alias=made.aliases[0], queue="")
    assert (found.signature, found.signature_html, found.language) == ("own", "", "de")


def test_a_path_names_one_option_or_all() -> None:
    made = configuration({}, {}, {})
    assert len(list(explained("sending", made, alias=None, queue=""))) == 6
    assert not list(explained("sending.nothing", made, alias=None, queue=""))
