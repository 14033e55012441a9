"""Marks name features that are in the catalogue and rows that are in the fault matrix."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from scripts.features import FAULT_ROWS, catalogue
from tests.architecture.sources import ROOT


def marks(kind: str) -> Iterator[tuple[str, object]]:
    """Find every argument of @pytest.mark.<kind>(…) in the tests, with its place."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"pytest.mark.{kind}":
                for argument in node.args:
                    if isinstance(argument, ast.Constant):
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", argument.value


def test_every_marked_feature_is_in_the_catalogue() -> None:
    assert [f"{place} {one}" for place, one in marks("feature") if one not in catalogue()] == []


def test_every_marked_fault_is_a_row_of_the_matrix() -> None:
    rows = range(1, FAULT_ROWS + 1)
    assert [f"{place} {row}" for place, row in marks("fault") if row not in rows] == []


def test_the_catalogue_has_the_ids_of_the_specification() -> None:
    specification = ROOT.parent / "shared" / "spec" / "features.md"
    if not specification.exists():
        pytest.skip("the specification is not beside this repository")
    ids = re.findall(r"^\| ([A-Z]\d\d) \|", specification.read_text("utf-8"), re.MULTILINE)
    assert list(catalogue()) == ids
