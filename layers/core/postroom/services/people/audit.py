"""Make entries of the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from postroom.model import short_id
from postroom.model.access import INSTALLATION, AuditAction, AuditEntry, Principal


def entry(
    principal: Principal,
    action: AuditAction,
    about: str,
    *,
    now: datetime,
    department: str = INSTALLATION,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    client: str = "api",
) -> AuditEntry:
    """Tell that a principal did something to an object (`user/7f…`); of two mappings only what differs is kept."""
    if before is not None and after is not None:
        changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        before = {name: value for name, value in before.items() if name in changed}
        after = {name: value for name, value in after.items() if name in changed}
    return AuditEntry(
        id=short_id("audit", now.isoformat(), principal.subject, action, about)[:12],
        at=now,
        action=action,
        object=about,
        actor=principal.subject,
        actor_name=principal.name,
        actor_kind=principal.kind,
        department=department,
        before=before,
        after=after,
        reason=reason,
        client=client,
    )
