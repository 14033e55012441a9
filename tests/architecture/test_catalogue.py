"""Marks name features that are in the catalogue and rows that are in the fault matrix."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from scripts.features import FAULT_ROWS, called_done, catalogue
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


SPECIFICATION = ROOT.parent / "shared" / "spec"


def specified() -> Iterator[str]:
    """Read the ids of all specifications in their order; rows of the desk marked *later* are left out."""
    yield from re.findall(r"^\| ([GDCSX]\d\d) \|", (SPECIFICATION / "features.md").read_text("utf-8"), re.MULTILINE)
    desk = (SPECIFICATION / "desk.md").read_text("utf-8")
    yield from re.findall(r"^\| ([QLAWV]\d\d) \| (?!\*\*later)", desk, re.MULTILINE)
    yield from re.findall(r"^\| (K\d\d) \|", (SPECIFICATION / "console.md").read_text("utf-8"), re.MULTILINE)
    yield from re.findall(r"^\| (O\d\d) \|", (SPECIFICATION / "features.md").read_text("utf-8"), re.MULTILINE)


def test_the_catalogue_has_the_ids_of_the_specifications() -> None:
    if not SPECIFICATION.exists():
        pytest.skip("the specification is not beside this repository")
    assert list(catalogue()) == list(specified())


def test_every_row_of_the_fault_matrix_can_be_marked() -> None:
    if not SPECIFICATION.exists():
        pytest.skip("the specification is not beside this repository")
    rows = re.findall(r"^\| (\d+) \|", (SPECIFICATION / "reliability.md").read_text("utf-8"), re.MULTILINE)
    assert [int(row) for row in rows] == list(range(1, FAULT_ROWS + 1))


def test_the_change_log_calls_done_only_features_of_the_catalogue() -> None:
    claimed = called_done((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert claimed <= set(catalogue())


def test_a_claim_of_the_change_log_is_read_over_its_folded_lines() -> None:
    log = "- Features proven: G02, G03,\n  X01.\n- Rows Q01 and Q02 are planned.\n"
    assert called_done(log) == {"G02", "G03", "X01"}
