"""Read a CloudFormation document and resolve its intrinsic functions.

Only what a template may hold is known here; what a name refers to is asked of a `Lookup`. A function that is not in the
table below stops the runner with its name: guessing would make something else than what is deployed.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import yaml
from postroom.errors import Permanent


class TemplateProblem(Permanent):
    """The template holds something that the local runner cannot make or resolve."""

    code = "template"
    remedy = "Correct template.yaml, or teach the local runner this part (cli/postroom_cli/local)."


class _NoValue:
    def __repr__(self) -> str:
        return "AWS::NoValue"


NO_VALUE = _NoValue()
"""What `!Ref AWS::NoValue` gives: the property or list entry that holds it is left out."""


class Lookup(Protocol):
    """What the names in a template stand for."""

    def ref(self, name: str) -> Any: ...

    def attribute(self, name: str, attribute: str) -> Any: ...

    def condition(self, name: str) -> bool: ...

    def mapping(self, name: str) -> Mapping[str, Any]: ...


class _Loader(yaml.SafeLoader):
    """SafeLoader with CloudFormation's short forms: `!Sub x` is `{"Fn::Sub": x}`."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        raise TemplateProblem(f"The template's !{suffix} holds neither a value, a list nor a mapping")
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
# `Version: 2012-10-17` is text for IAM, not a date.
_Loader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_document(text: str) -> dict[str, Any]:
    """Read a template's YAML (or JSON) into plain values with the long forms of its functions."""
    document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader with nothing but plain values added
    if not isinstance(document, dict) or "Resources" not in document:
        raise TemplateProblem("The template holds no `Resources`")
    return document


def resolve(value: Any, lookup: Lookup) -> Any:
    """Return the value with every intrinsic function replaced by what it gives."""
    if isinstance(value, list):
        return [item for item in (resolve(item, lookup) for item in value) if item is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name in _FUNCTIONS:
            return _FUNCTIONS[name](argument, lookup)
        if isinstance(name, str) and name.startswith("Fn::"):
            raise TemplateProblem(f"The function {name} is not known to the local runner")
    resolved = {key: resolve(item, lookup) for key, item in value.items()}
    return {key: item for key, item in resolved.items() if item is not NO_VALUE}


def _ref(argument: Any, lookup: Lookup) -> Any:
    return NO_VALUE if argument == "AWS::NoValue" else lookup.ref(argument)


def _get_att(argument: Any, lookup: Lookup) -> Any:
    name, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
    return lookup.attribute(name, resolve(attribute, lookup))


_PLACEHOLDER = re.compile(r"\$\{(!?)\s*([A-Za-z0-9.:]+)\s*\}")


def _sub(argument: Any, lookup: Lookup) -> str:
    text, own = (argument[0], resolve(argument[1], lookup)) if isinstance(argument, list) else (argument, {})

    def replace(found: re.Match[str]) -> str:
        literal, name = found.groups()
        if literal:  # `${!x}` is how a template writes `${x}`
            return f"${{{name}}}"
        if name in own:
            return str(own[name])
        resource, dot, attribute = name.partition(".")
        return str(lookup.attribute(resource, attribute) if dot else lookup.ref(name))

    return _PLACEHOLDER.sub(replace, text)


def _if(argument: Any, lookup: Lookup) -> Any:
    condition, then, otherwise = argument
    return resolve(then if lookup.condition(condition) else otherwise, lookup)


def _join(argument: Any, lookup: Lookup) -> str:
    separator, parts = argument
    return str(separator).join(str(part) for part in resolve(parts, lookup))


def _select(argument: Any, lookup: Lookup) -> Any:
    index, values = argument
    return resolve(values, lookup)[int(resolve(index, lookup))]


def _split(argument: Any, lookup: Lookup) -> list[str]:
    separator, text = argument
    return str(resolve(text, lookup)).split(separator)


def _find_in_map(argument: Any, lookup: Lookup) -> Any:
    name, first, second = (resolve(part, lookup) for part in argument[:3])
    return lookup.mapping(name)[first][second]


def _equals(argument: Any, lookup: Lookup) -> bool:
    left, right = (resolve(part, lookup) for part in argument)
    return str(left) == str(right)


_FUNCTIONS: dict[str, Callable[[Any, Lookup], Any]] = {
    "Ref": _ref,
    "Condition": lambda argument, lookup: lookup.condition(argument),
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::FindInMap": _find_in_map,
    "Fn::Equals": _equals,
    "Fn::Not": lambda argument, lookup: not resolve(argument[0], lookup),
    "Fn::And": lambda argument, lookup: all(resolve(part, lookup) for part in argument),
    "Fn::Or": lambda argument, lookup: any(resolve(part, lookup) for part in argument),
    "Fn::Base64": lambda argument, lookup: base64.b64encode(str(resolve(argument, lookup)).encode()).decode(),
    "Fn::ToJsonString": lambda argument, lookup: json.dumps(resolve(argument, lookup)),
}
