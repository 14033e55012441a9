"""What one field alone does not show: names that lead nowhere, doubles, options that contradict each other."""

from __future__ import annotations

from postroom.model.configuration import Configuration
from postroom.services.configuration.checks import (
    accounts,
    mailboxes,
    policies,
    references,
    sending,
    service_levels,
    threading,
    workflows,
)
from postroom.services.configuration.checks.finding import Finding

_PROBLEMS = (
    references.duplicate_names,
    references.duplicate_identities,
    references.unknown_names,
    references.duplicate_addresses,
    mailboxes.same_folder,
    accounts.problems,
    sending.problems,
    policies.problems,
    service_levels.problems,
    threading.problems,
    workflows.problems,
)
_WARNINGS = (mailboxes.warnings, sending.warnings, accounts.warnings, workflows.warnings)


def problems(configuration: Configuration, *, since: Configuration | None = None) -> list[Finding]:
    """List everything that must be corrected before the configuration can be applied.

    Mailboxes that are the very same objects in `since` were checked by themselves before: of many thousands, that is
    most of the work.
    """
    findings = [finding for check in _PROBLEMS for finding in check(configuration)]
    return [*findings, *mailboxes.problems(configuration, since=since)]


def warnings(configuration: Configuration) -> list[Finding]:
    """List what is allowed and deserves attention."""
    return [finding for check in _WARNINGS for finding in check(configuration)]
