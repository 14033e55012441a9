"""One role per function, no wildcard, and who can read what; tests/build repeats it on what SAM makes of it."""

from __future__ import annotations

import copy
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.architecture.permissions import Statement, statements, violations
from tests.architecture.sources import functions, template


def allowed(role: str) -> list[Statement]:
    return [found for found in statements(template()["Resources"]) if found.role == role and found.effect == "Allow"]


def actions(role: str, service: str) -> set[str]:
    return {
        action.split(":")[1]
        for statement in allowed(role)
        for action in statement.actions
        if action.startswith(f"{service}:")
    }


def test_no_role_has_a_wildcard() -> None:
    assert violations(template()["Resources"]) == []


@pytest.mark.parametrize(
    ("action", "resource", "said"),
    [
        ("s3:*", "arn:aws:s3:::bucket", "AdminApiRole may s3:*"),
        ("dynamodb:Get*", "arn:aws:dynamodb:::table", "AdminApiRole may dynamodb:Get*"),
        ("kms:Decrypt", "*", "AdminApiRole may kms:Decrypt on every resource"),
    ],
    ids=["whole-service", "prefix", "every-resource"],
)
def test_a_planted_wildcard_is_seen(action: str, resource: str, said: str) -> None:
    resources: dict[str, Any] = copy.deepcopy(template()["Resources"])
    document = resources["AdminApiRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    document["Statement"].append({"Effect": "Allow", "Action": action, "Resource": resource})
    assert violations(resources) == [said]


def test_every_function_has_a_role_of_its_own() -> None:
    roles = {name: function["Role"]["Fn::GetAtt"] for name, function in functions().items()}
    assert {name: [f"{name}Role", "Arn"] for name in roles} == {
        name: role.split(".") if isinstance(role, str) else role for name, role in roles.items()
    }


def test_only_fetching_and_sending_can_decrypt_credentials() -> None:
    who = {role for role in roles() if "Decrypt" in actions(role, "kms")}
    assert who == {"FetchMailboxesRole", "FetchEwsRole", "SendOutboundRole"}


def test_the_api_of_administration_can_encrypt_credentials_and_neither_api_can_read_a_secret() -> None:
    assert (actions("AdminApiRole", "kms"), actions("DeskApiRole", "kms")) == ({"Encrypt"}, set())
    for role in ("AdminApiRole", "DeskApiRole"):
        assert actions(role, "secretsmanager") == set()
        assert role in denied_to_read_secrets()


def test_only_the_api_of_administration_writes_users_and_roles() -> None:
    who = {
        statement.role
        for role in roles()
        for statement in allowed(role)
        if {"dynamodb:PutItem", "dynamodb:UpdateItem"} & set(statement.actions)
        and any(fnmatchcase(key, pattern) for key in ("U#1", "ROLES") for pattern in statement.leading_keys)
    }
    assert who == {"AdminApiRole"}


def test_processing_cannot_read_credentials() -> None:
    assert actions("ProcessInboundRole", "kms") == set()
    secrets = [one for one in allowed("ProcessInboundRole") if "secretsmanager:GetSecretValue" in one.actions]
    assert [secret.resources for secret in secrets] == [({"Ref": "ThreadKeySecret"},)]
    assert "ProcessInboundRole" in denied_to_read_secrets()


def test_sending_cannot_read_raw_mail() -> None:
    assert not any("RawBucket" in str(statement.resources) for statement in allowed("SendOutboundRole"))


def raw(function: str) -> list[Statement]:
    return [one for one in allowed(f"{function}Role") if any(action.startswith("s3:") for action in one.actions)]


@pytest.mark.parametrize("function", functions())
def test_only_processing_and_sweeping_read_raw_mail_and_only_fetching_writes_it(function: str) -> None:
    on_raw = {
        action
        for statement in raw(function)
        if any("RawBucket" in str(resource) for resource in statement.resources)
        for action in statement.actions
    }
    expected = {
        "FetchMailboxes": {"s3:PutObject", "s3:AbortMultipartUpload"},
        "FetchEws": {"s3:PutObject", "s3:AbortMultipartUpload"},
        "ProcessInbound": {"s3:GetObject", "s3:ListBucket"},
        "Sweep": {"s3:GetObject", "s3:ListBucket"},
    }
    assert on_raw == expected.get(function, set())


def test_whoever_may_not_decrypt_may_not_read_stored_secrets_either() -> None:
    """Secrets lie in the table: a Deny on their partition keys holds whatever else a role is given."""
    decrypting = {"FetchMailboxesRole", "FetchEwsRole", "SendOutboundRole"}
    assert denied_to_read_secrets() == roles() - decrypting


def test_only_sending_can_send() -> None:
    assert {role for role in roles() if actions(role, "ses")} == {"SendOutboundRole"}


def test_nobody_may_scan_or_delete_in_the_table() -> None:
    for role in roles():
        assert actions(role, "dynamodb") & {"Scan", "DeleteItem", "DeleteTable", "PartiQLSelect"} == set(), role


def roles() -> set[str]:
    return {f"{name}Role" for name in functions()}


def denied_to_read_secrets() -> set[str]:
    """Roles that read the table and reach no partition key that begins with SECRET#: by an allow-list, or by a Deny."""
    reads = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
    found = set()
    for name, resource in template()["Resources"].items():
        if resource["Type"] != "AWS::IAM::Role":
            continue
        given = resource["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        denies: set[str] = set()
        allows: set[str] = set()
        for statement in given:
            listed = statement["Action"]
            actions = set(listed if isinstance(listed, list) else [listed]) & reads
            conditions: list[dict[str, list[str]]] = list(statement.get("Condition", {}).values())
            keys = conditions[0].get("dynamodb:LeadingKeys") if conditions else None
            if statement["Effect"] == "Deny" and keys == ["SECRET#*"]:
                denies |= actions
            elif statement["Effect"] == "Allow" and (
                keys is None or any(fnmatchcase("SECRET#name", key) for key in keys)
            ):
                allows |= actions
        if actions_on_table(given) & reads and allows <= denies:
            found.add(name)
    return found


def actions_on_table(given: list[Any]) -> set[str]:
    return {
        action
        for statement in given
        if statement["Effect"] == "Allow"
        for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
    }
