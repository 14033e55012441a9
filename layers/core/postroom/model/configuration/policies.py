"""Templates, delivery exceptions, attachments and masking, as an administrator configures them.

`postroom.rules` holds how they are evaluated.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from postroom.model.configuration.fields import ConfigObject, Line, Name
from postroom.model.configuration.sending import Language


class TemplateText(ConfigObject):
    """What a template says in one language."""

    subject: Line
    text: str
    html: str | None = None


class Template(ConfigObject):
    """Text with `{{field}}` or `{{field|fallback}}` placeholders; nothing in it is executed."""

    name: Name
    subject: Line
    text: str
    html: str | None = None
    language: Language = Field(default="en", description="What it is written in.")
    translations: dict[Language, TemplateText] = Field(
        default={}, description="The same in other languages: the one that the mail is written in is taken."
    )

    def in_language(self, language: str) -> TemplateText:
        """Return what it says in a language; in its own where it is not translated."""
        own = TemplateText(subject=self.subject, text=self.text, html=self.html)
        return own if language == self.language else self.translations.get(language, own)


def _phrase(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; give the words to look for")
    if "@" in text:
        raise ValueError(f"{text!r} contains '@'; give only the part before it, phrases are compared with that")
    return text


class DeliveryExceptionPhrase(ConfigObject):
    """A phrase of one's own, beside the predefined ones (C13)."""

    name: Annotated[Line, Field(min_length=1, max_length=100)]
    description: Line = ""
    department: str | None = Field(default=None, description="Only there; empty: everywhere.")
    type: Literal["address", "subject"] = Field(description="Looked for in From before the @, or in the subject.")
    phrase: Annotated[Line, AfterValidator(_phrase), Field(max_length=255)]
    failure: Literal["permanent", "temporary"]


class DeliveryExceptionSettings(ConfigObject):
    """How phrases decide, and which predefined ones are gone (C13, X07)."""

    mode: Literal["corroborated", "strict"] = Field(
        default="corroborated", description="strict: a phrase alone diverts a mail, as in the reference system."
    )
    removed: tuple[Line, ...] = Field(
        default=(), description="Predefined phrases that do not count, as `subject:Admin`; take one out to restore it."
    )


def _extension(text: str) -> str:
    plain = text.strip().lstrip("*").lstrip(".").lower()
    if not plain or len(plain) > 20 or not all(letter.isalnum() or letter in "-_+~." for letter in plain):
        raise ValueError(f"{text!r} is no file extension; write it like exe or .exe")
    return plain


Extension = Annotated[str, AfterValidator(_extension)]
"""A file extension, stored in lower case without its dot."""


class BlockedExtension(ConfigObject):
    """A file extension that a department does not let in (C11)."""

    name: Annotated[Line, Field(min_length=1, max_length=100)]
    description: Line = ""
    department: str | None = Field(default=None, description="Only there; empty: every department.")
    extension: Extension


class AttachmentPolicy(ConfigObject):
    """What happens to attachments; the installation's lists supersede a department's (C11)."""

    scan: Literal["inbound", "both"] = Field(default="inbound", description="Incoming mail only, or sent mail too.")
    block_all: bool = Field(default=False, description="Block every attachment, whatever the lists say.")
    block_mismatch: bool = Field(
        default=False, description="Block what is of another type than its names or its declared type say."
    )
    action: Literal["quarantine", "delete"] = Field(default="quarantine", description="What happens to a blocked one.")
    block: tuple[Extension, ...] = Field(
        default=(), description="Extensions that are blocked, beside the predefined dangerous ones."
    )
    allow: tuple[Extension, ...] = Field(
        default=(), description="Extensions that are let in although listed as blocked."
    )


class MaskingPattern(ConfigObject):
    """What is made unreadable before a mail is stored and shown (C15): an RE2 pattern, or a built-in kind."""

    name: Annotated[Line, Field(min_length=1, max_length=100)]
    description: Line = ""
    department: str | None = Field(default=None, description="Only there; empty: the whole installation.")
    pattern: str | None = Field(default=None, description="Regular expression (RE2).")
    kind: Line | None = Field(
        default=None, description="Built-in, checked kind: card, iban, us-ssn, …; instead of `pattern`."
    )
    replacement: Line = Field(default="*", description="One character; stands for each masked one.")
    inbound: bool = True
    outbound: bool = True
    ignore_case: bool = False
    spaced: bool = Field(default=True, description="Found also with spaces or line ends between digits.")
