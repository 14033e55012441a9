"""Read YAML with positions and without its traps, as a tree of plain values.

YAML 1.1 would make `no` a boolean, `00:00:30` the number 30 and `0123` the number 83; here every plain scalar stays the
text that was written, and the option's type decides what it means. Duplicate keys, tabs, tags and alias bombs are
problems with a line, not surprises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from postroom.errors import Problem

LARGEST_FILE = 20_000_000  # bytes; 10,000 mailboxes are about 5 MB
DEEPEST = 30
MOST_VALUES = 2_000_000  # after aliases are expanded: nine levels of nine aliases would be 387 million

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class LocatedProblem(Problem):
    """A problem with the line of the file that it is on (from 1)."""

    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return where + Problem.__str__(self)


@dataclass(slots=True)
class Node:
    """One value: `text` of a scalar (None for null), `items` of a list or `entries` of a mapping; its line from 1."""

    line: int
    text: str | None = None
    items: list[Node] | None = None
    entries: dict[str, Node] | None = None
    key_lines: dict[str, int] = field(default_factory=dict)
    size: int = 1  # values in it, aliases expanded

    def plain(self) -> Any:
        """Return text, None, lists and dicts; keys that were given no value are left out."""
        if self.items is not None:
            return [item.plain() for item in self.items]
        if self.entries is not None:
            return {key: value.plain() for key, value in self.entries.items() if not value.empty}
        return self.text

    @property
    def mapping(self) -> dict[str, Node]:
        """Return the entries of a node that is a mapping."""
        if self.entries is None:
            raise TypeError("a list or scalar has no entries")
        return self.entries

    @property
    def empty(self) -> bool:
        """Tell whether it is null."""
        return self.text is None and self.items is None and self.entries is None


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read."""

    node: Node
    anchor: str | None
    path: str
    key: str | None = None
    key_line: int = 0


class _Stop(Exception):
    """Reading cannot go on; the problem is in the list already."""


def read_tree(text: str) -> tuple[Node, list[Problem]]:
    """Read a document; the tree holds what could be read, the list says everything that is wrong with the rest."""
    problems: list[Problem] = []
    if len(text) > LARGEST_FILE:
        return Node(1, entries={}), [
            Problem("(file)", f"is larger than {LARGEST_FILE // 1_000_000} MB.", "Split the configuration.")
        ]
    builder = _Builder(problems)
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        problems.append(_syntax_problem(error, text))
    except yaml.YAMLError as error:
        problems.append(Problem("(file)", f"is no YAML text: {error}.", "Save the file as UTF-8 text."))
    except _Stop:
        pass
    return builder.root or Node(1, entries={}), problems


def _events(text: str) -> Iterator[Any]:
    yield from yaml.parse(text, Loader=_LOADER)


class _Builder:
    """Builds the tree from parser events, without recursion."""

    def __init__(self, problems: list[Problem]) -> None:
        self.root: Node | None = None
        self._problems = problems
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._total = 0

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._start(event, line)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            done = self._open.pop()
            self._add(done.node, done.anchor)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor, line)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            self._stop("(file)", "holds more than one document.", "Keep one, without a second `---`.", line)

    def _start(self, event: Any, line: int) -> None:
        if len(self._open) >= DEEPEST:
            self._stop(self._path(), f"is nested deeper than {DEEPEST} levels.", "Write it flat.", line)
        self._tag(event, line)
        if self._open and self._wants_key():
            self._stop(self._path(), "has a list or mapping as a key.", "Keys are option names.", line)
        node = Node(line, entries={}) if isinstance(event, yaml.MappingStartEvent) else Node(line, items=[])
        self._open.append(_Open(node, event.anchor, self._path()))

    def _scalar(self, event: Any, line: int) -> None:
        if self._open and self._wants_key():
            self._key(event.value, line)
            return
        self._tag(event, line)
        plain = not event.style  # None from the one parser, "" from the other
        self._add(Node(line, text=None if plain and event.value in _NULLS else event.value), event.anchor)

    def _key(self, key: str, line: int) -> None:
        top = self._open[-1]
        top.key, top.key_line = key, line
        if key in top.node.key_lines:
            self._problems.append(
                LocatedProblem(
                    self._path(),
                    f"is given twice, first in line {top.node.key_lines[key]}.",
                    "Keep one of the two.",
                    line,
                )
            )

    def _alias(self, anchor: str | None, line: int) -> None:
        target = self._anchors.get(anchor or "")
        if target is None:
            self._stop(
                self._path(),
                "refers (`*`) to what is not finished or not there.",
                "Write it out, or quote the text.",
                line,
            )
        else:
            self._add(target, None)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        top = self._open[-1]
        top.node.size += node.size
        if top.node.size > MOST_VALUES:
            self._stop("(file)", f"expands to more than {MOST_VALUES:,} values.", "Write less with aliases.", node.line)
        if top.node.items is not None:
            top.node.items.append(node)
            return
        key, top.key = str(top.key), None
        if key == "<<":
            self._merge(top, node)
        elif key not in top.node.key_lines:
            top.node.mapping[key] = node
            top.node.key_lines[key] = top.key_line

    def _merge(self, top: _Open, node: Node) -> None:
        # `<<: *defaults`: what is written in the mapping itself wins, before and after.
        for source in node.items if node.items is not None else [node]:
            if source.entries is None:
                self._problems.append(
                    LocatedProblem(top.path, "merges something that is no mapping.", "Merge mappings only.", node.line)
                )
                continue
            for key, value in source.entries.items():
                top.node.mapping.setdefault(key, value)

    def _tag(self, event: Any, line: int) -> None:
        if event.tag and event.tag not in ("!", "tag:yaml.org,2002:str"):
            self._problems.append(
                LocatedProblem(
                    self._path(), "has a tag (`!`).", "Tags are not used here; leave it out, or quote the text.", line
                )
            )

    def _wants_key(self) -> bool:
        top = self._open[-1]
        return top.node.entries is not None and top.key is None

    def _path(self) -> str:
        if not self._open:
            return "(file)" if self.root is not None else ""
        top = self._open[-1]
        if top.node.items is not None:
            return f"{top.path}[{len(top.node.items)}]"
        return f"{top.path}.{top.key}" if top.path else str(top.key)

    def _stop(self, path: str, problem: str, remedy: str, line: int) -> None:
        self._problems.append(LocatedProblem(path or "(file)", problem, remedy, line))
        raise _Stop


def _syntax_problem(error: yaml.MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else None
    column = f"column {mark.column + 1}" if mark else ""
    written = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else ""
    if "\t" in written[: len(written) - len(written.lstrip())] or "\\t" in str(error.problem):
        return LocatedProblem("(file)", "is indented with a tab.", "Indent with spaces.", line)
    # A password that begins with `*` or `!` is an alias or a tag for YAML, whose error names it.
    what = re.sub(r"'[^']{2,}'", "what is written there", str(error.problem or error.context))
    return LocatedProblem("(file)", f"cannot be read as YAML ({what}, {column}).", "Correct the line.", line)


def line_of(tree: Node, path: tuple[str | int, ...]) -> int:
    """Find the line of a value, or of the nearest thing around it that was written."""
    node, line = tree, tree.line
    for step in path:
        if isinstance(step, int) and node.items is not None and step < len(node.items):
            node = node.items[step]
            line = node.line
        elif isinstance(step, str) and node.entries is not None and step in node.entries:
            line = node.key_lines.get(step, node.entries[step].line)
            node = node.entries[step]
        else:
            break
    return line
