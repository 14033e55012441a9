"""Give each mail that comes in its case: it begins one, or joins that of its thread.

The case is written first, without a transaction (docs/adr/0038): it names the mail, and a mail that comes again finds
itself named. A crash in between leaves a case that names a mail which is not there yet; its message comes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from postroom.model import ANSWER_TO, Interaction, Status, Subtype, short_id
from postroom.model.case import (
    Case,
    CaseChange,
    CaseCounts,
    CaseEffects,
    CaseEvent,
    CaseEventKind,
    CaseState,
    Note,
)
from postroom.ports import Cases, Interactions
from postroom.rules import cases as rules
from postroom.rules.cases import effects as by_workflows
from postroom.rules.cases import triggers as on
from postroom.services.desk.case_change import MOST_TRIES, Members, busy, change, follow

NO_EFFECTS = CaseEffects()

_BY_PEOPLE = frozenset({Subtype.INBOUND_NEW, Subtype.INBOUND_CUSTOMER_REPLY, Subtype.SERVER_SUBSTITUTE})
"""A substitute stands for a mail that a person may have written; everything else is written by machines (L06)."""


@dataclass(frozen=True, slots=True)
class ReportOnMail:
    """What a report mail says of a mail of ours that did not arrive."""

    outbound_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class IncomingCases:
    """Makes and finds the cases of incoming mail."""

    cases: Cases
    interactions: Interactions
    members: Members

    def place(
        self,
        interaction: Interaction,
        *,
        report: ReportOnMail | None,
        reopen_within: timedelta,
        now: datetime,
        effects: CaseEffects = NO_EFFECTS,
    ) -> Interaction:
        """Write the mail into its case, and return it as it is to be stored: in the thread of that case.

        `effects`: what workflows want of the case, in the same write.
        """
        begins = interaction.thread_id == interaction.id
        if begins:
            new = first_case(interaction, effects)
            if self.cases.write(CaseChange(None, new), note=_note(effects, new.id, interaction, now)):
                return interaction
        if self.interactions.find(interaction.id) is not None:
            return interaction  # its case was written before it, so it is counted
        case_id = self._join(interaction, report, reopen_within, now, effects)
        return interaction if case_id == interaction.thread_id else replace(interaction, thread_id=case_id)

    def _join(
        self,
        interaction: Interaction,
        report: ReportOnMail | None,
        reopen_within: timedelta,
        now: datetime,
        effects: CaseEffects,
    ) -> str:
        automatic = interaction.subtype not in _BY_PEOPLE
        for _try in range(MOST_TRIES):
            case = follow(interaction.thread_id, self.cases)
            if case is None:
                adopted = self._of_older_thread(interaction, now)
                if self.cases.write(CaseChange(None, adopted)) and interaction.id in adopted.mails:
                    return adopted.id
                continue
            if not automatic and rules.begins_anew(case, reopen_within=reopen_within, now=now):
                fresh = replace(first_case(interaction, effects), continues=case.id)
                # It may be there already, of an earlier try.
                self.cases.write(CaseChange(None, fresh), note=_note(effects, fresh.id, interaction, now))
                named = rules.change(case, on.Continued(fresh.id), now=now)
                if named is case or self.cases.write(CaseChange(case, named)):
                    return fresh.id
                continue
            trigger = on.MailJoined(
                interaction.id,
                automatic=automatic,
                about=report.outbound_id if report else "",
                bounce=report.reason if report else "",
                member=self.members(case.agent or case.last_agent, case.queue),
                effects=effects,
            )
            after = rules.change(case, trigger, now=now)
            if after is case or self.cases.write(
                CaseChange(case, after), note=_note(effects, case.id, interaction, now)
            ):
                return case.id
        raise busy(interaction.thread_id)

    def _of_older_thread(self, interaction: Interaction, now: datetime) -> Case:
        """Make the case of a thread from before there were cases, or whose first mail is not stored yet."""
        root = self.interactions.get(interaction.thread_id)
        if root is None:
            # We wrote to them first, or the crash of another function lies between: this mail is the first to ask.
            return replace(first_case(interaction), id=interaction.thread_id)
        return stored_case(root, [root.id], now=now)

    def join_late(self, child: str, parent: str, *, now: datetime) -> bool:
        """Merge the case of a mail into that of what it answers, which came later; False where people must decide."""
        for _try in range(MOST_TRIES):
            source, target = self.cases.get(child), follow(parent, self.cases)
            if source is None or target is None or source.id == target.id:
                return True
            if source.state is CaseState.MERGED:
                return True
            both_held = bool(source.agent) and bool(target.agent)
            if both_held or not source.state.open or not target.state.open or source.state is CaseState.ANSWERING:
                if self._hint(source, target, now):
                    return False
                continue
            merged = rules.change(source, on.MergedInto("postroom", target.id), now=now)
            grown = rules.change(target, on.Absorbed("postroom", source), now=now)
            if self.cases.write(CaseChange(source, merged), CaseChange(target, grown)):
                return True
        raise busy(child)

    def reread(self, interaction: Interaction, *, who: str, now: datetime) -> None:
        """Let the case that a mail began follow what reading it again made of it; people's work on it stands."""
        if self.cases.get(interaction.id) is not None:
            trigger = on.Rerouted(
                who, interaction.queue, interaction.department, interaction.subject, _customer(interaction)
            )
            change(interaction.id, trigger, cases=self.cases, now=now)

    def _hint(self, source: Case, target: Case, now: datetime) -> bool:
        told = rules.change(source, on.Hinted(f"it answers a mail of the case {target.number} ({target.id})"), now=now)
        return told is source or self.cases.write(CaseChange(source, told))


def first_case(interaction: Interaction, effects: CaseEffects = NO_EFFECTS) -> Case:
    """Make the case that a mail begins, as workflows want it; what needs nobody is closed from the start."""
    state, closed = CaseState.QUEUED, None
    if interaction.status is Status.DONE:
        state, closed = CaseState.CLOSED, interaction.created
    by_people = interaction.subtype in _BY_PEOPLE
    made = Case(
        id=interaction.id,
        mailbox=interaction.mailbox,
        queue=interaction.queue,
        department=interaction.department,
        subject=interaction.subject,
        customer=_customer(interaction),
        created=interaction.created,
        enqueued=interaction.created,
        state=state,
        closed=closed,
        no_answer=closed is not None,
        unread=closed is None,
        counts=CaseCounts(mails=1, inbound=1 if by_people else 0),
        mails=(interaction.id,),
        events=(
            CaseEvent(1, interaction.created, CaseEventKind.QUEUED.value, "postroom", by_workflows.told(effects)[:500]),
        ),
    )
    return by_workflows.affected(made, effects)


def _note(effects: CaseEffects, case_id: str, interaction: Interaction, now: datetime) -> Note | None:
    """Make the note that workflows write; the same mail again makes the same one."""
    if not effects.note:
        return None
    return Note(short_id("note", case_id, interaction.id), case_id, now, "workflow", effects.note)


def stored_case(root: Interaction, mails: Sequence[str], *, now: datetime) -> Case:
    """Make the case of a thread that was stored before there were cases: waiting if it did, else closed."""
    case = first_case(root)
    return replace(
        case,
        mails=tuple(mails)[-20:],
        counts=CaseCounts(mails=len(mails), inbound=len(mails)),
        events=(CaseEvent(1, now, CaseEventKind.STORED.value, "postroom"),),
    )


def _customer(interaction: Interaction) -> str:
    proposed = interaction.attributes.get(ANSWER_TO, "").split(",")[0].strip()
    if proposed:
        return proposed
    answered = (*interaction.reply_to, *((interaction.sender,) if interaction.sender else ()))
    return answered[0].address if answered else ""
