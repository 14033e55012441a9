"""Resolve how a mail is written: of queue, alias and installation the most specific level decides (S09).

The channel is the alias that the mail leaves by: that of its mailbox's address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from postroom.model.configuration import (
    Alias,
    Configuration,
    ForwardAs,
    Quote,
    Receipts,
    SendingOptions,
)

OPTIONS: tuple[str, ...] = tuple(SendingOptions.model_fields)


@dataclass(frozen=True, slots=True)
class Level:
    """One place that may say how mail is written, as its path in the configuration names it."""

    path: str  # "queues[name=support].sending"
    options: SendingOptions


@dataclass(frozen=True, slots=True)
class Resolved:
    """The value of an option, and the path of the level that it came from; "default" where none says anything."""

    option: str
    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class Sending:
    """How one mail is written."""

    signature: str
    signature_html: str
    quote: Quote
    forward: ForwardAs
    receipts: Receipts
    language: str
    resolved: tuple[Resolved, ...]


def levels(configuration: Configuration, *, alias: Alias | None, queue: str) -> tuple[Level, ...]:
    """List the levels that apply to a mail, the most specific first; `queue`: its name, "" for none."""
    of_queue = next((one for one in configuration.queues if one.name == queue), None)
    found = []
    for section, one in (("queues", of_queue), ("aliases", alias)):
        if one is not None:
            found.append(Level(f"{section}[name={one.name}].sending", one.sending))
    return (*found, Level("settings.sending", configuration.settings.sending))


def resolve(option: str, applying: tuple[Level, ...], configuration: Configuration) -> Resolved:
    """Resolve one option."""
    for level in applying:
        value = getattr(level.options, option)
        if value is not None:
            return Resolved(option, value, f"{level.path}.{option}")
        # A signature in HTML belongs to the text beside it: a wider level's would say something else.
        if option == "signature_html" and level.options.signature is not None:
            return Resolved(option, "", f"{level.path}.signature")
    if option == "language":
        return Resolved(option, configuration.settings.languages[0], "settings.languages[0]")
    return Resolved(option, _DEFAULTS[option], "default")


_DEFAULTS: dict[str, Any] = {
    "signature": "",
    "signature_html": "",
    "quote": Quote.NONE,
    "forward": ForwardAs.INLINE,
    "receipts": Receipts.NONE,
}


def sending_of(configuration: Configuration, *, alias: Alias | None, queue: str) -> Sending:
    """Resolve all options of a mail."""
    applying = levels(configuration, alias=alias, queue=queue)
    found = {option: resolve(option, applying, configuration) for option in OPTIONS}
    return Sending(
        signature=found["signature"].value,
        signature_html=found["signature_html"].value,
        quote=found["quote"].value,
        forward=found["forward"].value,
        receipts=found["receipts"].value,
        language=found["language"].value,
        resolved=tuple(found.values()),
    )


def explained(
    path: str, configuration: Configuration, *, alias: Alias | None, queue: str
) -> Iterator[tuple[Resolved, tuple[tuple[str, Any], ...]]]:
    """Yield what each option named by a path comes to, and what every level says of it; `sending` names all.

    Nothing is yielded for a path that names no option.
    """
    named = path.removeprefix("settings.").removeprefix("sending").removeprefix(".")
    applying = levels(configuration, alias=alias, queue=queue)
    for option in OPTIONS:
        if named in ("", option):
            said = tuple((f"{level.path}.{option}", getattr(level.options, option)) for level in applying)
            yield resolve(option, applying, configuration), said
