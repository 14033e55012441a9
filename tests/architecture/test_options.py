"""Every option that administrators can write is read by code that acts on it."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import pytest
from pydantic import BaseModel

from tests.architecture.rooms import core

OBJECTS = "postroom.model.configuration"
NOT_ACTING = (OBJECTS, "postroom.services.configuration", "postroom.services.importers")
"""Rooms that know options without acting on them: their definitions, checks, files, and other products' exports."""

_CASES = "the clocks of cases will (L01)"
LATER: dict[str, str] = {
    "Configuration.service_levels": _CASES,
    "Queue.service_level": _CASES,
    "ServiceLevel.first_response": _CASES,
    "ServiceLevel.next_response": _CASES,
    "ServiceLevel.resolution": _CASES,
}
"""Options that nothing reads yet, and who will."""


def options() -> Iterator[tuple[str, str]]:
    """List (object, option) of all configuration objects."""
    for module in [name for name in core() if name.startswith(OBJECTS)]:
        for name, kind in inspect.getmembers(importlib.import_module(module), inspect.isclass):
            if issubclass(kind, BaseModel) and kind.__module__ == module:
                yield from ((name, field) for field in kind.model_fields)


def attributes(tree: ast.AST) -> set[str]:
    """List the attributes that are read in a tree."""
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@cache
def read_by_acting_code() -> frozenset[str]:
    """List attributes that acting code reads, by itself or through a method or function of the objects' modules."""
    found: set[str] = set()
    named: set[str] = set()
    methods: dict[str, set[str]] = defaultdict(set)
    for name, module in core().items():
        if name.startswith(OBJECTS):
            for node in ast.walk(module.tree):
                if isinstance(node, ast.FunctionDef):
                    calls = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
                    methods[node.name] |= attributes(node) | calls
        elif not name.startswith(NOT_ACTING):
            found |= attributes(module.tree)
            named |= {one.id for one in ast.walk(module.tree) if isinstance(one, ast.Name)}
    reached: set[str] = set()
    while wave := {name for name in methods if name in found | named} - reached:
        reached |= wave
        for name in wave:
            found |= methods[name]
    return frozenset(found)


@pytest.mark.parametrize(("kind", "option"), sorted(set(options())))
def test_an_option_is_read_by_code_that_acts_on_it(kind: str, option: str) -> None:
    is_read = option in read_by_acting_code()
    assert is_read != (f"{kind}.{option}" in LATER), "an option that nothing reads, or one that is read by now"
