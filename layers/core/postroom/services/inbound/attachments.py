"""Record the files of a mail, and judge each by what it is called, says it is, holds and encloses (C11)."""

from __future__ import annotations

import hashlib

from postroom.mail.containers import HEAD_BYTES, list_archive, sniff
from postroom.mail.content import Bodies, File, enclosed_files, files
from postroom.model import Attachment, ReadFile
from postroom.rules.attachments import judge as rules
from postroom.rules.attachments import remarks
from postroom.services.policy import Policy

_MOST_ENCLOSED = 3_000  # names in archives, and files of mails, within one mail
_DEEPEST = 20  # mails within mails


def attached_files(content: Bodies, policy: Policy) -> tuple[ReadFile, ...]:
    """Return the files of a mail with the verdict on each; their names and types are as the sender wrote them."""
    room = [_MOST_ENCLOSED]
    return tuple(_read_file(one, policy, room) for one in files(content))


def _read_file(one: File, policy: Policy, room: list[int]) -> ReadFile:
    data = one.data()
    candidate = _candidate(one, data, room)
    verdict = rules.judge(candidate, policy.attachments)
    attachment = Attachment(
        name=one.name,
        content_type=one.content_type,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        sniffed_type=sniff(candidate.head),
        inline=one.inline,
        content_id=one.content_id or None,
        blocked=verdict.detail if verdict else None,
    )
    return ReadFile(attachment, one.data, verdict, remarks(candidate, data))


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
        encrypted=listing is not None and listing.encrypted,
        looked_through=len(looked_at) == len(inner) and (listing is None or len(members) == len(listing.names)),
    )
