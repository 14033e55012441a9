"""The built-in roles: the table of blocks by role. One table for `may`, for the pages, and for docs/api.md."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from postroom.model.access import Block, Level, Reach, Right, Role


class BuiltIn(StrEnum):
    """The roles that every installation has."""

    PARTITION_ADMINISTRATOR = "partition_administrator"
    DEPARTMENT_ADMINISTRATOR = "department_administrator"
    SUPERVISOR = "supervisor"
    SENIOR_AGENT = "senior_agent"
    AGENT = "agent"
    INTEGRATOR = "integrator"
    AUDITOR = "auditor"
    READER = "reader"


_VIEW, _MODIFY, _MANAGE = Right(Level.VIEW), Right(Level.MODIFY), Right(Level.MANAGE)
_VIEW_Q, _MODIFY_Q = Right(Level.VIEW, Reach.QUEUES), Right(Level.MODIFY, Reach.QUEUES)
_VIEW_OWN, _MOD_OWN = Right(Level.VIEW, Reach.OWN), Right(Level.MODIFY, Reach.OWN)
_AS_ALIAS = Right(Level.MODIFY, Reach.ALIASES)
_NO = None

# In the order of BuiltIn. What is "by grant" for a role (raw messages for a supervisor, say) is no right of the role:
# it comes by a role of the installation's own. An administrator does no case work unless he holds a desk role besides.
_TABLE: Mapping[Block, tuple[Right | None, ...]] = {
    # block                    part.    dep.     superv.    senior     agent      integr.    audit  reader
    Block.SETTINGS:           (_MANAGE, _NO,     _NO,       _NO,       _NO,       _NO,       _VIEW, _NO),
    Block.DEPARTMENTS:        (_MANAGE, _MODIFY, _VIEW,     _VIEW,     _NO,       _VIEW,     _VIEW, _NO),
    Block.USERS:              (_MANAGE, _MANAGE, _VIEW,     _NO,       _NO,       _NO,       _VIEW, _NO),
    Block.MAILBOXES:          (_MANAGE, _MANAGE, _VIEW,     _NO,       _NO,       _NO,       _VIEW, _NO),
    Block.MAILBOX_HEALTH:     (_VIEW,   _VIEW,   _VIEW,     _NO,       _NO,       _VIEW,     _VIEW, _NO),
    Block.SECRETS:            (_MODIFY, _MODIFY, _NO,       _NO,       _NO,       _NO,       _VIEW, _NO),
    Block.ALIASES:            (_MANAGE, _MODIFY, _VIEW,     _VIEW,     _NO,       _VIEW,     _VIEW, _NO),
    Block.ALIAS_NAMES:        (_VIEW,   _VIEW,   _VIEW,     _VIEW,     _VIEW,     _VIEW,     _VIEW, _NO),
    Block.QUEUES:             (_MANAGE, _MANAGE, _VIEW,     _VIEW,     _VIEW_Q,   _VIEW,     _VIEW, _VIEW),
    Block.QUEUE_MEMBERS:      (_MANAGE, _MANAGE, _MODIFY,   _VIEW,     _VIEW_Q,   _VIEW,     _VIEW, _VIEW),
    Block.WORKFLOWS:          (_MANAGE, _MANAGE, _VIEW,     _VIEW,     _NO,       _NO,       _VIEW, _NO),
    Block.WORKFLOW_TRIALS:    (_MODIFY, _MODIFY, _MODIFY,   _NO,       _NO,       _NO,       _NO,   _NO),
    Block.POLICIES:           (_MANAGE, _MODIFY, _VIEW,     _NO,       _NO,       _NO,       _VIEW, _NO),
    Block.AUDIT:              (_VIEW,   _VIEW,   _NO,       _NO,       _NO,       _NO,       _VIEW, _NO),
    Block.AUDIT_EXPORTS:      (_NO,     _NO,     _NO,       _NO,       _NO,       _NO,       _VIEW, _NO),
    Block.CASES:              (_VIEW,   _VIEW,   _VIEW_Q,   _VIEW_Q,   _VIEW_Q,   _VIEW,     _VIEW, _VIEW),
    Block.CASE_WORK:          (_NO,     _NO,     _MODIFY_Q, _MODIFY_Q, _MODIFY_Q, _NO,       _NO,   _NO),
    Block.REPLIES:            (_NO,     _NO,     _MODIFY_Q, _MODIFY_Q, _MODIFY_Q, _AS_ALIAS, _NO,   _NO),
    Block.TRANSFERS:          (_NO,     _MODIFY, _MODIFY_Q, _MODIFY_Q, _MODIFY_Q, _MODIFY,   _NO,   _NO),
    Block.MERGES:             (_NO,     _MODIFY, _MODIFY_Q, _MODIFY_Q, _NO,       _NO,       _NO,   _NO),
    Block.PICKS:              (_NO,     _MODIFY, _MODIFY_Q, _MODIFY_Q, _NO,       _NO,       _NO,   _NO),
    Block.FORCE:              (_NO,     _MODIFY, _MODIFY_Q, _NO,       _NO,       _NO,       _NO,   _NO),
    Block.BULK:               (_NO,     _MODIFY, _MODIFY_Q, _NO,       _NO,       _MODIFY,   _NO,   _NO),
    Block.REVIEWS:            (_NO,     _NO,     _MODIFY_Q, _MODIFY_Q, _NO,       _NO,       _NO,   _NO),
    Block.DRAFTS:             (_NO,     _NO,     _VIEW_Q,   _NO,       _NO,       _NO,       _NO,   _NO),
    Block.OWN_MAIL:           (_NO,     _NO,     _MOD_OWN,  _MOD_OWN,  _MOD_OWN,  _NO,       _NO,   _NO),
    Block.OUTBOX:             (_MANAGE, _MANAGE, _MODIFY,   _VIEW_OWN, _VIEW_OWN, _VIEW,     _VIEW, _NO),
    Block.EXCEPTIONS:         (_MANAGE, _MANAGE, _MODIFY,   _NO,       _NO,       _NO,       _NO,   _NO),
    Block.REPLAYS:            (_MANAGE, _MANAGE, _NO,       _NO,       _NO,       _NO,       _NO,   _NO),
    Block.CANNED_REPLIES:     (_MANAGE, _MANAGE, _VIEW,     _VIEW,     _VIEW,     _NO,       _VIEW, _NO),
    Block.SUPPRESSIONS:       (_MANAGE, _MANAGE, _MANAGE,   _NO,       _NO,       _NO,       _VIEW, _NO),
    Block.CUSTOMERS:          (_MANAGE, _MANAGE, _MODIFY,   _MODIFY,   _MODIFY,   _VIEW,     _VIEW, _NO),
    Block.RAW_MESSAGES:       (_VIEW,   _VIEW,   _NO,       _NO,       _NO,       _NO,       _NO,   _NO),
    Block.UNMASKED_TEXT:      (_NO,     _NO,     _NO,       _NO,       _NO,       _NO,       _NO,   _NO),
    Block.BLOCKED_FILES:      (_MANAGE, _MANAGE, _MODIFY,   _VIEW,     _NO,       _NO,       _VIEW, _NO),
    Block.BLOCKED_FILE_NAMES: (_VIEW,   _VIEW,   _VIEW,     _VIEW,     _VIEW,     _NO,       _VIEW, _NO),
    Block.BOARD:              (_VIEW,   _VIEW,   _VIEW_Q,   _VIEW_Q,   _NO,       _VIEW,     _VIEW, _VIEW),
    Block.REPORTS:            (_VIEW,   _VIEW,   _VIEW_Q,   _VIEW_Q,   _NO,       _VIEW,     _VIEW, _NO),
    Block.OWN_FIGURES:        (_NO,     _NO,     _VIEW_OWN, _VIEW_OWN, _VIEW_OWN, _NO,       _NO,   _NO),
}  # fmt: skip

_TITLES: Mapping[BuiltIn, str] = {
    BuiltIn.PARTITION_ADMINISTRATOR: "Partition administrator",
    BuiltIn.DEPARTMENT_ADMINISTRATOR: "Department administrator",
    BuiltIn.SUPERVISOR: "Supervisor",
    BuiltIn.SENIOR_AGENT: "Senior agent",
    BuiltIn.AGENT: "Agent",
    BuiltIn.INTEGRATOR: "Integrator (machine)",
    BuiltIn.AUDITOR: "Auditor",
    BuiltIn.READER: "Reader",
}


def _column(place: int, name: BuiltIn) -> Role:
    rights = {block: right for block, row in _TABLE.items() if (right := row[place]) is not None}
    return Role(name.value, _TITLES[name], rights, built_in=True)


BUILT_IN: Mapping[BuiltIn, Role] = {name: _column(place, name) for place, name in enumerate(BuiltIn)}

SYSTEM = Role("system", "Postroom itself", {block: Right(Level.MANAGE) for block in Block}, built_in=True)
"""Of timers, rules, the sweeper, and operators with AWS credentials: who writes to the table may do everything."""

SHARED: frozenset[Block] = frozenset(
    {Block.DEPARTMENTS, Block.ALIASES, Block.ALIAS_NAMES, Block.POLICIES, Block.WORKFLOWS, Block.CANNED_REPLIES}
)
"""Blocks whose objects departments share where they belong to none: who may view his own may view those."""

_BY_LEAST = (
    BuiltIn.READER,
    BuiltIn.AGENT,
    BuiltIn.SENIOR_AGENT,
    BuiltIn.SUPERVISOR,
    BuiltIn.INTEGRATOR,
    BuiltIn.AUDITOR,
    BuiltIn.DEPARTMENT_ADMINISTRATOR,
    BuiltIn.PARTITION_ADMINISTRATOR,
)

BY_GRANT = "by grant"


def least_role(block: Block, level: Level) -> str:
    """Name the least built-in role that has a right somewhere, or BY_GRANT for what only own roles give."""
    for name in _BY_LEAST:
        right = BUILT_IN[name].rights.get(block)
        if right is not None and right.level.covers(level):
            return name.value
    return BY_GRANT
