"""The core is a house of rooms (packages): arrows between them run one way."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.architecture.rooms import circles, core, imported
from tests.architecture.sources import CORE

LARGEST_FOLDER = 16
"""Modules in one folder; its `__init__` does not count."""


def test_rooms_form_no_circle() -> None:
    arrows: dict[str, set[str]] = defaultdict(set)
    for module in core().values():
        rooms = {core()[name].room for name in imported(module.tree, core())}
        arrows[module.room] |= rooms - {module.room}
    assert circles(arrows) == []


def test_no_module_imports_one_that_imports_it() -> None:
    arrows = {module.name: imported(module.tree, core()) - {module.name} for module in core().values()}
    assert circles(arrows) == []


def test_no_folder_of_the_core_grows_beyond_what_one_sees_at_a_glance() -> None:
    folders = [CORE, *(path for path in CORE.rglob("*") if path.is_dir() and path.name != "__pycache__")]
    sizes = {str(path.relative_to(CORE)): len([*path.glob("*.py")]) - 1 for path in folders}
    assert {name: size for name, size in sizes.items() if size > LARGEST_FOLDER} == {}


def test_imports_are_seen_wherever_they_stand() -> None:
    tree = ast.parse(
        "if TYPE_CHECKING:\n    from postroom.a import b\n"
        "def late():\n    import postroom.c\n    from postroom.d import NAME\n"
    )
    known = ["postroom.a", "postroom.a.b", "postroom.c", "postroom.d", "postroom.e"]
    assert imported(tree, known) == {"postroom.a.b", "postroom.c", "postroom.d"}


def test_a_circle_is_found_whatever_its_length() -> None:
    arrows = {"a": ["b"], "b": ["c"], "c": ["a", "d"], "d": ["e"], "e": ["d"], "f": ["a"]}
    assert sorted(circles(arrows)) == [["a", "b", "c"], ["d", "e"]]
