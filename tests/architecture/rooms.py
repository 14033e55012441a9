"""The rooms of the core: packages below `postroom`, and what their modules import of one another."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from tests.architecture.sources import CORE


@dataclass(frozen=True, slots=True)
class Module:
    """One module of the core: its own name, and the package that it stands in (a package stands in itself)."""

    name: str
    room: str
    tree: ast.Module


@cache
def core() -> Mapping[str, Module]:
    """Parse all modules of the core, by name."""
    found = {}
    for path in sorted(CORE.rglob("*.py")):
        parts = path.relative_to(CORE.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        room = name if is_package else name.rpartition(".")[0]
        found[name] = Module(name, room, ast.parse(path.read_text("utf-8"), filename=str(path)))
    return found


def imported(tree: ast.AST, known: Iterable[str]) -> set[str]:
    """List the modules of the core that a tree imports, wherever that stands: in functions, and for type checkers."""
    known = set(known)
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return found & known


def circles(edges: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """List the circles of a graph as sorted groups of nodes that reach one another (Tarjan 1972)."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = lowest[node] = len(index)
        stack.append(node)
        for other in edges.get(node, ()):
            if other not in index:
                visit(other)
                lowest[node] = min(lowest[node], lowest[other])
            elif other in stack:
                lowest[node] = min(lowest[node], index[other])
        if lowest[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[-len(group) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in edges:
        if node not in index:
            visit(node)
    return found


@dataclass(frozen=True, slots=True)
class Face:
    """What a room's `__init__` gives: names in `__all__`, where each comes from, and what is imported at first use."""

    names: frozenset[str]
    places: Mapping[str, str]  # name → module that it comes from; the room itself: a module used as a namespace
    lazily: Mapping[str, str] | None  # name → module, as `lazily` is told; None: everything is imported at once


def face_of(room: Module) -> Face:
    """Read the face of a room."""
    names: frozenset[str] = frozenset()
    lazily: dict[str, str] | None = None
    places = {
        alias.asname or alias.name: node.module or ""
        for node in ast.walk(room.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(room.name)
        for alias in node.names
    }
    for node in ast.walk(room.tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if node.targets[0].id == "__all__":
                names = frozenset(ast.literal_eval(node.value))
            elif node.targets[0].id == "__getattr__" and isinstance(node.value, ast.Call):
                told: Mapping[str, list[str]] = ast.literal_eval(node.value.args[1])
                lazily = {name: f"{room.name}.{module}" for module, those in told.items() for name in those}
    return Face(names, places, lazily)


def deep_imports(importer: str, room: str, tree: ast.AST) -> list[str]:
    """List what a module imports past the faces of other rooms; the foundation has no face."""
    wrong = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wanted = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            wanted = [(node.module, alias.name) for alias in node.names]
        else:
            continue
        for name, what in wanted:
            module = core().get(name)
            if module is None or module.room in (room, FOUNDATION):
                continue
            inner = f"{name}.{what}"
            is_room = inner in core() and core()[inner].room == inner
            if module.room != name or not (is_room or what in face_of(module).names):
                wrong.append(f"{importer}:{node.lineno} imports {what} of {name}")
    return wrong


FOUNDATION = "postroom"
"""The room of `errors`, `environment`, `observe` and the like, whose modules everybody imports as they are."""
