"""Why is this mail where it is? Every decision and event of a mail, found by Message-ID, id or raw key (X04)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from postroom import ports
from postroom.errors import NotFound
from postroom.model.decision import Decision
from postroom.model.identity import interaction_id, parse_raw_key
from postroom.model.interaction import Event, Interaction
from postroom.model.outbound import Outbound

_ID = re.compile(r"[a-z2-7]{26}")


class Interactions(ports.Interactions, Protocol):
    """Interactions with their history."""

    def history(self, interaction_id: str) -> list[Event]: ...


class Outbox(ports.Outbox, Protocol):
    """The outbox with its history."""

    def history(self, outbound_id: str) -> list[Event]: ...


@dataclass(frozen=True, slots=True)
class Explanation:
    """One mail: what it is, where it is, what was decided on the way, and what happened since."""

    id: str
    direction: str
    mailbox: str
    message_id: str | None
    subject: str
    subtype: str
    state: str
    queue: str | None
    decisions: tuple[Decision, ...]
    events: tuple[Event, ...]


def why(asked: str, *, interactions: Interactions, outbox: Outbox) -> list[Explanation]:
    """Explain every mail that the text names: an id, a Message-ID (with or without <>), a raw key; or NotFound."""
    found = [*_explanations(asked.strip(), interactions, outbox)]
    if not found:
        raise NotFound(
            "No mail is known by this name",
            on=asked[:200],
            remedy="Give a Message-ID or an id; a mail that was never fetched is on the mail server still: "
            "`postroom mailbox show NAME` tells about the last polls.",
        )
    return found


def _explanations(asked: str, interactions: Interactions, outbox: Outbox) -> Iterator[Explanation]:
    ids = [asked] if _ID.fullmatch(asked) else []
    if asked.startswith("raw/"):
        try:
            key = parse_raw_key(asked)
        except ValueError:
            return
        ids.append(interaction_id(key.mailbox, key.sha256))
    if not ids:
        bare = asked.strip("<> \t")
        # A Message-ID is no identity (X02): several mails may carry it, and each is told.
        ids = list(dict.fromkeys(hit.interaction_id for hit in interactions.by_message_ids([f"<{bare}>"])))
    for one in ids:
        interaction = interactions.get(one)
        if interaction is not None:
            yield _inbound(interaction, interactions.history(one))
        elif outbound := outbox.get(one):
            yield _outbound(outbound, outbox.history(one))


def _inbound(interaction: Interaction, events: list[Event]) -> Explanation:
    return Explanation(
        id=interaction.id,
        direction="inbound",
        mailbox=interaction.mailbox,
        message_id=interaction.message_id,
        subject=interaction.subject,
        subtype=interaction.subtype.value,
        state=interaction.status.value,
        queue=interaction.queue,
        decisions=interaction.decisions,
        events=tuple(events),
    )


def _outbound(outbound: Outbound, events: list[Event]) -> Explanation:
    return Explanation(
        id=outbound.id,
        direction="outbound",
        mailbox=outbound.mailbox,
        message_id=outbound.message_id,
        subject=outbound.subject,
        subtype=outbound.subtype.value,
        state=f"{outbound.state.value}, {outbound.delivery.value}"
        + (f": {outbound.reason}" if outbound.reason else ""),
        queue=None,
        decisions=(),
        events=tuple(events),
    )
