"""Turn sanitised HTML into plain text that people read and that `quoting` understands."""

from __future__ import annotations

import re
from typing import Any

# The sanitiser writes one canonical form (every tag complete, "<" and ">" escaped in text and in attributes), so
# reading it needs no second parse.
_TAG = re.compile(r"<(/?[a-z0-9]+)([^>]*)>")
_ALT = re.compile(r'\salt="([^"]*+)"')
_START = re.compile(r'\sstart="([0-9]+)"')
_PREFORMATTED = re.compile(r"(<pre(?: [^>]*)?>.*?</pre>)", re.DOTALL)
# What changes only the look of words, or stands beside what says the same.
# Grouped by first letters: at each "<" a dozen are compared, not thirty.
_INLINE_TAG = re.compile(
    r"<(?:/tr|/?(?:s(?:pan|trong|mall|u[bp]|amp|trike)?|b(?:ig|d[io])?|i(?:ns)?|u|t(?:body|head|foot|ime|t)|font|em|"
    r"c(?:ite|ode|ol(?:group)?)|abbr|d(?:el|fn)|kbd|mark|q|r(?:[pt]|uby)|var|wbr)(?: [^>]*)?)>"
)
_SCHEME = re.compile(r"(?:https?://(?:www\.)?|mailto:|tel:)", re.IGNORECASE)

# Blank lines asked for around each block element: 1 is a line break, 2 is one empty line.
_names = str.split
_BLOCKS = dict.fromkeys(
    _names("address article aside center dd div dl dt figcaption figure footer header main nav section"), 1
)
_BLOCKS |= dict.fromkeys(_names("caption tr"), 1)
_BLOCKS |= dict.fromkeys(_names("p h1 h2 h3 h4 h5 h6"), 2)
_BLOCKS |= {f"/{name}": gap for name, gap in _BLOCKS.items()}
_MAX_GAP = 3
_LINES_TO_AN_EMPTY_ONE = 6
_RULE = "_" * 32


def to_text(sanitised_html: str) -> str:
    """Return the text of HTML that `html.sanitise` made.

    Paragraphs, lists and table rows keep their lines, a link keeps its target when the text does not say it, and
    `<blockquote>` becomes `> ` as in the text of a mail.
    """
    html = _collapse(_INLINE_TAG.sub("", sanitised_html))
    # Outlook makes every line a paragraph, and an empty line one with a no-break space.
    empty = html.count(">&nbsp;</p>")
    actions = _LINE_ACTIONS if empty and empty * _LINES_TO_AN_EMPTY_ONE >= html.count("</p>") else _ACTIONS
    # No-break spaces are still entities while the others are collapsed.
    parts = _TAG.split(html.replace("&nbsp;", "\u00a0"))
    writer = _Writer()
    write, block, action_of = writer.text, writer.block, actions.get
    if parts[0].strip():
        write(parts[0])
    # One slice each, so that the loop, which is what takes the time, indexes nothing.
    for tag, attributes, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        action = action_of(tag)
        if action.__class__ is int:
            if writer.prefix or writer.fresh_cell:
                block(action)
            elif action > writer.gap:  # what `block` does outside quotes, lists and cells
                writer.gap = action
                writer.gap_prefix = ""
            else:
                writer.gap_prefix = ""
            # Where a block begins or ends, no space counts but that of `<pre>`.
            if text and (text != " " or writer.preformatted):
                write(text)
            continue
        if action is not None:
            action(writer, attributes)
        if text and (text != " " or writer.in_words()):
            write(text)
    return writer.result()


def _collapse(html: str) -> str:
    """Make each run of white space one space, except in `<pre>`; several times as fast as a pattern."""
    if "<pre" not in html:
        return " ".join(html.split())
    pieces = _PREFORMATTED.split(html)
    pieces[::2] = [" ".join(piece.split()) for piece in pieces[::2]]
    return "".join(pieces)


class _Writer:
    """Lines being written: the open line, the empty lines asked for, and the prefix of each open quote and list."""

    __slots__ = (
        "_cells",
        "_line",
        "_lines",
        "_links",
        "_lists",
        "_marker",
        "_prefixes",
        "_separate",
        "fresh_cell",
        "gap",
        "gap_prefix",
        "prefix",
        "preformatted",
    )

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self.gap = 0
        self._prefixes: list[str] = []
        self.prefix = ""
        self.gap_prefix: str | None = None
        self._marker: str | None = None
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int, int]] = []
        self.preformatted = 0
        self._cells: list[int] = []
        self._separate = False
        self.fresh_cell = False

    def in_words(self) -> bool:
        """Say whether a space counts here: it does not between blocks, where most of them stand."""
        return bool(self.preformatted or (self._line and not self.gap))

    def text(self, text: str) -> None:
        """Write a run of text, its white space collapsed outside `<pre>`."""
        if self.preformatted:
            self._write_preformatted(text)
            return
        line = self._line
        if self.gap:
            self._flush()
            line = self._line
        if not line:
            text = text.lstrip(" ")
        elif self._separate:
            line.append(" | ")
            text = text.lstrip(" ")
        elif text[0] == " " and line[-1][-1:] == " ":
            text = text[1:]
        self._separate = self.fresh_cell = False
        line.append(text)

    def _write_preformatted(self, text: str) -> None:
        first, *rest = text.replace("\r\n", "\n").split("\n")
        if self.gap:
            self._flush()
        self._line.append(first)
        if not rest:
            return
        self._end_line()
        *whole, last = rest
        ended = [line.rstrip(" \u00a0") for line in whole]
        prefix, bare = self.prefix, self.prefix.rstrip()
        self._lines += [prefix + line if line else bare for line in ended] if prefix else ended
        self._line.append(last)

    def block(self, gap: int) -> None:
        """Ask for a line break (1) or an empty line (2) before the next text."""
        if self.fresh_cell:
            return
        if gap > self.gap:
            self.gap = gap
        if self.prefix and (self.gap_prefix is None or len(self.prefix) < len(self.gap_prefix)):
            self.gap_prefix = self.prefix
        elif not self.prefix:
            self.gap_prefix = ""

    def line_break(self, _attributes: str) -> None:
        """Break the line, or add an empty one where there is none yet."""
        self.fresh_cell = False
        if self.preformatted:
            self._end_line()
        elif self._line and not self.gap:
            self.block(1)
        else:
            self.block(min(self.gap + 1, _MAX_GAP))

    def rule(self, _attributes: str) -> None:
        """Write a horizontal rule as a line of its own, as mail clients do."""
        self.block(1)
        self.text(_RULE)
        self.block(1)

    def image(self, attributes: str) -> None:
        """Write the alternative text of an image."""
        alternative = _ALT.search(attributes)
        words = alternative[1].strip() if alternative else ""
        if words:
            self.text(f"[{words}]")

    def open_link(self, attributes: str) -> None:
        """Remember where the text of a link begins."""
        start = attributes.find('href="')
        target = attributes[start + 6 : attributes.find('"', start + 6)] if start >= 0 else ""
        self._links.append((target, len(self._lines), len(self._line)))

    def close_link(self, _attributes: str) -> None:
        """Add the target of a link unless its text says the same."""
        if not self._links:
            return
        target, lines, start = self._links.pop()
        if not target:
            return
        label = "".join(self._line[start:] if lines == len(self._lines) else self._line).strip()
        # Words have spaces and no full stop, so most links need no comparing.
        words = " " in label or not ("." in label or "@" in label or label[-1:].isdigit())
        if words or _bare(label) != _bare(target):
            self.text(f" &lt;{target.removeprefix('mailto:')}&gt;" if label else f"&lt;{target}&gt;")

    def open_quote(self, _attributes: str) -> None:
        """Prefix what follows with `> `."""
        self._open_prefix("&gt; ")

    def _open_prefix(self, prefix: str) -> None:
        self.block(2)
        self._flush()
        self._prefixes.append(prefix)
        self.prefix += prefix

    def close_prefix(self, _attributes: str) -> None:
        """End a quote."""
        self._pop_prefix()
        self.block(2)

    def _pop_prefix(self) -> None:
        if self._line:
            self._end_line()
            self.gap = max(self.gap, 1)
            self.gap_prefix = self.prefix
        if self._prefixes:
            prefix = self._prefixes.pop()
            self.prefix = self.prefix[: len(self.prefix) - len(prefix)]

    def open_list(self, _attributes: str) -> None:
        """Begin a list; inside another its items stand further in, without an empty line."""
        self.block(1 if self._lists else 2)
        self._lists.append(None)

    def open_numbered_list(self, attributes: str) -> None:
        """Begin a list whose items are counted."""
        self.block(1 if self._lists else 2)
        start = _START.search(attributes)
        self._lists.append(int(start[1]) if start else 1)

    def close_list(self, _attributes: str) -> None:
        """End a list."""
        if self._lists:
            self._lists.pop()
        self.block(1 if self._lists else 2)

    def open_item(self, _attributes: str) -> None:
        """Begin an item with its bullet or number."""
        self.block(1)
        self._flush()
        number = self._lists[-1] if self._lists else None
        if number is None:
            marker = "- "
        else:
            marker = f"{number}. "
            self._lists[-1] = number + 1
        self._marker = self.prefix + marker
        self._prefixes.append(" " * len(marker))
        self.prefix += " " * len(marker)
        self.fresh_cell = True  # a paragraph that begins the item stays beside its bullet

    def close_item(self, _attributes: str) -> None:
        """End an item."""
        self.fresh_cell = False
        self._pop_prefix()
        self._marker = None
        self.block(1)

    def open_table(self, _attributes: str) -> None:
        """Begin a table; one inside a cell is layout and asks for no empty line."""
        self.block(1 if self._cells else 2)

    def close_table(self, _attributes: str) -> None:
        """End a table."""
        self.block(1 if self._cells else 2)

    def open_cell(self, _attributes: str) -> None:
        """Begin a cell: blocks at its start do not break the row."""
        self._cells.append(len(self._lines))
        self.fresh_cell = True

    def close_cell(self, _attributes: str) -> None:
        """End a cell: one of a single line is followed by the next in the same line."""
        lines = self._cells.pop() if self._cells else 0
        if self.fresh_cell and self.gap:  # an empty cell at the start of its row
            self.fresh_cell = False
            return
        self.fresh_cell = False
        # The line of the row itself may have been started by an earlier cell, or ended by this one's first text.
        if self._line and len(self._lines) - lines <= 1:
            self.gap = 0
            self.gap_prefix = None
            self._separate = True
        else:
            self.block(1)

    def open_preformatted(self, _attributes: str) -> None:
        """Keep spaces and line ends as they are."""
        self.block(2)
        self.preformatted += 1

    def close_preformatted(self, _attributes: str) -> None:
        """Collapse white space again."""
        self.preformatted = max(0, self.preformatted - 1)
        if not "".join(self._line):
            self._line = []
        self.block(2)

    def _flush(self) -> None:
        """End the line if there is one, then write the empty lines that were asked for."""
        if self._line:
            self._end_line()
        if self._lines and self.gap > 1:
            empty = (self.prefix if self.gap_prefix is None else self.gap_prefix).rstrip()
            self._lines.extend([empty] * (self.gap - 1))
        self.gap = 0
        self.gap_prefix = None
        self._separate = False

    def _end_line(self) -> None:
        line = "".join(self._line).rstrip(" \u00a0")
        self._line = []
        prefix = self.prefix
        if not prefix and self._marker is None:
            self._lines.append(line)
            return
        if self._marker is not None:
            prefix, self._marker = self._marker, None
        self._lines.append(prefix + line if line else prefix.rstrip())

    def result(self) -> str:
        """Return all lines as text, entities resolved."""
        if self._line:
            self._end_line()
        text = "\n".join(self._lines).replace("\u00a0", " ")
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
        return text.strip("\n") + "\n" if text.strip() else ""


def _bare(address: str) -> str:
    """Reduce a link's text or target to what both say."""
    bare = _SCHEME.sub("", address.strip().strip("<>").replace("&lt;", "").replace("&gt;", ""), count=1)
    return bare.partition("?")[0].rstrip("/").lower() if "@" in bare else bare.rstrip("/").lower()


_ACTIONS: dict[str, Any] = _BLOCKS | {
    "br": _Writer.line_break,
    "hr": _Writer.rule,
    "img": _Writer.image,
    "a": _Writer.open_link,
    "/a": _Writer.close_link,
    "blockquote": _Writer.open_quote,
    "/blockquote": _Writer.close_prefix,
    "ul": _Writer.open_list,
    "ol": _Writer.open_numbered_list,
    "/ul": _Writer.close_list,
    "/ol": _Writer.close_list,
    "li": _Writer.open_item,
    "/li": _Writer.close_item,
    "td": _Writer.open_cell,
    "th": _Writer.open_cell,
    "/td": _Writer.close_cell,
    "/th": _Writer.close_cell,
    "table": _Writer.open_table,
    "/table": _Writer.close_table,
    "pre": _Writer.open_preformatted,
    "/pre": _Writer.close_preformatted,
}
_LINE_ACTIONS = _ACTIONS | {"p": 1, "/p": 1}
