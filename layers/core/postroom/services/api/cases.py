"""What the API answers about cases, and what their agents do through it: rights are judged here, then the desk acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from postroom.errors import Invalid, Problem, no_such
from postroom.model.access import INSTALLATION, Block, Level, Principal, Scope
from postroom.model.case import Case, CaseList, ListKind
from postroom.ports import CaseNotes, Cases, Clock, Configurations
from postroom.ports import InteractionLists as InteractionLists
from postroom.rules.access import Verdict, forbidden, may, require, scope_of_queue, visible
from postroom.services.administration import queues_of
from postroom.services.api.case_answers import (
    MOST_MAILS,
    CaseEventShown,
    CaseHistory,
    CaseListRow,
    CaseMail,
    CaseReplyRequest,
    CaseShown,
    CaseWithMails,
    NoteShown,
    QueueList,
    QueueRow,
)

if TYPE_CHECKING:
    from postroom.services.desk import CaseReplies, CaseWork

Right = tuple[Block, Level]

VIEW: Right = (Block.CASES, Level.VIEW)
WORK: Right = (Block.CASE_WORK, Level.MODIFY)
REPLY: Right = (Block.REPLIES, Level.MODIFY)
TRANSFER: Right = (Block.TRANSFERS, Level.MODIFY)

_KINDS = {
    QueueList.WAITING: ListKind.WAITING,
    QueueList.PENDING: ListKind.PENDING,
    QueueList.CLOSED: ListKind.CLOSED,
}


@dataclass(frozen=True, slots=True)
class CaseDesk:
    """Questions about cases and acts on them. `work` and `replies` are put together when the first act is asked for."""

    cases: Cases
    notes: CaseNotes
    interactions: InteractionLists
    configurations: Configurations
    clock: Clock
    work: Callable[[], CaseWork]
    replies: Callable[[], CaseReplies]

    def queues(self, principal: Principal, *, after: str, most: int) -> tuple[list[QueueRow], str]:
        """List queues that the principal may see, with what waits in each; and the name at which the next page begins.

        Two queries of the index a queue.
        """
        configuration = self.configurations.current()
        seen = visible(principal, Block.CASES)
        names = [one for one in queues_of(configuration) if seen.admits(scope_of_queue(configuration, one))]
        start = names.index(after) if after in names else 0
        shown, rest = names[start : start + most], names[start + most :]
        return [self._queue(name) for name in shown], rest[0] if rest else ""

    def in_queue(
        self, queue: str, kind: QueueList, principal: Principal, *, month: str, after: str, most: int
    ) -> tuple[list[CaseListRow], str]:
        """List cases of a queue, and the place at which the page ends; `month` (2026-11) is for closed ones only."""
        require(principal, scope_of_queue(self.configurations.current(), queue), VIEW, on=queue, noun="queue")
        if month and kind is not QueueList.CLOSED:
            raise Invalid([Problem("month", "is only for closed cases.", "Leave it out, or ask for state=closed.")])
        first = self._month(month) if kind is QueueList.CLOSED else None
        wanted = CaseList(_KINDS[kind], queue, first)
        page = self.cases.page(wanted, after=after, most=most, newest_first=kind is QueueList.CLOSED)
        return [CaseListRow.model_validate(row) for row in page.rows], page.after

    def show(self, case_id: str, principal: Principal) -> CaseWithMails:
        """Show a case with its newest mails and its notes."""
        case = self.permitted(case_id, principal)
        ids = self.interactions.thread(case.id)[-MOST_MAILS:]
        shown = CaseShown.model_validate(case)
        return CaseWithMails(
            **{name: getattr(shown, name) for name in CaseShown.model_fields},
            mails=tuple(CaseMail.model_validate(row) for row in self.interactions.rows(ids)),
            notes=tuple(NoteShown.model_validate(one) for one in self.notes.notes(case.id) if not one.deleted),
        )

    def history(self, case_id: str, principal: Principal) -> CaseHistory:
        """Tell who did what to a case."""
        case = self.permitted(case_id, principal)
        return CaseHistory(events=tuple(CaseEventShown.model_validate(one) for one in self.cases.history(case.id)))

    def permitted(self, case_id: str, principal: Principal, *rights: Right) -> Case:
        """Return a case that the principal may view and do this to; raises NotFound or Forbidden."""
        case = self.cases.get(case_id)
        if case is None:
            raise no_such("case", on=case_id)
        require(principal, self._scope(case, principal), VIEW, *rights, on=case_id, noun="case")
        return case

    def others(self, case: Case, principal: Principal) -> bool:
        """Tell whether the principal may act on the case while a colleague has it."""
        return may(principal, Block.PICKS, Level.MODIFY, self._scope(case, principal)) is Verdict.ALLOWED

    def claim_next(self, queues: Sequence[str], principal: Principal) -> Case | None:
        """Take the most urgent case of these queues, or of all that the principal works in; None: none waits."""
        configuration = self.configurations.current()
        for name in queues:
            require(principal, scope_of_queue(configuration, name), VIEW, WORK, on=name, noun="queue")
        mine = [
            name
            for name in sorted(principal.queues)
            if may(principal, *WORK, scope_of_queue(configuration, name)) is Verdict.ALLOWED
        ]
        wanted = list(dict.fromkeys(queues)) or mine
        return self.work().claim_next(wanted, who=principal.holder) if wanted else None

    def transfer(self, case_id: str, queue: str, note: str, principal: Principal) -> Case:
        """Give a case to another queue, of a department in which the principal has a role."""
        case = self.permitted(case_id, principal, TRANSFER)
        target = scope_of_queue(self.configurations.current(), queue)
        if target.department != INSTALLATION and not principal.roles_in(target.department):
            # In the words for one that is not there: other departments' queues are not told of.
            raise Invalid([Problem("queue", f"there is no queue {queue[:80]!r}.", "Name one that is configured.")])
        return self.work().transfer(
            case_id, who=principal.holder, queue=queue, note=note, others=self.others(case, principal)
        )

    def reply(self, case_id: str, wanted: CaseReplyRequest, principal: Principal, *, operation: str) -> Case:
        """Answer a case; the same operation again answers once."""
        self.permitted(case_id, principal, REPLY)
        from postroom.services.desk import Answering
        from postroom.services.outbound import FileWanted, Reply

        how = Answering(
            wanted.mails_version, wanted.close_after, wanted.code, wanted.override, wanted.mail, principal.holder
        )
        own = set(type(how).__dataclass_fields__) | {"mails_version", "files"}
        reply = Reply(
            **wanted.model_dump(exclude=own),
            files=tuple(FileWanted(**one.model_dump()) for one in wanted.files),
            idempotency_key=operation,
            agent=principal.name,
            agent_id=principal.subject,
        )
        case, _outbound = self.replies().reply(case_id, reply, how)
        return case

    def undo(self, case_id: str, principal: Principal) -> Case:
        """Take one's answer back while no sender has it; another's, by the right to cancel any mail."""
        case = self.permitted(case_id, principal, REPLY)
        if case.agent not in ("", principal.holder):
            cancel = (Block.OUTBOX, Level.MANAGE)
            if may(principal, *cancel, self._scope(case, principal)) is not Verdict.ALLOWED:
                raise forbidden(*cancel, on=case_id)
        return self.replies().undo(case_id, who=principal.holder)

    def _queue(self, name: str) -> QueueRow:
        waiting = CaseList(ListKind.WAITING, name)
        rows = self.cases.page(waiting, most=1).rows
        count = self.cases.count(waiting) if rows else 0
        return QueueRow(name=name, waiting=count, most_urgent_since=rows[0].enqueued if rows else None)

    def _scope(self, case: Case, principal: Principal) -> Scope:
        owner = principal.subject if case.agent == principal.holder else None
        configuration = self.configurations.current()
        return scope_of_queue(configuration, case.queue, department=case.department, owner=owner)

    def _month(self, text: str) -> datetime:
        try:
            found = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC) if text else self.clock()
        except ValueError as error:
            raise Invalid([Problem("month", f"{text[:20]!r} is no month.", "Write it as 2026-11.")]) from error
        return found.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
