"""The sections of a configuration, and problems by their paths: what needs no YAML, which functions do not have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from pydantic import BaseModel

from postroom.errors import Problem
from postroom.model.configuration import Configuration
from postroom.services.configuration import checks

LIST_SECTIONS: dict[str, type[BaseModel]] = {
    name: get_args(info.annotation)[0]
    for name, info in Configuration.model_fields.items()
    if name != "settings"  # every other section is a tuple of objects
}


def format_path(path: tuple[str | int, ...]) -> str:
    """Write a path as `mailboxes[2].cycle_time`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else (f".{step}" if text else step)
    return text


def problems_of(configuration: Configuration) -> list[Problem]:
    """List what is wrong with a configuration that did not come from a file."""
    return [
        Problem(format_path(finding.path), finding.problem, finding.remedy)
        for finding in checks.problems(configuration)
    ]


def summary_of(configuration: Configuration) -> dict[str, int]:
    """Count the objects of each section that has any."""
    counts: dict[str, int] = {}
    for name in LIST_SECTIONS:
        objects: Sequence[BaseModel] = getattr(configuration, name)
        if objects:
            counts[name] = len(objects)
    return counts
