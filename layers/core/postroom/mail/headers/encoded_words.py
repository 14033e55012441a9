"""Decode header values: encoded words (RFC 2047), raw 8-bit text (RFC 6532) and what senders do instead."""

import binascii
import re

from postroom.mail.encoding import GuessBudget, decode, decode_base64

# RFC 2047 §2: =?charset?encoding?text?=; spaces around the pieces are seen. The end is sought by hand, in linear time.
_START = re.compile(rb"=\?[ \t]{0,4}([^?\s]{1,80})[ \t]{0,4}\?[ \t]{0,4}([bBqQ])[ \t]{0,4}\?")
_FOLD = re.compile(rb"[ \t]{0,10}(?:\r*\n|\r+)[ \t]*")
_CONTROLS = re.compile(r"[\r\n\0]+[ \t]*")


def decode_header(value: bytes | str, *, charset: str | None = None, budget: GuessBudget | None = None) -> str:
    """Decode an unstructured header value, unfolded, in one line of text; anything gives some text.

    `charset` is what raw 8-bit text is read as when it is not UTF-8: that of the message's text, if known.
    """
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if b"\n" in raw or b"\r" in raw:
        raw = _FOLD.sub(b" ", raw)
    raw = raw.strip(b" \t\r\n\0")
    budget = budget or GuessBudget(10)
    if b"=?" not in raw:
        text = raw.decode("ascii") if raw.isascii() and b"\x1b" not in raw else decode_raw(raw, charset, budget)
    else:
        text = _decode_words(raw, charset, budget)
    if "\n" in text or "\r" in text or "\0" in text:
        text = _CONTROLS.sub(" ", text).strip()
    return text


def decode_raw(raw: bytes, charset: str | None, budget: GuessBudget) -> str:
    """Decode 8-bit text that no encoded word labels: UTF-8 (RFC 6532), else the hinted charset, else a guess."""
    try:
        return raw.decode("utf-8") if b"\x1b" not in raw else decode(raw, charset, budget=budget)
    except UnicodeDecodeError:
        return decode(raw, charset, budget=budget)


def _decode_words(raw: bytes, hint: str | None, budget: GuessBudget) -> str:
    if not raw.isascii():
        # The text between the words is decoded as a whole: one charset, one guess.
        raw = decode_raw(raw, hint, budget).encode("utf-8")
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
            _flush(out, pending, charset, budget)
            if between and not adjacent:
                out.append(between.decode("utf-8", "replace"))
        charset = word_charset
        pending.append(content)
        position = after
    _flush(out, pending, charset, budget)
    if position < size:
        out.append(raw[position:].decode("utf-8", "replace"))
    return "".join(out)


def _flush(out: list[str], pending: list[bytes], charset: str, budget: GuessBudget) -> None:
    if pending:
        out.append(decode(b"".join(pending), charset, budget=budget))
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
