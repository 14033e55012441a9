"""The key that signs thread tokens, from the secret that the template generates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.adapters.aws.client import aws_errors
from postroom.errors import PostroomError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class ThreadKeys:
    """Reads the key once in the life of a process; after a rotation the previous one still verifies."""

    def __init__(self, client: SecretsManagerClient, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._keys: tuple[bytes, ...] = ()

    def newest(self) -> bytes:
        """Return the key to sign with."""
        return self.all()[0]

    def all(self) -> tuple[bytes, ...]:
        """Return the keys to verify with, newest first."""
        if not self._keys:
            self._keys = tuple(filter(None, (self._read("AWSCURRENT"), self._read("AWSPREVIOUS"))))
        return self._keys

    def _read(self, stage: str) -> bytes:
        try:
            with aws_errors("reading the thread key"):
                answer = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
        except PostroomError as error:
            if stage == "AWSPREVIOUS" and error.code == "aws_denied":
                return b""  # never rotated: there is no previous one
            raise
        return answer["SecretString"].encode()
