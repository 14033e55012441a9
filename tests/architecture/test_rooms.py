"""The core is a house of rooms (packages): arrows between them run one way."""

from __future__ import annotations

import ast
import importlib
from collections import defaultdict
from types import ModuleType

import pytest

from tests.architecture.rooms import FOUNDATION, circles, core, deep_imports, face_of, imported
from tests.architecture.sources import CORE, ROOT, modules

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


ROOMS = [name for name, module in core().items() if module.room == name and name != FOUNDATION]


def test_a_room_is_entered_by_its_face_only() -> None:
    wrong = [one for module in core().values() for one in deep_imports(module.name, module.room, module.tree)]
    for folder in ("cli", "functions"):
        for name, tree in modules(ROOT / folder, below=ROOT):
            wrong += deep_imports(name, "", tree)
    assert wrong == []


@pytest.mark.parametrize("name", ROOMS)
def test_a_face_says_what_the_room_is_for_and_gives_what_it_names(name: str) -> None:
    room = core()[name]
    face = face_of(room)
    assert ast.get_docstring(room.tree)
    assert face.names == set(face.places), "__all__ and the imports of a face name the same"
    if face.lazily is not None:
        named = {one: place for one, place in face.places.items() if place != name}
        assert face.lazily == named, "what is imported at first use is what type checkers see"


@pytest.mark.parametrize("name", ROOMS)
def test_a_name_of_a_face_is_never_that_of_a_module(name: str) -> None:
    # `from room import send` would be the module `send` once somebody has imported that.
    within = {one.rpartition(".")[2] for one in core() if one.rpartition(".")[0] == name}
    assert {one for one, place in face_of(core()[name]).places.items() if place != name} & within == set()


@pytest.mark.parametrize("name", [one for one in ROOMS if not one.startswith("postroom.adapters.ews")])
def test_every_name_of_a_face_can_be_had(name: str) -> None:
    room = importlib.import_module(name)
    face = face_of(core()[name])
    for one, place in face.places.items():
        found = getattr(importlib.import_module(f"{name}.{one}" if place == name else place), one, None)
        if place == name:
            assert isinstance(importlib.import_module(f"{name}.{one}"), ModuleType)
        else:
            assert getattr(room, one) is found
    with pytest.raises(AttributeError):
        _ = room.no_such_name


SHARED_NAMES = {
    "Action": "what is done with a blocked file, and what is done on a mail server: no module meets both",
    "Failure": "permanent or temporary, as an administrator writes it, and what a report tells of one recipient",
}
"""Classes in the faces of several rooms, and why they share a name."""


def test_a_word_means_one_thing_wherever_rooms_meet() -> None:
    classes = {
        (name, node.name)
        for name, module in core().items()
        for node in module.tree.body
        if isinstance(node, ast.ClassDef)
    }
    found: dict[str, set[str]] = defaultdict(set)
    for room in ROOMS:
        for name, place in face_of(core()[room]).places.items():
            if (place, name) in classes:
                found[name].add(place)
    assert {name for name, places in found.items() if len(places) > 1} == set(SHARED_NAMES)


def test_an_import_past_a_face_is_seen_wherever_it_stands() -> None:
    tree = ast.parse(
        "from postroom.errors import Permanent\n"
        "from postroom.services import outbound\n"
        "from postroom.model import Decision\n"
        "from postroom.model.decision import Decision as Deep\n"
        "def late():\n    import postroom.model.traffic\n    from postroom.model import no_such_name\n"
    )
    assert deep_imports("x", "", tree) == [
        "x:4 imports Decision of postroom.model.decision",
        "x:6 imports  of postroom.model.traffic",
        "x:7 imports no_such_name of postroom.model",
    ]
    assert deep_imports("x", "postroom.model", tree) == []


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
