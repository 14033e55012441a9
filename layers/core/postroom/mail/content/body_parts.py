"""Choose what a person sees of a message: its text, its HTML and its attachments.

RFC 8621 §4.1.4 is the rule (which of several texts are bodies); RFC 2046 §5.1.4 alternatives, RFC 2387 related.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape

from postroom.mail.containers import Tnef, file_part, is_tnef, open_tnef
from postroom.mail.content.cms import signed_content
from postroom.mail.content.inline_images import place_pictures
from postroom.mail.content.reactions import REACTION_TYPE
from postroom.mail.content.signed import is_pkcs7
from postroom.mail.encoding import decode, find_files
from postroom.mail.html import visible_controls
from postroom.mail.reader import Message, Part, Unreadable, read

_INLINE_MEDIA = ("image/", "audio/", "video/")
_MAX_OPENED = 20  # TNEF streams
_MAX_SIGNED = 3  # signatures around signatures (RFC 2634 §1.1 has two)
_NO_PROSE = {"text/calendar", "text/rfc822-headers", "text/rtf", "text/vcard", "text/x-vcard"}
# Other versions of the HTML, for one client alone: nobody looks for them among the files.
_VERSIONS_OF_HTML = {"text/x-amp-html", "text/watch-html", REACTION_TYPE}


@dataclass(frozen=True, slots=True)
class Bodies:
    """Hold the bodies. `html` is decoded and NOT sanitised; attachments include the inline ones, in message order."""

    text: str | None  # the plain text parts; None without any
    html: str | None  # the whole body as HTML, plain parts escaped; None when no part of it is HTML
    attachments: tuple[Part, ...]
    inline: tuple[Part, ...]  # attachments that the HTML or the layout shows in place (Content-ID, related, inline)
    text_parts: tuple[Part, ...]
    html_parts: tuple[Part, ...]
    text_complete: bool  # False: a part of the body is HTML only, so that text has to be made from `html`
    content_ids: Mapping[int, str] = field(
        default_factory=dict
    )  # by `id`, of parts that the HTML shows by another name


@dataclass(slots=True)
class _Frame:
    """A multipart being gone through: its remaining parts, and the lists that still take bodies."""

    parts: Iterator[tuple[int, Part]]
    kind: str
    in_alternative: bool
    text: list[Part] | None
    html: list[Part] | None
    text_before: int = 0
    html_before: int = 0
    first: int = 0  # the place of the part that is a body whatever its name is


@dataclass(slots=True)
class _Chosen:
    text: list[Part] = field(default_factory=list)
    html: list[Part] = field(default_factory=list)
    attachments: list[Part] = field(default_factory=list)
    inline: list[Part] = field(default_factory=list)
    versions: list[Part] = field(default_factory=list)  # of the HTML, for clients of another kind
    opened: int = 0  # signatures that the message was in


def bodies(message: Message) -> Bodies:
    """Choose the bodies of a message; an embedded message is an attachment."""
    chosen = _choose(message)
    if not chosen.text and not chosen.html:
        chosen.attachments += chosen.versions
        _promote(chosen)
    html_parts = [part for part in chosen.html if part.content_type == "text/html"]
    text_parts = [part for part in chosen.text if part.content_type != "text/html"]
    files: list[Part] = []
    texts = [_text_without_files(part, files) for part in text_parts]
    text = visible_controls("\n".join(texts)) if text_parts else None
    html: str | None = None
    if html_parts:
        html = "\n".join(_as_html(part) for part in chosen.html)
    text, html = _open_tnef(chosen, text, html)
    placed = place_pictures(html or "", chosen.attachments, path=html_parts[0].path or "1" if html_parts else "1")
    given = placed.content_ids or {}
    chosen.inline += [part for part in chosen.attachments if id(part) in given and part not in chosen.inline]
    return Bodies(
        text=text,
        html=placed.html if html is not None else None,
        attachments=(*chosen.attachments, *placed.files, *files),
        inline=(*chosen.inline, *placed.files),
        text_parts=tuple(text_parts),
        html_parts=tuple(html_parts),
        text_complete=text is not None and len(text_parts) == len(chosen.text),
        content_ids=given,
    )


def _choose(root: Part) -> _Chosen:
    """Go through the tree as RFC 8621 §4.1.4 does, with a stack of our own in place of its recursion."""
    chosen = _Chosen()
    stack = [_Frame(iter([(0, root)]), "multipart/mixed", False, chosen.text, chosen.html)]
    while stack:
        frame = stack[-1]
        place, part = next(frame.parts, (0, None))
        if part is None:
            _leave(stack.pop())
        elif part.children:
            kind = part.content_type
            inner = frame.in_alternative or kind == "multipart/alternative"
            text_before = len(frame.text) if frame.text is not None else -1
            html_before = len(frame.html) if frame.html is not None else -1
            children = enumerate(part.children)
            first = _root_place(part) if kind == "multipart/related" else 0
            stack.append(_Frame(children, kind, inner, frame.text, frame.html, text_before, html_before, first))
        else:
            _place(chosen, frame, part, place)
            signed = _signed_message(chosen, part)
            if signed is not None:
                inside = iter([(0, signed)])
                stack.append(_Frame(inside, "multipart/mixed", frame.in_alternative, frame.text, frame.html))
    return chosen


def _signed_message(chosen: _Chosen, part: Part) -> Part | None:
    """Return the message within an opaque S/MIME signature: it is shown as if it were a part, the signature stays."""
    if not is_pkcs7(part) or chosen.opened >= _MAX_SIGNED:
        return None
    content = signed_content(part.data())
    if content is None:
        return None
    chosen.opened += 1
    try:
        root = read(content)
    except Unreadable:
        return None
    for inner in root.walk():
        inner.path = f"{part.path or '1'}.signed{f'.{inner.path}' if inner.path else ''}"
    return root


def _root_place(related: Part) -> int:
    """Return which part is shown (RFC 2387 §3.2: the one that `start` names, else the first; an image is none)."""
    children = related.children
    start = (related.parameter("start") or "").strip("<> ")
    for place, child in enumerate(children):
        if start and child.content_id == start:
            return place
    if children[0].content_type.startswith(_INLINE_MEDIA):
        return next((place for place, child in enumerate(children) if child.content_type == "text/html"), 0)
    return 0


def _leave(frame: _Frame) -> None:
    """Let the only text of an alternative serve as its other kind too."""
    if frame.kind != "multipart/alternative" or frame.text is None or frame.html is None:
        return
    if len(frame.text) == frame.text_before and len(frame.html) != frame.html_before:
        frame.text.extend(frame.html[frame.html_before :])
    elif len(frame.html) == frame.html_before and len(frame.text) != frame.text_before:
        frame.html.extend(frame.text[frame.text_before :])


def _place(chosen: _Chosen, frame: _Frame, part: Part, place: int) -> None:
    kind = part.content_type
    is_media = kind.startswith(_INLINE_MEDIA)
    if frame.kind == "multipart/alternative" and kind in _VERSIONS_OF_HTML:
        chosen.versions.append(part)
        return
    if not _is_shown(frame, part, place) or is_media:
        chosen.attachments.append(part)
        in_place = is_media or part.content_id is not None or frame.kind == "multipart/related"
        if part.disposition != "attachment" and (part.disposition == "inline" or in_place):
            chosen.inline.append(part)
        return
    if frame.kind == "multipart/alternative":
        target = frame.html if kind == "text/html" else frame.text
        if target is not None:
            target.append(part)
        return
    if frame.in_alternative:
        # A mixed part as one of the alternatives: its texts stand for the kind that they are.
        if kind == "text/html":
            frame.text = None
        else:
            frame.html = None
    if frame.text is not None:
        frame.text.append(part)
    if frame.html is not None:
        frame.html.append(part)


def _is_shown(frame: _Frame, part: Part, place: int) -> bool:
    """Say whether a part is a body by its type, its disposition, its place and its having no file name."""
    if part.disposition == "attachment":
        return False
    kind = part.content_type
    if kind not in ("text/plain", "text/html") and not _is_unsplit(part):
        return False
    return place == frame.first or (frame.kind != "multipart/related" and not part.names)


def _is_unsplit(part: Part) -> bool:
    """Say whether the part calls itself a multipart but has no parts: its body is text to a reader."""
    return part.content_type.startswith("multipart/") and not part.children


def _promote(chosen: _Chosen) -> None:
    """Show the first text of another kind (enriched, markdown) when there is no other; a calendar is no text."""
    for part in chosen.attachments:
        kind = part.content_type
        if kind.startswith("text/") and kind not in _NO_PROSE:
            if part.disposition == "attachment" or part.names:
                continue
            chosen.attachments.remove(part)
            chosen.text.append(part)
            if kind == "text/html":
                chosen.html.append(part)
            return


def _text_without_files(part: Part, files: list[Part]) -> str:
    """Return a part's text; files uuencoded in it are taken out and added to `files`."""
    text = part.text()
    if "begin" not in text or "\nend" not in text:
        return text
    data = part.data()
    found = find_files(data)
    if not found:
        return text
    kept: list[bytes] = []
    position = 0
    for number, file in enumerate(found, start=1):
        kept.append(data[position : file.start])
        position = file.end
        files.append(
            file_part(
                file.data,
                path=f"{part.path or '1'}.uu{number}",
                names=(decode(file.name, part.charset),),
                content_type="application/octet-stream",
            )
        )
    kept.append(data[position:])
    return decode(b"".join(kept), part.charset).replace("\r\n", "\n").replace("\r", "\n")


def _as_html(part: Part) -> str:
    """Return a part as HTML; plain text keeps its lines and runs of spaces without styles, which sanitising takes."""
    text = part.text()
    if part.content_type == "text/html":
        return text
    return f"<div>{escape(text, quote=False).replace('  ', '&nbsp; ').replace(chr(10), '<br>' + chr(10))}</div>"


def _open_tnef(chosen: _Chosen, text: str | None, html: str | None) -> tuple[str | None, str | None]:
    """Put what winmail.dat holds in its place; a stream that breaks off stays beside what was found in it."""
    attachments: list[Part] = []
    opened = 0
    for part in chosen.attachments:
        found: Tnef | None = None
        if opened < _MAX_OPENED and is_tnef(part):
            opened += 1
            found = open_tnef(part.data())
        if found is None:
            attachments.append(part)
            continue
        if found.cut:
            attachments.append(part)
        files = [
            file_part(
                file.data,
                path=f"{part.path or '1'}.tnef{number}",
                names=file.names,
                content_type=file.content_type,
                content_id=file.content_id,
            )
            for number, file in enumerate(found.attachments, start=1)
        ]
        attachments += files
        chosen.inline += [file for file in files if file.content_id]
        if html is None and not (text and text.strip()) and (found.text or found.html):
            text, html = found.text, found.html
    chosen.attachments = attachments
    return text, html
