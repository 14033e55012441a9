"""Edits of objects: what two configurations differ in, and what a configuration is with a change applied to it.

A change can be applied to any later configuration in which the objects that it was made from are still what they were:
nobody waits for another one's change of something else, and nobody overwrites what he has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from postroom.errors import Moved, MovedObject
from postroom.model.configuration import SETTINGS, Change, Configuration, Edit, object_version, reference
from postroom.services.configuration.checks import NAMED_SECTIONS


def find_object(configuration: Configuration, section: str, name: str) -> Any:
    """Return an object of a configuration, None when it is not there; the settings have no name."""
    if section == SETTINGS:
        return configuration.settings
    return next((found for found in getattr(configuration, section) if found.name == name), None)


def edits_between(
    old: Configuration, new: Configuration, *, wanted: Callable[[str, str], bool] = lambda _section, _name: True
) -> tuple[Edit, ...]:
    """List the edits that make `new` of `old`, for the objects that are `wanted` (by section and name)."""
    return tuple(edit for edit in _edits(old, new) if wanted(edit.section, edit.name))


def _edits(old: Configuration, new: Configuration) -> Iterator[Edit]:
    if old.settings != new.settings:
        yield Edit(SETTINGS, "", object_version(old.settings), new.settings)
    for section in NAMED_SECTIONS:
        before = {found.name: found for found in getattr(old, section)}
        after = {found.name: found for found in getattr(new, section)}
        for name, found in after.items():
            was = before.get(name)
            if was is not found and was != found:
                yield Edit(section, name, object_version(was), found)
        for name, was in before.items():
            if name not in after:
                yield Edit(section, name, object_version(was), None)


def order_of(old: Configuration, new: Configuration) -> dict[str, tuple[str, ...]]:
    """Return the order of those sections in which edits alone would leave another one than `new` has."""
    found = {}
    for section in NAMED_SECTIONS:
        names = tuple(one.name for one in getattr(new, section))
        kept = [one.name for one in getattr(old, section)]
        here, there = set(names), set(kept)
        by_edits = (*(name for name in kept if name in here), *(name for name in names if name not in there))
        if by_edits != names:
            found[section] = names
    return found


def edited(configuration: Configuration, change: Change) -> Configuration:
    """Apply a change; raises Moved, with both values, when what it was made from is another object by now."""
    _check_unmoved(configuration, change)
    sections: dict[str, dict[str, BaseModel]] = {}
    update: dict[str, Any] = {}
    for edit in change.edits:
        if edit.section == SETTINGS:
            update[SETTINGS] = edit.after
            continue
        objects = sections.setdefault(
            edit.section, {found.name: found for found in getattr(configuration, edit.section)}
        )
        if edit.after is None:
            del objects[edit.name]
        else:
            objects[edit.name] = edit.after
    for section, objects in sections.items():
        update[section] = tuple(objects.values())
    for section, names in change.order.items():
        place = {name: index for index, name in enumerate(names)}
        objects_now = update.get(section, getattr(configuration, section))
        update[section] = tuple(sorted(objects_now, key=lambda one: place.get(one.name, len(place))))
    return configuration.model_copy(update=update)


def _check_unmoved(configuration: Configuration, change: Change) -> None:
    expected = {(edit.section, edit.name): edit.expected for edit in change.edits} | dict(change.rests_on)
    wanted = {(edit.section, edit.name): edit.after for edit in change.edits}
    moved = []
    for (section, name), version in expected.items():
        found = find_object(configuration, section, name)
        now = object_version(found)
        if now != version:
            moved.append(
                MovedObject(reference(section, name), now, _written(found), _written(wanted.get((section, name))))
            )
    if moved:
        raise Moved(moved)


def _written(found: BaseModel | None) -> Mapping[str, Any] | None:
    return None if found is None else found.model_dump(mode="json", exclude_defaults=True)
