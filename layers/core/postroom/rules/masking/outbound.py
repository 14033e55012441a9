"""Mask what leaves: subject, text, HTML and the recipients' names of a mail, before it is stored and sent (C15).

What is recorded says which pattern was found, how often and where; never what was found.
"""

from __future__ import annotations

import html as markup
from collections.abc import Sequence
from dataclasses import replace

from postroom.mail.headers import parse_addresses
from postroom.mail.html import sanitise
from postroom.model import Outbound
from postroom.rules.masking.mask import Compiled, Masked, mask_html, mask_text
from postroom.rules.masking.written_html import text_of, without_hidden


def mask_outbound(outbound: Outbound, patterns: Sequence[Compiled]) -> Outbound:
    """Return the mail as it may be stored and sent, with a decision for each pattern and part it was found in."""
    # NUL never leaves (mail/outgoing/composition.py drops it): it must not hide what it stands in.
    outbound = replace(
        outbound,
        text=outbound.text.replace("\x00", ""),
        html=outbound.html.replace("\x00", "") if outbound.html is not None else None,
    )
    if not patterns:
        return outbound
    subject, text = mask_text(outbound.subject, patterns), mask_text(outbound.text, patterns)
    html = mask_written_html(outbound.html, patterns) if outbound.html is not None else None
    parts = (("subject", subject), ("text", text), ("HTML", html))
    decisions = [one for where, part in parts if part for one in part.decisions(where)]
    recipients: dict[str, tuple[str, ...]] = {}
    for field in ("to", "cc", "bcc"):
        masked = [mask_recipient(one, patterns) for one in getattr(outbound, field)]
        recipients[field] = tuple(one.text for one in masked)
        decisions += [one for name in masked for one in name.decisions(f"name of a recipient ({field})")]
    return replace(
        outbound,
        subject=subject.text,
        text=text.text,
        html=html.text if html else None,
        to=recipients["to"],
        cc=recipients["cc"],
        bcc=recipients["bcc"],
        decisions=(*outbound.decisions, *decisions),
    )


def mask_recipient(recipient: str, patterns: Sequence[Compiled]) -> Masked:
    """Return an RFC 5322 mailbox with its display name masked; the address stays, since mail goes there."""
    parsed = parse_addresses(recipient)
    if len(parsed) != 1 or not parsed[0].name:
        # What stands beside the address and is no name (a comment) says nothing to anybody.
        bare = parsed[0].address if len(parsed) == 1 else recipient
        return Masked(bare if mask_text(recipient, patterns).hits and not mask_text(bare, patterns).hits else recipient)
    name = mask_text(parsed[0].name, patterns)
    if not name.hits:
        return Masked(recipient)
    quoted = name.text.replace("\\", "\\\\").replace('"', '\\"')
    return Masked(f'"{quoted}" <{parsed[0].address}>', name.hits)


def mask_written_html(written: str, patterns: Sequence[Compiled]) -> Masked:
    """Return HTML as it was written where nothing is found in it, else as its reader sees it, sanitised and masked."""
    clean = sanitise(without_hidden(written))
    masked = mask_html(clean.html, patterns)
    if masked.hits or masked.cut or clean.cuts:
        return Masked(masked.text, masked.hits, cut=masked.cut or bool(clean.cuts))
    # Comments, attributes, and what the sanitiser takes out with its content would leave with the mail all the same.
    for all_of_it in (markup.unescape(written), text_of(written)):
        hidden = mask_text(all_of_it, patterns)
        if hidden.hits:
            return Masked(masked.text, hidden.hits)
    return Masked(written)
