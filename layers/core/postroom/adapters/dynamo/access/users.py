"""Users and roles as items of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from postroom.adapters.aws import aws_errors, error_code
from postroom.adapters.dynamo import items, keys, query_all, read_many
from postroom.model.access import OwnRole, PrincipalKind, User, UserState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_FAILED = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})
_REMOVED = "removed"


class DynamoUsers:
    """Implements ports.Users."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, user: str) -> User | None:
        """Read one, consistently: a right that was just taken must not be read as given."""
        with aws_errors("reading a user", on=user):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.user(user)), ConsistentRead=True
            )
        return _user(items.unmarshal(answer["Item"])) if "Item" in answer else None

    def put(self, user: User, *, replaces: User | None = None) -> bool:
        """Write a user if what it replaces is still what was read."""
        other = replaces if replaces is not None and replaces.id != user.id else None
        same = replaces if other is None else None
        writes: list[Any] = [self._write(_values(user), same.version if same else None)]
        if other is not None:
            gone = {**_values(other), "state": _REMOVED, "version": other.version + 1}
            writes.append(self._write({name: gone[name] for name in gone if name != keys.LIST_PK}, other.version))
        try:
            with aws_errors("writing a user", on=user.id):
                if len(writes) == 1:
                    self._client.put_item(**writes[0])
                else:
                    self._client.transact_write_items(TransactItems=[{"Put": one} for one in writes])
        except ClientError as error:
            if error_code(error) in _FAILED:
                return False
            raise
        return True

    def page(self, *, after: str = "", most: int = 100) -> tuple[Sequence[User], str]:
        """List users by name: a page of the index, then the items, since the index carries none of their fields."""
        wanted: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": keys.BY_LIST,
            "KeyConditionExpression": f"{keys.LIST_PK} = :list AND {keys.LIST_SK} > :after",
            "ExpressionAttributeValues": items.marshal({":list": keys.USERS, ":after": after or " "}),
            "Limit": most,
        }
        with aws_errors("listing users"):
            answer = self._client.query(**wanted)
        rows = [items.unmarshal(row) for row in answer["Items"]]
        wanted_keys = [{name: row[name] for name in (keys.PK, keys.SK)} for row in rows]
        found = {
            one.id: one
            for one in map(
                _user,
                map(items.unmarshal, read_many(self._client, self._table, wanted_keys, doing="reading users")),
            )
            if one is not None
        }
        listed = [found[name] for row in rows if (name := row[keys.PK].removeprefix("U#")) in found]
        return listed, rows[-1][keys.LIST_SK] if rows and "LastEvaluatedKey" in answer else ""

    def _write(self, values: Mapping[str, Any], version: int | None) -> dict[str, Any]:
        unchanged = {"ConditionExpression": "attribute_not_exists(pk) OR #state = :removed"}
        names, given = {"#state": "state"}, {":removed": _REMOVED}
        if version is not None:
            unchanged = {"ConditionExpression": "#version = :version"}
            names, given = {"#version": "version"}, {":version": version}  # type: ignore[dict-item]  # a number
        return {
            "TableName": self._table,
            "Item": items.marshal(values),
            **unchanged,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": items.marshal(given),
        }


class DynamoRoles:
    """Implements ports.Roles."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def all(self) -> Sequence[OwnRole]:
        """Read all of them."""
        pages = query_all(
            self._client,
            self._table,
            doing="reading roles",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=items.marshal({":pk": keys.role("")[keys.PK]}),
            ConsistentRead=True,
        )
        return [_role(values) for values in map(items.unmarshal, pages) if values.get("state") != _REMOVED]

    def put(self, role: OwnRole) -> bool:
        """Write a role if the stored one has the version before it."""
        return self._put(role, removed=False)

    def remove(self, role: OwnRole) -> bool:
        """Mark a role as removed: nothing is deleted from the table."""
        return self._put(role, removed=True)

    def _put(self, role: OwnRole, *, removed: bool) -> bool:
        stored = role.version if removed else role.version - 1
        values = {
            **keys.role(role.name),
            "title": role.title,
            "rights": {block: list(right) for block, right in role.rights.items()},
            "groups": dict(role.groups),
            "version": role.version + 1 if removed else role.version,
            "state": _REMOVED if removed else "",
        }
        try:
            with aws_errors("writing a role", on=role.name):
                self._client.put_item(
                    TableName=self._table,
                    Item=items.marshal(values),
                    ConditionExpression="#version = :stored OR (attribute_not_exists(pk) AND :stored = :none)"
                    " OR (#state = :removed AND :stored = :none)",
                    ExpressionAttributeNames={"#version": "version", "#state": "state"},
                    ExpressionAttributeValues=items.marshal({":stored": stored, ":none": 0, ":removed": _REMOVED}),
                )
        except ClientError as error:
            if error_code(error) in _FAILED:
                return False
            raise
        return True


def _values(user: User) -> dict[str, Any]:
    return {
        **keys.user(user.id),
        keys.LIST_PK: keys.USERS,
        keys.LIST_SK: f"{user.name.casefold()[:200]}#{user.id}",
        "issuer": user.issuer,
        "subject": user.subject,
        "kind": user.kind.value,
        "name": user.name,
        "address": user.address,
        "state": user.state.value,
        "roles": {where: list(names) for where, names in user.roles.items()},
        "queues": {queue: list(languages) for queue, languages in user.queues.items()},
        "aliases": sorted(user.aliases),
        "created": keys.moment(user.created),
        "last_seen": keys.moment(user.last_seen) if user.last_seen else None,
        "version": user.version,
    }


def _user(values: Mapping[str, Any]) -> User | None:
    if values["state"] == _REMOVED:
        return None
    return User(
        id=values[keys.PK].removeprefix("U#"),
        issuer=values["issuer"],
        subject=values["subject"],
        kind=PrincipalKind(values["kind"]),
        name=values["name"],
        address=values["address"],
        state=UserState(values["state"]),
        roles={where: tuple(names) for where, names in values["roles"].items()},
        queues={queue: tuple(languages) for queue, languages in values["queues"].items()},
        aliases=frozenset(values["aliases"]),
        created=keys.parse_moment(values["created"]),
        last_seen=keys.parse_moment(values["last_seen"]) if "last_seen" in values else None,
        version=values["version"],
    )


def _role(values: Mapping[str, Any]) -> OwnRole:
    return OwnRole(
        name=values[keys.SK],
        title=values["title"],
        rights={block: (level, reach) for block, (level, reach) in values["rights"].items()},
        groups=values["groups"],
        version=values["version"],
    )
