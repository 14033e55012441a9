"""Make what a template declares in a local AWS, each resource when something first refers to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3

from postroom_cli.local.intrinsics import NO_VALUE, TemplateProblem, resolve
from postroom_cli.local.template import ACCOUNT, REGION, Resource, Template


@dataclass(frozen=True, slots=True)
class Made:
    """What a resource became: what `Ref` and `GetAtt` of it give."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declared:
    """One resource to make: its logical name, its properties without functions, and a name unique to the stack."""

    name: str
    properties: Mapping[str, Any]
    physical_name: str


class Aws:
    """boto3 clients for one local AWS, made when first used, in the name of the environment's key.

    No endpoint: whatever boto3 itself is pointed at.
    """

    def __init__(self, endpoint_url: str | None = None) -> None:
        self.endpoint_url = endpoint_url
        self._session: boto3.Session | None = None
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str, *, connections: int = 10, read_timeout: float = 10.0) -> Any:
        """Return the client of a service: one, with settings of its own, which nothing here is slow enough to need."""
        if service not in self._clients:
            self._session = self._session or boto3.Session(
                os.environ.get("AWS_ACCESS_KEY_ID", "local"), "local", region_name=REGION
            )
            self._clients[service] = self._session.client(service, endpoint_url=self.endpoint_url)  # type: ignore[call-overload]
        return self._clients[service]


Maker = Callable[[Aws, Declared], Made]


class Stack:
    """The resources of one template in one local AWS.

    `makers` says how a type is made. Functions and HTTP APIs are not made there: they run in this process, so `serve`
    holds what `Ref` and `GetAtt` of them give, and their properties stay unresolved until all else is there.
    """

    def __init__(self, template: Template, aws: Aws, *, makers: Mapping[str, Maker], api_url: str) -> None:
        self.template = template
        self.aws = aws
        self._makers = makers
        self._api_url = api_url
        self._made: dict[str, Made] = {}
        self._being_made: list[str] = []

    def make(self) -> None:
        """Make every resource whose condition holds; raises TemplateProblem with the type that is not known."""
        unknown = {
            resource.type
            for resource in self.template.resources.values()
            if resource.type not in self._makers and resource.type not in _RUN_HERE
        }
        if unknown:
            raise TemplateProblem(f"The local runner does not know the resource type {', '.join(sorted(unknown))}")
        for resource in self.template.resources.values():
            if self.exists(resource):
                self._resource(resource.name)

    def exists(self, resource: Resource) -> bool:
        """Tell whether the resource's condition holds."""
        return resource.condition is None or self.condition(resource.condition)

    def of_type(self, kind: str) -> list[Resource]:
        """Return the resources of a type whose condition holds, in the template's order."""
        return [item for item in self.template.resources.values() if item.type == kind and self.exists(item)]

    def resolve(self, value: Any) -> Any:
        """Return a value of the template without functions."""
        return resolve(value, self)

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs, as `describe-stacks` would show them."""
        return {
            name: str(self.resolve(output["Value"]))
            for name, output in self.template.outputs.items()
            if "Condition" not in output or self.condition(output["Condition"])
        }

    # --- what the intrinsic functions ask (intrinsics.Lookup) ---

    def ref(self, name: str) -> Any:
        """Return what `!Ref name` gives."""
        if name in self.template.parameters:
            return self.template.parameters[name]
        if name in self.template.pseudo_parameters:
            return self.template.pseudo_parameters[name]
        return self._resource(name).ref

    def attribute(self, name: str, attribute: str) -> str:
        """Return what `!GetAtt name.attribute` gives."""
        made = self._resource(name)
        if attribute not in made.attributes:
            raise TemplateProblem(f"The attribute {name}.{attribute} is not known to the local runner")
        return made.attributes[attribute]

    def condition(self, name: str) -> bool:
        """Return whether a condition of the template holds."""
        if name not in self.template.conditions:
            raise TemplateProblem(f"The template has no condition {name}")
        return bool(self.resolve(self.template.conditions[name]))

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return a mapping of the template."""
        found: Mapping[str, Any] = self.template.mappings[name]
        return found

    def _resource(self, name: str) -> Made:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Made:
        resource = self.template.resources.get(name)
        if resource is None:
            return self._implied(name)
        if resource.type in _RUN_HERE:
            return _RUN_HERE[resource.type](self._physical_name(name), self._api_url)
        if name in self._being_made:
            raise TemplateProblem(f"The resources {' → '.join([*self._being_made, name])} refer to each other")
        self._being_made.append(name)
        properties = self.resolve(dict(resource.properties))
        made = self._makers[resource.type](
            self.aws, Declared(name, {} if properties is NO_VALUE else properties, self._physical_name(name))
        )
        self._being_made.pop()
        return made

    def _implied(self, name: str) -> Made:
        """Return what SAM makes by itself: a function's role, alias and version."""
        base = name.removesuffix("Role").split(".", 1)[0]
        declared = self.template.resources.get(base)
        if declared is not None and declared.type == "AWS::Serverless::Function":
            physical = self._physical_name(name.replace(".", "-"))
            arn = f"arn:aws:iam::{ACCOUNT}:role/{physical}" if name.endswith("Role") else function_arn(physical)
            return Made(arn if "." in name else physical, {"Arn": arn})
        raise TemplateProblem(f"The template refers to {name}, which it does not declare")

    def _physical_name(self, name: str) -> str:
        return f"{self.template.stack}-{name}"


def function_arn(name: str) -> str:
    """Return the ARN of a function by its physical name."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


_RUN_HERE: dict[str, Callable[[str, str], Made]] = {
    "AWS::Serverless::Function": lambda name, _url: Made(name, {"Arn": function_arn(name)}),
    "AWS::ApiGatewayV2::Api": lambda name, url: Made(name, {"ApiId": name, "ApiEndpoint": url}),
    "AWS::Serverless::HttpApi": lambda name, url: Made(name, {"ApiId": name, "ApiEndpoint": url}),
}
