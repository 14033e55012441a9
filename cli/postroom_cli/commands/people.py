"""`postroom user`, `postroom role`, `postroom audit`: who may do what, and who did what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from postroom.errors import Conflict, Invalid, NotFound, Problem
from postroom.model.access import INSTALLATION

from postroom_cli import output
from postroom_cli.author import operator
from postroom_cli.output import Json
from postroom_cli.stack import find_stack

if TYPE_CHECKING:
    from postroom.model.access import AuditEntry, OwnRole, User
    from postroom.services.people import People, Period, RoleBook

users = typer.Typer(help="Invite people and machines, give and take roles.", no_args_is_help=True)
roles = typer.Typer(help="Show and define roles.", no_args_is_help=True)
audit = typer.Typer(help="Tell who did what.", no_args_is_help=True)

CLIENT = "command line"
Who = Annotated[str, typer.Argument(metavar="USER", help="The user's id, address or name.")]
RoleName = Annotated[str, typer.Option("--role", help="A role; `postroom role list` shows them.")]
Department = Annotated[str, typer.Option(help="Where it holds; `*` is everywhere.")]


def register(parent: typer.Typer) -> None:
    """Add the groups."""
    parent.add_typer(users, name="user")
    parent.add_typer(roles, name="role")
    parent.add_typer(audit, name="audit")


def _people(context: typer.Context) -> People:
    from postroom.services.people import People

    stack = find_stack(context)
    return People(stack.users, stack.roles, stack.configurations, stack.clock, client=CLIENT)


def _book(context: typer.Context) -> RoleBook:
    from postroom.services.people import RoleBook

    stack = find_stack(context)
    return RoleBook(stack.roles, stack.users, stack.clock, client=CLIENT)


def _all(people: People) -> list[User]:
    found: list[User] = []
    place = ""
    while True:
        some, place = people.page(operator(), after=place)
        found += some
        if not place:
            return found


def _find(people: People, who: str) -> User:
    """Find a user by id, address or name; raises NotFound, or Conflict where several are meant."""
    by_id = people.users.get(who)
    if by_id is not None:
        return by_id
    found = [one for one in _all(people) if who.casefold() in (one.address, one.name.casefold())]
    if not found:
        raise NotFound("There is no such user", on=who, remedy="`postroom user list` shows them.")
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise Conflict(f"Several users are called so: {ids}", on=who, remedy="Give an id.")
    return found[0]


def _tell(user: User, what: str, *, json: bool) -> None:
    from postroom.services.api import user_shown

    if json:
        output.document(user_shown(user))
    else:
        output.say(f"{user.name} {what}: {_roles(user) or 'no role'}.")


def _roles(user: User) -> str:
    return "; ".join(f"{', '.join(names)} in {where}" for where, names in sorted(user.roles.items()))


@users.command("list")
def list_users(context: typer.Context, json: Json = False) -> None:
    """List users, invitations and machines."""
    from postroom.services.api import user_shown

    found = _all(_people(context))
    if json:
        for one in found:
            output.line(user_shown(one))
        return
    rows = [(one.id, one.name, one.address, one.kind, one.state, _roles(one)) for one in found]
    output.table("Users", ("id", "name", "address", "kind", "state", "roles"), rows, empty="There are no users.")


@users.command("show")
def show_user(context: typer.Context, user: Who, json: Json = False) -> None:
    """Show a user and what he may do."""
    from postroom.services.api import rights_shown, user_shown
    from postroom.services.people import principal_of_user

    people = _people(context)
    found = _find(people, user)
    rights = rights_shown(principal_of_user(found, people.defined()))
    if json:
        output.document({"user": user_shown(found), "rights": rights})
        return
    _tell(found, f"is {found.state}", json=False)
    rows = [(one.department, one.block, one.level, one.reach, one.role) for one in rights]
    output.table("Rights", ("department", "block", "level", "reach", "role"), rows, empty="No rights.")


@users.command()
def invite(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="Who owns this address may sign in.")],
    role: RoleName,
    department: Department = INSTALLATION,
    name: Annotated[str | None, typer.Option(help="As histories show it.")] = None,
    json: Json = False,
) -> None:
    """Invite a person: the role waits for the first sign-in with this address, verified by the issuer."""
    from postroom.services.people import Wanted

    people = _people(context)
    made = people.invite(address, Wanted(name, {department: (role,)}), operator())
    _tell(made, "is invited", json=json)


@users.command()
def machine(
    context: typer.Context,
    arn: Annotated[str, typer.Argument(help="Of the IAM role (…:assumed-role/name) or user that signs.")],
    role: RoleName = "integrator",
    department: Department = INSTALLATION,
    alias: Annotated[list[str] | None, typer.Option(help="An alias that it may answer as.")] = None,
    json: Json = False,
) -> None:
    """Let a machine call the API that signs with AWS credentials."""
    from postroom.services.people import Wanted

    made = _people(context).add_machine(arn, Wanted(None, {department: (role,)}, aliases=alias), operator())
    _tell(made, "may call", json=json)


@users.command()
def grant(
    context: typer.Context, user: Who, role: RoleName, department: Department = INSTALLATION, json: Json = False
) -> None:
    """Give a user a role in a department."""
    _change_role(context, user, role, department, gives=True, json=json)


@users.command()
def revoke(
    context: typer.Context, user: Who, role: RoleName, department: Department = INSTALLATION, json: Json = False
) -> None:
    """Take a role from a user in a department."""
    _change_role(context, user, role, department, gives=False, json=json)


def _change_role(context: typer.Context, user: str, role: str, department: str, *, gives: bool, json: bool) -> None:
    from postroom.services.people import Wanted

    people = _people(context)
    found = _find(people, user)
    held = tuple(name for name in found.roles.get(department, ()) if name != role)
    if not gives and len(held) == len(found.roles.get(department, ())):
        raise NotFound(f"The user has no role {role} in {department}", on=user)
    roles: Mapping[str, tuple[str, ...]] = {**found.roles, department: (*held, role) if gives else held}
    changed = people.change(found.id, Wanted(roles=roles), operator(), version=str(found.version))
    _tell(changed, "has now", json=json)


@users.command()
def join(
    context: typer.Context,
    user: Who,
    queue: Annotated[str, typer.Argument(help="The queue that the user becomes a member of.")],
    language: Annotated[list[str] | None, typer.Option(help="A language he answers in; none: any.")] = None,
    json: Json = False,
) -> None:
    """Make a user a member of a queue."""
    from postroom.services.people import Wanted

    people = _people(context)
    found = _find(people, user)
    queues = {**found.queues, queue: tuple(language or ())}
    _tell(people.change(found.id, Wanted(queues=queues), operator(), version=str(found.version)), "joined", json=json)


@users.command()
def leave(context: typer.Context, user: Who, queue: str, json: Json = False) -> None:
    """Take a user out of a queue."""
    from postroom.services.people import Wanted

    people = _people(context)
    found = _find(people, user)
    if queue not in found.queues:
        raise NotFound("The user is no member of this queue", on=queue)
    queues = {name: languages for name, languages in found.queues.items() if name != queue}
    _tell(people.change(found.id, Wanted(queues=queues), operator(), version=str(found.version)), "left", json=json)


@users.command()
def deactivate(
    context: typer.Context,
    user: Who,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without it only say what it would do.")] = False,
    json: Json = False,
) -> None:
    """Take a user's rights and give his work back to its queues."""
    from postroom.services.api import user_shown

    people = _people(context)
    found = _find(people, user)
    leaving = people.deactivate(found.id, operator(), version=str(found.version), only_tell=not apply)
    if json:
        output.document({"user": user_shown(leaving.user), "cases": leaving.cases, "done": leaving.done})
        return
    does = "was deactivated" if leaving.done else "would be deactivated (--apply does it)"
    output.say(f"{found.name} {does}; {leaving.cases} cases go back to their queues.")


@users.command()
def activate(context: typer.Context, user: Who, json: Json = False) -> None:
    """Give a deactivated user his roles back."""
    people = _people(context)
    found = _find(people, user)
    _tell(people.activate(found.id, operator(), version=str(found.version)), "is active", json=json)


@users.command()
def remove(context: typer.Context, user: Who, json: Json = False) -> None:
    """Remove an invitation, or a user who was deactivated."""
    people = _people(context)
    found = _find(people, user)
    people.remove(found.id, operator(), version=str(found.version))
    if json:
        output.document({"removed": found.id})
    else:
        output.say(f"{found.name} was removed.")


@roles.command("list")
def list_roles(context: typer.Context, json: Json = False) -> None:
    """List the built-in roles and the installation's own."""
    from postroom.rules.access import BuiltIn
    from postroom.services.api import role_shown

    found = _book(context).all(operator())
    if json:
        for one in found:
            output.line(role_shown(one, built_in=one.name in list(BuiltIn)))
        return
    rows = [(one.name, one.title, len(one.rights), _groups(one)) for one in found]
    output.table("Roles", ("name", "title", "rights", "groups"), rows, empty="")


def _groups(role: OwnRole) -> str:
    return ", ".join(f"{group} in {department}" for group, department in role.groups.items())


@roles.command("define")
def define(
    context: typer.Context,
    name: str,
    title: Annotated[str, typer.Option(help="As people read it.")],
    right: Annotated[list[str], typer.Option(help="block:level or block:level:reach, as cases:view:queues.")],
    json: Json = False,
) -> None:
    """Define a role, or define it anew."""
    from postroom.model.access import OwnRole
    from postroom.services.api import role_shown

    rights = dict(_right(one) for one in right)
    book = _book(context)
    stored = next((one for one in book.all(operator()) if one.name == name), None)
    if stored is None:
        made = book.define(OwnRole(name, title, rights), operator())
    else:
        made = book.change(OwnRole(name, title, rights, stored.groups), operator(), version=str(stored.version))
    if json:
        output.document(role_shown(made, built_in=False))
    else:
        output.say(f"The role {name} has {len(made.rights)} rights.")


@roles.command("map")
def map_group(
    context: typer.Context,
    name: str,
    group: Annotated[str, typer.Option(help="A group of the token (`cognito:groups` or `groups`).")],
    department: Department = INSTALLATION,
    json: Json = False,
) -> None:
    """Let who signs in for the first time in a group have a role."""
    from postroom.model.access import OwnRole

    book = _book(context)
    stored = book.show(name, operator())
    wanted = OwnRole(name, stored.title, stored.rights, {**stored.groups, group: department})
    made = book.change(wanted, operator(), version=str(stored.version))
    if json:
        output.document({"role": name, "groups": dict(made.groups)})
    else:
        output.say(f"Who is in {group} has the role {name} in {department} from the first sign-in on.")


@roles.command("remove")
def remove_role(context: typer.Context, name: str, json: Json = False) -> None:
    """Remove a role that nobody has."""
    book = _book(context)
    book.remove(name, operator(), version=str(book.show(name, operator()).version))
    if json:
        output.document({"removed": name})
    else:
        output.say(f"The role {name} was removed.")


def _right(text: str) -> tuple[str, tuple[str, str]]:
    block, _colon, rest = text.partition(":")
    level, _colon, reach = rest.partition(":")
    if not block or not level:
        raise Invalid([Problem("--right", f"{text!r} is no right.", "Write block:level, as mailboxes:view.")])
    return block, (level, reach or "all")


@audit.command("list")
def list_audit(
    context: typer.Context,
    about: Annotated[str, typer.Option("--object", help="kind/id, as user/7f….")] = "",
    actor: Annotated[str, typer.Option(help="The id of a user, or `operator`.")] = "",
    since: Annotated[datetime | None, typer.Option(help="UTC; 30 days ago by default.")] = None,
    until: Annotated[datetime | None, typer.Option(help="UTC; now by default.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List who did what, newest first."""
    from postroom.services.api import audit_shown
    from postroom.services.people import AuditLog

    stack = find_stack(context)
    log = AuditLog(stack.audit, stack.clock, client=CLIENT)
    found, _place = log.page(operator(), _period(since, until), about=about, actor=actor, most=limit)
    if json:
        for one in found:
            output.line(audit_shown(one))
        return
    _tell_entries(found)


def _tell_entries(found: Iterable[AuditEntry]) -> None:
    rows = [(f"{one.at:%Y-%m-%d %H:%M:%S}", one.actor_name, one.action, one.object, one.reason) for one in found]
    output.table("Audit log", ("at (UTC)", "who", "what", "object", "reason"), rows, empty="Nothing was done.")


@audit.command("export")
def export_audit(
    context: typer.Context,
    since: Annotated[datetime | None, typer.Option(help="UTC; 30 days ago by default.")] = None,
    until: Annotated[datetime | None, typer.Option(help="UTC; now by default.")] = None,
    json: Json = False,
) -> None:
    """Print the whole log of a period, with --json as JSON lines; that it was exported is told in it."""
    from postroom.services.api import audit_shown
    from postroom.services.people import AuditLog

    stack = find_stack(context)
    log = AuditLog(stack.audit, stack.clock, client=CLIENT)
    found = log.every(operator(), _period(since, until))
    if not json:
        _tell_entries(found)
        return
    for one in found:
        output.line(audit_shown(one))


def _period(since: datetime | None, until: datetime | None) -> Period:
    from postroom.services.people import Period

    return Period(since and since.replace(tzinfo=UTC), until and until.replace(tzinfo=UTC))
