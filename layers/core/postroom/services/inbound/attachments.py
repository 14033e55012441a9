"""Record the files of a mail, and judge each by what it is called, says it is, holds and encloses (C11)."""

from __future__ import annotations

import hashlib

from postroom.mail.containers.archives import list_archive
from postroom.mail.containers.file_type import HEAD_BYTES, sniff
from postroom.mail.content.bodies import Bodies
from postroom.mail.content.files import File, enclosed_files, files
from postroom.model.decision import Decision
from postroom.model.interaction import Attachment
from postroom.model.understanding import ReadFile
from postroom.rules.attachments import judge as rules
from postroom.rules.masking import mask
from postroom.services.policy.compiled import Policy

_MOST_ENCLOSED = 3_000  # names in archives, and files of mails, within one mail
_DEEPEST = 20  # mails within mails


def attached_files(content: Bodies, policy: Policy, decisions: list[Decision]) -> tuple[ReadFile, ...]:
    """Return the files of a mail; what is blocked is said in `decisions`."""
    room = [_MOST_ENCLOSED]
    return tuple(_read_file(one, policy, decisions, room) for one in files(content))


def _read_file(one: File, policy: Policy, decisions: list[Decision], room: list[int]) -> ReadFile:
    data = one.data()
    name = mask.mask_name(one.name, policy.masking).text
    candidate = _candidate(one, data, room)
    blocked = rules.judge(candidate, policy.attachments)
    if blocked is not None:
        decisions.append(Decision(blocked.rule, blocked.outcome, f"{name}: {blocked.detail}"))
    attachment = Attachment(
        name=name,
        content_type=mask.mask_text(one.content_type, policy.masking).text,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        sniffed_type=sniff(candidate.head),
        inline=one.inline,
        content_id=mask.mask_text(one.content_id, policy.masking).text if one.content_id else None,
        blocked=blocked.detail if blocked else None,
    )
    return ReadFile(attachment, one.data)


def _candidate(one: File, data: bytes, room: list[int], depth: int = 0) -> rules.Candidate:
    """Return what the rules judge; `room` is what may still be looked at within the files of one mail."""
    head = data[:HEAD_BYTES]
    listing = list_archive(data)
    members = listing.names[: max(0, room[0])] if listing else ()
    room[0] -= len(members)
    inner = enclosed_files(one, data, head=head)
    looked_at = inner[: max(0, room[0])] if depth < _DEEPEST else []
    room[0] -= len(looked_at)
    return rules.Candidate(
        names=one.names,
        content_type=one.content_type,
        head=head,
        size=len(data),
        members=members,
        more_types=one.content_types[1:],
        enclosed=tuple([_candidate(file, file.data(), room, depth + 1) for file in looked_at]),
        looked_through=len(looked_at) == len(inner) and (listing is None or len(members) == len(listing.names)),
    )
