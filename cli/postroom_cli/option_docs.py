"""The generated reference of a mailbox's options: the model says everything that stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from enum import Enum
from typing import Any, get_args

from postroom.model.configuration import (
    CAPABILITIES,
    NAME_PATTERN,
    PROPERTIES,
    REQUIREMENTS,
    Effect,
    Mailbox,
    SecretReference,
    format_period,
)
from pydantic.fields import FieldInfo

_HEAD = """\
# Options of a mailbox

<!-- Written by scripts/generate-mailbox-options from the model; change that, not this. -->

Every option that can stand under `mailboxes:` in a configuration file. *Reference* is the option's name in a Genesys
E-mail Server, whose settings `postroom import genesys` reads. Every change takes effect at the mailbox's next cycle;
nothing is restarted. Periods are written `hh:mm:ss`. Options that a type cannot honour are refused when they are set.

| option | reference | default | values | meaning |
|---|---|---|---|---|
"""

_TYPES = """
## What each type can do

| | {types} |
|---|{lines}|
"""

_PROPERTIES = """
## Protocol properties

`properties:` takes these names, with `imap`, `imaps`, `pop3`, `pop3s` or `ews` for `<type>`; any other name is refused.

| property | types | values | what it does here |
|---|---|---|---|
"""


def mailbox_options() -> str:
    """Return the whole document."""
    text = _HEAD
    for name, field in Mailbox.model_fields.items():
        cells = (f"`{name}`", _reference(field), _default(field), _values(name, field), _meaning(name, field))
        text += f"| {' | '.join(cells)} |\n"
    text += _TYPES.format(types=" | ".join(CAPABILITIES), lines="|".join("---" for _type in CAPABILITIES))
    first = next(iter(CAPABILITIES.values()))
    for ability in type(first).__dataclass_fields__:
        able = ("yes" if getattr(one, ability) else "no" for one in CAPABILITIES.values())
        text += f"| {ability.replace('_', ' ')} | {' | '.join(able)} |\n"
    text += _PROPERTIES
    for known in PROPERTIES:
        row = (
            f"`mail.<type>.{known.suffix}`",
            ", ".join(sorted(known.types)),
            known.valid if known.effect is not Effect.OPTION else "refused",
            known.meaning,
        )
        text += f"| {' | '.join(row)} |\n"
    return text


def _reference(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return f"`{extra['reference']}`" if isinstance(extra, dict) and "reference" in extra else ""


def _default(field: FieldInfo) -> str:
    value = field.default
    if field.is_required():
        return "*required*"
    if value is None or value in ("", {}):
        return "empty"
    if isinstance(value, timedelta):
        return f"`{format_period(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value.value if isinstance(value, Enum) else value}`"


def _values(name: str, field: FieldInfo) -> str:
    if name == "name":
        return f"`{NAME_PATTERN}`"
    kinds = list(_kinds(field.annotation))
    for kind in kinds:
        if issubclass(kind, Enum):
            return ", ".join(f"`{member.value}`" for member in kind)
        if kind is SecretReference:
            return "`{secret: NAME}` or `{secretsmanager: ARN}`"
        if issubclass(kind, bool):
            return "`true`, `false`"
        if kind is timedelta:
            return "`hh:mm:ss`"
        if kind is date:
            return "`YYYY-MM-DD`"
    if name == "properties":
        return "see below"
    if name == "before_account":
        return "written by `mailbox convert`"
    least, most = _limit(field, "ge"), _limit(field, "le")
    if least is not None and most is not None:
        return f"{least}–{most:,}"
    return "text" if str in kinds else ""


def _kinds(annotation: Any) -> Iterator[type]:
    """Find the types in an annotation; what pydantic adds to one by Annotated is looked through."""
    if isinstance(annotation, type):
        yield annotation
    for part in get_args(annotation):
        yield from _kinds(part)


def _limit(field: FieldInfo, name: str) -> Any:
    return next((getattr(limit, name) for limit in field.metadata if hasattr(limit, name)), None)


def _meaning(name: str, field: FieldInfo) -> str:
    only = next((requirement for requirement in REQUIREMENTS if requirement.option == name), None)
    limited = only is not None and only.types != frozenset(CAPABILITIES)
    types = f" Only for {', '.join(sorted(only.types))}." if only and limited else ""
    return f"{(field.description or '').replace('|', '/')}{types}"
