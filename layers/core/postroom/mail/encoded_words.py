"""Decode header values: encoded words (RFC 2047), raw 8-bit text (RFC 6532) and what senders do instead."""

import binascii
import re

from postroom.mail.charset import decode
from postroom.mail.transfer import decode_base64

# RFC 2047 §2: =?charset?encoding?text?=; spaces around the pieces are seen. The end is sought by hand, in linear time.
_START = re.compile(rb"=\?[ \t]{0,4}([^?\s]{1,80})[ \t]{0,4}\?[ \t]{0,4}([bBqQ])[ \t]{0,4}\?")
_FOLD = re.compile(rb"\r*\n[ \t]*|\r+[ \t]*")
_BASE64_TEXT = re.compile(rb"[A-Za-z0-9+/=_-]*\?")
_CONTROLS = re.compile(r"[\r\n\0]+[ \t]*")


def unfold(value: str) -> str:
    """Join folded lines (RFC 5322 §2.2.3): a line end and the white space after it become one space."""
    if "\n" in value or "\r" in value:
        value = _FOLD_TEXT.sub(" ", value)
    return value.strip(" \t\r\n\0")


_FOLD_TEXT = re.compile(r"[ \t]*(?:\r*\n|\r+)[ \t]*")


def decode_header(value: bytes | str) -> str:
    """Decode an unstructured header value, unfolded, in one line of text; anything gives some text."""
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if b"\n" in raw or b"\r" in raw:
        raw = _FOLD.sub(b" ", raw)
    raw = raw.strip(b" \t\r\n\0")
    if b"=?" not in raw:
        text = raw.decode("ascii") if raw.isascii() and b"\x1b" not in raw else decode(raw, None)
    else:
        text = _decode_words(raw)
    if "\n" in text or "\r" in text or "\0" in text:
        text = _CONTROLS.sub(" ", text).strip()
    return text


def _decode_words(raw: bytes) -> str:
    out: list[str] = []
    charset = ""  # of the words collected in `pending`
    pending: list[bytes] = []
    position = 0
    end_missing = False
    size = len(raw)
    while position < size:
        match = _START.search(raw, position)
        if match is None:
            break
        between = raw[position : match.start()]
        end = -1 if end_missing else raw.find(b"?=", match.end())
        if end < 0:
            end_missing = True
            end, after = _unterminated(raw, match.end())
        else:
            after = end + 2
        word_charset = match[1].decode("ascii", "replace").partition("*")[0].lower()
        content = _word_bytes(match[2], raw[match.end() : end])
        # RFC 2047 §6.2: white space between two encoded words is not shown.
        adjacent = bool(pending) and not between.strip()
        if not (adjacent and word_charset == charset):
            # A character split over two words of one charset is joined first; other charsets start anew.
            _flush(out, pending, charset)
            if between and not adjacent:
                out.append(decode(between, None))
        charset = word_charset
        pending.append(content)
        position = after
    _flush(out, pending, charset)
    if position < size:
        out.append(decode(raw[position:], None))
    return "".join(out)


def _flush(out: list[str], pending: list[bytes], charset: str) -> None:
    if pending:
        out.append(decode(b"".join(pending), charset))
        pending.clear()


def _unterminated(raw: bytes, start: int) -> tuple[int, int]:
    """Find the end of a word whose `?=` was cut off: the next white space or encoded word, or the end."""
    stop = raw.find(b"=?", start)
    stop = len(raw) if stop < 0 else stop
    text = raw[start:stop]
    if text.endswith(b"?"):
        return stop - 1, stop
    return stop, stop


def _word_bytes(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"bB":
        return decode_base64(text)
    # RFC 2047 §4.2: `_` is a space; a raw space is one too.
    return binascii.a2b_qp(text.replace(b"\n", b" "), header=True)
