"""The audit log: who did what to which object, and who was shown what few may see. Entries are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from postroom.model.access.principal import INSTALLATION, PrincipalKind


class AuditAction(StrEnum):
    """What was done. The word is stored."""

    USER_INVITED = "user_invited"
    USER_SIGNED_IN = "user_signed_in"  # noted at most once an hour; the first time it was made
    USER_CHANGED = "user_changed"
    USER_DEACTIVATED = "user_deactivated"
    USER_ACTIVATED = "user_activated"
    USER_REMOVED = "user_removed"
    ROLE_DEFINED = "role_defined"
    ROLE_CHANGED = "role_changed"
    ROLE_REMOVED = "role_removed"
    RAW_SHOWN = "raw_shown"
    AUDIT_EXPORTED = "audit_exported"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry. `object` is `kind/id` (`user/7f…`); `before` and `after` name only what changed, and no secret."""

    id: str
    at: datetime
    action: AuditAction
    object: str
    actor: str  # the id of a user, or `operator`
    actor_name: str
    actor_kind: PrincipalKind
    department: str = INSTALLATION
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    reason: str = ""
    client: str = ""  # api, command line, console
