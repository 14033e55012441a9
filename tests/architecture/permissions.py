"""The rules that every role must keep (SECURITY.md), over a template as text or as SAM translates it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STAR_RESOURCES = frozenset(
    {
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    }
)
"""Actions that may be allowed on every resource: those by which Lambda puts a function into a VPC (developer guide).
They have no narrower form, and a Deny keeps the function's own code from them."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a role's policy, actions and resources as lists."""

    role: str
    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[Any, ...]
    leading_keys: tuple[str, ...] = ()  # that an allowance on the table is limited to


def statements(resources: Mapping[str, Any]) -> Iterator[Statement]:
    """List the statements of all roles and policies of a template's resources; refuses what it does not know."""
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            assert not properties.get("ManagedPolicyArns"), f"{name} has managed policies, which nobody here reviews"
            for policy in properties.get("Policies", []):
                yield from _of_document(name, policy["PolicyDocument"])
        elif resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            yield from _of_document(name, properties["PolicyDocument"])


def _of_document(role: str, document: Mapping[str, Any]) -> Iterator[Statement]:
    for statement in _listed(document["Statement"]):
        assert "NotAction" not in statement, f"{role} says what is NOT allowed"
        assert "NotResource" not in statement, f"{role} says where it is NOT allowed"
        yield Statement(
            role=role,
            sid=statement.get("Sid", ""),
            effect=statement["Effect"],
            actions=tuple(_listed(statement["Action"])),
            resources=tuple(_listed(statement["Resource"])),
            leading_keys=tuple(
                statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", ())
            ),
        )


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def violations(resources: Mapping[str, Any]) -> list[str]:
    """List what breaks the rules that hold for every role."""
    found = []
    for statement in statements(resources):
        if statement.effect != "Allow":
            continue
        found += [f"{statement.role} may {action}" for action in statement.actions if "*" in action]
        if any(resource == "*" for resource in statement.resources):
            beyond = set(statement.actions) - STAR_RESOURCES
            found += [f"{statement.role} may {action} on every resource" for action in sorted(beyond)]
    return found
