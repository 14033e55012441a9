"""What every request passes, whichever API it is for."""

from __future__ import annotations

from dataclasses import dataclass

from postroom.ports import Clock, RequestMemory, Roles, Users
from postroom.services.people import Principals
from postroom.services.requests.cursors import Cursors
from postroom.services.requests.rates import Rates
from postroom.services.requests.repeats import Repeats


@dataclass(frozen=True, slots=True)
class Door:
    """Knows who asks, how often, whether it is a repetition, and where a list goes on."""

    principals: Principals
    rates: Rates
    repeats: Repeats
    cursors: Cursors


def door(*, users: Users, roles: Roles, memory: RequestMemory, clock: Clock) -> Door:
    """Put it together."""
    return Door(
        Principals(users, roles, clock), Rates(memory, clock), Repeats(memory, clock), Cursors(memory.key, clock)
    )
