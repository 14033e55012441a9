"""Imports run one way: functions → bootstrap → services → model, mail, rules, ports; adapters → one outside library."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import pytest

from tests.architecture.sources import CORE, ROOT, Import, imports, modules

PURE_LIBRARIES = {"charset_normalizer", "idna", "nh3", "re2", "flufl", "pydantic", "pydantic_core"}

IMPURE = {
    "asyncio", "concurrent", "ftplib", "http", "imaplib", "logging", "multiprocessing", "os", "poplib",
    "selectors", "shutil", "signal", "smtplib", "socket", "socketserver", "ssl", "subprocess", "tempfile",
    "time", "urllib.request",
}  # fmt: skip
"""Of the standard library: sockets, processes, the clock, the environment, logs. Data of time zones is none of it."""

LAYERS: dict[str, set[str]] = {
    "postroom.errors": set(),
    "postroom.room": set(),
    "postroom.environment": {"postroom.errors"},
    "postroom.mail": {"postroom.mail", "postroom.errors"},
    "postroom.model": {"postroom.model", "postroom.mail", "postroom.errors"},
    "postroom.rules": {"postroom.rules", "postroom.model", "postroom.mail", "postroom.errors"},
    "postroom.ports": {"postroom.ports", "postroom.model", "postroom.mail", "postroom.errors"},
    "postroom.services": {
        "postroom.services", "postroom.ports", "postroom.model", "postroom.mail", "postroom.rules", "postroom.errors",
    },
    "postroom.adapters": {
        "postroom.adapters", "postroom.ports", "postroom.model", "postroom.mail", "postroom.errors",
    },
    "postroom.observe": set(),
    "postroom.sqs_records": {"postroom.errors"},
    "postroom.http_api": {
        "postroom.http_api", "postroom.services", "postroom.rules", "postroom.model", "postroom.errors",
    },
    "postroom.edge": {"postroom.observe"},
    "postroom.bootstrap": {
        "postroom.bootstrap", "postroom.adapters", "postroom.services", "postroom.environment", "postroom.ports",
        "postroom.model", "postroom.errors", "postroom.observe",
    },
    "functions": {
        "postroom.bootstrap", "postroom.sqs_records", "postroom.http_api", "postroom.edge", "postroom.services",
        "postroom.errors",
        "postroom.observe",
    },
}  # fmt: skip
"""What of ours each part may import."""

EVERYWHERE = {"postroom.room"}
"""What makes the faces of rooms."""

FAMILIES = {"boto3": "aws", "botocore": "aws", "requests": "http", "urllib3": "http"}


def part_of(module: str) -> str:
    """Name the part that a module belongs to: postroom.mail.encoding.charset → postroom.mail."""
    return "functions" if module.startswith("functions") else ".".join(module.split(".")[:2])


def all_imports() -> Iterator[Import]:
    for name, tree in modules(CORE, below=CORE.parent):
        yield from imports(name, tree)
    for name, tree in modules(ROOT / "functions", below=ROOT):
        yield from imports(name, tree)


def is_standard(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names or module == "__future__"


def test_every_part_imports_only_what_is_below_it() -> None:
    wrong = [
        f"{found.importer}:{found.line} imports {found.module}"
        for found in all_imports()
        if found.module.startswith("postroom")
        and part_of(found.module) not in LAYERS[part_of(found.importer)] | EVERYWHERE
    ]
    assert wrong == []


@pytest.mark.parametrize("part", ["postroom.mail", "postroom.model", "postroom.rules", "postroom.ports"])
def test_the_pure_core_imports_neither_aws_nor_sockets_nor_the_clock(part: str) -> None:
    wrong = [
        f"{found.importer}:{found.line} imports {found.module}"
        for found in all_imports()
        if part_of(found.importer) == part
        and not found.module.startswith("postroom")
        and not (is_standard(found.module) and not is_impure(found.module))
        and found.module.split(".")[0] not in PURE_LIBRARIES
    ]
    assert wrong == []


def is_impure(module: str) -> bool:
    return module in IMPURE or module.split(".")[0] in IMPURE


def test_services_reach_the_outside_through_ports_only() -> None:
    wrong = [
        f"{found.importer}:{found.line} imports {found.module}"
        for found in all_imports()
        if part_of(found.importer) == "postroom.services"
        and not found.module.startswith("postroom")
        and not is_standard(found.module)
        and found.module.split(".")[0] not in PURE_LIBRARIES | {"yaml"}
    ]
    assert wrong == []


def test_an_adapter_knows_one_outside_library() -> None:
    known: dict[str, set[str]] = {}
    for found in all_imports():
        outside = not is_standard(found.module) and not found.module.startswith("postroom")
        if part_of(found.importer) == "postroom.adapters" and outside:
            top = found.module.split(".")[0]
            known.setdefault(found.importer, set()).add(FAMILIES.get(top, top))
    assert {name: libraries for name, libraries in known.items() if len(libraries) > 1} == {}


def test_the_command_line_and_the_functions_know_no_adapter() -> None:
    wrong = [
        f"{name}:{node.lineno}"
        for folder in ("cli", "functions")
        for name, tree in modules(ROOT / folder, below=ROOT)
        for node in ast.walk(tree)  # for type checkers too
        if isinstance(node, ast.ImportFrom)
        and any(f"{node.module}.{alias.name}".startswith("postroom.adapters") for alias in node.names)
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", ["mail", "model", "rules"])
def test_the_pure_core_is_told_the_time(folder: str) -> None:
    asks = [
        f"{name}:{node.lineno} calls {ast.unparse(node.func)}"
        for name, tree in modules(CORE / folder, below=CORE.parent)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("now", "utcnow", "today")
    ]
    assert asks == []


def test_the_walk_sees_imports_wherever_they_stand() -> None:
    tree = ast.parse(
        "import boto3\n"
        "from postroom import bootstrap\n"
        "if TYPE_CHECKING:\n    import socket\n"
        "def late():\n    from postroom.adapters.aws.s3 import S3Contents\n"
    )
    assert [found.module for found in imports("postroom.mail.x", tree)] == [
        "boto3",
        "postroom.bootstrap",
        "postroom.adapters.aws.s3",
    ]
