"""Keeps what each test proves, and whether it passed, for `make features`: .postroom/features.json.

A pytest plugin, loaded by tests/conftest.py. With xdist the workers attach the marks to their reports, and the process
that collects the reports writes the file. Each run replaces the results of the tests that it ran, and no others.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / ".postroom" / "features.json"
_PROPERTY = "postroom-proves"


def proves(item: pytest.Item) -> dict[str, list[str]]:
    """Return the feature ids and fault rows that a test is marked with."""
    return {
        kind: [str(argument) for mark in item.iter_markers(kind) for argument in mark.args]
        for kind in ("feature", "fault")
    }


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach to the report what the test proves."""
    report = yield
    marks = proves(item)
    if any(marks.values()):
        report.user_properties.append((_PROPERTY, json.dumps(marks)))
    return report


class Recorder:
    """Collects outcomes in the process that sees all reports."""

    def __init__(self) -> None:
        self.results: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note an outcome: a test passed when its call passed and neither set-up nor tear-down failed."""
        marks = next((json.loads(str(value)) for name, value in report.user_properties if name == _PROPERTY), None)
        if marks is None:
            return
        if report.when == "call" or report.outcome != "passed":
            earlier = self.results.get(report.nodeid, {}).get("outcome")
            outcome = "failed" if earlier == "failed" else report.outcome
            self.results[report.nodeid] = {"outcome": outcome, **marks}

    def pytest_sessionfinish(self) -> None:
        """Write what was seen."""
        if self.results:
            save(self.results)


def pytest_configure(config: pytest.Config) -> None:
    """Record in the process that collects the reports, which is no worker of xdist."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.pluginmanager.register(Recorder(), "postroom-recorder")


def load() -> dict[str, dict[str, Any]]:
    """Read the results of earlier runs; none where there were none."""
    try:
        results: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return results


def _stands(node: str) -> bool:
    """Tell whether a test is still written: one that was renamed would count as failed for ever."""
    file, _, name = node.partition("::")
    path = ROOT / file
    return path.exists() and f"def {name.rpartition('::')[2].partition('[')[0]}(" in _text(path)


@cache
def _text(path: Path) -> str:
    return path.read_text("utf-8")


def save(results: dict[str, dict[str, Any]]) -> None:
    """Put results beside those of tests that did not run this time; tests that are gone are forgotten."""
    together = {node: result for node, result in (load() | results).items() if _stands(node)}
    RESULTS.parent.mkdir(exist_ok=True)
    unfinished = RESULTS.with_suffix(".new")
    unfinished.write_text(json.dumps(together, indent=0, sort_keys=True), "utf-8")
    unfinished.replace(RESULTS)
