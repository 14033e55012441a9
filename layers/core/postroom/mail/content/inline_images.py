"""Find the picture that each `<img>` of a mail means, and make a file of each that stands in the HTML itself.

RFC 2392 `cid:`, RFC 2557 Content-Location, RFC 2397 `data:`; and what clients do instead: the file's name as address,
a Content-ID with `%40` for its `@`. What is found is written as `cid:`, which alone the sanitiser lets through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, unquote_to_bytes

from postroom.mail.containers import file_part
from postroom.mail.encoding import decode_base64
from postroom.mail.reader import Part

_SRC = re.compile(r"""\ssrc\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""", re.IGNORECASE)
_IMG = re.compile(r"<(?:img|input|image)\b[^<>]*\Z", re.IGNORECASE)
_BEFORE = 4_000  # characters of a tag in front of its address
_DATA = re.compile(r"\s*data:\s*(image/[\w.+-]{1,40})((?:;[^,;]{0,100}){0,5}),", re.IGNORECASE)
_MOST_PICTURES = 200
_MOST_ADDRESSES = 5_000
_EXTENSIONS = {"jpeg": "jpg", "svg+xml": "svg", "x-icon": "ico", "vnd.microsoft.icon": "ico"}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Placed:
    """HTML whose pictures are `cid:` addresses, the files made of it, and the Content-IDs given to parts by `id`."""

    html: str
    files: tuple[Part, ...] = ()
    content_ids: Mapping[int, str] | None = None


def place_pictures(html: str, attachments: Sequence[Part], *, path: str) -> Placed:
    """Return HTML in which each picture that the mail carries is shown by its Content-ID."""
    has_data = "data:" in html or "DATA:" in html
    pictures = [part for part in attachments if part.content_type.startswith("image/") or part.content_id]
    if not has_data and not pictures:
        return Placed(html)
    placing = _Placing(pictures, path)
    return Placed(_SRC.sub(placing.replaced, html, count=_MOST_ADDRESSES), tuple(placing.files), placing.content_ids)


class _Placing:
    """Knows the pictures of a mail by all that an address may call them."""

    def __init__(self, pictures: Sequence[Part], path: str) -> None:
        self.path = path
        self.files: list[Part] = []
        self.content_ids: dict[int, str] = {}
        self._made: dict[str, str] = {}  # address → Content-ID
        self._by_id = {part.content_id: part for part in reversed(pictures) if part.content_id}
        self._by_place: dict[str, Part] = {}
        for part in reversed(pictures[:_MOST_PICTURES]):
            location = part.header("content-location").strip() if part.has("content-location") else ""
            for place in (part.name, location):
                if place:
                    self._by_place[place] = part

    def replaced(self, found: re.Match[str]) -> str:
        """Return the attribute with the address by which the picture is shown, or as it is."""
        address = found[1] if found[1] is not None else found[2] if found[2] is not None else found[3]
        content_id = self._content_id(address.strip(), found)
        return found[0] if content_id is None else f' src="cid:{content_id}"'

    def _content_id(self, address: str, found: re.Match[str]) -> str | None:
        if address[:4].lower() == "cid:":
            written = address[4:]
            decoded = unquote(written) if "%" in written and written not in self._by_id else written
            return decoded if decoded != written and decoded in self._by_id and _is_plain(decoded) else None
        if address[:5].lower() == "data:":
            if not _is_image(found):
                return None
            if address not in self._made and len(self._made) < _MOST_PICTURES:
                content_id = self._made_of(address)
                if content_id:
                    self._made[address] = content_id
            return self._made.get(address)
        part = self._by_place.get(address) or self._by_place.get(unquote(address))
        if part is None and not _SCHEME.match(address):
            part = self._by_place.get(unquote(address.rpartition("/")[2]))
        if part is None or not _is_image(found):
            return None
        own = part.content_id
        if own and _is_plain(own):
            return own
        return self.content_ids.setdefault(id(part), f"picture-{len(self.content_ids) + 1}@{self.path}.invalid")

    def _made_of(self, address: str) -> str | None:
        """Make a file of a picture that stands in the HTML; None for what is none."""
        head = _DATA.match(address)
        if head is None:
            return None
        body = address[head.end() :]
        raw = unquote_to_bytes(body)
        data = decode_base64(b"".join(raw.split())) if ";base64" in head[2].lower() else raw
        if not data:
            return None
        kind = head[1].lower()
        subtype = kind.partition("/")[2]
        number = len(self.files) + 1
        content_id = f"pasted-{number}@{self.path}.invalid"
        name = f"pasted-{number}.{_EXTENSIONS.get(subtype, subtype)}"
        self.files.append(
            file_part(data, path=f"{self.path}.data{number}", names=(name,), content_type=kind, content_id=content_id)
        )
        return content_id


def _is_image(found: re.Match[str]) -> bool:
    """Say whether the attribute stands in the tag of a picture."""
    before = found.string[max(0, found.start() - _BEFORE) : found.start()]
    opening = before.rfind("<")
    return opening >= 0 and _IMG.match(before, opening) is not None


def _is_plain(content_id: str) -> bool:
    return not re.search(r"[\s\\/\x00-\x1f\x7f\"'<>]", content_id)
