"""The shortcuts through moto change nothing of what it answers."""

from __future__ import annotations

from typing import Any

import pytest
from moto.core.serialize import BaseJSONSerializer

from tests.support import quick_moto
from tests.support.aws_clients import listen
from tests.support.aws_stack import AwsStack

VALUES: dict[str, dict[str, Any]] = {
    "text": {"S": "Grüße"},
    "number": {"N": "3.5"},
    "bytes": {"B": b"\x00\xff"},
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "several bytes": {"BS": [b"\x00", b"\xff"]},
    "map": {"M": {"a": {"S": "x"}, "b": {"M": {"c": {"B": b"\xfe"}}}, "empty": {"M": {}}}},
    "list": {"L": [{"N": "1"}, {"L": [{"BOOL": False}, {"NULL": True}]}, {"BS": [b"\x01"]}]},
    "yes": {"BOOL": True},
    "nothing": {"NULL": True},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_every_kind_of_value_comes_back_as_moto_itself_answers(
    stack: AwsStack, value: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    dynamo, key = stack.client("dynamodb"), {"pk": {"S": "A"}, "sk": {"S": "0"}}
    dynamo.put_item(TableName=stack.table, Item={**key, "value": value})
    quick = dynamo.get_item(TableName=stack.table, Key=key)["Item"]
    monkeypatch.setattr(BaseJSONSerializer, "_serialize_type_structure", quick_moto._serialize_structure)
    assert quick == dynamo.get_item(TableName=stack.table, Key=key)["Item"] == {**key, "value": value}


def test_a_transaction_that_fails_leaves_nothing_of_what_it_did_before(stack: AwsStack) -> None:
    dynamo = stack.client("dynamodb")

    def key(name: str) -> dict[str, Any]:
        return {"pk": {"S": name}, "sk": {"S": "0"}}

    before = {"counted": {**key("counted"), "count": {"N": "1"}}, "there": key("there")}
    for item in before.values():
        dynamo.put_item(TableName=stack.table, Item=item)
    update = {
        "TableName": stack.table,
        "Key": key("counted"),
        "UpdateExpression": "SET #c = #c + :one",
        "ExpressionAttributeNames": {"#c": "count"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    refused = {"TableName": stack.table, "Item": key("there"), "ConditionExpression": "attribute_not_exists(pk)"}
    with pytest.raises(dynamo.exceptions.TransactionCanceledException):
        dynamo.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": stack.table, "Item": key("new")}},
                {"Update": update},
                {"Put": refused},
            ]
        )
    assert {row["pk"]["S"]: row for row in dynamo.scan(TableName=stack.table)["Items"]} == before


def test_a_listener_hears_handlers_of_this_stack_only(stack: AwsStack) -> None:
    heard: list[str] = []
    listen("before-call", lambda model, **_rest: heard.append(model.name))
    stack.client("sqs").list_queues()
    assert heard == []
    stack.configure(departments=[{"name": "default"}], queues=[{"name": "general"}])
    stack.invoke("SchedulePolls", {})
    assert "GetItem" in heard
