"""Routes of what agents do with a case; each answers with the case, and its new version as ETag."""

from __future__ import annotations

from postroom.http_api.foundation import Name, Needs, Routes
from postroom.model.access import Block, Level
from postroom.model.case import Case
from postroom.services.api import (
    CaseReplyRequest,
    CaseShown,
    CloseWanted,
    Desk,
    NoteWanted,
    PendingWanted,
    ReleaseWanted,
    TagsWanted,
    TransferWanted,
)

_WORK = (Block.CASE_WORK, Level.MODIFY)
_MAY_WORK = Needs(*_WORK)
_MAY_REPLY = Needs(Block.REPLIES, Level.MODIFY)
_MAY_TRANSFER = Needs(Block.TRANSFERS, Level.MODIFY)


def add_routes(api: Routes[Desk]) -> None:
    """Declare them."""
    _add_claims(api)
    _add_states(api)
    _add_marks(api)
    _add_replies(api)


def _add_claims(api: Routes[Desk]) -> None:
    @api.post("/cases/<case_id>/claim", "cases", _MAY_WORK, tells_current=True)
    def claim(case_id: Name) -> CaseShown:
        """Take a waiting case; 409 says who has it."""
        desk, who = api.behind().cases, api.asked.principal
        desk.permitted(case_id, who, _WORK)
        return _done(api, desk.work().claim(case_id, who=who.holder))

    @api.post("/cases/<case_id>/release", "cases", _MAY_WORK, tells_current=True)
    def release(case_id: Name, wanted: ReleaseWanted) -> CaseShown:
        """Put a case back into its queue, at its old place."""
        desk, who = api.behind().cases, api.asked.principal
        desk.permitted(case_id, who, _WORK)
        return _done(api, desk.work().release(case_id, who=who.holder, reason=wanted.reason))

    @api.post("/cases/<case_id>/transfer", "cases", _MAY_TRANSFER, tells_current=True)
    def transfer(case_id: Name, wanted: TransferWanted) -> CaseShown:
        """Give a case to another queue."""
        desk = api.behind().cases
        return _done(api, desk.transfer(case_id, wanted.queue, wanted.note, api.asked.principal))


def _add_states(api: Routes[Desk]) -> None:
    @api.post("/cases/<case_id>/pending", "cases", _MAY_WORK, tells_current=True)
    def pending(case_id: Name, wanted: PendingWanted) -> CaseShown:
        """Put a case aside until a date, or until the customer writes."""
        desk, who = api.behind().cases, api.asked.principal
        others = desk.others(desk.permitted(case_id, who, _WORK), who)
        done = desk.work().wait(
            case_id, who=who.holder, until=wanted.until, wake_on_reply=wanted.wake_on_reply, others=others
        )
        return _done(api, done)

    @api.post("/cases/<case_id>/resume", "cases", _MAY_WORK, tells_current=True)
    def resume(case_id: Name) -> CaseShown:
        """Go on with a case that waits for a date or the customer."""
        desk, who = api.behind().cases, api.asked.principal
        desk.permitted(case_id, who, _WORK)
        return _done(api, desk.work().resume(case_id, who=who.holder))

    @api.post("/cases/<case_id>/close", "cases", _MAY_WORK, tells_current=True)
    def close(case_id: Name, wanted: CloseWanted) -> CaseShown:
        """Close a case without an answer."""
        desk, who = api.behind().cases, api.asked.principal
        others = desk.others(desk.permitted(case_id, who, _WORK), who)
        done = desk.work().close(case_id, who=who.holder, code=wanted.code, no_answer=wanted.no_answer, others=others)
        return _done(api, done)

    @api.post("/cases/<case_id>/reopen", "cases", _MAY_WORK, tells_current=True)
    def reopen(case_id: Name) -> CaseShown:
        """Open a closed case, and have it."""
        desk, who = api.behind().cases, api.asked.principal
        desk.permitted(case_id, who, _WORK)
        return _done(api, desk.work().reopen(case_id, who=who.holder))


def _add_marks(api: Routes[Desk]) -> None:
    @api.post("/cases/<case_id>/tags", "cases", _MAY_WORK, tells_current=True)
    def tags(case_id: Name, wanted: TagsWanted) -> CaseShown:
        """Add and remove tags; those that are not named stay."""
        desk, who = api.behind().cases, api.asked.principal
        desk.permitted(case_id, who, _WORK)
        return _done(api, desk.work().tag(case_id, who=who.holder, add=wanted.add, remove=wanted.remove))

    @api.post("/cases/<case_id>/notes", "cases", _MAY_WORK, keyed=True)
    def note(case_id: Name, wanted: NoteWanted) -> CaseShown:
        """Write a note on a case; no mail ever quotes it."""
        desk, asked = api.behind().cases, api.asked
        desk.permitted(case_id, asked.principal, _WORK)
        desk.work().note(case_id, wanted.text, who=asked.principal.holder, key=asked.operation)
        return _done(api, desk.permitted(case_id, asked.principal))


def _add_replies(api: Routes[Desk]) -> None:
    @api.post("/cases/<case_id>/reply", "cases", _MAY_REPLY, keyed=True, tells_current=True)
    def reply(case_id: Name, wanted: CaseReplyRequest) -> CaseShown:
        """Answer a case that one has; 409 when more has come since it was read."""
        asked = api.asked
        return _done(api, api.behind().cases.reply(case_id, wanted, asked.principal, operation=asked.operation))

    @api.post("/cases/<case_id>/undo", "cases", _MAY_REPLY, tells_current=True)
    def undo(case_id: Name) -> CaseShown:
        """Take back the answer that is on its way, while no sender has it."""
        return _done(api, api.behind().cases.undo(case_id, api.asked.principal))


def _done(api: Routes[Desk], case: Case) -> CaseShown:
    api.asked.tag(case.version)
    return CaseShown.model_validate(case)
