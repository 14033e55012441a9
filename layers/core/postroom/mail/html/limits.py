"""Hold hostile HTML to a bounded amount of work before a parser sees it.

The HTML5 algorithm is quadratic in three places: in the depth of nesting, in the number of attributes of one tag, and
in formatting elements left open, which it opens again in every later block (1,200 `<b a=1>…` and 1,200 `<p>` make 1.4
million elements). Nothing here makes HTML safe: the sanitiser does that, afterwards and alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_CHARACTERS = 1_500_000
"""Characters of HTML read, `data:` URLs not counted; real mail stays below 1 % of it."""
MAX_TAGS = 100_000
MAX_DEPTH = 400
MAX_TAG_CHARACTERS = 2_048
"""A tag longer than this keeps only the attributes that the sanitiser could allow."""
MAX_REOPENED = 2_000_000
"""Elements that formatting elements left open could grow into."""

# Below these nothing takes long (0.2 s measured at the worst), and the common mail is not scanned at all.
_SMALL_CHARACTERS = 80_000
_SMALL_TAGS = 4_000

_names = str.split
_FORMATTING = frozenset(_names("b big code em font i nobr s small strike strong tt u"))
_VOID = frozenset(
    _names("area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr")
)
# HTML §13.2.4.2: an end tag does not reach out of these.
_SCOPES = frozenset(_names("table td th caption"))
_TABLE_PARTS = frozenset(_names("td th tr tbody thead tfoot table caption colgroup"))
_ITEMS = {"li": ("li",), "dd": ("dd", "dt"), "dt": ("dd", "dt")}
_NOT_SPECIAL = frozenset(
    _names("div p span a abbr b big cite code em font i ins del label q s small strike strong sub sup tt u")
)
# Ended only by themselves, and never across one of the special elements around them.
_ORDINARY_END = _NOT_SPECIAL - _FORMATTING - {"div", "p"}

_LONG_DATA_URL = re.compile(r"(?:data|DATA):[^\s\"'<>]{512,}")
_TAG_START = re.compile(r"<[a-zA-Z]")
_MARKUP_START = re.compile(r"<[a-zA-Z/!?]")
# The look ahead passes over what can begin no tag a dozen times sooner: a mail may be two million "<".
_FORMATTING_TAG = re.compile(
    rf"<(?=[/a-z])(/?)({'|'.join(sorted(_FORMATTING, key=len, reverse=True))})(?=[\s/>])", re.IGNORECASE
)
# Elements that switch the parser to another tokenizer or to foreign content: renamed, so that one way of reading tags
# is right for the whole of a large document. The sanitiser drops the renamed ones with their content.
RENAMED_ELEMENTS = tuple(
    _names(
        "applet frameset iframe marquee math noembed noframes noscript object plaintext script select style svg "
        "template textarea title xmp"
    )
)
_RENAMED_TAG = re.compile(rf"<(?=[/a-z])(/?)({'|'.join(RENAMED_ELEMENTS)})(?=[\s/>])", re.IGNORECASE)
RENAMED_PREFIX = "x-"
# HTML §13.2.5: comments, bogus comments and tags, each alternative possessive, so that reading is linear.
_TOKEN = re.compile(
    r"""<(?:
        !--(?:-?>|(?:[^-]++|-(?!-!?>))*+(?:--!?>|\Z))
      | [!?][^>]*+>
      | (?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*+)
        (?:[\s/]++ | [^\s/>][^\s/>=]*+ (?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+|(?=>)))?+ )*+ >
    )""",
    re.VERBOSE,
)
_KEPT_ATTRIBUTE = re.compile(
    r"""\s(?P<name>href|src|alt|title|colspan|rowspan|start|dir|lang|width|height|align|valign)\s*=\s*
        (?P<value>"[^"]*"|'[^']*'|[^\s>"']+)""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Bounded:
    """HTML that a parser reads in bounded time, and what was cut for that: `size`, `tags`, `depth`, `formatting`."""

    html: str
    cuts: tuple[str, ...] = ()


def bound(html: str) -> Bounded:
    """Return `html` cut to the limits of this module; the text of what is too deep stays, only its tags go."""
    cuts: list[str] = []
    if len(html) > _SMALL_CHARACTERS and ("data:" in html or "DATA:" in html):
        html = _LONG_DATA_URL.sub("data:", html)
    if len(html) > MAX_CHARACTERS:
        html = html[:MAX_CHARACTERS]
        cuts.append("size")
    if _is_small(html):
        return Bounded(html, tuple(cuts))
    html = _drop_open_tag(_RENAMED_TAG.sub(rf"<\1{RENAMED_PREFIX}\2", html))
    distinct = {match[0] for match in _TOKEN.finditer(html) if (match["name"] or "").lower() in _FORMATTING}
    # The "Noah's Ark clause" (HTML §13.2.4.3) keeps at most three equal elements open.
    if 3 * len(distinct) * len(_TAG_START.findall(html)) > MAX_REOPENED:
        html = _FORMATTING_TAG.sub(rf"<\1{RENAMED_PREFIX}\2", html)
        cuts.append("formatting")
    html, more = _flatten(html)
    return Bounded(html, (*cuts, *more))


def _is_small(html: str) -> bool:
    if len(html) > _SMALL_CHARACTERS:
        return False
    tags = html.count("<")
    if tags * tags <= MAX_REOPENED:
        return True
    return tags <= _SMALL_TAGS and len(_FORMATTING_TAG.findall(html)) * tags <= MAX_REOPENED


def _drop_open_tag(html: str) -> str:
    """Cut a tag that never ends, as a parser does, but before it has read a million attributes."""
    unfinished = _MARKUP_START.search(html, html.rfind(">") + 1)
    return html[: unfinished.start()] if unfinished else html


def _flatten(html: str) -> tuple[str, list[str]]:
    nesting = _Nesting()
    pieces: list[str] = []
    cuts: list[str] = []
    skipped: dict[str, int] = {}
    copied = 0
    # Ending at the last ">" makes every token end, so that none is tried twice.
    end_of_tags = html.rfind(">") + 1
    for number, match in enumerate(_TOKEN.finditer(html, 0, end_of_tags)):
        if number >= MAX_TAGS:
            cuts.append("tags")
            html = html[: match.start()]
            break
        name = match["name"]
        if name is None:
            continue
        name = name.lower()
        if match["end"]:
            if skipped.get(name):
                skipped[name] -= 1
                pieces.append(html[copied : match.start()])
                copied = match.end()
            else:
                nesting.close(name)
        elif name not in _VOID and not nesting.open(name):
            skipped[name] = skipped.get(name, 0) + 1
            pieces.append(html[copied : match.start()])
            copied = match.end()
        elif match.end() - match.start() > MAX_TAG_CHARACTERS:
            pieces += (html[copied : match.start()], _slim(name, match[0]))
            copied = match.end()
    if skipped:
        cuts.append("depth")
    pieces.append(html[copied:])
    return "".join(pieces), cuts


def _slim(name: str, tag: str) -> str:
    kept = {match["name"].lower(): match["value"] for match in _KEPT_ATTRIBUTE.finditer(tag)}
    return f"<{name}{''.join(f' {key}={value}' for key, value in kept.items())}>"


@dataclass(slots=True)
class _Scope:
    """The elements open inside one table, cell or caption (or the page), which is the first of `names`."""

    names: list[str]
    counts: dict[str, int] = field(default_factory=dict)

    def push(self, name: str) -> None:
        self.names.append(name)
        self.counts[name] = self.counts.get(name, 0) + 1

    def pop(self) -> str:
        name = self.names.pop()
        self.counts[name] -= 1
        return name

    def has(self, name: str) -> bool:
        return self.counts.get(name, 0) > 0


class _Nesting:
    """An upper bound of how deep a parser is at each tag (HTML §13.2.6): in doubt an element counts as still open."""

    def __init__(self) -> None:
        self._scopes = [_Scope(["html"])]
        self._depth = 0

    def open(self, name: str) -> bool:
        """Open an element; false when that would be too deep."""
        if name == "p":
            self._pop_to("p")
        elif name in _ITEMS:
            self._close_item(_ITEMS[name])
        elif name in _TABLE_PARTS and name != "table":
            self._open_part(name)
        if self._depth >= MAX_DEPTH:
            return False
        self._depth += 1
        if name in _SCOPES:
            self._scopes.append(_Scope([name]))
        else:
            self._scopes[-1].push(name)
        return True

    def close(self, name: str) -> None:
        """Close an element as far as a parser surely would."""
        scope = self._scopes[-1]
        if name in _SCOPES:
            if any(other.names[0] == name for other in self._scopes[1:]):
                while self._close_scope() != name:
                    pass
        elif name in _TABLE_PARTS:
            self._leave_cells(name)
        elif name in _FORMATTING or name == "a":
            if scope.has(name):  # the adoption agency takes the element out and leaves what is inside it open
                scope.names.reverse()
                scope.names.remove(name)
                scope.names.reverse()
                scope.counts[name] -= 1
                self._depth -= 1
        elif name in _ORDINARY_END or "-" in name or ":" in name:
            if len(scope.names) > 1 and scope.names[-1] == name:
                scope.pop()
                self._depth -= 1
        else:
            self._pop_to(name)

    def _pop_to(self, name: str) -> None:
        scope = self._scopes[-1]
        if scope.has(name):
            self._depth -= 1
            while scope.pop() != name:
                self._depth -= 1

    def _close_item(self, names: tuple[str, ...]) -> None:
        scope = self._scopes[-1]
        for open_name in reversed(scope.names[-6:]):
            if open_name in names:
                self._pop_to(open_name)
                return
            if open_name not in _NOT_SPECIAL:
                return

    def _close_scope(self) -> str:
        scope = self._scopes.pop()
        self._depth -= len(scope.names)
        return scope.names[0]

    def _open_part(self, name: str) -> None:
        self._leave_cells(name if name == "tr" else "")

    def _leave_cells(self, name: str) -> None:
        """End the cell that is open in the nearest table, then the row or section `name` if that is open."""
        if not any(scope.names[0] == "table" for scope in self._scopes[-3:]):
            return
        while self._scopes[-1].names[0] != "table":
            self._close_scope()
        if name:
            self._pop_to(name)
