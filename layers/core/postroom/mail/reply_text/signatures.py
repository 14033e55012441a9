"""Find the lines that phones and apps write under a mail: "Sent from my iPhone"."""

from __future__ import annotations

import re

from postroom.mail.reply_text.line_kinds import MAX_MARKER, PROBE, Kind, Lines, any_of, is_probed, probes
from postroom.mail.reply_text.phrases import introductions as phrases

_STARTS = re.compile(rf"[\W_]*(?:{any_of(phrases.SIGNATURE_STARTS)})", re.IGNORECASE)
_ENDS = re.compile(rf"(?:{any_of(phrases.SIGNATURE_ENDS)})[\W_]*$", re.IGNORECASE)
_FIRST = probes(phrases.SIGNATURE_STARTS, ends=False)
_LAST = probes([phrase.rstrip(".") for phrase in phrases.SIGNATURE_ENDS], ends=True)
_NO_LETTERS = re.compile(r"[\W_]*")
_NAMED_DEVICE = re.compile(any_of(phrases.DEVICES), re.IGNORECASE)
_DEVICE = re.compile(rf"\bmy\b|{_NAMED_DEVICE.pattern}", re.IGNORECASE)
_MOST_PLACE = 8  # words that tell where, or by what: "Sent from my shop", "Sent with the app of Example"
_MOST_AFTER_DEVICE = 5  # words: "Sent from my iPhone on the network of Example"
# What follows a device in a signature: an excuse, or a wish about it.
_EXCUSE = re.compile(
    r"excuse|typo|brev|spell|autocorrect|apolog|sorry|forgive|pardon|mistake|error|entschuld|tippfehler|kürze|verzeih|"
    r"excuse|fautes|disculp|errores|scus|erro|fout|stavfel|skrivefejl|ошиб|опечат|network|carrier|powered|download|app\b|"
    r"please consider|umwelt",
    re.IGNORECASE,
)
_LINK_TARGET = re.compile(r"[<(]?https?://\S*|\(https?://[^)]*\)", re.IGNORECASE)
_MAX_SIGNATURE = 100
_SILENT = (Kind.EMPTY, Kind.SIGNATURE)
_LOOKED_AT = 100  # lines below a signature

FIRST_LETTERS, LAST_LETTERS = _FIRST, _LAST
"""What a signature begins or ends with, besides signs and links."""


def mark_signatures(lines: Lines) -> None:
    """Mark the signatures among the lines that may be one, from the last to the first."""
    shown, kinds = lines.shown, lines.kinds
    for index in reversed(lines.signatures):
        if kinds[index] is not Kind.TEXT:
            continue
        previous = kinds[index - 1] if index else Kind.EMPTY
        following = kinds[index + 1] if index + 1 < len(kinds) else Kind.EMPTY
        if following is Kind.TEXT or not is_signature(shown[index], alone=previous is not Kind.TEXT):
            continue
        if _NAMED_DEVICE.search(shown[index]) or _is_last(kinds, index):
            kinds[index] = Kind.SIGNATURE


def _is_last(kinds: list[Kind], index: int) -> bool:
    """Say whether nothing is said from a line to the quoted mail: "Sent from my shop on Monday" may be a sentence."""
    for kind in kinds[index + 1 : index + _LOOKED_AT]:
        if kind is Kind.TEXT:
            return False
        if kind not in _SILENT:
            return True
    return True


def is_signature(line: str, *, alone: bool) -> bool:
    """Say whether a line is a signature by its words; `alone` when no text stands directly above it."""
    if not line or len(line) > MAX_MARKER:
        return False
    words = _LINK_TARGET.sub("", line) if "//" in line else line
    if len(words) > _MAX_SIGNATURE or words.endswith("?"):
        return False
    if starts_signature(words):
        if _is_told(words):
            return False
        if _DEVICE.search(words) is not None:
            return True
        return alone and not (words.rstrip()[-1:] in ".!" and " " in words)
    return alone and ends_signature(words) and _DEVICE.search(words) is not None


def _is_told(words: str) -> bool:
    """Say whether somebody goes on to tell something: "Sent from my garden, it is better than my desk"."""
    bare = words.strip(" .!*_\"'<>()[]")
    named = _NAMED_DEVICE.search(bare)
    if named is None:
        further = bare.partition(",")[2].split()
        return (len(bare.split()) > _MOST_PLACE or len(further) > 1) and not _EXCUSE.search(bare)
    rest = bare[named.end() :]
    return len(rest.split()) > _MOST_AFTER_DEVICE and not _EXCUSE.search(rest)


def starts_signature(words: str) -> bool:
    """Say whether a line begins like a signature."""
    start = 0 if words[:1].isalnum() else len(_NO_LETTERS.match(words)[0])  # type: ignore[index]  # matches anything
    return is_probed(words[start : start + PROBE], _FIRST, ends=False) and _STARTS.match(words) is not None


def ends_signature(words: str) -> bool:
    """Say whether a line ends like a signature."""
    end = len(words)
    while end and not words[end - 1].isalnum():
        end -= 1
    return is_probed(words[max(end - PROBE, 0) : end], _LAST, ends=True) and _ENDS.search(words) is not None
