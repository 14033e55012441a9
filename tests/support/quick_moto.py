"""moto without what it does again for each request: tests ask it a hundred thousand times.

What is asked and answered stays what it is: tests/functional/test_quick_moto.py.
"""

from __future__ import annotations

import base64
import copy
import threading
from functools import cache
from types import SimpleNamespace
from typing import Any

from botocore.useragent import UserAgentString
from moto.backend_index import backend_url_patterns
from moto.core import models, responses
from moto.core.serialize import BaseJSONSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb import models as dynamodb_models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]  # moto has no types there

_ASKED_MOST = ("dynamodb", "sqs", "kms", "ses")
_AS_IT_IS = frozenset({"S", "N", "SS", "NS", "BOOL", "NULL"})
_serialize_structure = BaseJSONSerializer._serialize_type_structure


def attribute_value(value: Any) -> dict[str, Any] | None:
    """Return DynamoDB's JSON of an attribute value that lies there as it goes out; None for one that does not."""
    if type(value) is not dict or len(value) != 1:
        return None
    ((kind, content),) = value.items()
    if kind in _AS_IT_IS:
        return value
    if kind == "B" and type(content) is bytes:
        return {"B": base64.b64encode(content).decode("ascii")}
    if kind == "M":
        members = {name: attribute_value(one) for name, one in content.items()}
        return None if None in members.values() else {"M": members}
    if kind == "L":
        entries = [attribute_value(one) for one in content]
        return None if None in entries else {"L": entries}
    return None


def _structure(self: BaseJSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
    # moto tries each of the ten members of an attribute value under five spellings.
    plain = attribute_value(value) if shape.name == "AttributeValue" and key else None
    if plain is None:
        _serialize_structure(self, serialized, value, shape, key)
    else:
        self._default_serialize(serialized, plain, shape, key)


def _copied(one: Any) -> Any:
    """Copy deeply; of a table, which a transaction may have to put back, only the items that it changes in place."""
    if not isinstance(one, Table):
        return copy.deepcopy(one)
    changed = getattr(_transaction, "changed", ())
    table = copy.copy(one)
    table.items = copy.copy(one.items)
    for partition, rows in one.items.items():
        table.items[partition] = copy.deepcopy(rows) if partition in changed else copy.copy(rows)
    return table


def _transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    updates = [one["Update"] for one in transact_items if "Update" in one and one["Update"]["TableName"] in self.tables]
    _transaction.changed = {
        DynamoType(update["Key"][self.tables[update["TableName"]].hash_key_attr]) for update in updates
    }
    _write_transaction(self, transact_items)


def _cast_value(self: DynamoType) -> Any:
    return self.value if self.type == "S" else _cast(self)


_transaction = threading.local()
_cast: Any = vars(DynamoType)["cast_value"].fget
_write_transaction = DynamoDBBackend.transact_write_items


@cache
def hurry() -> None:
    """Take the shortcuts, once in a process."""
    setattr(BaseJSONSerializer, "_serialize_type_structure", _structure)  # noqa: B010  # mypy knows it as a method
    # Asked for each comparison of each key, of which nearly all are texts.
    setattr(DynamoType, "cast_value", property(_cast_value))  # noqa: B010
    setattr(DynamoDBBackend, "transact_write_items", _transact_write_items)  # noqa: B010
    vars(dynamodb_models)["copy"] = SimpleNamespace(deepcopy=_copied)
    # Parsed twice for each request, and copied by moto before it is changed.
    setattr(UpdateExpressionParser, "make", staticmethod(cache(UpdateExpressionParser.make)))  # noqa: B010
    vars(responses)["method_names_from_class"] = cache(method_names_from_class)
    # Looked through from the beginning for each request.
    backend_url_patterns.sort(key=lambda one: one[0] not in _ASKED_MOST)
    # Twice for each request, of forty pieces, and read by nobody.
    setattr(UserAgentString, "rebuild_and_replace_user_agent_handler", lambda *_given, **_event: None)  # noqa: B010
    # Three thousand patterns for each stack, so that `requests` is answered too, which nothing here uses.
    vars(models)["RESPONSES_METHODS"] = []
