"""The check of roles in tests evaluates conditions: a key that a role may not touch is refused, whatever the action."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.role_check import RoleCheck

TABLE = "arn:aws:dynamodb:*:*:table/t"
STATEMENTS = [
    {
        "Effect": "Allow",
        "Action": ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"],
        "Resource": TABLE,
        "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["I#*", "CONFIG"]}},
    },
    {
        "Effect": "Deny",
        "Action": "dynamodb:GetItem",
        "Resource": TABLE,
        "Condition": {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["I#denied"]}},
    },
    {
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::b",
        "Condition": {"StringLike": {"s3:prefix": "raw/*"}},
    },
    {
        "Effect": "Allow",
        "Action": "dynamodb:UpdateItem",
        "Resource": TABLE,
        "Condition": {"NumericLessThan": {"aws:x": "1"}},
    },
]


def key(value: str) -> dict[str, Any]:
    return {"pk": {"S": value}, "sk": {"S": "0"}}


QUERY = {"TableName": "t", "KeyConditionExpression": "pk = :pk AND sk > :sk"}
CALLS: dict[str, tuple[str, str, dict[str, Any], bool]] = {
    "own key": ("dynamodb", "GetItem", {"TableName": "t", "Key": key("I#1")}, True),
    "other key": ("dynamodb", "GetItem", {"TableName": "t", "Key": key("SECRET#1")}, False),
    "denied": ("dynamodb", "GetItem", {"TableName": "t", "Key": key("I#denied")}, False),
    "own item": ("dynamodb", "PutItem", {"TableName": "t", "Item": key("CONFIG")}, True),
    "other item": ("dynamodb", "PutItem", {"TableName": "t", "Item": key("MB#1")}, False),
    "query": ("dynamodb", "Query", {**QUERY, "ExpressionAttributeValues": {":pk": {"S": "I#1"}}}, True),
    "other query": ("dynamodb", "Query", {**QUERY, "ExpressionAttributeValues": {":pk": {"S": "N#1"}}}, False),
    "one of many": (
        "dynamodb",
        "BatchGetItem",
        {"RequestItems": {"t": {"Keys": [key("I#1"), key("SECRET#1")]}}},
        False,
    ),
    "one of a transaction": (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "t", "Item": key(one)}} for one in ("I#1", "CAP#1")]},
        False,
    ),
    "own prefix": ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "raw/2026"}, True),
    "other prefix": ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "config/"}, False),
    "all of a bucket": ("s3", "ListObjectsV2", {"Bucket": "b"}, False),
    "a condition that is not known here": ("dynamodb", "UpdateItem", {"TableName": "t", "Key": key("I#1")}, False),
}


@pytest.mark.parametrize(("service", "operation", "params", "allowed"), CALLS.values(), ids=CALLS.keys())
def test_a_call_is_allowed_for_the_keys_of_its_role_only(
    service: str, operation: str, params: dict[str, Any], allowed: bool
) -> None:
    check = RoleCheck({"Function": STATEMENTS}, running="Function")
    check.note(params, SimpleNamespace(service_model=SimpleNamespace(service_name=service), name=operation))
    assert (check.refused == set()) is allowed
