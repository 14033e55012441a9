"""Holds what handlers really ask of AWS to what their roles allow: moto checks no permissions, so this does.

Each call that a handler makes while a test runs is turned into IAM actions and resources, and looked up in the
statements of its role in template.yaml. Conditions are not evaluated, except prefixes of keys that a Deny names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import boto3
from postroom_cli.local.stack import Stack
from postroom_cli.local.template import ACCOUNT, REGION

_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_S3 = {"ListObjectsV2": "ListBucket", "HeadObject": "GetObject"}
_SQS = {"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage"}

Need = tuple[str, str]
"""An action and the ARN it is done to."""


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
        for action, resource in _needs(model.service_model.service_name, model.name, params):
            if not self._allowed(action, resource):
                self.refused.add(f"{self.running}: {action} on {resource}")

    def _allowed(self, action: str, resource: str) -> bool:
        return any(
            statement["Effect"] == "Allow"
            and any(fnmatchcase(action, pattern) for pattern in _list(statement["Action"]))
            and any(fnmatchcase(resource, pattern) for pattern in _list(statement["Resource"]))
            for statement in self.statements.get(self.running, ())
        )


def role_check(stack: Stack) -> RoleCheck:
    """Read the roles of all functions and listen to every client that is made from now on."""
    check = RoleCheck(_statements(stack))
    boto3.setup_default_session()
    session = boto3.DEFAULT_SESSION
    assert session is not None
    session.events.register("provide-client-params", check.note)
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
            yield f"s3:{_S3.get(operation, operation)}", f"{bucket}/{params['Key']}" if "Key" in params else bucket
        case "sqs":
            name = str(params.get("QueueUrl") or params["QueueName"]).rpartition("/")[2]
            yield f"sqs:{_SQS.get(operation, operation)}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        case "kms":
            yield f"kms:{operation}", str(params["KeyId"])
        case "secretsmanager":
            yield f"secretsmanager:{operation}", str(params["SecretId"])
        case "sesv2":
            sender = str(params["FromEmailAddress"])
            yield f"ses:{operation}", f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{sender}"
        case _:
            yield f"{service}:{operation}", "*"


def _of_dynamodb(operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    def arn(table: str) -> str:
        return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"

    if operation == "TransactWriteItems":
        for item in params["TransactItems"]:
            for kind, write in item.items():
                yield f"dynamodb:{_TRANSACTION[kind]}", arn(write["TableName"])
    elif operation == "BatchGetItem":
        for table in params["RequestItems"]:
            yield "dynamodb:BatchGetItem", arn(table)
    else:
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield f"dynamodb:{operation}", arn(params["TableName"]) + index


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
