"""Choose what a person sees of a message: its text, its HTML and its attachments.

RFC 2046 §5.1.4 (alternatives), RFC 2387 (related), RFC 8621 §4.1.4 (which parts are bodies).
"""

from __future__ import annotations

from dataclasses import dataclass

from postroom.mail.part import Message, Part

_TEXT_KINDS = {"text/plain", "text/html"}


@dataclass(frozen=True, slots=True)
class Bodies:
    """Hold the bodies; `html` is decoded and NOT sanitised. Attachments include the inline parts, in message order."""

    text: str | None
    html: str | None
    attachments: tuple[Part, ...]
    inline: tuple[Part, ...]  # the attachments that the HTML or the layout shows in place (Content-ID, related, inline)
    text_parts: tuple[Part, ...]
    html_parts: tuple[Part, ...]


@dataclass(slots=True)
class _Chosen:
    text: list[Part]
    html: list[Part]
    attachments: list[Part]
    inline: list[Part]


def bodies(message: Message) -> Bodies:
    """Choose the bodies of a message; an embedded message is an attachment."""
    chosen = choose(message.root)
    text_parts = [part for part in chosen.text if part.content_type != "text/html" and _is_text(part)]
    html_parts = [part for part in chosen.html if part.content_type == "text/html"]
    return Bodies(
        text="\n".join(part.text() for part in text_parts) if text_parts else None,
        html="\n".join(part.text() for part in html_parts) if html_parts else None,
        attachments=tuple(chosen.attachments),
        inline=tuple(chosen.inline),
        text_parts=tuple(text_parts),
        html_parts=tuple(html_parts),
    )


def _is_text(part: Part) -> bool:
    return part.content_type in _TEXT_KINDS or _is_unsplit(part)


def _is_unsplit(part: Part) -> bool:
    """Say whether the part calls itself a multipart but has no parts: its body is text to a reader."""
    return part.content_type.startswith("multipart/") and not part.children


def choose(root: Part) -> _Chosen:
    """Sort the leaves under `root` into text, HTML and attachments, without recursion."""
    chosen = _Chosen([], [], [], [])
    # (part, its parent's type, its place, text wanted, HTML wanted)
    waiting: list[tuple[Part, str, int]] = [(root, "multipart/mixed", 0)]
    alternatives: list[Part] = []
    while waiting:
        part, parent, place = waiting.pop()
        if part.children:
            kind = part.content_type
            if kind == "multipart/alternative":
                alternatives.append(part)
            waiting.extend((child, kind, index) for index, child in reversed(list(enumerate(part.children))))
            continue
        _place(chosen, part, parent, place)
    return chosen


def _place(chosen: _Chosen, part: Part, parent: str, place: int) -> None:
    kind = part.content_type
    shown = part.disposition != "attachment" and _is_text(part)
    if shown and place > 0 and parent != "multipart/alternative":
        # A later text with a name is a file, one in multipart/related belongs to the root's HTML.
        shown = parent != "multipart/related" and part.parameter("name") is None
    if shown and not part.names:
        (chosen.html if kind == "text/html" else chosen.text).append(part)
        return
    if shown and place == 0:
        (chosen.html if kind == "text/html" else chosen.text).append(part)
        return
    chosen.attachments.append(part)
    in_place = part.content_id is not None or parent == "multipart/related" or part.disposition == "inline"
    if in_place and part.disposition != "attachment":
        chosen.inline.append(part)
