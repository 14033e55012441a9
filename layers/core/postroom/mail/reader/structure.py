"""Find the parts of a message in one pass over one buffer (RFC 2046 §5.1), without recursion."""

import re
from typing import TypeVar

from postroom.mail.reader import header_fields as header_section
from postroom.mail.reader.limits import Unreadable
from postroom.mail.reader.part import Context, Message, Part

_LEADING = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*+(?:>?From [^\n]*\n)?")
# A line that may be the delimiter of a multipart whose boundary is not declared, or declared wrongly.
_DELIMITER_GUESS = re.compile(rb"(?:\A|(?<=\n))--([^\r\n]{1,200})\r?\n(?=[Cc]ontent-[\w-]+[ \t]*:|\r?\n)")
_PART_HEADER = re.compile(rb"\n[Cc]ontent-[\w-]+[ \t]*:")
_TOO_MANY_MISSES = 5_000
_ADDRESS_HEADERS = ("from", "to", "cc", "bcc", "reply-to", "sender")
_Fields = dict[str, list[str]]
_Kind = TypeVar("_Kind", bound=Part)


def read_root(context: Context, start: int, end: int) -> Message:
    """Read the message in buffer[start:end]: its root part with all parts below; raises Unreadable."""
    if context.depth > context.limits.depth:
        raise Unreadable(f"messages nested more than {context.limits.depth} deep", "depth")
    return _Reader(context, end).read(_skip_leading(context, start, end))


def _skip_leading(context: Context, start: int, end: int) -> int:
    """Skip what stands before the first header: a byte order mark, empty lines, a remark, the From line of an mbox.

    The last is that of RFC 4155.
    """
    buffer = context.buffer
    if header_section.looks_like_field(buffer, start, end):
        return start
    match = _LEADING.match(buffer, start, end)
    after = match.end() if match else start
    if after > start and header_section.looks_like_field(buffer, after, end):
        return after
    return header_section.skip_remark(buffer, start, end)


class _Reader:
    """Hold the open multiparts while the lines that begin with `--` go by."""

    def __init__(self, context: Context, end: int) -> None:
        self.context = context
        self.buffer = context.buffer
        self.end = end
        self.open: list[tuple[Part, bytes]] = []  # multiparts, outermost first, with their boundaries
        self.children: list[list[Part]] = []  # of each open multipart
        self.levels: dict[bytes, list[int]] = {}  # boundary → places in `open`
        self.misses = 0
        self.unsplit: list[Part] = []  # multiparts without a part in them

    def read(self, start: int) -> Message:
        """Read the whole; then look again at multiparts in which no part was found."""
        root = self.context.root = self._entity(Message, start, "text/plain", "")
        self._run(root)
        while self.unsplit:
            part = self.unsplit.pop()
            boundary = _guess_boundary(self.buffer, part._body, part._end)
            if boundary is None:
                self.context.note("multipart without parts")
                continue
            self.context.note("boundary guessed")
            outer_end, self.end = self.end, part._end
            self._push(part, boundary, part.path.count(".") + 1)
            self._run(None, at=part._body)
            self.end = outer_end
        return root

    def _run(self, current: Part | None, at: int = 0) -> None:
        """Read delimiters until the end; `current` is the part whose end is sought, None between parts."""
        position = current._body if current is not None else at
        if current is not None and self._enter(current):
            current = None
        while self.open:
            found = self._next_delimiter(position)
            if found is None:
                break
            line, after, level, closes = found
            body_end = line - 1 if line > position and self.buffer[line - 1] == 10 else line
            if body_end < line and body_end > position and self.buffer[body_end - 1] == 13:
                body_end -= 1
            if current is not None and current._start == line and self.children[-1]:
                self.children[-1].pop()  # two delimiters in a row: nothing stands between them
                self.context.parts[0] -= 1
            self._close_down_to(level + 1, current, max(body_end, position))
            parent = self.open[level][0]
            if closes:
                self._close_down_to(level, None, after)
                current, position = None, after
                continue
            default = "message/rfc822" if parent.content_type == "multipart/digest" else "text/plain"
            path = (
                f"{parent.path}.{len(self.children[level]) + 1}" if parent.path else str(len(self.children[level]) + 1)
            )
            current = self._entity(Part, after, default, path)
            self.children[level].append(current)
            position = current._body
            if self._enter(current):
                current = None
        if self.open:
            self.context.note("multipart not closed")
        self._close_down_to(0, current, self.end)

    def _entity(self, kind: type[_Kind], start: int, default_type: str, path: str) -> _Kind:
        """Read the header section at `start` into a part that reaches to the end for now."""
        context = self.context
        limits = context.limits
        context.parts[0] += 1
        if context.parts[0] > limits.parts:
            raise Unreadable(f"more than {limits.parts} parts", "parts")
        fields_end, body, broken = header_section.find_end(self.buffer, start, self.end)
        if fields_end == start and path and body > start and _PART_HEADER.match(self.buffer, body - 1, self.end):
            context.note("empty line in front of the headers of a part")
            start = body
            fields_end, body, broken = header_section.find_end(self.buffer, start, self.end)
        if fields_end - start > limits.header_bytes:
            raise Unreadable(f"headers of more than {limits.header_bytes} bytes", "header_bytes")
        if broken:
            context.note("broken header line")
        if fields_end == body and body < self.end and body > start:
            context.note("no empty line behind the headers")
        fields: _Fields = {}
        pairs = header_section.fields(header_section.block_text(self.buffer, start, fields_end, broken))
        if len(pairs) > limits.headers:
            raise Unreadable(f"more than {limits.headers} headers", "headers")
        for name, value in pairs:
            key = name.lower()
            if key in fields:
                fields[key].append(value)
            else:
                fields[key] = [value]
        if fields_end - start > limits.parameters:
            self._check_counts(fields)
        part = kind(context, start, body, self.end, fields, default_type=default_type)
        part.path = path
        return part

    def _check_counts(self, fields: _Fields) -> None:
        limits = self.context.limits
        for name in ("content-type", "content-disposition"):
            if any(value.count(";") > limits.parameters for value in fields.get(name, ())):
                raise Unreadable(f"more than {limits.parameters} parameters", "parameters")
        if sum(len(value) for name in _ADDRESS_HEADERS for value in fields.get(name, ())) > limits.address_bytes:
            raise Unreadable(f"address headers of more than {limits.address_bytes} bytes", "address_bytes")
        separators = (
            value.count(",") + value.count(";") for name in _ADDRESS_HEADERS for value in fields.get(name, ())
        )
        if sum(separators) >= limits.addresses:
            raise Unreadable(f"more than {limits.addresses} addresses", "addresses")

    def _enter(self, part: Part) -> bool:
        """Open `part` if it is a multipart with a boundary, and say whether it was."""
        if not part.content_type.startswith("multipart/"):
            return False
        boundary = (part.parameters.raw("boundary") or "").encode("latin-1", "replace").rstrip(b" \t")
        if not boundary:
            self.context.note("multipart without boundary")
            self.unsplit.append(part)
            return False
        self._push(part, boundary, len(self.open) + 1)
        return True

    def _push(self, part: Part, boundary: bytes, depth: int) -> None:
        if self.context.depth + depth > self.context.limits.depth:
            raise Unreadable(f"parts nested more than {self.context.limits.depth} deep", "depth")
        self.levels.setdefault(boundary, []).append(len(self.open))
        self.open.append((part, boundary))
        self.children.append([])
        self._plan_search()

    def _plan_search(self) -> None:
        """Prepare what to look for: what all open boundaries begin with; after many misses, their alternatives."""
        if not self.open:
            return
        boundaries = [boundary for _, boundary in self.open]
        common = _common_prefix(boundaries)
        # Dashes alone would be found in every ruled line: then only those at the beginning of one are looked at.
        self.needle = b"--" + common if common.strip(b"-=") else b"\n--" + common
        self.pattern: re.Pattern[bytes] | None = None
        if self.misses > _TOO_MANY_MISSES:
            alternatives = b"|".join(re.escape(boundary) for boundary in dict.fromkeys(boundaries))
            self.pattern = re.compile(rb"\n--(?=" + alternatives + rb")")

    def _next_delimiter(self, position: int) -> tuple[int, int, int, bool] | None:
        """Find the next delimiter line of any open multipart from `position` on.

        Returns where the line begins, where the next one does, the place in `open`, and whether it closes.
        """
        buffer, end = self.buffer, self.end
        search = position
        while True:
            line = self._candidate(search)
            if line < 0:
                return None
            stop = buffer.find(b"\n", line, end)
            stop = end if stop < 0 else stop
            token = buffer[line + 2 : stop].rstrip(b" \t\r")
            whole = line == 0 or buffer[line - 1] == 10
            levels = self.levels.get(token)
            if levels and (whole or _PART_HEADER.match(buffer, stop, end)):
                return line, min(stop + 1, end), levels[-1], False
            if token.endswith(b"-"):
                levels = self._closed_by(token, whole=whole)
                if levels:
                    return line, min(stop + 1, end), levels[-1], True
            self.misses += 1
            if self.misses == _TOO_MANY_MISSES + 1:
                self._plan_search()
            search = max(stop, 1)

    def _candidate(self, search: int) -> int:
        """Return where the next dashes stand that may begin a delimiter, -1 without any.

        They begin a line (RFC 2046 §5.1.1). Senders who forget the line end in front put them behind the text; what
        tells them from text is that they close, or that a header follows.
        """
        buffer, end = self.buffer, self.end
        if self.pattern is None and self.needle[0] != 10:
            return buffer.find(self.needle, search, end)
        if search == 0 and buffer.startswith(b"--"):
            return 0
        before = max(search - 1, 0)  # the line end in front of the line may belong to the headers
        if self.pattern is None:
            return buffer.find(self.needle, before, end) + 1 or -1
        match = self.pattern.search(buffer, before, end)
        return match.start() + 1 if match else -1

    def _closed_by(self, token: bytes, *, whole: bool) -> list[int] | None:
        """Return the places of the multipart that a delimiter closes; on a line of its own, a dash may be missing."""
        for size in (2, 1) if whole else (2,):
            if token.endswith(b"-" * size):
                levels = self.levels.get(token[:-size].rstrip(b" \t")) or self.levels.get(token[:-size])
                if levels:
                    return levels
        return None

    def _close_down_to(self, level: int, current: Part | None, body_end: int) -> None:
        """End the current part and close the multiparts from `level` on."""
        if current is not None:
            current._end = max(body_end, current._body)
        if len(self.open) <= level:
            return
        while len(self.open) > level:
            part, boundary = self.open.pop()
            children = self.children.pop()
            places = self.levels[boundary]
            places.pop()
            if not places:
                del self.levels[boundary]
            part._end = max(body_end, part._body) if part._end > body_end else part._end
            part.children = tuple(children)
            if not children:
                self.unsplit.append(part)
        self._plan_search()


def _common_prefix(boundaries: list[bytes]) -> bytes:
    least, most = min(boundaries), max(boundaries)
    if least == most:
        return least
    for place, byte in enumerate(least):
        if place >= len(most) or most[place] != byte:
            return least[:place]
    return least


def _guess_boundary(buffer: bytes, start: int, end: int) -> bytes | None:
    """Return the boundary that a body seems to use: a line `--x` with a header or an empty line behind it."""
    match = _DELIMITER_GUESS.search(buffer, start, end)
    if match is None:
        return None
    boundary = match[1].rstrip(b" \t")
    # A signature's or a form's dashes are no boundary.
    return boundary if boundary.strip(b"-= ") and not boundary.endswith(b"--") else None
