"""Rights: denied unless a role allows it; what belongs to another department does not exist for who asks."""

from __future__ import annotations

import itertools

import pytest
from postroom.errors import Forbidden, NotFound
from postroom.model.access import INSTALLATION, Block, Level, Principal, PrincipalKind, Role, Scope
from postroom.rules.access import BUILT_IN, SHARED, BuiltIn, Verdict, may, may_somewhere, require, visible

ALLOWED, FORBIDDEN, NOT_FOUND = Verdict.ALLOWED, Verdict.FORBIDDEN, Verdict.NOT_FOUND
VIEW, MODIFY, MANAGE = Level.VIEW, Level.MODIFY, Level.MANAGE


def somebody(*roles: BuiltIn, department: str = "sales") -> Principal:
    """Make a person with built-in roles in one department, who works in the queue `orders`."""
    held: tuple[Role, ...] = tuple(BUILT_IN[role] for role in roles)
    queues, aliases = frozenset({"orders"}), frozenset({"shop"})
    return Principal("u1", "Ann", PrincipalKind.PERSON, {department: held}, queues=queues, aliases=aliases)


ORDERS = Scope("sales", queue="orders")
RETURNS = Scope("sales", queue="returns")
OWN = Scope("sales", queue="returns", owner="u1")
SALES = Scope("sales")
SERVICE = Scope("service", queue="orders", owner="u1", alias="shop")
NOWHERE = Scope()

PARTITION, DEPARTMENT, SUPERVISOR, SENIOR, AGENT, INTEGRATOR, AUDITOR, READER = BuiltIn


@pytest.mark.parametrize(
    ("role", "block", "level", "scope", "verdict"),
    [
        (DEPARTMENT, Block.SETTINGS, VIEW, NOWHERE, NOT_FOUND),
        (DEPARTMENT, Block.MAILBOXES, MANAGE, SALES, ALLOWED),
        (DEPARTMENT, Block.MAILBOXES, VIEW, NOWHERE, NOT_FOUND),
        (DEPARTMENT, Block.ALIASES, MODIFY, SALES, ALLOWED),
        (DEPARTMENT, Block.ALIASES, MANAGE, SALES, FORBIDDEN),
        (DEPARTMENT, Block.ALIASES, VIEW, NOWHERE, ALLOWED),
        (DEPARTMENT, Block.ALIASES, MODIFY, NOWHERE, FORBIDDEN),
        (DEPARTMENT, Block.CASE_WORK, MODIFY, ORDERS, FORBIDDEN),
        (DEPARTMENT, Block.RAW_MESSAGES, VIEW, ORDERS, ALLOWED),
        (DEPARTMENT, Block.UNMASKED_TEXT, VIEW, ORDERS, FORBIDDEN),
        (SUPERVISOR, Block.QUEUE_MEMBERS, MODIFY, ORDERS, ALLOWED),
        (SUPERVISOR, Block.QUEUES, MODIFY, ORDERS, FORBIDDEN),
        (SUPERVISOR, Block.WORKFLOW_TRIALS, MODIFY, SALES, ALLOWED),
        (SUPERVISOR, Block.FORCE, MODIFY, ORDERS, ALLOWED),
        (SUPERVISOR, Block.CASES, VIEW, RETURNS, NOT_FOUND),
        (SUPERVISOR, Block.OUTBOX, MODIFY, ORDERS, ALLOWED),
        (SUPERVISOR, Block.OUTBOX, MANAGE, ORDERS, FORBIDDEN),
        (SENIOR, Block.PICKS, MODIFY, ORDERS, ALLOWED),
        (SENIOR, Block.FORCE, MODIFY, ORDERS, FORBIDDEN),
        (SENIOR, Block.MERGES, MODIFY, ORDERS, ALLOWED),
        (AGENT, Block.CASE_WORK, MODIFY, ORDERS, ALLOWED),
        (AGENT, Block.CASE_WORK, MODIFY, RETURNS, NOT_FOUND),
        (AGENT, Block.CASE_WORK, MODIFY, OWN, ALLOWED),
        (AGENT, Block.CASE_WORK, MODIFY, SERVICE, NOT_FOUND),
        (AGENT, Block.MERGES, MODIFY, ORDERS, FORBIDDEN),
        (AGENT, Block.MAILBOXES, VIEW, SALES, FORBIDDEN),
        (AGENT, Block.OWN_MAIL, MODIFY, OWN, ALLOWED),
        (AGENT, Block.OWN_MAIL, MODIFY, RETURNS, NOT_FOUND),
        (INTEGRATOR, Block.REPLIES, MODIFY, Scope("sales", queue="returns", alias="shop"), ALLOWED),
        (INTEGRATOR, Block.REPLIES, MODIFY, Scope("sales", queue="returns", alias="other"), NOT_FOUND),
        (INTEGRATOR, Block.CASE_WORK, MODIFY, ORDERS, FORBIDDEN),
        (INTEGRATOR, Block.BULK, MODIFY, RETURNS, ALLOWED),
        (AUDITOR, Block.AUDIT_EXPORTS, VIEW, SALES, ALLOWED),
        (AUDITOR, Block.SECRETS, MODIFY, SALES, FORBIDDEN),
        (AUDITOR, Block.RAW_MESSAGES, VIEW, RETURNS, FORBIDDEN),
        (READER, Block.BOARD, VIEW, RETURNS, ALLOWED),
        (READER, Block.REPORTS, VIEW, RETURNS, FORBIDDEN),
    ],
    ids=lambda value: str(value) if not isinstance(value, Scope) else f"{value.department}-{value.queue}-{value.owner}",
)
def test_a_role_in_a_department_allows(
    role: BuiltIn, block: Block, level: Level, scope: Scope, verdict: Verdict
) -> None:
    assert may(somebody(role), block, level, scope) is verdict


@pytest.mark.parametrize("role", BuiltIn)
def test_no_role_reaches_into_another_department(role: BuiltIn) -> None:
    seen = {may(somebody(role), block, level, SERVICE) for block in Block for level in Level}
    assert seen == {NOT_FOUND}


@pytest.mark.parametrize("role", BuiltIn)
def test_a_department_role_sees_of_the_installation_what_departments_share_and_changes_nothing(role: BuiltIn) -> None:
    person = somebody(role)
    for block in Block:
        allowed = {level for level in Level if may(person, block, level, NOWHERE) is ALLOWED}
        assert allowed <= ({VIEW} if block in SHARED else set())


@pytest.mark.parametrize("kind", [PrincipalKind.PERSON, PrincipalKind.MACHINE])
def test_who_has_no_role_sees_nothing(kind: PrincipalKind) -> None:
    nobody = Principal("u1", "Ann", kind, {"sales": ()}, queues=frozenset({"orders"}))
    for block, level, scope in itertools.product(Block, Level, [ORDERS, OWN, SALES, SERVICE, NOWHERE]):
        assert may(nobody, block, level, scope) is NOT_FOUND
        assert visible(nobody, block).nothing
        assert not may_somewhere(nobody, block, level)


def test_postroom_itself_may_do_everything() -> None:
    timers = Principal("timers", "timers", PrincipalKind.SYSTEM)
    for block, level, scope in itertools.product(Block, Level, [ORDERS, SERVICE, NOWHERE]):
        assert may(timers, block, level, scope) is ALLOWED
        assert visible(timers, block, level).admits(scope)


@pytest.mark.parametrize("where", ["sales", INSTALLATION])
@pytest.mark.parametrize("role", BuiltIn)
def test_a_list_shows_what_may_be_viewed_and_nothing_else(role: BuiltIn, where: str) -> None:
    person = somebody(role, department=where)
    scopes = [
        Scope(department, queue, owner)
        for department in ("sales", "service", INSTALLATION)
        for queue in (None, "orders", "returns")
        for owner in (None, "u1", "u2")
    ]
    for block, level, scope in itertools.product(Block, Level, scopes):
        if block is Block.REPLIES and role is INTEGRATOR:
            continue  # by alias: nothing is listed by it
        shown = visible(person, block, level).admits(scope)
        assert shown == (may(person, block, level, scope) is ALLOWED), (block, level, scope)


@pytest.mark.parametrize("role", BuiltIn)
def test_a_level_holds_those_before_it(role: BuiltIn) -> None:
    for block, scope in itertools.product(Block, [ORDERS, RETURNS, OWN, SERVICE, NOWHERE]):
        allowed = [may(somebody(role), block, level, scope) is ALLOWED for level in Level]
        assert allowed == sorted(allowed, reverse=True)


def test_roles_of_several_departments_hold_where_they_were_given() -> None:
    both = Principal(
        "u1",
        "Ann",
        PrincipalKind.PERSON,
        {"sales": (BUILT_IN[AGENT],), "service": (BUILT_IN[DEPARTMENT],)},
        queues=frozenset({"orders"}),
    )
    assert may(both, Block.MAILBOXES, MANAGE, SERVICE) is ALLOWED
    assert may(both, Block.MAILBOXES, MANAGE, SALES) is FORBIDDEN
    assert may(both, Block.CASE_WORK, MODIFY, ORDERS) is ALLOWED
    assert may(both, Block.CASE_WORK, MODIFY, Scope("service", queue="orders")) is FORBIDDEN


def test_what_is_out_of_reach_is_told_in_the_words_of_what_is_not_there() -> None:
    with pytest.raises(NotFound) as missing:
        require(somebody(AGENT), SERVICE, (Block.CASES, VIEW), (Block.MERGES, MODIFY), on="case Z7QK3")
    assert "department" not in str(missing.value)
    with pytest.raises(NotFound):  # the case of another team must not be told from none by the right that is missing
        require(somebody(AGENT), RETURNS, (Block.CASES, VIEW), (Block.MERGES, MODIFY), on="case Z7QK3")
    with pytest.raises(Forbidden, match="merges:modify"):
        require(somebody(AGENT), ORDERS, (Block.CASES, VIEW), (Block.MERGES, MODIFY), on="case Z7QK3")
    require(somebody(SENIOR), ORDERS, (Block.CASES, VIEW), (Block.MERGES, MODIFY), on="case Z7QK3")


def test_every_block_has_a_row_and_every_built_in_role_a_column() -> None:
    assert set(BUILT_IN) == set(BuiltIn)
    given = {block for role in BUILT_IN.values() for block in role.rights}
    assert given == set(Block) - {Block.UNMASKED_TEXT}, "unmasked text comes by a grant alone"
