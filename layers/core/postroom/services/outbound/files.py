"""The files of a mail that a person writes: uploads, stored attachments, pictures of the mail that is quoted.

What is blocked leaves in no mail (C11, A11). A file that has no lasting object of its own gets one under `outgoing/`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from postroom.errors import NotFound, Problem
from postroom.mail.containers import HEAD_BYTES, list_archive
from postroom.mail.outgoing import file_name
from postroom.model import Attachment, Interaction, OutboundFile
from postroom.model.configuration import Configuration
from postroom.ports import Contents, Interactions
from postroom.rules.attachments import judge as rules
from postroom.services.outbound.uploads import read_upload
from postroom.services.outbound.wanted import FileWanted
from postroom.services.policy import policy_of

MOST_FILES = 100
_MOST_NAMES = 3_000  # in an archive
_CID = re.compile(r"""cid:([^"'<>\s)]{1,300})""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ToStore:
    """Bytes that are stored before the mail that names them is."""

    key: str
    data: bytes = field(repr=False)
    content_type: str


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a mail, what is stored for them first, what is wrong, and what was left out."""

    files: tuple[OutboundFile, ...] = ()
    to_store: tuple[ToStore, ...] = ()
    problems: tuple[Problem, ...] = ()
    left_out: tuple[str, ...] = ()

    def __add__(self, other: Files) -> Files:
        """Return both, each file once."""
        known = {(one.key, one.content_id) for one in self.files}
        return Files(
            (*self.files, *(one for one in other.files if (one.key, one.content_id) not in known)),
            (*self.to_store, *other.to_store),
            (*self.problems, *other.problems),
            (*self.left_out, *other.left_out),
        )


def wanted_files(
    wanted: Sequence[FileWanted],
    *,
    configuration: Configuration,
    department: str,
    interactions: Interactions | None,
    contents: Contents | None,
    now: datetime,
) -> Files:
    """Find the files that a person named; each that cannot be sent is a problem of its place."""
    if not wanted:
        return Files()
    if len(wanted) > MOST_FILES:
        what = f"names {len(wanted):,} files."
        return Files(problems=(Problem("files", what, f"Attach at most {MOST_FILES}; pack them into one archive."),))
    if contents is None or interactions is None:
        raise TypeError("files are attached where contents and interactions can be read")
    found = Files()
    for number, one in enumerate(wanted):
        place = f"files[{number}]"
        if bool(one.upload) == bool(one.interaction and one.sha256):
            remedy = "Give `upload`, or `interaction` with `sha256`."
            found += Files(problems=(Problem(place, "names no file, or two.", remedy),))
        elif one.upload:
            found += _uploaded(one, place, configuration, department, contents, now)
        else:
            found += _stored(one, place, department, interactions, now)
    return found


def of_interaction(interaction: Interaction, *, now: datetime, but: Iterable[str] = ()) -> Files:
    """Return all files of a mail that is passed on; blocked ones, and ones that are gone, are left out and told."""
    left = set(but)
    found = Files()
    for one in interaction.attachments:
        if one.sha256 in left:
            continue
        if one.blocked:
            found += Files(left_out=(f"{one.name}: it is blocked ({one.blocked})",))
        elif one.key is None and one.inline_data is None:
            found += Files(left_out=(f"{one.name}: it was deleted",))
        else:
            found += _kept(one, now, content_id="")
    return found


def pictures(interaction: Interaction, html: str | None, *, now: datetime) -> Files:
    """Return the pictures that quoted HTML shows by their Content-ID."""
    shown = set(_CID.findall(html or ""))
    found = Files()
    for one in interaction.attachments:
        content_id = (one.content_id or "").strip("<>")
        if content_id in shown and not one.blocked and (one.key is not None or one.inline_data is not None):
            shown.discard(content_id)
            found += _kept(one, now, content_id=content_id)
    return found


def made(name: str, content_type: str, data: bytes, *, now: datetime, content_id: str = "") -> Files:
    """Return a file that is made now, with its bytes to be stored."""
    digest = hashlib.sha256(data).hexdigest()
    key = f"outgoing/{now:%Y/%m/%d}/{digest}"
    file = OutboundFile(file_name(name), content_type, len(data), digest, key, content_id)
    return Files((file,), (ToStore(key, data, content_type),))


def _kept(one: Attachment, now: datetime, *, content_id: str) -> Files:
    if one.inline_data is not None:
        return made(one.name, one.content_type, one.inline_data, now=now, content_id=content_id)
    name = file_name(one.name)
    return Files((OutboundFile(name, one.content_type, one.size, one.sha256, one.key or "", content_id),))


def _stored(one: FileWanted, place: str, department: str, interactions: Interactions, now: datetime) -> Files:
    interaction = interactions.get(one.interaction)
    attachment = (
        next((found for found in interaction.attachments if found.sha256 == one.sha256), None) if interaction else None
    )
    if interaction is None or attachment is None or interaction.department != department:
        return _problem(place, f"there is no such file in {one.interaction[:80]!r}.", "Name a file of this mail.")
    if attachment.blocked:
        what = f"{attachment.name!r} is blocked: {attachment.blocked}."
        return _problem(place, what, "Leave it out, or let somebody with the right restore it first.")
    if attachment.key is None and attachment.inline_data is None:
        return _problem(place, f"{attachment.name!r} was deleted.", "Leave it out, or upload it.")
    return _kept(attachment, now, content_id=one.content_id)


def _uploaded(
    one: FileWanted, place: str, configuration: Configuration, department: str, contents: Contents, now: datetime
) -> Files:
    try:
        upload, data = read_upload(one.upload, contents=contents, now=now)
    except NotFound as error:
        return _problem(place, f"{error.what}.", error.remedy)
    policy = policy_of(configuration, department=department).attachments
    listing = list_archive(data)
    members = listing.names[:_MOST_NAMES] if listing else ()
    candidate = rules.Candidate(
        names=(upload.name,),
        content_type=upload.content_type,
        head=data[:HEAD_BYTES],
        size=len(data),
        members=members,
        encrypted=listing is not None and listing.encrypted,
        looked_through=listing is None or len(members) == len(listing.names),
    )
    verdict = rules.judge(candidate, policy, outbound=True)
    if verdict is not None:
        return _problem(
            place, f"{upload.name!r} is blocked: {verdict.detail}.", "Send it another way, or leave it out."
        )
    return made(upload.name, upload.content_type, data, now=now, content_id=one.content_id)


def _problem(place: str, what: str, remedy: str) -> Files:
    return Files(problems=(Problem(place, what, remedy),))
