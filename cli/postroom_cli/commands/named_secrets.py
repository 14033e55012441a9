"""Which secrets a configuration names, and which of them nobody has entered yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.errors import Problem

from postroom_cli.stack import Stack

if TYPE_CHECKING:
    from postroom.model.configuration import Configuration

_SECTIONS = ("mailboxes", "outbound_servers", "oauth_applications")
_FIELDS = ("password", "client_secret")


@dataclass(frozen=True, slots=True)
class Named:
    """A secret of our own store with the option that names it, and the command that enters it."""

    secret: str
    path: str
    command: str


def secrets_of(configuration: Configuration) -> Iterator[Named]:
    """List every option that names a secret; refresh tokens also where they are not written down."""
    for account in configuration.accounts:
        if secret := account.token_reference.secret:
            yield Named(secret, f"accounts[name={account.name}].refresh_token", f"postroom oauth login {account.name}")
    for section in _SECTIONS:
        for found in getattr(configuration, section):
            for field in _FIELDS:
                if secret := getattr(getattr(found, field, None), "secret", None):
                    yield Named(secret, f"{section}[name={found.name}].{field}", f"postroom secret set {secret}")


def missing(stack: Stack, named: Iterable[Named]) -> tuple[Problem, ...]:
    """Warn of each secret that was never entered, once for all that name it."""
    paths: dict[tuple[str, str], list[str]] = {}
    for one in named:
        paths.setdefault((one.secret, one.command), []).append(one.path)
    entered = stack.secret_dates.entered([secret for secret, _command in paths])
    return tuple(
        Problem(", ".join(users), f"names the secret `{secret}`, which was never entered.", f"Enter it: `{command}`.")
        for (secret, command), users in paths.items()
        if secret not in entered
    )
