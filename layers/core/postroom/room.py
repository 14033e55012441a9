"""The public face of a room (a package): what its `__init__` names, imported at the first use of each name.

A cold start waits for every import, so a face must not import all of its room because one name of it is wanted.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def lazily(room: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a room (PEP 562); `modules`: by module of the room, the names that it gives.

    Type checkers learn the same names from the imports below `if TYPE_CHECKING`; a test holds the two together.
    """
    places = {name: module for module, names in modules.items() for name in names}

    def find(name: str) -> Any:
        if name in places:
            found = getattr(importlib.import_module(f"{room}.{places[name]}"), name)
        elif importlib.util.find_spec(f"{room}.{name}") is not None:
            # A module that the face names: `room.module` must not depend on who imported it before.
            found = importlib.import_module(f"{room}.{name}")
        else:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        setattr(sys.modules[room], name, found)  # found without us the next time
        return found

    return find
