"""Roles of an installation's own, and the groups of a token that lead to a role."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from postroom.errors import Conflict, Invalid, Outdated, Problem, no_such
from postroom.model.access import (
    INSTALLATION,
    AuditAction,
    Block,
    Level,
    OwnRole,
    Principal,
    PrincipalKind,
    Reach,
    Scope,
)
from postroom.ports import Clock, Roles, Users
from postroom.rules.access import BUILT_IN, BuiltIn, require
from postroom.services.people.audit import entry
from postroom.services.people.principals import defined

MOST_ROLES = 100
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_WHERE = Scope(INSTALLATION)


@dataclass(frozen=True, slots=True)
class RoleBook:
    """Acts on roles; they hold in every department, and belong to the installation."""

    roles: Roles
    users: Users
    clock: Clock
    client: str = "api"

    def all(self, principal: Principal) -> list[OwnRole]:
        """List the built-in roles and those of the installation; groups are shown to who may see all users."""
        stored = {role.name: role for role in self.roles.all()}
        built_in = [_as_said(_built_in(name), stored) for name in BuiltIn]
        whole = INSTALLATION in principal.departments or principal.kind is PrincipalKind.SYSTEM
        own = [role for role in stored.values() if role.name not in set(BuiltIn)]
        found = [*built_in, *sorted(own, key=lambda role: role.name)]
        return found if whole else [replace(role, groups={}) for role in found]

    def show(self, name: str, principal: Principal) -> OwnRole:
        """Show a role."""
        found = next((role for role in self.all(principal) if role.name == name), None)
        if found is None:
            raise no_such("role", on=name)
        return found

    def define(self, wanted: OwnRole, principal: Principal) -> OwnRole:
        """Define a new role."""
        require(principal, _WHERE, (Block.USERS, Level.MANAGE), on=wanted.name)
        _check(wanted, built_in=False)
        stored = self.roles.all()
        if wanted.name in defined(stored):
            raise Conflict("There is a role of this name", on=wanted.name, remedy="Change that one, or choose another.")
        if len(stored) >= MOST_ROLES:
            raise Invalid([Problem("name", "is one too many.", f"An installation has at most {MOST_ROLES} roles.")])
        made = replace(wanted, version=1)
        told = self._entry(principal, AuditAction.ROLE_DEFINED, made, before=None, after=_told(made))
        if not self.roles.put(made, entry=told):
            raise Conflict("There is a role of this name", on=wanted.name)
        return made

    def change(self, wanted: OwnRole, principal: Principal, *, version: str) -> OwnRole:
        """Change a role; of a built-in one only the groups that lead to it."""
        require(principal, _WHERE, (Block.USERS, Level.MANAGE), on=wanted.name)
        stored = self.show(wanted.name, principal)
        is_built_in = wanted.name in set(BuiltIn)
        if str(stored.version) != version:
            raise Outdated("The role was changed meanwhile", on=wanted.name)
        if is_built_in and (dict(wanted.rights) != dict(stored.rights) or wanted.title != stored.title):
            raise Invalid([Problem("rights", "of a built-in role cannot be changed.", "Define a role of your own.")])
        _check(wanted, built_in=is_built_in)
        made = replace(wanted, version=stored.version + 1)
        told = self._entry(principal, AuditAction.ROLE_CHANGED, made, before=_told(stored), after=_told(made))
        if not self.roles.put(made, entry=told):
            raise Outdated("The role was changed meanwhile", on=wanted.name)
        return made

    def remove(self, name: str, principal: Principal, *, version: str) -> None:
        """Remove a role that nobody has."""
        require(principal, _WHERE, (Block.USERS, Level.MANAGE), on=name)
        stored = self.show(name, principal)
        if name in set(BuiltIn):
            raise Conflict("A built-in role stays", on=name, remedy="Give it to nobody.")
        if str(stored.version) != version:
            raise Outdated("The role was changed meanwhile", on=name)
        if holders := self._holders(name):
            raise Conflict(
                f"{len(holders)} users have this role: {', '.join(holders[:5])}",
                on=name,
                code="in_use",
                remedy="Take it from them first.",
            )
        told = self._entry(principal, AuditAction.ROLE_REMOVED, stored, before=_told(stored), after=None)
        if not self.roles.remove(stored, entry=told):
            raise Outdated("The role was changed meanwhile", on=name)

    def _holders(self, role: str) -> list[str]:
        found: list[str] = []
        place = ""
        while True:
            users, place = self.users.page(after=place)
            found += [user.name for user in users if any(role in names for names in user.roles.values())]
            if not place:
                return found

    def _entry(
        self,
        principal: Principal,
        action: AuditAction,
        role: OwnRole,
        *,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> Any:
        about = f"role/{role.name}"
        return entry(principal, action, about, now=self.clock(), before=before, after=after, client=self.client)


def _built_in(name: BuiltIn) -> OwnRole:
    role = BUILT_IN[name]
    rights = {block.value: (right.level.value, right.reach.value) for block, right in role.rights.items()}
    return OwnRole(name.value, role.title, rights)


def _as_said(role: OwnRole, stored: Mapping[str, OwnRole]) -> OwnRole:
    """Give a built-in role the groups that the installation has said, and their version."""
    said = stored.get(role.name)
    return replace(role, groups=said.groups, version=said.version) if said else role


def _check(role: OwnRole, *, built_in: bool) -> None:
    problems = []
    if not _NAME.fullmatch(role.name):
        problems.append(Problem("name", "is no name of a role.", "Use at most 40 lower-case letters, digits and `_`."))
    if not role.title.strip() or len(role.title) > 100 or not role.title.isprintable():
        problems.append(Problem("title", "is empty, too long, or not printable.", "Use 1 to 100 characters."))
    if not role.rights and not built_in:
        problems.append(Problem("rights", "is empty.", "Give at least one right."))
    for block, (level, reach) in role.rights.items():
        for value, kind, path in ((block, Block, ""), (level, Level, ".level"), (reach, Reach, ".reach")):
            if value not in set(kind):
                known = ", ".join(one.value for one in kind)
                problems.append(Problem(f"rights.{block[:60]}{path}", "is not known.", f"Use one of {known}."))
    if len(role.groups) > 50 or any(not group or len(group) > 200 for group in role.groups):
        problems.append(Problem("groups", "has too many groups, or a name that is none.", "Name at most 50."))
    if problems:
        raise Invalid(problems)


def _told(role: OwnRole) -> dict[str, Any]:
    rights = {block: list(right) for block, right in sorted(role.rights.items())}
    return {"title": role.title, "rights": rights, "groups": dict(sorted(role.groups.items()))}
