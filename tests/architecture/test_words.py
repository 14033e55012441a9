"""Words: a docstring of a function says what it does, beginning with the verb."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.sources import ROOT, modules

NO_VERBS = {
    "A", "All", "An", "Bytes", "Each", "Every", "Everything", "From", "How", "In", "It", "Its", "Key", "Mail", "Mails",
    "More", "Names", "No", "Not", "Nothing", "Of", "One", "Only", "Same", "Seconds", "Some", "Text", "That", "The",
    "This", "Those", "True", "Two", "Up", "What", "When", "Where", "Whether", "Which", "Who", "Whom", "Whose", "Why",
}  # fmt: skip


def nouns(folder: str) -> Iterator[str]:
    """List the functions whose docstring begins with a word that is no verb."""
    for name, tree in modules(ROOT / folder, below=ROOT):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                docstring = ast.get_docstring(node) or ""
                if docstring and docstring.split()[0].strip("`,.") in NO_VERBS:
                    yield f"{name}:{node.lineno} {node.name}: {docstring.splitlines()[0]}"


@pytest.mark.parametrize("folder", ["layers/core", "cli", "functions", "bench", "scripts"])
def test_a_docstring_of_a_function_begins_with_a_verb(folder: str) -> None:
    assert list(nouns(folder)) == []
