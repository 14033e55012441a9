"""Users and roles as items of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from postroom.adapters.aws import aws_errors, error_code
from postroom.adapters.dynamo import items, keys, query_all, read_many
from postroom.adapters.dynamo.access.audit import audit_write
from postroom.model.access import INSTALLATION, AuditEntry, OwnRole, PrincipalKind, User, UserState
from postroom.ports import Written

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ADMINISTRATOR = "partition_administrator"  # rules.access.BuiltIn; a test compares
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

    def put(self, user: User, *, replaces: User | None, entry: AuditEntry) -> Written:
        """Write a user if what it replaces is still what was read, with its audit entry, and count administrators."""
        other = replaces if replaces is not None and replaces.id != user.id else None
        same = replaces if other is None else None
        writes = [self._put(_values(user), same)]
        if other is not None:
            writes.append(self._put(_gone(other), other))
        return self._write(writes, was=same, now=user, entry=entry)

    def has_administrator(self) -> bool:
        """Look at the set of those who may do everything."""
        with aws_errors("reading who may do everything"):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.administrators()), ConsistentRead=True
            )
        return bool(answer.get("Item", {}).get("people"))

    def remove(self, user: User, *, entry: AuditEntry) -> Written:
        """Mark a user as removed: nothing is deleted from the table."""
        return self._write([self._put(_gone(user), user)], was=user, now=None, entry=entry)

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

    def _write(self, writes: list[Any], *, was: User | None, now: User | None, entry: AuditEntry) -> Written:
        before, after = _is_administrator(was), _is_administrator(now)
        who = now or was
        if before != after and who is not None:
            writes.append(self._count(who, joins=after))
        writes.append({"Put": audit_write(self._table, entry)})
        try:
            with aws_errors("writing a user", on=entry.object):
                self._client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise
            reasons: Any = error.response.get("CancellationReasons", [])
            failed = [reason.get("Code") == "ConditionalCheckFailed" for reason in reasons]
            is_last = before and not after and not failed[0] and failed[-2]
            return Written.LAST_ADMINISTRATOR if is_last else Written.MOVED
        return Written.DONE

    def _put(self, values: Mapping[str, Any], stored: User | None) -> dict[str, Any]:
        condition, names, given = "attribute_not_exists(pk) OR #it = :it", {"#it": "state"}, {":it": _REMOVED}
        if stored is not None:
            condition, names, given = "#it = :it", {"#it": "version"}, {":it": stored.version}  # type: ignore[dict-item]
        put = {
            "TableName": self._table,
            "Item": items.marshal(values),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": items.marshal(given),
        }
        return {"Put": put}

    def _count(self, user: User, *, joins: bool) -> dict[str, Any]:
        """Keep who may do everything in one set: two who take that from one another must not both succeed."""
        change: dict[str, Any] = {
            "TableName": self._table,
            "Key": items.marshal(keys.administrators()),
            "UpdateExpression": "ADD people :user" if joins else "DELETE people :user",
            "ExpressionAttributeValues": items.marshal({":user": {user.id}}),
        }
        if not joins:
            change["ConditionExpression"] = "size(people) > :one"
            change["ExpressionAttributeValues"] = items.marshal({":user": {user.id}, ":one": 1})
        return {"Update": change}


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
        return [
            _role(values)
            for values in map(items.unmarshal, pages)
            if values[keys.SK] != keys.administrators()[keys.SK] and values["state"] != _REMOVED
        ]

    def put(self, role: OwnRole, *, entry: AuditEntry) -> bool:
        """Write a role if the stored one has the version before it, with its audit entry."""
        return self._write(role, entry, removed=False)

    def remove(self, role: OwnRole, *, entry: AuditEntry) -> bool:
        """Mark a role as removed: nothing is deleted from the table."""
        return self._write(role, entry, removed=True)

    def _write(self, role: OwnRole, entry: AuditEntry, *, removed: bool) -> bool:
        stored = role.version if removed else role.version - 1
        values = {
            **keys.role(role.name),
            "title": role.title,
            "rights": {block: list(right) for block, right in role.rights.items()},
            "groups": dict(role.groups),
            "version": role.version + 1 if removed else role.version,
            "state": _REMOVED if removed else "",
        }
        condition, given = "version = :stored", {":stored": stored}
        if stored == 0:
            condition, given = "attribute_not_exists(pk) OR #state = :removed", {":removed": _REMOVED}  # type: ignore[dict-item]
        put: Any = {
            "TableName": self._table,
            "Item": items.marshal(values),
            "ConditionExpression": condition,
            "ExpressionAttributeValues": items.marshal(given),
            **({"ExpressionAttributeNames": {"#state": "state"}} if stored == 0 else {}),
        }
        try:
            with aws_errors("writing a role", on=role.name):
                self._client.transact_write_items(
                    TransactItems=[{"Put": put}, {"Put": audit_write(self._table, entry)}]
                )
        except ClientError as error:
            if error_code(error) == "TransactionCanceledException":
                return False
            raise
        return True


def _is_administrator(user: User | None) -> bool:
    return user is not None and user.state is UserState.ACTIVE and ADMINISTRATOR in user.roles.get(INSTALLATION, ())


def _gone(user: User) -> dict[str, Any]:
    values = {**_values(user), "state": _REMOVED, "version": user.version + 1}
    return {name: value for name, value in values.items() if name not in (keys.LIST_PK, keys.LIST_SK)}


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
