"""Store what was planned for one mail; every step may be repeated, and finds what is there already.

In this order: files, the interactions of copies, the mail's own interaction (its case first, then itself with its
acknowledgement, in one transaction), what a report says of a mail of ours, threads that waited for this mail, the
request to send.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime

from postroom.errors import Transient
from postroom.model import Added, Interaction, OutboxState, send_request
from postroom.ports import Contents, Interactions, Outbox, Queue, Suppressions
from postroom.services.desk import IncomingCases
from postroom.services.inbound.acknowledge import without_acknowledgement
from postroom.services.inbound.duplicates import note_repetition
from postroom.services.inbound.late_parents import follow_parent, heal_threads
from postroom.services.inbound.plan import InboundPlan, PlannedInteraction
from postroom.services.inbound.report_outcome import ReportedOutcome
from postroom.services.inbound.workflows import effects_of
from postroom.services.mailboxes import note_arrival
from postroom.services.outbound import suppress


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a planned interaction: as it was written, and the id of the acknowledgement written with it."""

    interaction: Interaction
    added: Added
    outbound_id: str | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """Where a plan is written to."""

    contents: Contents
    interactions: Interactions
    outbox: Outbox
    outbound_queue: Queue
    suppressions: Suppressions
    cases: IncomingCases

    def __call__(self, plan: InboundPlan) -> Stored:
        """Write all of a plan; raises Transient when it must be repeated, TooLarge when no item holds the mail."""
        for file in {file.key: file for one in (*plan.copies, plan.own) for file in one.files}.values():
            self.contents.put(file.key, file.data(), content_type="application/octet-stream")
        for copy in plan.copies:
            self._write(copy, plan)
        stored = self._write(plan.own, plan)
        if stored.added is Added.EXISTED:
            # What is there counts: it may have been moved, split off or read again since.
            there = self.interactions.get(stored.interaction.id)
            raw_key = plan.own.interaction.raw_key
            note_repetition(there, raw_key, plan.repeated, interactions=self.interactions)
            stored = replace(stored, interaction=there or stored.interaction)
        else:
            note_arrival(stored.interaction, old=plan.old)
            made, joined = stored.interaction, plan.own.interaction.thread_id
            # Elsewhere than it was planned it is by its case: one that goes on long after the first was closed.
            if made.parent_id is not None and made.thread_id == joined != made.id:
                follow_parent(
                    made.id,
                    made.parent_id,
                    was=joined,
                    interactions=self.interactions,
                    now=plan.now,
                    also=stored.outbound_id,
                )
        if plan.reported is not None:
            self.outbox.report(
                plan.reported.outbound_id,
                report_id=stored.interaction.id,
                delivery=plan.reported.delivery,
                deliveries=plan.reported.deliveries,
                event=plan.reported.event,
            )
            self._suppress(plan.reported, now=plan.now)
        heal_threads(stored.interaction, plan.waits_for, interactions=self.interactions, cases=self.cases, now=plan.now)
        if stored.outbound_id is not None:
            # It lies in the outbox already: should this message be lost, the sweeper queues it again.
            with contextlib.suppress(Transient):
                self.outbound_queue.send(send_request(stored.outbound_id))
        return stored

    def _suppress(self, reported: ReportedOutcome, *, now: datetime) -> None:
        if not reported.suppressed or (outbound := self.outbox.get(reported.outbound_id)) is None:
            return
        for address, reason in reported.suppressed.items():
            detail = reported.event.detail
            suppress([address], reason, outbound=outbound, detail=detail, suppressions=self.suppressions, now=now)

    def _write(self, planned: PlannedInteraction, plan: InboundPlan) -> Stored:
        report = plan.reported.not_arrived if plan.reported and planned is plan.own else None
        interaction = self.cases.place(
            planned.interaction,
            report=report,
            reopen_within=plan.reopen_within,
            now=plan.now,
            effects=effects_of(planned.workflows),
        )
        outbound = planned.acknowledgement
        if outbound is not None and outbound.thread_id != interaction.thread_id:
            outbound = replace(outbound, thread_id=interaction.thread_id)
        if outbound is not None:
            prepared = self.interactions.prepare(interaction, planned.body)
            added = self.outbox.add(outbound, cause=prepared, caps=planned.caps)
            if added is Added.CREATED:
                return Stored(interaction, added, outbound.id)
            if added is Added.EXISTED:
                # Its caps may have withheld the mail at that time: what was never written is not asked to be sent.
                waits = self.outbox.get(outbound.id)
                unsent = waits is not None and waits.state is OutboxState.NEW
                return Stored(interaction, added, outbound.id if unsent else None)
            # Our reply is withheld, never the mail (docs/threat-model.md 7).
            interaction = without_acknowledgement(interaction, added)
        return Stored(interaction, self.interactions.add(interaction, planned.body))
