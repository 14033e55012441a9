"""How mail is written, at each level that may say so: installation, alias, queue (S09).

An option that is left out at a level is taken from the next wider one; `rules/sending_options.py` resolves them.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from postroom.model.configuration.fields import ConfigObject


class Quote(StrEnum):
    """Whether the mail that is answered stands below the answer."""

    NONE = "none"
    BELOW = "below"


class ForwardAs(StrEnum):
    """How a mail is passed on."""

    INLINE = "inline"  # its text below ours, its files attached
    ATTACHMENT = "attachment"  # as a mail of its own, as its reader sees it


class Receipts(StrEnum):
    """What a mail asks its recipients for (G29)."""

    NONE = "none"
    READ = "read"  # a disposition notification, which a person may refuse (RFC 8098)
    DELIVERY = "delivery"  # a delivery status notification (RFC 3461)
    BOTH = "both"

    @property
    def read(self) -> bool:
        """Tell whether a disposition notification is asked for."""
        return self in (Receipts.READ, Receipts.BOTH)

    @property
    def delivery(self) -> bool:
        """Tell whether a delivery notification is asked for."""
        return self in (Receipts.DELIVERY, Receipts.BOTH)


_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?")


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise ValueError(f"{text!r} is no language; write it like en, de or pt-BR")
    return text


Language = Annotated[str, AfterValidator(_language)]
"""A language as BCP 47 names it: `en`, `de`, `pt-BR`."""


class SendingOptions(ConfigObject):
    """Options of writing mail; what is left out here is taken from the wider level."""

    signature: str | None = Field(
        default=None, max_length=20_000, description="Text below agents' mail; `{{field|fallback}}` as in templates."
    )
    signature_html: str | None = Field(
        default=None, max_length=200_000, description="The same for HTML; empty: made from `signature`."
    )
    quote: Quote | None = Field(default=None, description="Whether the answered mail stands below; else `none`.")
    forward: ForwardAs | None = Field(default=None, description="How mail is forwarded; else `inline`.")
    receipts: Receipts | None = Field(default=None, description="What agents' mail asks for (G29); else `none`.")
    language: Language | None = Field(
        default=None, description="Language of our own words where the mail's is not known; else the first language."
    )
