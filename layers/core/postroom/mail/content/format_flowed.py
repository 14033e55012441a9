"""Make paragraphs of text that says `format=flowed` (RFC 3676)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from postroom.mail.reader import Part

_QUOTE_MARKS = re.compile(r">(?: ?>)*")  # some write "> >" for the ">>" of RFC 3676 §4.5
_SIGNATURE = "-- "


def paragraphs(text: str, parts: Sequence[Part]) -> str:
    """Return the text of these parts in paragraphs if all of them flow, else as it is."""
    if not parts or any((part.parameter("format") or "").lower() != "flowed" for part in parts):
        return text
    return unflow(text, delete_space=all((part.parameter("delsp") or "").lower() == "yes" for part in parts))


def unflow(text: str, *, delete_space: bool = False) -> str:
    """Join lines that end in a space with the next of the same quote depth, and take out stuffed spaces.

    `delete_space` is `DelSp=yes`: the space at the end of a line is none of the text. A paragraph of a quote begins
    with as many ">" as before, and a space. The line above a signature and empty lines stay alone.
    """
    lines: list[str] = []
    paragraph: list[str] = []
    depth = 0  # quote depth of the paragraph
    for line in text.split("\n"):
        marks = _QUOTE_MARKS.match(line)
        words = line[marks.end() :] if marks else line
        line_depth = marks[0].count(">") if marks else 0
        if words[:1] == " ":
            words = words[1:]
        is_signature = words == _SIGNATURE
        if paragraph and (line_depth != depth or is_signature or not words):
            lines.append(_written(paragraph, depth))
            paragraph = []
        depth = line_depth
        flows = words[-1:] == " " and not is_signature
        paragraph.append(words[:-1] if flows and delete_space else words)
        if not flows:
            lines.append(_written(paragraph, depth))
            paragraph = []
    if paragraph:
        lines.append(_written(paragraph, depth))
    return "\n".join(lines)


def _written(paragraph: list[str], depth: int) -> str:
    words = "".join(paragraph)
    if words != _SIGNATURE:
        words = words.rstrip(" ")
    return f"{'>' * depth} {words}".rstrip(" ") if depth else words
