"""Every text of an Understanding is masked or listed as an identifier, so that a new field is masked by default."""

from __future__ import annotations

import itertools
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Any

import pytest
from postroom.model.understanding import Understanding
from postroom.rules.masking.mask import MaskingRule, compile_patterns
from postroom.services.inbound.masking import IDENTIFIERS, IDENTIFYING_ATTRIBUTES, masked

CARD = "4111111111111111"
CARDS = compile_patterns([MaskingRule(name="cards", kind="card")])
Path = tuple[str, ...]


def filled(kind: Any) -> Any:
    """Make a value of a type in which every text is a card number; of alternatives the one that holds most."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        choices = [one for one in inner if one not in (type(None), StrEnum)]
        return filled(next((one for one in choices if isinstance(one, typing.NewType)), choices[0]))
    if isinstance(kind, typing.NewType):
        return filled(kind.__supertype__)
    if origin is tuple:
        return tuple(filled(one) for one in inner if one is not Ellipsis)
    if origin in (dict, Mapping):
        return {name: filled(inner[1]) for name in (CARD, *sorted(IDENTIFYING_ATTRIBUTES))}
    if origin is Callable:
        return bytes
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return typing.cast("type[Any]", kind)(**{one.name: filled(hints[one.name]) for one in fields(kind)})
    if issubclass(kind, Enum):
        return next(iter(kind))
    if kind is datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)
    return CARD if kind is str else kind()


def texts(value: Any, path: Path = ("Understanding",)) -> Iterator[tuple[Path, str]]:
    """Yield every text that is reached, with the classes and fields on the way to it."""
    if isinstance(value, Enum):
        return
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from texts(one, path)
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from texts(one, (*path, name))
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from texts(getattr(value, one.name), (*path[:-1], type(value).__name__, one.name))


def identifies(path: Path) -> bool:
    listed = {(kind.__name__, name) for kind, names in IDENTIFIERS.items() for name in names}
    return any(pair in listed for pair in itertools.pairwise(path)) or path[-1] in IDENTIFYING_ATTRIBUTES


@pytest.fixture(scope="module")
def told() -> list[tuple[Path, str]]:
    return list(
        texts(
            masked(
                filled(Understanding), CARDS, reply_of=lambda text, subject, mask: f"{subject}\n{text}\n{mask(CARD)}"
            )
        )
    )


@pytest.mark.feature("C15")
def test_every_text_of_a_mail_is_masked_or_listed_as_an_identifier(told: list[tuple[Path, str]]) -> None:
    assert len(told) > 60
    assert [path for path, text in told if CARD in text and not identifies(path)] == []


def test_every_identifier_is_a_field_that_is_reached_and_left_as_it_is(told: list[tuple[Path, str]]) -> None:
    kept = {pair for path, text in told if text == CARD for pair in itertools.pairwise(path)}
    listed = {(kind.__name__, name) for kind, names in IDENTIFIERS.items() for name in names}
    assert listed - kept == set()


def test_the_walk_of_this_test_sees_a_text_wherever_it_stands() -> None:
    found = {path[-1] for path, _text in texts(filled(Understanding))}
    assert {"subject", "name", "detail", "why", "diagnostic", "content_id", "blocked", "text_reply", CARD} <= found


def test_without_patterns_nothing_changes_but_the_reply() -> None:
    mail = filled(Understanding)
    after = masked(mail, (), reply_of=lambda text, _subject, _mask: text[:4])
    assert (after.body.text_reply, after.attributes, after.decisions) == (CARD[:4], mail.attributes, mail.decisions)
