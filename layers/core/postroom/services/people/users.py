"""Users: invited, signed in, given roles, deactivated, removed. Who may do it, and what must not come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from postroom.errors import Conflict, Forbidden, Invalid, NotFound, Outdated, Problem, no_such
from postroom.mail.headers import address_key, is_valid
from postroom.model.access import (
    INSTALLATION,
    INVITATION,
    AuditAction,
    Block,
    Level,
    Principal,
    PrincipalKind,
    Role,
    Scope,
    SignIn,
    User,
    UserState,
    invitation_id,
    user_id,
)
from postroom.model.configuration import Configuration
from postroom.ports import Clock, Configurations, HeldWork, Roles, Users, Written
from postroom.rules.access import BuiltIn, Verdict, lacking, may, require, scope_of_queue, visible
from postroom.services.people.audit import entry
from postroom.services.people.principals import defined

SEEN_EVERY = timedelta(hours=1)
"""How exactly it is known when a user was last seen: each time is a write."""

MOST_ROLES = 50  # departments that one user has roles in
MOST_QUEUES = 200
_AWS = "aws"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a change makes of a user; what is None stays."""

    name: str | None = None
    roles: Mapping[str, Sequence[str]] | None = None
    queues: Mapping[str, Sequence[str]] | None = None
    aliases: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a deactivation does, or has done."""

    user: User
    cases: int  # in the user's hands
    to: str | None  # whom they go to; none: back to their queues
    done: bool


@dataclass(frozen=True, slots=True)
class People:
    """Acts on users; `work` None: no cases are kept here."""

    users: Users
    roles: Roles
    configurations: Configurations
    clock: Clock
    work: HeldWork | None = None
    client: str = "api"
    first_administrator: str = ""  # the address of who becomes one while there is none

    def sign_in(self, who: SignIn) -> User:
        """Return the user of a sign-in, who is made at the first one: from an invitation, or by groups of the token.

        Raises Forbidden for who was not invited and is in no group that leads to a role, and for who was deactivated.
        """
        now, stored = self.clock(), self.users.get(who.user)
        if stored is not None:
            if stored.state is UserState.DEACTIVATED:
                raise Forbidden("This user was deactivated", on=stored.name, remedy="Ask an administrator.")
            if stored.last_seen is not None and now - stored.last_seen < SEEN_EVERY:
                return stored
            seen = replace(stored, last_seen=now, version=stored.version + 1)
            told = entry(_itself(seen), AuditAction.USER_SIGNED_IN, f"user/{seen.id}", now=now, client=self.client)
            return seen if self.users.put(seen, replaces=stored, entry=told) is Written.DONE else stored
        invited = self.users.get(invitation_id(who.address)) if who.address else None
        if invited is not None and invited.state is not UserState.INVITED:
            invited = None
        made = self._new(who, invited, now)
        told = entry(
            _itself(made),
            AuditAction.USER_SIGNED_IN,
            f"user/{made.id}",
            now=now,
            after=_told(made),
            reason="invited" if invited else "by group",
            client=self.client,
        )
        if self.users.put(made, replaces=invited, entry=told) is not Written.DONE:
            return self.users.get(who.user) or made  # the same person's other request was faster
        return made

    def page(self, principal: Principal, *, after: str = "", most: int = 100) -> tuple[list[User], str]:
        """List the users whom the principal may see, by name, each with what lies in his departments."""
        found: list[User] = []
        place = after
        while len(found) < most:
            users, place = self.users.page(after=place, most=most - len(found))
            found += [shown for one in users if (shown := _as_seen(one, principal)) is not None]
            if not place:
                break
        return found, place

    def show(self, name: str, principal: Principal) -> User:
        """Show a user; raises NotFound where he is none that the principal may see."""
        seen = _as_seen(self._get(name), principal)
        if seen is None:
            raise _missing(name)
        return seen

    def invite(self, address: str, wanted: Wanted, principal: Principal) -> User:
        """Invite who owns an address: roles wait for the first sign-in whose issuer has verified the address."""
        if not is_valid(address):
            raise Invalid([Problem("address", "is no e-mail address.", "Write it as ann@example.com.")])
        folded = address_key(address)
        return self._make(
            User(
                id=invitation_id(folded),
                issuer=INVITATION,
                subject=folded,
                kind=PrincipalKind.PERSON,
                name=wanted.name or folded,
                address=folded,
                state=UserState.INVITED,
                created=self.clock(),
            ),
            wanted,
            principal,
        )

    def add_machine(self, arn: str, wanted: Wanted, principal: Principal) -> User:
        """Let a machine call that signs with the credentials of an IAM role or user."""
        if not arn.startswith("arn:") or arn.count(":") < 5 or len(arn) > 400:
            example = "arn:aws:sts::123456789012:assumed-role/name"
            raise Invalid([Problem("arn", "is no ARN of a caller.", f"Write it as {example}.")])
        name = wanted.name or arn.rpartition("/")[2]
        user = User(
            id=user_id(_AWS, arn),
            issuer=_AWS,
            subject=arn,
            kind=PrincipalKind.MACHINE,
            name=name,
            state=UserState.ACTIVE,
            created=self.clock(),
        )
        return self._make(user, wanted, principal)

    def change(self, name: str, wanted: Wanted, principal: Principal, *, version: str) -> User:
        """Change a user; only what the principal may see of him is replaced, and the rest stays."""
        stored = self._get(name)
        seen = self.show(name, principal)
        if str(stored.version) != version:
            raise Outdated("The user was changed meanwhile", on=name)
        changed = self._changed(stored, seen, wanted, principal)
        return self._put(changed, stored, principal, AuditAction.USER_CHANGED)

    def deactivate(
        self, name: str, principal: Principal, *, version: str, reassign: str | None = None, only_tell: bool = False
    ) -> Leaving:
        """Take a user's rights and give back his work; `only_tell`: say what it would do, and do nothing."""
        stored = self._whole(name, principal)
        if reassign is not None and self._get(reassign).state is not UserState.ACTIVE:
            raise Invalid([Problem("reassign", "is no active user.", "Name one, or none: to the queues.")])
        cases = self.work.count(stored.id) if self.work is not None else 0
        if only_tell:
            return Leaving(stored, cases, reassign, done=False)
        if str(stored.version) != version:
            raise Outdated("The user was changed meanwhile", on=name)
        # First the rights, then the work: what he would claim in between is released with the rest.
        gone = stored
        if stored.state is not UserState.DEACTIVATED:
            gone = self._put(
                replace(stored, state=UserState.DEACTIVATED), stored, principal, AuditAction.USER_DEACTIVATED
            )
        if self.work is not None:
            cases = self.work.release(stored.id, to=reassign, who=principal.name, now=self.clock())
        return Leaving(gone, cases, reassign, done=True)

    def activate(self, name: str, principal: Principal, *, version: str) -> User:
        """Give a deactivated user his roles back."""
        stored = self._whole(name, principal)
        if stored.state is not UserState.DEACTIVATED:
            raise Conflict("This user is not deactivated", on=name, remedy="There is nothing to do.")
        if str(stored.version) != version:
            raise Outdated("The user was changed meanwhile", on=name)
        self._check_grants({}, stored.roles, principal)
        return self._put(replace(stored, state=UserState.ACTIVE), stored, principal, AuditAction.USER_ACTIVATED)

    def remove(self, name: str, principal: Principal, *, version: str) -> None:
        """Remove an invitation, or a user who was deactivated; what he did stays told."""
        stored = self._whole(name, principal)
        if stored.state is UserState.ACTIVE:
            raise Conflict("An active user cannot be removed", on=name, remedy="Deactivate the user first.")
        if str(stored.version) != version:
            raise Outdated("The user was changed meanwhile", on=name)
        told = entry(
            principal,
            AuditAction.USER_REMOVED,
            f"user/{stored.id}",
            now=self.clock(),
            before=_told(stored),
            client=self.client,
        )
        _check(self.users.remove(stored, entry=told), name)

    def defined(self) -> dict[str, Role]:
        """Return all roles by name."""
        return defined(self.roles.all())

    def _new(self, who: SignIn, invited: User | None, now: datetime) -> User:
        user = User(
            id=who.user,
            issuer=who.issuer,
            subject=who.subject,
            kind=who.kind,
            name=who.name,
            state=UserState.ACTIVE,
            created=now,
            address=who.address,
            last_seen=now,
            version=1,
        )
        if invited is not None:
            return replace(user, roles=invited.roles, queues=invited.queues, aliases=invited.aliases)
        if who.address and who.address == self.first_administrator.lower() and not self.users.has_administrator():
            return replace(user, roles={INSTALLATION: (BuiltIn.PARTITION_ADMINISTRATOR.value,)})
        by_group: dict[str, list[str]] = {}
        for role in self.roles.all():
            for group, department in role.groups.items():
                if group in who.groups:
                    by_group.setdefault(department, []).append(role.name)
        if not by_group or not who.subject:
            raise Forbidden(
                "Nobody has invited this user",
                on=who.name,
                remedy="Ask an administrator to invite your address (which your issuer must have verified), or to let "
                "a group of yours lead to a role.",
            )
        return replace(user, roles={where: tuple(names) for where, names in by_group.items()})

    def _make(self, user: User, wanted: Wanted, principal: Principal) -> User:
        if not wanted.roles:
            raise Invalid([Problem("roles", "is empty.", "Name at least one role in one department.")])
        made = self._changed(user, user, wanted, principal)
        return self._put(made, None, principal, AuditAction.USER_INVITED)

    def _changed(self, stored: User, seen: User, wanted: Wanted, principal: Principal) -> User:
        """Apply a change, with everything that speaks against it."""
        configuration = self.configurations.current()
        name = stored.name if wanted.name is None else wanted.name.strip()
        roles, queues, aliases = dict(stored.roles), dict(stored.queues), stored.aliases
        if wanted.roles is not None:
            given = {where: tuple(dict.fromkeys(names)) for where, names in wanted.roles.items() if names}
            roles = {where: names for where, names in roles.items() if where not in seen.roles} | given
            # In this order: whether another department is there is not told to who has no role in it.
            self._check_grants(stored.roles, roles, principal)
            self._check_roles(given, configuration)
        if wanted.queues is not None:
            joined = {queue: tuple(languages) for queue, languages in wanted.queues.items()}
            queues = {queue: one for queue, one in queues.items() if queue not in seen.queues} | joined
            self._check_queues(stored.queues, queues, configuration, principal)
        if wanted.aliases is not None:
            aliases = frozenset(wanted.aliases)
            known = {alias.name for alias in configuration.aliases}
            if unknown := sorted(aliases - known):
                raise Invalid([Problem("aliases", f"{one} is no alias.", "Name configured ones.") for one in unknown])
        if not name or len(name) > 200 or not name.isprintable():
            raise Invalid([Problem("name", "is empty, too long, or not printable.", "Use 1 to 200 characters.")])
        if name != stored.name or aliases != stored.aliases:
            self._check_manages(stored, principal)
        return replace(stored, name=name, roles=roles, queues=queues, aliases=aliases)

    def _check_roles(self, given: Mapping[str, Sequence[str]], configuration: Configuration) -> None:
        known, places = self.defined(), {one.name for one in configuration.departments}
        places |= {INSTALLATION, configuration.settings.default_department}
        problems = []
        for where, names in given.items():
            if where not in places:
                problems.append(
                    Problem(f"roles.{where}", "is no department.", "Name a configured one, or `*` for all.")
                )
            problems += [
                Problem(f"roles.{where}", f"{one} is no role.", "GET /v1/roles lists them.")
                for one in names
                if one not in known
            ]
        if len(given) > MOST_ROLES:
            problems.append(Problem("roles", "names too many departments.", f"Name at most {MOST_ROLES}, or `*`."))
        if problems:
            raise Invalid(problems)

    def _check_grants(
        self, old: Mapping[str, Sequence[str]], new: Mapping[str, Sequence[str]], principal: Principal
    ) -> None:
        known = self.defined()
        for where in {*old, *new}:
            before, after = set(old.get(where, ())), set(new.get(where, ()))
            if before == after:
                continue
            require(principal, Scope(where), (Block.USERS, Level.MANAGE), on=f"roles in {where}")
            for name in sorted(after - before):
                if lacks := lacking(principal, known[name], where) if name in known else []:
                    raise Forbidden(
                        f"Who gives the role {name} must hold what it allows: {', '.join(lacks[:5])}",
                        on=where,
                        remedy="Ask a partition administrator.",
                    )

    def _check_queues(
        self,
        old: Mapping[str, Sequence[str]],
        new: Mapping[str, Sequence[str]],
        configuration: Configuration,
        principal: Principal,
    ) -> None:
        known = {queue.name for queue in configuration.queues}
        changed = {queue for queue in {*old, *new} if old.get(queue) != new.get(queue)}
        for queue in sorted(changed):
            scope = scope_of_queue(configuration, queue)
            require(principal, scope, (Block.QUEUE_MEMBERS, Level.MODIFY), on=f"queue {queue}")
        if unknown := sorted(queue for queue in changed if queue not in known and queue in new):
            raise Invalid([Problem(f"queues.{one}", "is no queue.", "Name a configured one.") for one in unknown])
        if len(new) > MOST_QUEUES:
            raise Invalid([Problem("queues", "names too many.", f"Name at most {MOST_QUEUES}.")])

    def _check_manages(self, user: User, principal: Principal) -> None:
        for where in user.roles:
            if may(principal, Block.USERS, Level.MANAGE, Scope(where)) is not Verdict.ALLOWED:
                raise Forbidden(
                    "This user has roles that are not yours to give",
                    on=user.name,
                    remedy="Ask an administrator of all departments that the user has roles in.",
                )

    def _whole(self, name: str, principal: Principal) -> User:
        """Return a user over whom the principal may decide altogether."""
        stored = self._get(name)
        if _as_seen(stored, principal) is None:
            raise _missing(name)
        self._check_manages(stored, principal)
        return stored

    def _put(self, user: User, stored: User | None, principal: Principal, action: AuditAction) -> User:
        written = replace(user, version=(stored.version if stored else 0) + 1)
        before, after = (_told(stored) if stored else None), _told(written)
        told = entry(
            principal,
            action,
            f"user/{user.id}",
            now=self.clock(),
            department=_one_department(user),
            before=before,
            after=after,
            client=self.client,
        )
        came = self.users.put(written, replaces=stored, entry=told)
        if came is Written.MOVED and stored is None:
            raise Conflict("There is such a user or invitation", on=user.name, remedy="Change that one.")
        _check(came, user.name)
        return written

    def _get(self, name: str) -> User:
        found = self.users.get(name)
        if found is None:
            raise _missing(name)
        return found


def _check(came: Written, name: str) -> None:
    if came is Written.LAST_ADMINISTRATOR:
        raise Conflict(
            "This is the last partition administrator",
            on=name,
            code="last_administrator",
            remedy="Make somebody else a partition administrator first.",
        )
    if came is Written.MOVED:
        raise Outdated("The user was changed meanwhile", on=name)


def _as_seen(user: User, principal: Principal) -> User | None:
    """Return a user with the roles that lie in what the principal may see; none where nothing does."""
    seen = visible(principal, Block.USERS)
    if seen.everything:
        return user
    roles = {where: names for where, names in user.roles.items() if where in seen.departments}
    if not roles and user.id != principal.subject:
        return None
    return replace(user, roles=roles)


def _itself(user: User) -> Principal:
    return Principal(user.id, user.name, user.kind)


def _told(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "address": user.address,
        "state": user.state.value,
        "roles": {where: list(names) for where, names in sorted(user.roles.items())},
        "queues": {queue: list(languages) for queue, languages in sorted(user.queues.items())},
        "aliases": sorted(user.aliases),
    }


def _one_department(user: User) -> str:
    """Name the department that an entry about a user belongs to; of several it is the installation's."""
    return next(iter(user.roles)) if len(user.roles) == 1 else INSTALLATION


def _missing(name: str) -> NotFound:
    return no_such("user", on=name)
