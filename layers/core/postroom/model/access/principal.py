"""Who asks, and where what is asked for belongs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from postroom.model.access.rights import Role

INSTALLATION = "*"
"""In place of a department: roles held here hold in every department, and for what belongs to none."""


class PrincipalKind(StrEnum):
    """What sort of principal acts; the word stands in histories."""

    PERSON = "person"  # signed in, by an OpenID token or with AWS credentials of an operator
    MACHINE = "machine"  # a client of the API with roles of its own; never an agent
    SYSTEM = "system"  # Postroom itself: timers, rules, the sweeper


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, with the rights that the table knew a moment ago.

    `subject` is stable and unique (what objects are owned by), `name` is what histories show.
    """

    subject: str
    name: str
    kind: PrincipalKind
    roles: Mapping[str, tuple[Role, ...]] = field(default_factory=dict)  # by department, or INSTALLATION
    queues: frozenset[str] = frozenset()  # member of
    aliases: frozenset[str] = frozenset()  # of a machine: may write as
    address: str = ""  # verified, or empty

    def roles_in(self, department: str) -> tuple[Role, ...]:
        """Return the roles that hold in a department (or, for INSTALLATION, for what belongs to none)."""
        here = self.roles.get(department, ()) if department != INSTALLATION else ()
        return (*self.roles.get(INSTALLATION, ()), *here)

    @property
    def holder(self) -> str:
        """Return what cases know their holder by: the verified address, which is one person's, else the subject.

        A name is not: two people of one name would have each other's cases.
        """
        return self.address or self.subject

    @property
    def departments(self) -> frozenset[str]:
        """Return where roles are held; it may hold INSTALLATION."""
        return frozenset(where for where, roles in self.roles.items() if roles)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an object belongs: what `may` has to know of it.

    An object of no department belongs to the installation. Owner: the subject of whose it is.
    """

    department: str = INSTALLATION
    queue: str | None = None
    owner: str | None = None
    alias: str | None = None


ANYWHERE = Scope()
"""The scope of what belongs to no department: settings, the installation's own objects."""
