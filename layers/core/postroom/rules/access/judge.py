"""The one question of rights: may this principal do this to that? Pure; denied unless a role allows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from postroom.errors import Forbidden, no_such
from postroom.model.access import INSTALLATION, Block, Level, Principal, PrincipalKind, Reach, Right, Scope
from postroom.rules.access.roles import SHARED, SYSTEM


class Verdict(StrEnum):
    """What comes of a question; a route answers 200, 403 or 404."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"  # the object may be known of, the act is not allowed
    NOT_FOUND = "not_found"  # of another department, or out of reach: it does not exist for who asks


@dataclass(frozen=True, slots=True)
class Filter:
    """Which objects of a block a principal may list: what the data layer filters by, before it reads or cuts a page.

    Each set of departments may hold INSTALLATION: in `departments`, what belongs to none; in the others, all of them.
    """

    everything: bool = False
    departments: frozenset[str] = frozenset()  # all that belongs to these
    queues: frozenset[str] = frozenset()
    queue_departments: frozenset[str] = frozenset()  # here what lies in `queues`
    owner: str = ""
    own_departments: frozenset[str] = frozenset()  # here what is the owner's

    def admits(self, scope: Scope) -> bool:
        """Tell whether an object may be shown."""
        where = {INSTALLATION, scope.department}
        return (
            self.everything
            or scope.department in self.departments
            or (scope.queue in self.queues and not where.isdisjoint(self.queue_departments))
            or (scope.owner == self.owner and not where.isdisjoint(self.own_departments))
        )

    @property
    def nothing(self) -> bool:
        """Tell whether no object at all may be shown."""
        return not (self.everything or self.departments or self.queue_departments or self.own_departments)


def may(principal: Principal, block: Block, level: Level, scope: Scope) -> Verdict:
    """Judge an act of `level` within `block` on an object of this scope (for what is made: where it will belong)."""
    held = list(_held(principal, block, scope.department))
    if any(right.level.covers(level) and _reaches(right, principal, scope) for right in held):
        return Verdict.ALLOWED
    if not held and not principal.roles_in(scope.department):
        return Verdict.NOT_FOUND
    if held and not any(_reaches(right, principal, scope) for right in held):
        return Verdict.NOT_FOUND  # within the department, out of reach: another team's queue
    return Verdict.FORBIDDEN


def require(principal: Principal, scope: Scope, *rights: tuple[Block, Level], on: str, noun: str = "object") -> None:
    """Raise what an act on an object meets that needs all of these rights; name first the one that shows the object.

    NotFound, worded as for an object that is not there, or Forbidden; `on` names the object, `noun` says what it is.
    """
    for place, (block, level) in enumerate(rights):
        verdict = may(principal, block, level, scope)
        if verdict is Verdict.NOT_FOUND and place == 0:
            raise no_such(noun, on=on)
        if verdict is not Verdict.ALLOWED:
            raise forbidden(block, level, on=on)


def require_somewhere(principal: Principal, block: Block, level: Level, *, on: str) -> None:
    """Raise Forbidden where no department is left in which the act would be allowed: before a list is read."""
    if not may_somewhere(principal, block, level):
        raise forbidden(block, level, on=on)


def forbidden(block: Block, level: Level, *, on: str) -> Forbidden:
    """Word the refusal of an act: which right is missing."""
    return Forbidden(
        f"The right {block}:{level} is missing", on=on, remedy="Ask an administrator for a role that holds it."
    )


def may_somewhere(principal: Principal, block: Block, level: Level) -> bool:
    """Tell whether there is any department in which the act would be allowed: what a menu shows, and a list."""
    return principal.kind is PrincipalKind.SYSTEM or any(
        right.level.covers(level) for where in principal.departments for right in _held(principal, block, where)
    )


def visible(principal: Principal, block: Block, level: Level = Level.VIEW) -> Filter:
    """Return the filter of what a principal may list."""
    found: dict[Reach, set[str]] = {reach: set() for reach in Reach}
    for where in principal.departments:
        for right in _held(principal, block, where):
            if right.level.covers(level):
                found[right.reach].add(where)
    departments, in_queues = found[Reach.ALL], found[Reach.QUEUES]
    everything = principal.kind is PrincipalKind.SYSTEM or INSTALLATION in departments
    if departments and block in SHARED and level is Level.VIEW:
        departments.add(INSTALLATION)
    return Filter(
        everything=everything,
        departments=frozenset(departments),
        queues=principal.queues,
        queue_departments=frozenset(in_queues),
        owner=principal.subject,
        own_departments=frozenset(found[Reach.OWN] | in_queues),
    )


def _held(principal: Principal, block: Block, department: str) -> Iterator[Right]:
    """List the rights in a block that hold for objects of a department."""
    if principal.kind is PrincipalKind.SYSTEM:
        yield SYSTEM.rights[block]
        return
    for role in principal.roles_in(department):
        if block in role.rights:
            yield role.rights[block]
    if department == INSTALLATION and block in SHARED:
        for where in principal.departments - {INSTALLATION}:
            for role in principal.roles[where]:
                if block in role.rights and role.rights[block].reach is Reach.ALL:
                    yield Right(Level.VIEW)


def _reaches(right: Right, principal: Principal, scope: Scope) -> bool:
    """Tell whether an object is within reach of a right that holds in its department."""
    match right.reach:
        case Reach.ALL:
            return True
        case Reach.QUEUES:
            return scope.queue in principal.queues or scope.owner == principal.subject
        case Reach.OWN:
            return scope.owner == principal.subject
        case Reach.ALIASES:
            return scope.alias in principal.aliases


def operator(name: str) -> Principal:
    """Return who works with AWS credentials on the table itself: no right can be kept from him."""
    return Principal("operator", name, PrincipalKind.SYSTEM)
