"""Answer a case: the mail to send and the case that waits for it are written in one transaction (A02, A05, fault 66).

Two agents who answer at once: one write goes through, and the other is told what is new.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

from postroom.errors import Conflict, NotFound, Transient
from postroom.model import Outbound, OutboxState, send_request
from postroom.model.case import Case, CaseChange, CaseState
from postroom.ports import Cases, Clock, Configurations, Contents, Interactions, Outbox, Queue
from postroom.rules import cases as rules
from postroom.rules.cases import triggers as on
from postroom.services.desk.case_change import MOST_TRIES, busy, read
from postroom.services.outbound import Prepared, Reply, preview_reply


@dataclass(frozen=True, slots=True)
class Answering:
    """How a case is answered. `against`: the `mails_version` that was read; `mail`: which mail, else the newest."""

    against: int
    close_after: bool = False
    code: str = ""
    override: bool = False
    mail: str = ""
    who: str = ""  # who holds the case, where that is not the name below the mail


@dataclass(frozen=True, slots=True)
class CaseReplies:
    """Answers cases, and takes answers back."""

    cases: Cases
    interactions: Interactions
    outbox: Outbox
    configurations: Configurations
    contents: Contents
    outbound_queue: Queue
    clock: Clock

    def reply(self, case_id: str, wanted: Reply, how: Answering) -> tuple[Case, Outbound]:
        """Answer; raises Conflict when the case moved on since it was read, Invalid with every problem of the mail."""
        prepared = self.preview(case_id, wanted, how)
        outbound = prepared.outbound
        trigger = on.Answered(
            how.who or wanted.agent, outbound.id, how.against, how.close_after, how.code, how.override
        )
        for _try in range(MOST_TRIES):
            before = read(case_id, self.cases)
            after = rules.change(before, trigger, now=self.clock())
            there = self.outbox.get(outbound.id)
            if there is not None and (after is not before or not _same(there, outbound)):
                raise Conflict(
                    "another answer was written with this idempotency key, or it was taken back",
                    on=case_id,
                    remedy="Use a new key for a new answer.",
                )
            if after is before:
                return before, there or outbound
            for one in prepared.to_store:  # before the mail that names them; the same bytes have the same key
                self.contents.put(one.key, one.data, content_type=one.content_type)
            if self.cases.write(CaseChange(before, after), outbound=outbound):
                with contextlib.suppress(Transient):  # it lies in the outbox: the sweeper queues it again
                    self.outbound_queue.send(send_request(outbound.id))
                return after, outbound
        raise busy(case_id)

    def preview(self, case_id: str, wanted: Reply, how: Answering) -> Prepared:
        """Show what the answer would be; nothing is written."""
        case = read(case_id, self.cases)
        prepared = preview_reply(
            how.mail or self._newest(case),
            wanted,
            interactions=self.interactions,
            configurations=self.configurations,
            clock=self.clock,
            contents=self.contents,
        )
        # A mail of a thread that was merged is answered in the thread that it is in now.
        return replace(prepared, outbound=replace(prepared.outbound, thread_id=case.id))

    def undo(self, case_id: str, *, who: str) -> Case:
        """Take back the answer that is on its way, as long as no sender has it (A05)."""
        for _try in range(MOST_TRIES):
            before = read(case_id, self.cases)
            outbound_id = before.answer.outbound if before.answer else ""
            if before.state is not CaseState.ANSWERING:
                raise Conflict(
                    "no answer to it is on its way", on=case_id, remedy="What was sent cannot be taken back."
                )
            after = rules.change(before, on.Undone(who, outbound_id), now=self.clock())
            if self.cases.write(CaseChange(before, after), cancelled=outbound_id):
                return after
            outbound = self.outbox.get(outbound_id)
            if outbound is None or outbound.state is not OutboxState.NEW:
                raise Conflict("a sender has it already", on=case_id, remedy="It cannot be taken back any more.")
        raise busy(case_id)

    def _newest(self, case: Case) -> str:
        for mail_id in reversed(case.mails):
            if self.interactions.get(mail_id) is not None:
                return mail_id
        raise NotFound("the case has no mail that came in", on=case.id, remedy="Name the mail to answer.")


def _same(stored: Outbound, outbound: Outbound) -> bool:
    return dict(stored.attributes) == dict(outbound.attributes)
