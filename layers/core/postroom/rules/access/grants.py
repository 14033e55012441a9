"""Who may give which role: nobody gives what he lacks, and an administrator appoints those whom he is there for.

An administrator does no case work, and yet makes agents: what the desk's roles hold, a department administrator gives
in his department. What comes by grant alone (unmasked text, say) only a partition administrator gives, or who holds it.
"""

from __future__ import annotations

from collections.abc import Iterator

from postroom.model.access import INSTALLATION, Block, Level, Principal, PrincipalKind, Reach, Right, Role, Scope
from postroom.rules.access.judge import Verdict, may
from postroom.rules.access.roles import BUILT_IN, BuiltIn

APPOINTED = (
    BuiltIn.DEPARTMENT_ADMINISTRATOR,
    BuiltIn.SUPERVISOR,
    BuiltIn.SENIOR_AGENT,
    BuiltIn.AGENT,
    BuiltIn.READER,
)
"""Roles that a department administrator gives in his department."""


def lacking(principal: Principal, role: Role, department: str) -> list[Block]:
    """List the blocks of a role that the principal may not give in a department; none: he may give it."""
    if may(principal, Block.USERS, Level.MANAGE, Scope(department)) is not Verdict.ALLOWED:
        return list(role.rights)
    if _is_partition_administrator(principal):
        return []
    given = list(_given(principal, department))
    return [
        block
        for block, right in role.rights.items()
        if not any(block is one and _covers(held, right) for one, held in given)
    ]


def _given(principal: Principal, department: str) -> Iterator[tuple[Block, Right]]:
    held = principal.roles_in(department)
    for role in held:
        yield from role.rights.items()
    if department != INSTALLATION and BUILT_IN[BuiltIn.DEPARTMENT_ADMINISTRATOR] in held:
        for name in APPOINTED:
            yield from BUILT_IN[name].rights.items()


def _covers(held: Right, wanted: Right) -> bool:
    return held.level.covers(wanted.level) and held.reach in (Reach.ALL, wanted.reach)


def _is_partition_administrator(principal: Principal) -> bool:
    return principal.kind is PrincipalKind.SYSTEM or BUILT_IN[BuiltIn.PARTITION_ADMINISTRATOR] in principal.roles_in(
        INSTALLATION
    )
