"""A template with its parameters filled in: which resources it declares, and what each parameter and condition is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postroom_cli.local.intrinsics import TemplateProblem, load_document

ACCOUNT = "123456789012"
"""The account of the local AWS; moto's own default."""

REGION = "eu-central-1"
"""The region of the local AWS."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One declared resource: its logical name, its type, and its properties with the functions still in them."""

    name: str
    type: str
    properties: Mapping[str, Any]
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A template, read but not resolved; `parameters` are the values in force."""

    stack: str
    parameters: Mapping[str, Any]
    conditions: Mapping[str, Any]
    mappings: Mapping[str, Any]
    resources: Mapping[str, Resource]
    outputs: Mapping[str, Any]

    @property
    def pseudo_parameters(self) -> dict[str, str]:
        """Return the values of `AWS::Region` and its like."""
        return {
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{self.stack}/local",
            "AWS::StackName": self.stack,
            "AWS::URLSuffix": "amazonaws.com",
        }


def read_template(path: Path, *, stack: str, overrides: Mapping[str, str]) -> Template:
    """Read a template file; raises TemplateProblem for a parameter without a value, or an override of none."""
    document = load_document(path.read_text("utf-8"))
    declared = document.get("Parameters", {})
    if unknown := sorted(set(overrides) - set(declared)):
        raise TemplateProblem(f"The template has no parameter {', '.join(unknown)}")
    return Template(
        stack=stack,
        parameters={name: _value(name, declaration, overrides) for name, declaration in declared.items()},
        conditions=document.get("Conditions", {}),
        mappings=document.get("Mappings", {}),
        resources={
            name: Resource(
                name,
                declaration["Type"],
                _with_globals(declaration["Type"], declaration.get("Properties", {}), document.get("Globals", {})),
                declaration.get("Condition"),
            )
            for name, declaration in document["Resources"].items()
        },
        outputs=document.get("Outputs", {}),
    )


def _value(name: str, declaration: Mapping[str, Any], overrides: Mapping[str, str]) -> Any:
    value = overrides.get(name, declaration.get("Default"))
    if value is None:
        raise TemplateProblem(
            f"The parameter {name} has no default", remedy="Give it a default, or a value for local runs."
        )
    kind = str(declaration.get("Type", "String"))
    if kind.startswith("AWS::SSM::"):
        raise TemplateProblem(f"The parameter {name} is of type {kind}, which only AWS can look up")
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [part.strip() for part in str(value).split(",")]
    return str(value)


_GLOBALS = {"AWS::Serverless::Function": "Function", "AWS::Serverless::HttpApi": "HttpApi"}


def _with_globals(kind: str, properties: Mapping[str, Any], declared: Mapping[str, Any]) -> Mapping[str, Any]:
    defaults = declared.get(_GLOBALS.get(kind, ""), {})
    return _merge(defaults, properties) if defaults else properties


def _merge(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Merge as SAM does: mappings key by key, lists one after the other, anything else is replaced."""
    merged = dict(defaults)
    for key, value in own.items():
        present = merged.get(key)
        if isinstance(present, Mapping) and isinstance(value, Mapping) and not _is_function(value):
            merged[key] = _merge(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            merged[key] = [*present, *value]
        else:
            merged[key] = value
    return merged


def _is_function(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))
