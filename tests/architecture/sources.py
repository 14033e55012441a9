"""Reads the sources and the template for the tests of the architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from postroom_cli.local.intrinsics import load_document

ROOT = Path(__file__).parents[2]
CORE = ROOT / "layers" / "core" / "postroom"


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, and where."""

    importer: str  # postroom.services.polling.fetch
    module: str  # postroom.ports
    line: int


def modules(folder: Path, *, below: Path) -> Iterator[tuple[str, ast.Module]]:
    """Parse every module in a folder; names are relative to `below`."""
    for path in sorted(folder.rglob("*.py")):
        name = ".".join(path.relative_to(below).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text("utf-8"), filename=str(path))


def imports(name: str, tree: ast.Module) -> Iterator[Import]:
    """List what a module imports, in functions too; imports for type checkers only are left out."""
    skipped = {id(node) for branch in ast.walk(tree) if _for_type_checkers(branch) for node in ast.walk(branch)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (Import(name, alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno} imports relatively; write the whole name"
            if node.module == "postroom":  # from postroom import bootstrap
                yield from (Import(name, f"postroom.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield Import(name, node.module or "", node.lineno)


def _for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@cache
def template() -> dict[str, Any]:
    """Read template.yaml with its short forms written out (`!Ref X` is `{"Ref": "X"}`); not to be changed."""
    return load_document((ROOT / "template.yaml").read_text("utf-8"))


def resources(kind: str, document: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """List the resources of a type by logical name."""
    declared = (document or template())["Resources"]
    return {name: resource for name, resource in declared.items() if resource["Type"] == kind}


def functions() -> dict[str, dict[str, Any]]:
    """List the functions by logical name, as properties with those of Globals under them."""
    shared = template()["Globals"]["Function"]
    found = {}
    for name, resource in resources("AWS::Serverless::Function").items():
        own = resource["Properties"]
        variables = {**shared["Environment"]["Variables"], **own["Environment"]["Variables"]}
        found[name] = {**shared, **own, "Environment": {"Variables": variables}}
    return found
