"""Make the text of strangers harmless on its way out: mail, servers and files may hold whatever a terminal obeys.

One function for terminals, one for JSON; `output.py` is the only module that prints, and it prints through them.
"""

from __future__ import annotations

import re

# DEL, C1, soft hyphen, marks and overrides of direction, separators, invisible characters, halves of surrogate pairs,
# tags and variation selectors. JSON escapes C0 by itself.
_UNSEEN = re.compile(
    "[\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ud800-\\udfff"
    "\\ufeff\\uffa0\\ufff0-\\ufffb\\U000e0000-\\U000e0fff]"
)
LINE_BREAK = "⏎"


def visible(text: str, *, lines: bool = False) -> str:
    """Write what a terminal would obey or hide as escapes (`\\x1b`, `\\u202e`); a line break as ⏎, unless `lines`.

    `lines` is for texts that are lines by themselves: a body, a file. There a break stays, since nothing follows it
    that a reader would take for ours.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_seen(letter, lines=lines) for letter in text)


def _seen(letter: str, *, lines: bool) -> str:
    if letter == "\n":
        return letter if lines else LINE_BREAK
    if letter == "\t" and lines:
        return letter
    if letter.isprintable() and not _UNSEEN.match(letter):
        return letter
    if letter.isspace() and letter not in "\t\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029":
        return " "  # a no-break space and the like
    return letter.encode("unicode_escape").decode("ascii")


def json_text(document: str) -> str:
    """Escape in a JSON document what a terminal would obey or hide; it says the same to whoever parses it."""
    return document if document.isascii() and "\x7f" not in document else _UNSEEN.sub(_escape, document)


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
