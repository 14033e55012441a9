"""Mask what leaves: subject, text and HTML of a reply or an automatic answer, before it is stored and sent (C15).

What is recorded says which pattern was found, how often and where; never what was found.
"""

from __future__ import annotations

import html as markup
from collections.abc import Sequence
from dataclasses import replace

from postroom.mail.html import sanitise
from postroom.model.outbound import Outbound
from postroom.rules.masking import Compiled, Masked, mask_html, mask_text


def mask_outbound(outbound: Outbound, patterns: Sequence[Compiled]) -> Outbound:
    """Return the mail as it may be stored and sent, with a decision for each pattern and part it was found in."""
    # NUL never leaves (mail/compose.py drops it): it must not hide what it stands in.
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
    return replace(
        outbound,
        subject=subject.text,
        text=text.text,
        html=html.text if html else None,
        decisions=(*outbound.decisions, *(one for where, part in parts if part for one in part.decisions(where))),
    )


def mask_written_html(written: str, patterns: Sequence[Compiled]) -> Masked:
    """Return HTML as it was written where nothing is found in it, else sanitised, with what was found masked."""
    clean = sanitise(written)
    masked = mask_html(clean.html, patterns)
    if masked.hits or masked.cut or clean.cuts:
        return Masked(masked.text, masked.hits, cut=masked.cut or bool(clean.cuts))
    # Comments and attributes that the sanitiser takes out would leave with the mail all the same.
    hidden = mask_text(markup.unescape(written), patterns)
    return Masked(masked.text, hidden.hits) if hidden.hits else Masked(written)
