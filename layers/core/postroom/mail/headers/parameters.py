"""Read `value; name=value` headers: Content-Type, Content-Disposition (RFC 2045 §5.1, RFC 2183, RFC 2231)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from postroom.mail.encoding import decode, iso2022jp

_SIMPLE = re.compile(r"[^\"()\\]*\Z")
_UNQUOTE = re.compile(r"\\([\"\\])")
_EXTENDED = re.compile(r"([^*]+)\*(\d{1,6})?(\*)?\Z")
_FOLD = re.compile(r"\r++(?:\n[ \t]*+)?|\n[ \t]*+")  # a run of CR is read once: it may end in no LF
_NAME = re.compile(r"([^=;\"\s(]*+)[ \t]*+(=?)[ \t]*+", re.ASCII)
_SEPARATORS = re.compile(r"[\s;]*+", re.ASCII)
# Where a semicolon was left out: only these names are believed to begin a parameter behind a space.
_NEXT_PARAMETER = re.compile(
    r"\s(?:charset|name|filename|boundary|format|type|delsp|reply-type|size)(?:\*\d*)?\*?\s*=",
    re.IGNORECASE | re.ASCII,
)
_PARENTHESIS = re.compile(r"[()]")
_MAX_COMMENT = 10_000
_MAX_COMMENTS = 100


@dataclass(frozen=True, slots=True)
class Parameters:
    """Hold the value of a parameterised header and its parameters as written (one character a byte)."""

    value: str  # lower case, without comments
    pairs: tuple[tuple[str, str], ...]  # names in lower case, RFC 2231 marks included

    def raw(self, name: str) -> str | None:
        """Return the first plain parameter as written; without one, the bytes of the RFC 2231 form."""
        for key, value in self.pairs:
            if key == name:
                return value
        extended = self._extended(name)
        return extended[0].decode("latin-1") if extended else None

    def get(self, name: str) -> str | None:
        """Return a parameter as text; the RFC 2231 form comes before the plain one (RFC 6266 §4.3 says why)."""
        if len(self.pairs) == 1 and self.pairs[0][0] == name:
            return _text(self.pairs[0][1])
        extended = self._extended(name)
        if extended:
            return decode(*extended)
        for key, value in self.pairs:
            if key == name:
                return _text(value)
        return None

    def all(self, name: str, *, charset: str | None = None) -> tuple[str, ...]:
        """Return every form of a parameter: the RFC 2231 one, then each plain one, as any client might choose.

        `charset` is what raw 8-bit text is read as when it is not UTF-8: that of the message's text, if known.
        """
        found: list[str] = []
        for last_wins in (False, True):
            extended = self._extended(name, last_wins=last_wins)
            if extended:
                found.append(decode(*extended))
        for key, value in self.pairs:
            if key == name:
                found.append(_text(value, charset))
        return tuple(dict.fromkeys(found))

    def _extended(self, name: str, *, last_wins: bool = False) -> tuple[bytes, str | None] | None:
        """Join the pieces of `name*`, `name*0`, `name*0*` (RFC 2231 §3, §4) to bytes and their charset.

        Of two pieces with one number the first counts, or the last: clients differ.
        """
        pieces: dict[int, tuple[str, bool]] = {}
        for key, value in self.pairs:
            if "*" not in key or not key.startswith(name):
                continue
            match = _EXTENDED.match(key)
            if match is None or match[1] != name:
                continue
            number = int(match[2]) if match[2] else 0
            if last_wins or number not in pieces:
                pieces[number] = (value, bool(match[3]) or match[2] is None)
        if not pieces:
            return None
        charset: str | None = None
        out: list[bytes] = []
        for position, number in enumerate(sorted(pieces)):
            value, encoded = pieces[number]
            if position == 0 and encoded and value.count("'") >= 2:
                charset, _language, value = value.split("'", 2)
            data = value.encode("latin-1", "replace")
            # Real senders leave the mark off pieces that are encoded all the same, when the first one is.
            out.append(unquote_to_bytes(data) if encoded or (charset and b"%" in data) else data)
        return b"".join(out), charset


def _text(value: str, charset: str | None = None) -> str:
    if value.isascii():
        return value
    data = value.encode("latin-1", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return decode(data, charset)


def parse(value: str) -> Parameters:
    """Parse a header value, leniently: comments go, missing quotes, semicolons and `=` are supplied."""
    if len(value) <= 200:
        return _parse_cached(value)
    return _parse(value)


@lru_cache(maxsize=1024)
def _parse_cached(value: str) -> Parameters:
    return _parse(value)


def _parse(value: str) -> Parameters:
    if "\n" in value or "\r" in value:
        value = _FOLD.sub(" ", value)
    if "\x1b" in value:
        # Raw ISO-2022-JP has quotes and semicolons in its characters: as UTF-8, it has none.
        japanese = iso2022jp.decode(value.encode("latin-1", "replace"))
        value = value if japanese is None else japanese.encode().decode("latin-1")
    if value.count("(") > _MAX_COMMENTS:
        value = value.replace("(", " ")
    if _SIMPLE.match(value) and not _NEXT_PARAMETER.search(value):
        main, *pieces = value.split(";")
        return Parameters(value=_main(main), pairs=tuple(_pair(piece) for piece in pieces if piece.strip()))
    return _parse_slowly(value)


def _main(text: str) -> str:
    return text.strip(" \t\"'").lower()


def _pair(piece: str) -> tuple[str, str]:
    name, _, value = piece.partition("=")
    return name.strip(" \t").lower(), value.strip(" \t")


def _parse_slowly(value: str) -> Parameters:
    """Scan what has quotes, comments or missing semicolons; each step moves on, so that time is linear."""
    main, position = _main_value(value)
    pairs: list[tuple[str, str]] = []
    size = len(value)
    while True:
        position = _skip(value, position)
        if position >= size:
            return Parameters(value=main, pairs=tuple(pairs))
        match = _NAME.match(value, position)
        if match is None or match.end() == position:
            position += 1  # a stray quote or parenthesis
            continue
        position = match.end()
        name = match[1].lower()
        if not match[2]:
            pairs.append((name, ""))
            continue
        position = _skip_comments(value, position)
        if value.startswith('"', position):
            text, position = _quoted(value, position + 1)
            pairs.append((name, text))
            if position < size and value[position] not in " \t;":
                # `name="a.pdf".exe`: some clients stop at the quote, some do not.
                end = value.find(";", position)
                pairs.append((name, text + value[position : end if end >= 0 else size].strip(' \t"')[:1_000]))
        else:
            text, position = _unquoted(value, position)
            pairs.append((name, text))


def _main_value(value: str) -> tuple[str, int]:
    """Return the text before the first parameter, without comments and quotes, and where the parameters begin."""
    end = value.find(";")
    end = len(value) if end < 0 else end
    missing = _NEXT_PARAMETER.search(value, 0, end)
    if missing:
        end = missing.start()
    comment = value.find("(", 0, end)
    if comment < 0:
        return _main(value[:end]), end
    after = _comment_end(value, comment + 1)
    if after < 0:
        return _main(value[:comment]), end
    if after <= end:
        return _main(value[:comment] + value[after:end]), end
    end = value.find(";", after)  # the semicolon was in the comment
    end = len(value) if end < 0 else end
    return _main(value[:comment] + value[after:end]), end


def _skip(value: str, position: int) -> int:
    match = _SEPARATORS.match(value, position)
    return _skip_comments(value, match.end() if match else position)


def _skip_comments(value: str, position: int) -> int:
    """Skip comments and white space in front of a name or value; a parenthesis that never closes stays."""
    while value.startswith("(", position):
        after = _comment_end(value, position + 1)
        if after < 0:
            break
        match = _SEPARATORS.match(value, after)
        position = match.end() if match else after
    return position


def _unquoted(value: str, position: int) -> tuple[str, int]:
    """Return what stands there up to the next semicolon: file names with spaces and parentheses are seen unquoted."""
    end = value.find(";", position)
    end = len(value) if end < 0 else end
    missing = _NEXT_PARAMETER.search(value, position, end)
    if missing:
        end = missing.start()
    text = value[position:end].strip(" \t")
    if text.endswith(")") and text.rfind(" (") > 0:
        text = text[: text.rfind(" (")].rstrip(" \t")  # `charset=us-ascii (Plain text)`
    return text, end


def _quoted(value: str, position: int) -> tuple[str, int]:
    """Return the text of the quoted string that begins before `position`, and where it ends."""
    start = position
    while True:
        end = value.find('"', position)
        if end < 0:
            # Never closed: it ends with its parameter.
            end = value.find(";", start)
            end = len(value) if end < 0 else end
            return value[start:end].rstrip(" \t"), end
        backslashes = 0
        while end - 1 - backslashes >= start and value[end - 1 - backslashes] == "\\":
            backslashes += 1
        if backslashes % 2 == 0:
            text = value[start:end]
            # Only quotes and backslashes are unescaped: senders write Windows paths (`"C:\temp\a.txt"`).
            return (_UNQUOTE.sub(r"\1", text) if "\\" in text else text), end + 1
        position = end + 1


def _comment_end(value: str, position: int) -> int:
    """Return where the comment that begins before `position` ends; -1 when it does not."""
    depth = 1
    for match in _PARENTHESIS.finditer(value, position, position + _MAX_COMMENT):
        depth += 1 if match[0] == "(" else -1
        if depth == 0:
            return match.end()
    return -1
