"""Blocked attachments: view, restore, delete, each with a reason and an entry in the history (C12)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from postroom.errors import Invalid, NotFound, Problem
from postroom.model import Attachment, Event, EventKind, Interaction
from postroom.ports import Clock, ErasableContents
from postroom.ports import Interactions as Interactions
from postroom.ports import Rewrites as Rewrites

_MOST_REASON = 500


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The use case with what it needs."""

    stored: Interactions
    rewrites: Rewrites
    shelf: ErasableContents
    clock: Clock

    def view(self, interaction_id: str, sha256: str) -> tuple[Attachment, bytes]:
        """Return an attachment, blocked or not, and its bytes; NotFound when it was deleted."""
        attachment = _find(self._interaction(interaction_id), sha256)
        if attachment.inline_data is not None:
            return attachment, attachment.inline_data
        if attachment.key is None:
            raise NotFound("this attachment was deleted", on=sha256, remedy="The raw message may still have it.")
        return attachment, self.shelf.get(attachment.key)

    def restore(self, interaction_id: str, sha256: str, *, reason: str, who: str) -> Attachment:
        """Let a blocked attachment in; the block stays in the history."""
        before = self._interaction(interaction_id)
        blocked = _blocked(before, sha256, reason)
        if blocked.key is None:
            raise NotFound("this attachment was deleted", on=sha256, remedy="The raw message may still have it.")
        # quarantine/YYYY/MM/DD/… belongs to this interaction alone; what is let in is kept once by content.
        key = "/".join(("attachments", *blocked.key.split("/")[1:4], blocked.sha256))
        self.shelf.put(key, self.shelf.get(blocked.key), content_type="application/octet-stream")
        restored = replace(blocked, blocked=None, key=key)
        self._rewrite(before, blocked, restored, EventKind.ATTACHMENT_RESTORED, reason, who)
        return restored

    def delete(self, interaction_id: str, sha256: str, *, reason: str, who: str) -> Attachment:
        """Delete a blocked attachment's bytes; its name and why it was blocked stay."""
        before = self._interaction(interaction_id)
        blocked = _blocked(before, sha256, reason)
        if blocked.key is None and blocked.inline_data is None:
            raise NotFound("this attachment was deleted", on=sha256, remedy="The raw message may still have it.")
        deleted = replace(blocked, key=None, inline_data=None)
        self._rewrite(before, blocked, deleted, EventKind.ATTACHMENT_DELETED, reason, who)
        # Last: should this fail, an object is left that nothing points to, and nothing points to one that is gone.
        others = (one.key for one in before.attachments if one != blocked)
        if blocked.key is not None and blocked.key not in others:
            self.shelf.delete(blocked.key)
        return deleted

    def _interaction(self, interaction_id: str) -> Interaction:
        found = self.stored.get(interaction_id)
        if found is None:
            raise NotFound("there is no such inbound interaction", on=interaction_id)
        return found

    def _rewrite(
        self, before: Interaction, old: Attachment, new: Attachment, what: EventKind, reason: str, who: str
    ) -> None:
        after = replace(before, attachments=tuple(new if one == old else one for one in before.attachments))
        event = Event(at=self.clock(), what=what, detail=f"{old.name} ({old.sha256[:12]}): {reason}", who=who)
        self.rewrites.rewrite(before, after, body=None, event=event)


def _find(interaction: Interaction, sha256: str) -> Attachment:
    """Find an attachment by its hash, or by the beginning of it; of several, one that has its bytes still."""
    found = [one for one in interaction.attachments if len(sha256) >= 8 and one.sha256.startswith(sha256.lower())]
    if not found:
        remedy = "`postroom attachment list` lists them."
        raise NotFound("the interaction has no such attachment", on=sha256, remedy=remedy)
    return next((one for one in found if one.key is not None or one.inline_data is not None), found[0])


def _blocked(interaction: Interaction, sha256: str, reason: str) -> Attachment:
    attachment = _find(interaction, sha256)
    # The same bytes may hang on a mail under several names, of which some are blocked or settled already.
    same = [one for one in interaction.attachments if one.sha256 == attachment.sha256 and one.blocked is not None]
    attachment = next((one for one in same if one.key is not None), same[0] if same else attachment)
    problems = []
    if attachment.blocked is None:
        problems.append(Problem("attachment", f"{attachment.name} is not blocked.", "Nothing needs to be done."))
    if not reason.strip() or len(reason) > _MOST_REASON:
        problems.append(Problem("reason", "is empty or too long.", f"Say why, in 1 to {_MOST_REASON} characters."))
    if problems:
        raise Invalid(problems)
    return attachment
