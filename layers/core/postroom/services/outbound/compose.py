"""Compose one mail of the outbox as it leaves now: content and envelope, the same content at every try but its date."""

from __future__ import annotations

import html as markup
from datetime import datetime

from postroom.errors import NotFound, SendRefused
from postroom.mail.headers import parse_addresses
from postroom.mail.outgoing import Composition, Enclosure, Ways, compose, deliverable
from postroom.model import Envelope, Outbound
from postroom.model.configuration import OutboundServer, ServerType
from postroom.ports import Contents
from postroom.rules import Recipients, limits, thread_markers


def prepare(
    outbound: Outbound,
    server: OutboundServer,
    to: Recipients,
    message_id: str,
    *,
    key: bytes,
    sent_at: datetime,
    recipients: tuple[str, ...],
    contents: Contents | None = None,
) -> tuple[bytes, Envelope]:
    """Compose the mail and its envelope; raises Invalid, and SendRefused for what a limit does not allow (S08).

    `to`: who stands in the header; `recipients`: who gets it now; `contents`: where the bytes of its files lie.
    """
    most = limits.recipients_limit(server)
    if len(recipients) > most.most:
        raise SendRefused(
            f"the mail has {len(recipients)} recipients, {most.by}", remedy="Send it to fewer, or raise the limit."
        )
    references = list(outbound.references)
    if server.type is ServerType.SES:
        # SES writes its own Message-ID over ours; the references of a reply still carry the signed one.
        references.append(message_id)
    text, html = thread_markers.marked(outbound, key=key)
    written_to = (*outbound.to, *outbound.cc, *outbound.bcc) if to.diverted else ()
    if written_to:
        text, html = _shown_as_diverted(text, html, written_to)
    sender = deliverable(parse_addresses(outbound.from_address)[0].address)
    content = compose(
        Composition(
            sender=outbound.from_address,
            to=to.to,
            cc=to.cc,
            reply_to=thread_markers.reply_address(outbound, key=key),
            subject=outbound.subject,
            text=text,
            html=html,
            date=sent_at,
            message_id=message_id,
            in_reply_to=outbound.in_reply_to,
            references=references,
            automatic=outbound.automatic,
            written_to=written_to,
            receipt_to=sender if outbound.ask_read else "",
            files=_files(outbound, server, contents),
            ways=Ways(charset=server.body_charset, body=server.body_encoding, files=server.attachment_encoding),
        )
    )
    most = limits.size_limit(server)
    if len(content) > most.most:
        raise SendRefused(
            f"the mail has {len(content):,} bytes, {most.by}", remedy="Make it smaller, or raise the limit."
        )
    return content, Envelope(sender=sender, recipients=recipients, ask_delivery=outbound.ask_delivery)


def _files(outbound: Outbound, server: OutboundServer, contents: Contents | None) -> list[Enclosure]:
    """Read the files of a mail; one that is gone, or too large, fails the mail before anything is connected to."""
    largest = server.maximum_attachment_size * limits.MEGABYTE
    if outbound.files and contents is None:
        raise TypeError("a mail with files is composed where contents can be read")
    found = []
    for one in outbound.files:
        if one.size > largest:
            what = f"the file {one.name!r} has {one.size:,} bytes, `maximum_attachment_size` of {server.name} is "
            raise SendRefused(
                f"{what}{server.maximum_attachment_size} MB", remedy="Send it without, or raise the limit."
            )
        try:
            data = contents.get(one.key) if contents is not None else b""
        except NotFound as error:
            raise SendRefused(
                f"the file {one.name!r} of the mail is gone", code="file_missing", remedy="Write the mail again."
            ) from error
        found.append(Enclosure(one.name, one.content_type, data, one.content_id))
    return found


def _shown_as_diverted(text: str, html: str | None, written_to: tuple[str, ...]) -> tuple[str, str | None]:
    """Say above a diverted mail whom it was written to: who tests has to see it, whatever the mail client shows."""
    said = f"[This mail was written to: {', '.join(written_to)}]"
    if html is None:
        return f"{said}\n\n{text}", None
    at = html.lower().find("<body")
    at = html.find(">", at) + 1 if at >= 0 else 0
    return f"{said}\n\n{text}", f"{html[:at]}<p><b>{markup.escape(said)}</b></p>{html[at:]}"
