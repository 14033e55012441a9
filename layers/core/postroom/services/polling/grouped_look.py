"""Look at several mailboxes in one request, where their connector can; who is left over is opened by itself.

Nothing may be lost by it: a mailbox counts as looked at only when its own answer says that nothing is new. A request
that fails, hangs or forgets a mailbox costs that mailbox some seconds, and the others nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from postroom.errors import PostroomError
from postroom.model import Position
from postroom.model.configuration import Mailbox, Type
from postroom.ports import Connector, LooksTogether, Tokens
from postroom.services.mailboxes import takes_token

logger = logging.getLogger(__name__)

LEAST = 2  # mailboxes; one by itself is opened, which costs the same


@dataclass(frozen=True, slots=True)
class Group:
    """Mailboxes that are looked at in one request."""

    connector: LooksTogether
    asked: tuple[tuple[Mailbox, Position], ...]

    def look(self, tokens: Tokens, *, deadline: float) -> Iterator[tuple[Mailbox, bool | PostroomError]]:
        """Answer for each mailbox at most once, as ports.LooksTogether says; whoever is missing is to be opened."""
        rest = {mailbox.name for mailbox, _position in self.asked}
        try:
            token = tokens.access_token(self.asked[0][0], deadline=deadline)
            for mailbox, found in self.connector.look_together(self.asked, secret=token, deadline=deadline):
                if mailbox.name in rest:
                    rest.discard(mailbox.name)
                    yield mailbox, found
        except PostroomError as error:
            # Whether it concerns them too, the mailboxes find out, each by itself.
            logger.warning("looked_one_by_one", extra={"mailboxes": len(rest), "step": error.step, "code": error.code})


def groups(
    asked: Sequence[tuple[Mailbox, Position]], *, connectors: Mapping[Type, Connector], tokens: Tokens | None
) -> list[Group]:
    """Put mailboxes together that can be looked at in one request; who stands in no group is opened."""
    if tokens is None:
        return []
    companies: dict[Hashable, list[tuple[Mailbox, Position]]] = {}
    able: dict[Type, LooksTogether] = {}
    for mailbox, position in asked:
        connector = connectors.get(mailbox.type)
        if not takes_token(mailbox) or not isinstance(connector, LooksTogether):
            continue
        able[mailbox.type] = connector
        if (company := connector.company(mailbox, position)) is not None:
            companies.setdefault((mailbox.type, company), []).append((mailbox, position))
    found: list[Group] = []
    for members in companies.values():
        connector = able[members[0][0].type]
        for begin in range(0, len(members), connector.together):
            part = tuple(members[begin : begin + connector.together])
            if len(part) >= LEAST:
                found.append(Group(connector, part))
    return found
