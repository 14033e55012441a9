"""What several configured objects share: the base class, names, addresses, host names and references to secrets.

Kept apart from the objects so that each of those can be read alone.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from postroom.mail.headers import Address, NotAnAddress, parse_addresses, typed_address, typed_mailbox


class ConfigObject(BaseModel):
    """One configured thing: unknown options are refused, values are never changed in place."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]

_HOST_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_HOST = re.compile(rf"{_HOST_LABEL}(?:\.{_HOST_LABEL})*\.?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_UNSAFE = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")


def is_host(text: str) -> bool:
    """Say whether the text can be a host name or an IP address (no URL, no port)."""
    return len(text) <= 253 and bool(_HOST.fullmatch(text) or _IPV6.fullmatch(text))


def one_line(text: str) -> str:
    """Refuse what could end a header or a protocol line (docs/threat-model.md 8)."""
    if match := _UNSAFE.search(text):
        raise ValueError(f"contains the control character U+{ord(match[0]):04X}; write it on one line")
    return text


def split_mailbox(text: str) -> Address:
    """Split `"Legal Dpt" <legal@example.com>` or a bare address; the name is decoded (RFC 2047)."""
    found = parse_addresses(text)
    return found[0] if found else Address("", text.strip())


@lru_cache(maxsize=32768)
def bare_address(text: str) -> str:
    """Return the address of a mailbox's text without its name; the checks ask for those of every object again."""
    return split_mailbox(text).address


def _one_mailbox(text: str) -> str:
    one_line(text)
    found = typed_mailbox(text)
    if isinstance(found, NotAnAddress):
        raise ValueError(_sentence(found, 'write support@example.com or "Name" <support@example.com>'))
    # A domain that has another form (UTS 46) is stored in that one: addresses are compared by their letters.
    plain = text.strip()
    domain = found.address.rpartition("@")[2]
    return plain if domain in plain else f"{plain[: plain.rindex('@') + 1]}{domain}{'>' if '>' in plain else ''}"


def _bare(text: str) -> str:
    one_line(text)
    found = typed_address(text)
    if isinstance(found, NotAnAddress):
        raise ValueError(_sentence(found, "write it like support@example.com"))
    return found


def _sentence(refused: NotAnAddress, example: str) -> str:
    """Write a refusal as validators do: "<problem>; <remedy>"."""
    remedy = f"{refused.remedy[:1].lower()}{refused.remedy[1:].rstrip('.')}"
    return f"{refused.problem.rstrip('.')}; {remedy}: {example}"


MailboxAddress = Annotated[str, AfterValidator(_one_mailbox)]
"""One RFC 5322 mailbox: an address, with a display name if wanted, also encoded (RFC 2047)."""

BareAddress = Annotated[str, AfterValidator(_bare)]
"""An address without display name."""

Line = Annotated[str, AfterValidator(one_line)]
"""Text without line ends and control characters."""


class SecretReference(ConfigObject):
    """Where a secret lies: under a name in Postroom's own store, or in AWS Secrets Manager. Never the secret."""

    secret: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$", description="Name in the own store"
    )
    secretsmanager: str | None = Field(
        default=None,
        pattern=r"^arn:[^:\s]+:secretsmanager:\S+$",
        description="ARN of an existing Secrets Manager secret",
    )

    def model_post_init(self, _context: Any) -> None:
        """Hold exactly one of the two."""
        if (self.secret is None) == (self.secretsmanager is None):
            raise ValueError("needs exactly one of `secret` (a name) or `secretsmanager` (an ARN)")

    def __str__(self) -> str:
        return f"secret {self.secret}" if self.secret else str(self.secretsmanager)


def option(default: Any, description: str, *, reference: str = "", **constraints: Any) -> Any:
    """Declare one option: its default, its sentence, and its spelling in the reference system."""
    extra: JsonDict = {"reference": reference} if reference else {}
    return Field(default, description=description, json_schema_extra=extra, **constraints)
