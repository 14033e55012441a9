"""Read the options of an E-mail Server as they are exported: INI, key/value list, CSV or JSON form."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator

from postroom.errors import Invalid, Problem

Sections = dict[str, dict[str, str]]

_INI_SECTION = re.compile(r"\s*\[(?P<name>[^\]]+)\]\s*")
_INI_OPTION = re.compile(r"\s*(?P<option>[^=\s][^=]*?)\s*=\s?(?P<value>.*)")
# Sections of the list form look like 'pop-client support' [list] (size=5), options like 'port' [str] = "993".
_LIST_SECTION = re.compile(r"""\s*['"](?P<name>[^'"]+)['"]\s*\[(?:list|lst|kvlist)\].*""", re.IGNORECASE)
_LIST_OPTION = re.compile(r"""\s*['"](?P<option>[^'"]+)['"]\s*(?:\[\w+\])?\s*=\s*(?P<value>.*?)\s*""")


def read_export(text: str) -> Sections:
    """Read an export in whichever form it is; raises Invalid when no section is found."""
    text = text.lstrip("\ufeff")
    for reader in (_json, _csv, _key_value_list, _ini):
        sections = reader(text)
        if sections:
            return sections
    raise Invalid(
        [
            Problem(
                "(file)",
                "holds no section of an E-mail Server's options.",
                "Export the application's options; sections look like [pop-client support] or 'pop-client' [list].",
            )
        ]
    )


def _ini(text: str) -> Sections:
    sections: Sections = {}
    current: dict[str, str] | None = None
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith((";", "#", "//")):
            continue
        if section := _INI_SECTION.fullmatch(line):
            current = sections.setdefault(section["name"].strip(), {})
        elif current is not None and (option := _INI_OPTION.fullmatch(line)):
            current[option["option"].strip()] = _unquoted(option["value"])
    return sections


def _key_value_list(text: str) -> Sections:
    sections: Sections = {}
    current: dict[str, str] | None = None
    for line in text.splitlines():
        if section := _LIST_SECTION.fullmatch(line):
            current = sections.setdefault(section["name"].strip(), {})
        elif current is not None and (option := _LIST_OPTION.fullmatch(line)):
            current[option["option"].strip()] = _unquoted(option["value"])
    return sections


def _csv(text: str) -> Sections:
    first, _, _ = text.partition("\n")
    separator = max((",", ";", "\t"), key=first.count)
    header = [cell.strip().strip('"').casefold() for cell in first.split(separator)]
    columns = _columns(header)
    if columns is None:
        return {}
    sections: Sections = {}
    for row in list(csv.reader(io.StringIO(text), delimiter=separator))[1:]:
        if len(row) > max(columns):
            section, option, value = (row[column].strip() for column in columns)
            sections.setdefault(section, {})[option] = value
    return sections


def _columns(header: list[str]) -> tuple[int, int, int] | None:
    if "section" not in header or "value" not in header:
        return None
    option = next((name for name in ("option", "key", "name") if name in header), None)
    return (header.index("section"), header.index(option), header.index("value")) if option else None


def _json(text: str) -> Sections:
    if not text.lstrip().startswith("{"):
        return {}
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return {
        str(section): {str(option): str(value) for option, value in options.items()}
        for section, options in document.items()
        if isinstance(options, dict)
    }


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        inner = value[1:-1]
        # `"Legal" <a@b>` begins and ends otherwise; `"Legal" "x"` is two texts, not one quoted.
        if value[0] not in inner:
            return inner
        if value[0] == '"' and re.search(r'(?<!\\)"', inner) is None:
            return inner.replace('\\"', '"')
    return value


def named(sections: Sections, *kinds: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Iterate over the sections of a kind as (section, what follows the kind, options); case does not count."""
    match: Callable[[str], re.Match[str] | None] = re.compile(
        rf"(?:{'|'.join(map(re.escape, kinds))})(?:[\s:_-]+(.*))?", re.IGNORECASE
    ).fullmatch
    for section, options in sections.items():
        if found := match(section.strip()):
            yield section, (found[1] or "").strip(), options
