"""Make parts of files found inside others (uuencoded text, winmail.dat): same shape as any attachment."""

from __future__ import annotations

from postroom.mail.reader import LIMITS, Context, Part, read_root

_MAX_NAME = 1_000


def file_part(
    data: bytes, *, path: str, names: tuple[str, ...], content_type: str, content_id: str | None = None
) -> Part:
    """Return a part that holds `data`; `path` is that of the part it was found in, with a mark and number added."""
    names = tuple("".join(char for char in name if char not in "\r\n\0")[-_MAX_NAME:] for name in names)
    fields = {"content-type": [content_type]}
    parameters = "".join(f"; filename={_quoted(name)}" for name in names)
    fields["content-disposition"] = [f"{'inline' if content_id else 'attachment'}{parameters}"]
    if content_id:
        fields["content-id"] = [_one_char_a_byte(f"<{content_id}>")]
    part = Part(Context(data, read_root, LIMITS), 0, 0, len(data), fields, default_type="application/octet-stream")
    part.path = path
    return part


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return _one_char_a_byte(f'"{escaped}"')


def _one_char_a_byte(text: str) -> str:
    """Return text as raw headers are kept: its UTF-8 bytes (RFC 6532), one character each."""
    return text.encode("utf-8", "replace").decode("latin-1")
