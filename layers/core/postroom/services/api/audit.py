"""What the API answers about the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from postroom.model.access import AuditEntry, PrincipalKind
from postroom.services.api.answers import ApiAnswer, Moment, Page


class AuditEntryShown(ApiAnswer):
    """Who did what to which object."""

    id: str
    at: Moment
    action: str
    object: str = Field(description="kind/id, as `user/7f…`.")
    actor: str = Field(description="The id of a user, or `operator`: with AWS credentials, on the table itself.")
    actor_name: str
    actor_kind: PrincipalKind
    department: str
    before: Mapping[str, Any] | None = Field(description="Of what changed; no secret.")
    after: Mapping[str, Any] | None
    reason: str
    client: str = Field(description="api or command line.")


class AuditPage(Page):
    """Some of the audit log, newest first."""

    items: tuple[AuditEntryShown, ...]


def audit_shown(entry: AuditEntry) -> AuditEntryShown:
    """Show an entry."""
    return AuditEntryShown.model_validate(entry)
