"""The page on workflows names every field, operator and action."""

from __future__ import annotations

from pathlib import Path

import pytest
from postroom.model.configuration import ActionKind, Operator
from postroom.rules.workflows import FIELDS

PAGE = (Path(__file__).parents[4] / "docs" / "workflows.md").read_text("utf-8")


@pytest.mark.parametrize("name", [*FIELDS, *(one.value for one in (*Operator, *ActionKind))])
def test_the_page_names(name: str) -> None:
    assert f"`{name}`" in PAGE
