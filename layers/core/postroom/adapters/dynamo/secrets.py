"""Secrets: encrypted under the stack's key in the table, or lying in AWS Secrets Manager.

The encryption context binds a ciphertext to its name, so that nobody who can write the table can hand one mailbox the
password of another. Writers need `kms:Encrypt` only; `kms:Decrypt` is for those functions that log in somewhere.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from postroom.adapters.aws import aws_errors, error_code
from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.client import read_many
from postroom.errors import Invalid, NotFound, Problem
from postroom.model.configuration import SecretReference

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

LONGEST = 4096  # bytes that kms:Encrypt takes


def encryption_context(name: str) -> dict[str, str]:
    """Bind a ciphertext to the name of its secret."""
    return {"postroom:secret": name}


class StoredSecrets:
    """Implements ports.Secrets; every secret is read once in the life of a process, unless asked for anew."""

    def __init__(
        self,
        *,
        table: str,
        dynamo: DynamoDBClient,
        kms: KMSClient,
        key_id: str,
        secrets_manager: SecretsManagerClient | None = None,
    ) -> None:
        self._table = table
        self._dynamo = dynamo
        self._kms = kms
        self._key_id = key_id
        self._secrets_manager = secrets_manager
        self._cache: dict[str, str] = {}
        self._lock = threading.Lock()

    def reveal(self, reference: SecretReference, *, fresh: bool = False) -> str:
        """Return the secret; NotFound when nobody has entered it."""
        where = str(reference)
        with self._lock:
            cached = None if fresh else self._cache.get(where)
        if cached is not None:
            return cached
        value = self._own(reference.secret) if reference.secret else self._managed(str(reference.secretsmanager))
        with self._lock:
            self._cache[where] = value
        return value

    def _own(self, name: str) -> str:
        with aws_errors("reading a secret", on=name):
            answer = self._dynamo.get_item(
                TableName=self._table, Key=items.marshal(keys.secret(name)), ConsistentRead=True
            )
        if "Item" not in answer:
            raise _not_entered(name, f"Enter it: postroom secret set {name}")
        ciphertext = answer["Item"]["ciphertext"]["B"]
        with aws_errors("decrypting a secret", on=name):
            plain = self._kms.decrypt(
                CiphertextBlob=ciphertext, EncryptionContext=encryption_context(name), KeyId=self._key_id
            )
        return plain["Plaintext"].decode("utf-8")

    def _managed(self, arn: str) -> str:
        if self._secrets_manager is None:
            raise NotFound("This function may not read Secrets Manager", on=arn)
        with aws_errors("reading a secret of Secrets Manager", on=arn):
            try:
                return self._secrets_manager.get_secret_value(SecretId=arn)["SecretString"]
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    raise _not_entered(arn, "Correct the ARN, or create the secret.") from error
                raise

    def __repr__(self) -> str:
        return f"StoredSecrets({len(self._cache)} cached)"


class SecretWriter:
    """Enters secrets; can only encrypt, so that whoever may configure cannot read."""

    def __init__(self, *, table: str, dynamo: DynamoDBClient, kms: KMSClient, key_id: str) -> None:
        self._table = table
        self._dynamo = dynamo
        self._kms = kms
        self._key_id = key_id

    def put(self, name: str, value: str, *, now: datetime, valid_until: date | None = None) -> None:
        """Encrypt and store; `valid_until` is when the issuer lets it expire, for the forecast (X08)."""
        plain = value.encode("utf-8")
        if not plain or len(plain) > LONGEST:
            raise Invalid([Problem(name, f"holds {len(plain):,} bytes.", f"A secret has 1 to {LONGEST:,} bytes.")])
        with aws_errors("encrypting a secret", on=name):
            encrypted = self._kms.encrypt(
                KeyId=self._key_id, Plaintext=plain, EncryptionContext=encryption_context(name)
            )
        with aws_errors("storing a secret", on=name):
            self._dynamo.put_item(
                TableName=self._table,
                Item=items.marshal(
                    {
                        **keys.secret(name),
                        "ciphertext": encrypted["CiphertextBlob"],
                        "entered": keys.moment(now),
                        "valid_until": valid_until.isoformat() if valid_until else None,
                    }
                ),
            )

    def remove(self, name: str) -> bool:
        """Forget a secret; False when there was none."""
        with aws_errors("removing a secret", on=name):
            answer = self._dynamo.delete_item(
                TableName=self._table, Key=items.marshal(keys.secret(name)), ReturnValues="ALL_OLD"
            )
        return bool(answer.get("Attributes"))

    def __repr__(self) -> str:
        return "SecretWriter()"


class StoredSecretDates:
    """Implements services.mailbox_view.SecretDates: which secrets are there, and when they expire; needs no key."""

    def __init__(self, *, table: str, dynamo: DynamoDBClient) -> None:
        self._table = table
        self._dynamo = dynamo

    def entered(self, names: Sequence[str]) -> frozenset[str]:
        """Return those of the names under which a secret lies."""
        wanted = {keys.secret(name)[keys.PK]: name for name in names}
        found = read_many(
            self._dynamo, self._table, [keys.secret(name) for name in names], doing="reading which secrets are there"
        )
        return frozenset(wanted[item[keys.PK]["S"]] for item in found)

    def valid_until(self, names: Sequence[str]) -> Mapping[str, date]:
        """Return the last day of those secrets for which one was entered."""
        wanted = {keys.secret(name)[keys.PK]: name for name in names}
        found = read_many(
            self._dynamo, self._table, [keys.secret(name) for name in names], doing="reading when secrets expire"
        )
        return {
            wanted[item[keys.PK]["S"]]: date.fromisoformat(item["valid_until"]["S"])
            for item in found
            if "S" in item.get("valid_until", {})
        }


def _not_entered(where: str, remedy: str) -> NotFound:
    return NotFound("This secret has not been entered", on=where, remedy=remedy, code="secret_missing", step="login")
