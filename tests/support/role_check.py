"""Holds what handlers really ask of AWS to what their roles allow: moto checks no permissions, so this does.

Each call that a handler makes while a test runs is turned into IAM actions and resources, and looked up in the
statements of its role in template.yaml. Conditions are evaluated as IAM does: leading keys of the table, prefixes of
listings, encryption contexts; one that is not known here allows nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from postroom_cli.local.stack import Stack
from postroom_cli.local.template import ACCOUNT, REGION

from tests.support.aws_clients import listen

_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_S3 = {"ListObjectsV2": "ListBucket", "HeadObject": "GetObject"}
_SQS = {"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage"}

Need = tuple[str, str, dict[str, list[str]]]
"""An action, the ARN it is done to, and the values that conditions ask for."""

_LEADING_KEYS = "dynamodb:LeadingKeys"
_PARTITION = re.compile(r"(?:#?\w+) = (:\w+)")


@dataclass
class RoleCheck:
    """Collects the calls of the function that is running, and what its role does not allow."""

    statements: Mapping[str, Sequence[Mapping[str, Any]]]
    running: str = ""
    refused: set[str] = field(default_factory=set)

    def note(self, params: dict[str, Any], model: Any, **_rest: Any) -> None:
        """Check one call (botocore's provide-client-params)."""
        if not self.running:
            return
        for action, resource, values in _needs(model.service_model.service_name, model.name, params):
            if not self._allowed(action, resource, values):
                told = f" for {values}" if values else ""
                self.refused.add(f"{self.running}: {action} on {resource}{told}")

    def _allowed(self, action: str, resource: str, values: Mapping[str, Sequence[str]]) -> bool:
        found = {
            statement["Effect"]
            for statement in self.statements.get(self.running, ())
            if any(fnmatchcase(action, pattern) for pattern in _list(statement["Action"]))
            and any(fnmatchcase(resource, pattern) for pattern in _list(statement["Resource"]))
            and all(
                _holds(operator, values.get(key, ()), _list(wanted))
                for operator, keys in statement.get("Condition", {}).items()
                for key, wanted in keys.items()
            )
        }
        return found == {"Allow"}


def _holds(operator: str, values: Sequence[str], wanted: Sequence[str]) -> bool:
    """Evaluate one condition (IAM user guide, "Multivalued context keys")."""
    match operator:
        case "ForAllValues:StringLike" | "ForAllValues:StringEquals":
            return all(any(fnmatchcase(value, pattern) for pattern in wanted) for value in values)
        case "ForAnyValue:StringLike" | "StringLike":
            return any(fnmatchcase(value, pattern) for value in values for pattern in wanted)
        case _:
            return False


def role_check(stack: Stack) -> RoleCheck:
    """Read the roles of all functions and listen to the clients of handlers."""
    check = RoleCheck(_statements(stack))
    listen("provide-client-params", check.note)
    return check


@cache
def _statements(stack: Stack) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Read the statements of each function's role; once for a stack, since they stay what they are."""
    statements: dict[str, list[Mapping[str, Any]]] = {}
    for function in stack.of_type("AWS::Serverless::Function"):
        role = stack.template.resources[f"{function.name}Role"]
        policies = stack.resolve(role.properties["Policies"])
        statements[function.name] = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
    return statements


def _needs(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    match service:
        case "dynamodb":
            yield from _of_dynamodb(operation, params)
        case "s3":
            bucket = f"arn:aws:s3:::{params['Bucket']}"
            yield (
                f"s3:{_S3.get(operation, operation)}",
                (f"{bucket}/{params['Key']}" if "Key" in params else bucket),
                {"s3:prefix": [params["Prefix"]]} if "Prefix" in params else {},
            )
        case "sqs":
            name = str(params.get("QueueUrl") or params["QueueName"]).rpartition("/")[2]
            yield f"sqs:{_SQS.get(operation, operation)}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", {}
        case "kms":
            context = {"kms:EncryptionContextKeys": list(params.get("EncryptionContext", {}))}
            yield f"kms:{operation}", str(params["KeyId"]), context
        case "secretsmanager":
            yield f"secretsmanager:{operation}", str(params["SecretId"]), {}
        case "sesv2":
            sender = str(params["FromEmailAddress"])
            yield f"ses:{operation}", f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{sender}", {}
        case _:
            yield f"{service}:{operation}", "*", {}


def _of_dynamodb(operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    def arn(table: str) -> str:
        return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"

    if operation == "TransactWriteItems":
        for item in params["TransactItems"]:
            for kind, write in item.items():
                yield f"dynamodb:{_TRANSACTION[kind]}", arn(write["TableName"]), _leading([_key_of(write)])
    elif operation == "BatchGetItem":
        for table, asked in params["RequestItems"].items():
            yield "dynamodb:BatchGetItem", arn(table), _leading(asked["Keys"])
    else:
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield f"dynamodb:{operation}", arn(params["TableName"]) + index, _leading([_key_of(params)])


def _key_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what holds the partition key of a request: the item, its key, or what a query asks for."""
    if "KeyConditionExpression" in params:
        found = _PARTITION.search(params["KeyConditionExpression"])
        return {"pk": params["ExpressionAttributeValues"][found[1]]} if found else {}
    return params.get("Key") or params.get("Item") or {}


def _leading(keys: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    return {_LEADING_KEYS: [key["pk"]["S"] for key in keys if "pk" in key]}


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
