"""The path that every fault is tried on, and what must have come of it in the end."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from typing import Any

from postroom.adapters.aws.s3 import S3Contents
from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.mailbox_states import DynamoMailboxStates
from postroom.mail.outgoing import thread_token
from postroom.model.interaction import Direction, Interaction
from postroom.model.mailbox_state import HealthState
from postroom.model.outbound import Delivery, Outbound, OutboxState
from postroom_cli.demo.installation import expected_id
from postroom_cli.local.example import CLAIMS, SUPPORT

from tests.faults.injector import Injector
from tests.faults.points import Kind, Place, Point
from tests.faults.world import Checkpoint, Scenario, World, backend, buckets, stored_items

_ROUNDS = 14  # of recovery: more than any back-off between two tries asks for
_ROUND = timedelta(minutes=20)  # longer than a lease, a claim, and what the sweeper waits for

_UNSETTLED = (OutboxState.NEW, OutboxState.CLAIMED, OutboxState.DATA, OutboxState.DEFERRED)


def _mail(to: str, domain: str) -> bytes:
    # An attachment over the size that lies in the item, so that the content bucket is on the path too.
    lines = [
        f"Return-Path: <ann@{domain}>",
        f"From: Ann <ann@{domain}>",
        f"To: {to}@example.com",
        "Subject: Where is my order?",
        f"Message-ID: <m1@{domain}>",
        f"References: <m0@{domain}>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="x"',
        "",
        "--x",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "It has not come yet.",
        "--x",
        'Content-Type: text/csv; name="orders.csv"',
        'Content-Disposition: attachment; filename="orders.csv"',
        "",
        *(f"{number};lamp;one more line of the file" for number in range(400)),
        "--x--",
        "",
    ]
    return "\r\n".join(lines).encode()


SCENARIOS = (
    Scenario("smtp", SUPPORT, _mail(SUPPORT, "example.net")),  # deleted on the server, answered by SMTP
    Scenario("ses", CLAIMS, _mail(CLAIMS, "example.org")),  # moved on the server, answered by SES
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What went over the wire for one outbound mail, and what is recorded of it."""

    state: str
    delivery: str
    times: int


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that must be the same after every fault; `uncertain` may be more than without one."""

    interactions: tuple[tuple[str, ...], ...]
    outbound: dict[str, Sent]
    raw: tuple[str, ...]  # the content of each raw message
    contents: tuple[str, ...]
    folders: dict[str, int]
    balanced: bool
    health: str
    waiting: int
    caps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A run without a fault: what must come of every other, the steps of the path, and where each stage begins."""

    expected: Observed
    places: tuple[Place, ...]
    checkpoints: tuple[Checkpoint, ...]

    def stage_of(self, place: Place) -> int:
        """Tell in which stage the path comes by one of its places."""
        return sum(place not in checkpoint.places for checkpoint in self.checkpoints) - 1


def reference(world: World) -> Reference:
    """Go the whole path without a fault, keeping a checkpoint before each stage."""
    injector = Injector()
    checkpoints: list[Checkpoint] = []
    with world.run(injector):
        for stage in _STAGES:
            checkpoints.append(world.checkpoint())
            world.start_anew()
            stage(world, world.scenario)
        return Reference(_observe(world, world.scenario), tuple(injector.places), tuple(checkpoints))


def run(world: World, point: Point, known: Reference) -> tuple[Observed, Injector]:
    """Go the path with this fault, let the system recover, and look at what came of it.

    Stages before the fault are not gone through again: the path is the same at every run, and a test says so.
    """
    injector = Injector(point)
    number = known.stage_of(point.place)
    with world.run(injector, known.checkpoints[number]):
        for stage in _STAGES[number:]:
            world.start_anew()
            stage(world, world.scenario)
        return _observe(world, world.scenario), injector


def _arrive(world: World, scenario: Scenario) -> None:
    world.imap.append(f"{scenario.mailbox}@example.com", "INBOX", scenario.mail, internaldate=world.received)
    world.tick("schedule_polls")
    world.deliver()


def _reply(world: World, scenario: Scenario) -> None:
    interaction = world.installation.interactions.get(_interaction_id(scenario))
    if interaction is not None:
        world.as_person(lambda: world.installation.reply(interaction, "We are looking.", key="one"))
        world.deliver()


def _recover_unanswered(world: World, scenario: Scenario) -> None:
    _recover(world, scenario, replied=False)


def _recover_answered(world: World, scenario: Scenario) -> None:
    if world.installation.interactions.get(_interaction_id(scenario)) is not None:
        _recover(world, scenario, replied=True)


_STAGES = (_arrive, _recover_unanswered, _reply, _recover_answered)
"""Each begins with processes that remember nothing."""


def _interaction_id(scenario: Scenario) -> str:
    return expected_id(scenario.mailbox, scenario.mail)


def _recover(world: World, scenario: Scenario, *, replied: bool) -> None:
    """Let time pass, with nothing but the schedules at work, until nothing is left to do."""
    for number in range(_ROUNDS):
        if number and _settled(world, scenario, replied=replied):
            return
        world.pass_time(_ROUND)
        world.tick("schedule_polls")
        world.deliver()
        world.tick("sweep")
        world.deliver()


def _settled(world: World, scenario: Scenario, *, replied: bool) -> bool:
    outbound = [one for one in _items(world) if one.get("direction") == Direction.OUTBOUND.value]
    return (
        any(one[keys.PK] == keys.interaction(_interaction_id(scenario))[keys.PK] for one in _items(world))
        and not world.imap.folder(f"{scenario.mailbox}@example.com", "INBOX").messages
        and len(outbound) == (2 if replied else 1)
        and not any(one["state"] in _UNSETTLED for one in outbound)
        and not _waiting(world)
        and _health(world, scenario) is HealthState.ACTIVE
    )


def _health(world: World, scenario: Scenario) -> HealthState:
    return _states(world).load([scenario.mailbox], consistent=True)[scenario.mailbox].health.state


def _items(world: World) -> list[dict[str, Any]]:
    """Return every item of the table that is an interaction, in or out, or a counter; what is packed stays so."""
    return [
        items.unmarshal({name: value for name, value in item.items() if name not in ("detail", "body")})
        for item in stored_items(world.variables["TABLE_NAME"])
    ]


def _waiting(world: World) -> int:
    return sum(len(queue._messages) for queue in backend("sqs").queues.values())


def _observe(world: World, scenario: Scenario) -> Observed:
    wire = Counter(_sent_ids(world))
    rows = [one for one in stored_items(world.variables["TABLE_NAME"]) if "direction" in one]
    stored = [items.read_outbound(one) for one in rows if one["direction"]["S"] == Direction.OUTBOUND.value]
    outbound = {one.id: Sent(one.state.value, _delivery(one), wire.pop(one.id, 0)) for one in stored}
    outbound |= {f"unknown {one}": Sent("", "", times) for one, times in wire.items()}
    raw = buckets()[world.variables["RAW_BUCKET"]].keys
    contents = buckets()[world.variables["CONTENT_BUCKET"]]
    states = _states(world).load([scenario.mailbox], consistent=True)[scenario.mailbox]
    return Observed(
        interactions=tuple(_shown(one) for one in _interactions(world)),
        outbound=outbound,
        raw=_raw_copies({key: raw[key].value for key in raw}),
        contents=tuple(sorted(key for key in contents.keys if not key.startswith("config/"))),
        folders={
            name: len(world.imap.folder(f"{scenario.mailbox}@example.com", name).messages)
            for name in world.imap.store.names(f"{scenario.mailbox}@example.com")
        },
        balanced=all(balance.even for _at, balance in states.balances),
        health=states.health.state.value,
        waiting=_waiting(world),
        caps=_counters(world),
    )


def _raw_copies(stored: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the content of each raw message; the hour of storage is part of the key, and no identity."""
    names = {key.rpartition("/")[2]: content for key, content in stored.items()}
    return tuple(sorted(hashlib.sha256(content).hexdigest() for content in names.values()))


def _sent_ids(world: World) -> Iterator[str]:
    """Name the outbound mail behind everything that went over the wire, by its signed Message-ID or its SES tag."""
    for mail in world.smtp.mails:
        message_id = str(message_from_bytes(mail.content)["Message-ID"])
        yield (thread_token.looks_ours(message_id) and message_id.split(".")[1]) or message_id
    for sent in world.sent_by_ses:
        yield sent.tags.get("postroom-outbound", sent.message_id)


def _delivery(outbound: Outbound) -> str:
    # An event can come before the mail is recorded as sent, or for a mail that never will be.
    return outbound.delivery.value if outbound.state is OutboxState.SENT else Delivery.UNKNOWN.value


def _interactions(world: World) -> list[Interaction]:
    stored = [one for one in stored_items(world.variables["TABLE_NAME"]) if "direction" in one]
    inbound = [items.read_interaction(one) for one in stored if one["direction"]["S"] == Direction.INBOUND.value]
    return sorted(inbound, key=lambda one: one.id)


def _shown(interaction: Interaction) -> tuple[str, ...]:
    return (
        interaction.id,
        interaction.mailbox,
        interaction.queue,
        interaction.thread_id,
        interaction.subtype.value,
        interaction.status.value,
        interaction.wrap_reason or "",
        interaction.sha256,
        *(attachment.key or attachment.sha256 for attachment in interaction.attachments),
    )


def _states(world: World) -> DynamoMailboxStates:
    contents = S3Contents(world.aws("s3"), world.variables["CONTENT_BUCKET"])
    return DynamoMailboxStates(world.aws("dynamodb"), world.variables["TABLE_NAME"], contents)


_SHARED = ("CAP#installation#", "CAP#domain-and-mailbox#")
"""Counters that all mail, or that of a domain, shares: counted outside the transaction, so that a fault may leave them
one or a few away from the truth (docs/adr/0016)."""


def _counters(world: World) -> tuple[tuple[str, str], ...]:
    """Return the exact counters of automatic replies: a reply that was not written must not be counted."""
    counted = [one for one in _items(world) if one[keys.PK].startswith("CAP#")]
    return tuple(sorted((one[keys.PK], str(one["count"])) for one in counted if not one[keys.PK].startswith(_SHARED)))


_OUT_OF_SIGHT = ("smtp DATA", "smtp CONTENT", "smtp END OF DATA", "aws sesv2.SendEmail", "aws dynamodb.UpdateItem")
"""Where a fault can leave a sender not knowing: on the wire, and where it writes down how far it is."""

_REFUSING = ("smtp ", "aws sesv2.")
"""Who may refuse a mail for good."""


def problems(observed: Observed, expected: Observed, point: Point | None = None) -> list[str]:
    """Say what a fault has cost; empty when nothing was lost, doubled or sent twice, and nothing is hidden."""
    found = [
        f"{name}: {getattr(observed, name)!r} instead of {getattr(expected, name)!r}"
        for name in ("interactions", "raw", "contents", "folders", "balanced", "health", "waiting", "caps")
        if getattr(observed, name) != getattr(expected, name)
    ]
    for one in sorted(set(observed.outbound) | set(expected.outbound)):
        found += _outbound_problems(one, observed.outbound.get(one), expected.outbound.get(one), point)
    return found


def _outbound_problems(name: str, was: Sent | None, wanted: Sent | None, point: Point | None) -> list[str]:
    if was is None or wanted is None:
        return [f"outbound {name}: {'lost' if was is None else 'one too many'} ({was or wanted})"]
    if was.times > 1:
        return [f"outbound {name}: sent {was.times} times"]
    if was == wanted:
        return []
    target = point.place.target if point else ""
    died = point is not None and point.kind in (Kind.DIES_BEFORE, Kind.DIES_AFTER)
    if was.state == OutboxState.UNCERTAIN and (target in _OUT_OF_SIGHT or (died and target == "smtp QUIT")):
        return []  # nobody can know, and it says so; it has left once or not at all
    if was.state == OutboxState.FAILED and was.times == 0 and target.startswith(_REFUSING):
        return []  # refused for good by the next server, and visible
    return [f"outbound {name}: {was} instead of {wanted}"]
