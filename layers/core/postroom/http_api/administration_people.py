"""Routes about people: who the caller is, users, roles."""

from __future__ import annotations

from postroom.http_api.foundation import SIGNED_IN, Cursor, Limit, Name, Needs, Routes
from postroom.model.access import Block, Level
from postroom.rules.access import BuiltIn
from postroom.services.api import (
    Administration,
    LeavingShown,
    LeavingWanted,
    MeShown,
    NewRole,
    RightsShown,
    RoleList,
    RoleShown,
    RoleWanted,
    UserPage,
    UserPatch,
    UserShown,
    UserWanted,
    leaving_shown,
    rights_shown,
    role_shown,
    user_shown,
)
from postroom.services.people import principal_of_user

_VIEW = Needs(Block.USERS, Level.VIEW)
_MANAGE = Needs(Block.USERS, Level.MANAGE)
_MEMBERS = Needs(Block.QUEUE_MEMBERS, Level.MODIFY)  # what else a change needs, the service judges by what it changes
_BUILT_IN = {name.value for name in BuiltIn}


def add_routes(api: Routes[Administration]) -> None:
    """Declare them."""
    _add_users(api)
    _add_changes(api)
    _add_roles(api)


def _add_users(api: Routes[Administration]) -> None:
    @api.get("/me", "people", SIGNED_IN)
    def me() -> MeShown:
        """Tell who the caller is, and what he may do; the first time it makes the user, if he was invited."""
        people = api.behind().people
        user = people.sign_in(api.asked.sign_in)
        api.asked.tag(user.version)
        return MeShown(user=user_shown(user), rights=rights_shown(principal_of_user(user, people.defined())))

    @api.get("/users", "people", _VIEW)
    def users(limit: Limit = 100, cursor: Cursor = "") -> UserPage:
        """List users, invitations and machines, by name."""
        people = api.behind().people
        found, place = people.page(api.asked.principal, after=api.asked.resume(cursor) or "", most=limit)
        shown = tuple(user_shown(one) for one in found)
        return UserPage(items=shown, next=api.asked.cursor(place), as_of=people.clock())

    @api.get("/users/<user>", "people", _VIEW)
    def user(user: Name) -> UserShown:
        """Show a user."""
        found = api.behind().people.show(user, api.asked.principal)
        api.asked.tag(found.version)
        return user_shown(found)

    @api.get("/users/<user>/rights", "people", _VIEW)
    def rights(user: Name) -> RightsShown:
        """List what a user may do, and by which role."""
        people = api.behind().people
        found = people.show(user, api.asked.principal)
        return RightsShown(user=found.id, rights=rights_shown(principal_of_user(found, people.defined())))


def _add_changes(api: Routes[Administration]) -> None:
    @api.post("/users", "people", _MANAGE, status=201)
    def invite(wanted: UserWanted) -> UserShown:
        """Invite an address, or let a machine call."""
        people, asked = api.behind().people, api.asked
        if wanted.arn is not None and wanted.address is None:
            made = people.add_machine(wanted.arn, wanted.wanted(), asked.principal)
        else:
            made = people.invite(wanted.address or "", wanted.wanted(), asked.principal)
        asked.tag(made.version)
        return user_shown(made)

    @api.patch("/users/<user>", "people", _MEMBERS)
    def change(user: Name, wanted: UserPatch) -> UserShown:
        """Change a user's name, roles, membership of queues, aliases."""
        people, asked = api.behind().people, api.asked
        seen = people.show(user, asked.principal)
        changed = people.change(user, wanted.wanted(seen), asked.principal, version=asked.version)
        asked.tag(changed.version)
        return user_shown(people.show(changed.id, asked.principal))

    @api.post("/users/<user>/deactivate", "people", _MANAGE, versioned=True)
    def deactivate(user: Name, wanted: LeavingWanted) -> LeavingShown:
        """Take a user's rights and give back his work, or say what that would do."""
        asked = api.asked
        leaving = api.behind().people.deactivate(
            user, asked.principal, version=asked.version, reassign=wanted.reassign, only_tell=wanted.preview
        )
        asked.tag(leaving.user.version)
        return leaving_shown(leaving)

    @api.post("/users/<user>/activate", "people", _MANAGE, versioned=True)
    def activate(user: Name) -> UserShown:
        """Give a deactivated user his roles back."""
        active = api.behind().people.activate(user, api.asked.principal, version=api.asked.version)
        api.asked.tag(active.version)
        return user_shown(active)

    @api.delete("/users/<user>", "people", _MANAGE)
    def remove(user: Name) -> None:
        """Remove an invitation, or a user who was deactivated."""
        api.behind().people.remove(user, api.asked.principal, version=api.asked.version)


def _add_roles(api: Routes[Administration]) -> None:
    @api.get("/roles", "people", _VIEW)
    def roles() -> RoleList:
        """List the built-in roles and those of the installation."""
        found = api.behind().roles.all(api.asked.principal)
        return RoleList(items=tuple(role_shown(one, built_in=one.name in _BUILT_IN) for one in found))

    @api.get("/roles/<role>", "people", _VIEW)
    def role(role: Name) -> RoleShown:
        """Show a role."""
        found = api.behind().roles.show(role, api.asked.principal)
        api.asked.tag(found.version)
        return role_shown(found, built_in=found.name in _BUILT_IN)

    @api.post("/roles", "people", _MANAGE, status=201)
    def define(wanted: NewRole) -> RoleShown:
        """Define a role."""
        made = api.behind().roles.define(wanted.role(wanted.name), api.asked.principal)
        api.asked.tag(made.version)
        return role_shown(made, built_in=False)

    @api.put("/roles/<role>", "people", _MANAGE)
    def change_role(role: Name, wanted: RoleWanted) -> RoleShown:
        """Change a role; of a built-in one only the groups that lead to it."""
        made = api.behind().roles.change(wanted.role(role), api.asked.principal, version=api.asked.version)
        api.asked.tag(made.version)
        return role_shown(made, built_in=made.name in _BUILT_IN)

    @api.delete("/roles/<role>", "people", _MANAGE)
    def remove_role(role: Name) -> None:
        """Remove a role that nobody has."""
        api.behind().roles.remove(role, api.asked.principal, version=api.asked.version)
