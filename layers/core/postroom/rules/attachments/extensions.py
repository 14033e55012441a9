"""Read a file name as the most gullible client would: all extensions that any acts on (docs/threat-model.md 9)."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote

from postroom.mail.headers import decode_header

_MAX_NAME = 4_000
_MAX_FORMS = 40
# Characters that no one sees, beyond the categories Cc and Cf: fillers, joiners, selectors, the empty Braille cell.
_UNSEEN = frozenset(
    chr(code)
    for code in (
        0x034F,
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        0x2800,
        0x3164,
        0xFFA0,
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0000, 0xE01F0),
    )
)
# Turn the reading direction of Latin letters round, so that "exe.pdf" is shown as "fdp.exe" or the other way about.
_OVERRIDES = frozenset("\u202d\u202e")
# Full stops that NFKC leaves alone.
_DOTS = str.maketrans(dict.fromkeys("\u3002\u06d4\u0589\ua4f8\u0701\u2e3c\u2e33", "."))
# Letters of other scripts that look like Latin ones (Unicode TS 39), as far as extensions need them.
_LOOK_ALIKES = str.maketrans(
    "асеохрујіѕһԁԍվոհԛԝкмтвпгьдлзαορεικνχυτмбѐӏ",
    "aceoxpyjishdgvnhqwkmtbnrbdlzaopeiknxutmbel",
)
_CLASS_ID = re.compile(r"\.\s*\{[0-9a-f]{8}-[0-9a-f-]{27}\}", re.IGNORECASE)
_QUOTED_PRINTABLE = re.compile(r"=([0-9A-Fa-f]{2})")
_UTF7 = re.compile(r"\+[A-Za-z0-9+/]{2,}-")
_PERCENT_U = re.compile(r"%u([0-9A-Fa-f]{4})")
_BACKSLASH = re.compile(r"\\(?:u|x00|x)([0-9A-Fa-f]{4}|[0-9A-Fa-f]{2})")
_EXTENSION = re.compile(r"\.([a-z0-9_~+!$-]{1,30})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def has_override(names: Iterable[str]) -> bool:
    """Say whether a name turns its reading direction round."""
    return any(not _OVERRIDES.isdisjoint(form) for name in names for form in _decoded(name))


def has_class_id(names: Iterable[str]) -> bool:
    """Say whether a name ends in a Windows class id, which opens it with a program of the sender's choice."""
    return any(_CLASS_ID.search(plain) for name in names for form in _decoded(name) for plain in _plain(form))


def extensions(names: Iterable[str]) -> dict[str, str]:
    """Return every extension in the names, each with the name it was found in; the last one of a name comes first."""
    found: dict[str, str] = {}
    for name in names:
        for form in _decoded(name):
            for plain in _plain(form):
                for extension in reversed(_EXTENSION.findall(plain)):
                    for reading in _readings(extension):
                        found.setdefault(reading, name)
    return found


def last_extension(name: str) -> str:
    """Return the extension by which a system opens the file, in lower case; empty when there is none."""
    plain = next(iter(_plain(name[-_MAX_NAME:])), "")
    found = _EXTENSION.findall(plain)
    return found[-1] if found else ""


def _readings(extension: str) -> Iterator[str]:
    yield extension
    bare = extension.strip("_~+!$-")
    if bare and bare != extension:
        yield bare


@lru_cache(maxsize=16)  # a name is asked for its extensions, its direction and its class id
def _decoded(name: str) -> list[str]:
    """Return a name with every encoding resolved that some program would resolve, each round on all results."""
    forms: dict[str, None] = {name[-_MAX_NAME:]: None}
    fresh = list(forms)
    for _ in range(3):
        fresh = [form for seen in fresh for form in _decode_once(seen) if form not in forms]
        for form in fresh:
            forms.setdefault(form)
        if not fresh or len(forms) > _MAX_FORMS:
            break
    return list(forms)[:_MAX_FORMS]


def _decode_once(name: str) -> Iterator[str]:
    if "=?" in name:
        yield decode_header(name)
    if "%" in name:
        yield unquote(_PERCENT_U.sub(lambda match: chr(int(match[1], 16)), name), errors="replace")
    if "&" in name:
        yield html.unescape(name)
    if "=" in name and _QUOTED_PRINTABLE.search(name):
        raw = _QUOTED_PRINTABLE.sub(lambda match: chr(int(match[1], 16)), name)
        yield raw.replace("_", " ")
    if "+" in name and _UTF7.search(name):
        try:
            yield name.encode("ascii").decode("utf-7")
        except UnicodeError:
            return
    if "\\" in name and _BACKSLASH.search(name):
        yield _BACKSLASH.sub(lambda match: chr(int(match[1], 16)), name)


@lru_cache(maxsize=64)
def _plain(form: str) -> list[str]:
    """Return the readings of a decoded name: unseen characters removed, control characters as ends, no spaces."""
    if form.isascii() and form.isprintable():
        # What follows changes nothing else in these.
        folded = form.lower().rstrip(" .")
        return [folded, bare] if (bare := folded.replace(" ", "")) != folded else [folded]
    readings: dict[str, None] = {}
    seen = form if form.isascii() else "".join(filter(_is_seen, form))
    parts = [seen]
    if _CONTROL.search(seen):
        parts = [_CONTROL.sub("", seen), _CONTROL.sub(" ", seen), *_CONTROL.split(seen)]
    for part in parts:
        folded = unicodedata.normalize("NFKC", part).translate(_DOTS).casefold()
        folded = folded.rstrip(" .")
        readings.setdefault(folded)
        bare = folded
        if not folded.isascii():
            bare = "".join(
                letter for letter in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(letter)
            )
        readings.setdefault("".join(bare.translate(_LOOK_ALIKES).split()))
    return list(readings)


def _is_seen(character: str) -> bool:
    return character not in _UNSEEN and unicodedata.category(character) != "Cf"
