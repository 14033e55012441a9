"""What became of a change that waited, as plain values: the version it is in, or the error that it was refused with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from postroom.errors import Conflict, Invalid, Moved, MovedObject, NotFound, PostroomError, Problem

REFUSALS = (Invalid, Moved, Conflict, NotFound)
"""What is a change's own fault; anything else is tried again by whoever has the turn next."""


def refusal(error: PostroomError) -> dict[str, Any]:
    """Write the error that a change was refused with."""
    if isinstance(error, Invalid):
        return {"problems": [asdict(one) for one in error.problems]}
    if isinstance(error, Moved):
        return {"moved": [asdict(one) for one in error.objects]}
    kind = "not_found" if isinstance(error, NotFound) else "conflict"
    return {kind: {"what": error.what, "on": error.on, "remedy": error.remedy, "code": error.code}}


def version_of(outcome: Mapping[str, Any]) -> int:
    """Return the version that a change is in; raises the error that it was refused with."""
    if "version" in outcome:
        return int(outcome["version"])
    if "problems" in outcome:
        raise Invalid([Problem(**one) for one in outcome["problems"]])
    if "moved" in outcome:
        raise Moved([MovedObject(**one) for one in outcome["moved"]])
    if "not_found" in outcome:
        raise NotFound(**outcome["not_found"])
    raise Conflict(**outcome["conflict"])
