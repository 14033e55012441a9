"""Compare names of domains, and tell those that only look like another (Unicode TS 39)."""

from __future__ import annotations

import unicodedata

# UTS 39 §5.2: scripts that are written together.
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
_LATIN_LOOKALIKES = frozenset("асԁеһіјӏոорԛѕтԝхуүѡցհսνοραικυω")


def suspicious_domain(domain: str) -> bool:
    """Say whether a label of a domain mixes scripts, or is written in letters that look like Latin ones."""
    lowered = domain[:253].lower()
    if lowered.isascii() and "xn--" not in lowered:
        return False
    return any(_suspicious_label(_unicode_label(label)) for label in lowered.split("."))


def _suspicious_label(label: str) -> bool:
    scripts = {script for character in label if (script := _script(character))}
    if len(scripts) > 1 and not any(scripts <= allowed for allowed in _TOGETHER):
        return True
    letters = [character for character in label if character.isalpha()]
    return "LATIN" not in scripts and len(letters) > 1 and all(letter in _LATIN_LOOKALIKES for letter in letters)


def _unicode_label(label: str) -> str:
    if not label.startswith("xn--"):
        return unicodedata.normalize("NFKC", label)
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label


def _script(character: str) -> str:
    """Return the first word of a letter's Unicode name, which names its script; "" for digits, marks and signs."""
    if character.isascii():
        return "LATIN" if character.isalpha() else ""
    if not unicodedata.category(character).startswith("L"):
        return ""
    return unicodedata.name(character, "UNNAMED").split(" ", 1)[0]


def related_domains(one: str, other: str) -> bool:
    """Say whether two domains are the same, or one lies below the other."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
