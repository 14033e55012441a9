"""Turn what pydantic says about an object into problems that name the field, the value's problem and the remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from postroom.model.configuration import NAME_PATTERN, SecretReference
from postroom.services.configuration.checks import Finding, Path

_Model = TypeVar("_Model", bound=BaseModel)

SECRET_FIELDS = frozenset({"password", "client_secret", "refresh_token", "secret", "secretsmanager", "ca_certificate"})
"""Fields whose value may be a secret by mistake: it is never repeated in a message."""

_PLACEHOLDERS = {"address": "unknown@example.invalid", "type": "subject", "failure": "permanent", "extension": "bin"}


@dataclass(frozen=True, slots=True)
class Validated:
    """An object as far as it could be read, what is wrong with it, and the fields that were left out for it."""

    value: BaseModel | None
    findings: tuple[Finding, ...] = ()
    failed: frozenset[str] = frozenset()


def validate(model: type[BaseModel], data: Any, path: Path = ()) -> Validated:
    """Validate one object; when fields fail, the rest is still read, so that cross-checks can go on."""
    if not isinstance(data, Mapping):
        return Validated(None, (Finding(path, "is not a mapping of options.", f"Write {_example(model)}."),))
    try:
        return Validated(model.model_validate(data))
    except ValidationError as error:
        findings = tuple(_findings(model, data, path, error))
    failed = frozenset(str(finding.path[len(path)]) for finding in findings if len(finding.path) > len(path))
    rest = {key: value for key, value in data.items() if key not in failed}
    for name, field in model.model_fields.items():
        if field.is_required() and name not in rest:
            rest[name] = _PLACEHOLDERS.get(name, "unnamed")
    try:
        return Validated(model.model_validate(rest), findings, failed)
    except ValidationError:
        return Validated(None, findings, failed)


def _findings(model: type[BaseModel], data: Any, path: Path, error: ValidationError) -> list[Finding]:
    found: dict[Path, dict[str, Any]] = {}
    for error_detail in error.errors(include_url=False):
        detail: dict[str, Any] = dict(error_detail)
        place = _existing(data, detail["loc"], keep_last=detail["type"] in ("missing", "extra_forbidden"))
        found[place] = _merged(found[place], detail) if place in found else detail
    # Of a list whose members are refused, nothing is left: what is wrong are the members.
    hollow = {
        place
        for place, detail in found.items()
        if detail["type"] == "too_short" and any(len(one) > len(place) and one[: len(place)] == place for one in found)
    }
    return [
        Finding(path + place, *_sentences(detail, place, *_field_at(model, place)))
        for place, detail in found.items()
        if place not in hollow
    ]


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    # The branches of a union complain one by one: those that list choices are joined, and win over the others.
    choices = [detail for detail in (first, second) if detail["type"] in ("enum", "literal_error")]
    if len(choices) == 2:
        expected = ", ".join(str(detail["ctx"]["expected"]) for detail in choices)
        return {**first, "ctx": {"expected": expected}}
    return choices[0] if choices else first


def _existing(data: Any, location: Path, *, keep_last: bool) -> Path:
    place: list[str | int] = []
    for index, step in enumerate(location):
        is_last = index == len(location) - 1
        if (isinstance(data, Mapping) and step in data) or (
            isinstance(data, (list, tuple)) and isinstance(step, int) and step < len(data)
        ):
            data = data[step]  # type: ignore[index]  # one of the two kinds of container just checked
            place.append(step)
        elif is_last and keep_last:
            place.append(step)
        else:
            break
    return tuple(place)


def _field_at(model: type[BaseModel], place: Path) -> tuple[type[BaseModel], FieldInfo | None]:
    owner: type[BaseModel] = model
    field: FieldInfo | None = None
    for step in place:
        if isinstance(step, int):
            continue
        if field is not None:
            owner = _model_in(field) or owner
        field = owner.model_fields.get(step)
        if field is None:
            break
    return owner, field


def _model_in(field: FieldInfo) -> type[BaseModel] | None:
    pending: list[Any] = [field.annotation]
    while pending:
        annotation = pending.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation
        pending.extend(getattr(annotation, "__args__", ()))
    return None


def _sentences(detail: dict[str, Any], place: Path, owner: type[BaseModel], field: FieldInfo | None) -> tuple[str, str]:
    kind = str(detail["type"])
    context: dict[str, Any] = detail.get("ctx", {})
    value = _shown(detail.get("input"), place)
    if kind == "missing":
        return "is missing.", f"Add it: {_what(field)}"
    if kind == "too_short":
        return f"has {context.get('actual_length', 0)} entries.", f"Give at least {context.get('min_length', 1)}."
    if kind == "extra_forbidden":
        return f"is not an option of {_noun(owner)}.", suggestion(str(place[-1]), owner)
    if field is not None and _model_in(field) is SecretReference and "secret" not in place[-1:]:
        return (
            "is not a reference to a secret.",
            "Write `{secret: NAME}` and enter the secret itself with `postroom secret set NAME`.",
        )
    if kind in ("enum", "literal_error"):
        return f"{value} is not one of its values.", _one_of(str(context.get("expected", "")), detail.get("input"))
    if kind.startswith(("int_", "greater_than", "less_than")):
        problem = "is no whole number" if kind.startswith("int_") else "is out of range"
        return f"{value} {problem}.", f"Write a whole number{_range(field)}."
    if kind.startswith("bool_"):
        return f"{value} is neither true nor false.", "Write true or false."
    if kind.startswith("date_"):
        return f"{value} is no date.", "Write it as 2026-11-21."
    if kind == "string_pattern_mismatch":
        return _pattern_sentences(value, str(context.get("pattern", "")), place)
    if kind in ("string_too_long", "string_too_short"):
        least, most = context.get("min_length"), context.get("max_length")
        limit = f"at most {most}" if kind == "string_too_long" else f"at least {least}"
        return f"{value} has the wrong length.", f"Use {limit} characters."
    if kind == "string_type":
        return "is not a text.", "Write one value on one line."
    if kind in ("tuple_type", "list_type"):
        return "is not a list.", "Write each value on a line of its own, after `- `."
    if kind.startswith(("model_", "dict_")):
        return "is not a mapping of options.", "Write its options indented below it, as `option: value`."
    if looks_secret(place, detail.get("input")):  # a validator's sentence begins with the value
        return "is not valid.", "Correct it; the value is not repeated, since it looks like a secret."
    return _two_sentences(str(context["error"]) if "error" in context else str(detail["msg"]))


def _two_sentences(message: str) -> tuple[str, str]:
    # Validators write "<problem>; <remedy>".
    problem, _, remedy = message.partition("; ")
    return f"{problem}.", f"{remedy[:1].upper()}{remedy[1:] or 'Correct the value'}."


def _pattern_sentences(value: str, pattern: str, place: Path) -> tuple[str, str]:
    if pattern == NAME_PATTERN:
        return (
            f"{value} cannot be a name.",
            "Use at most 40 letters, digits, '.', '_' and '-', and begin with a letter or digit.",
        )
    if place and place[-1] in SECRET_FIELDS:
        return "is not the name of a secret.", "Name the secret here; enter it with `postroom secret set NAME`."
    return f"{value} does not look right.", f"It must match {pattern}."


def suggestion(name: str, owner: type[BaseModel]) -> str:
    """Propose the option that was meant, also by the reference system's spelling."""
    spellings = {option: option for option in owner.model_fields}
    for option, field in owner.model_fields.items():
        if isinstance(field.json_schema_extra, dict) and "reference" in field.json_schema_extra:
            spellings[str(field.json_schema_extra["reference"])] = option
    close = difflib.get_close_matches(name.lower(), list(spellings), n=1, cutoff=0.6)
    if close:
        return f"Did you mean `{spellings[close[0]]}`?"
    return "Remove it; `postroom config schema` lists every option."


def _one_of(expected: str, given: Any) -> str:
    values = [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",") if part.strip()]
    close = difflib.get_close_matches(str(given).lower(), [value.lower() for value in values], n=1, cutoff=0.5)
    meant = next((value for value in values if close and value.lower() == close[0]), None)
    hint = f" (did you mean {meant}?)" if meant else ""
    return f"Write one of: {', '.join(value or '(empty)' for value in values)}{hint}."


def _range(field: FieldInfo | None) -> str:
    least = most = None
    for limit in field.metadata if field else ():
        least = getattr(limit, "ge", least)
        most = getattr(limit, "le", most)
    if least is not None and most is not None:
        return f" from {least} to {most}"
    return f" of at least {least}" if least is not None else ""


_SECRET_NAME = re.compile(
    r"passw|secret|token|credential|api_?key|private_?key|kennwort|pwd|certificate", re.IGNORECASE
)
# What only a secret looks like, wherever it was put: PEM, JWT, a client secret of Microsoft's or Google's.
_SECRET_VALUE = re.compile(r"-----BEGIN|\beyJ[\w-]{8,}\.|[\w.~-]{3}8Q~|\bGOCSPX-|\bAKIA[A-Z0-9]{12}|\b1//0[\w-]{8}")


def looks_secret(place: Path, value: object = "") -> bool:
    """Tell whether a field holds a secret by its name, or by what it holds: such a value is never repeated."""
    named = any(step in SECRET_FIELDS or _SECRET_NAME.search(step) for step in place if isinstance(step, str))
    return named or bool(_SECRET_VALUE.search(str(value)))


def _shown(value: Any, place: Path) -> str:
    if isinstance(value, (dict, list)) or looks_secret(place, value):
        return "the value"
    text = str(value)
    return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"


def _what(field: FieldInfo | None) -> str:
    return (field.description or "").rstrip(".") + "." if field and field.description else "it has no default."


def _noun(model: type[BaseModel]) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in model.__name__).strip()
    words = words.replace("o auth", "OAuth")
    if words in ("settings", "configuration") or words.endswith(("settings", "texts")):
        return f"the {words}"
    return f"an {words}" if words[0] in "aeiouO" else f"a {words}"


def _example(model: type[BaseModel]) -> str:
    first = next(iter(model.model_fields))
    return f"`{first}: …` and its other options below each other"
