"""Recognise reactions: a person pressed an emoji under our mail, and the client made a mail of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from postroom.mail.reader import Message

REACTION_TYPE = "text/vnd.google.email-reaction+json"
"""Gmail's part (developers.google.com/gmail, "Email reactions"): `{"version": 1, "emoji": "…"}`."""

_MOST_BYTES = 4_096
_LONGEST_EMOJI = 40  # characters: families are several joined
_LONGEST_LINE = 200
_NO_EMOJI = re.compile(r"[^\d#*\u0080-\U0010ffff]|[\u0080-\u009f\u202a-\u202e\u2066-\u2069]")
# Outlook writes one line, then a rule and the header of our mail; which emoji it was is a picture. By language.
_REACTED = re.compile(
    r"\breacted to your message|\bhat auf ihre nachricht reagiert|\bhat auf deine nachricht reagiert|"
    r"\ba réagi à votre message|\breaccionó a (?:su|tu) mensaje|\bha reaccionado a (?:su|tu) mensaje|"
    r"\bha reagito al (?:tuo|suo) messaggio|\breagiu à sua mensagem|\bheeft gereageerd op uw bericht|"
    r"\bheeft op uw bericht gereageerd|\breagerade på ditt meddelande|\breagerede på din meddelelse|"
    r"\breagerte på meldingen din|\breagoi viestiisi|\bzareagowa[łl]a?(?:\(a\))? na twoją wiadomość|"
    r"\bzareagoval(?:\(a\)|a)? na vaši zprávu|отреагировал(?:а|\(а\))? на ваше сообщение|"
    r"iletinize tepki verdi|あなたのメッセージにリアクション|对你的邮件做出了反应|회원님의 메시지에 반응",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction: the emoji ("" where the mail has it as a picture only) and the line that people see."""

    emoji: str
    line: str


def reaction(message: Message, own_words: str) -> Reaction | None:
    """Return the reaction that a mail is; None for every other mail. `own_words` is its text without the quote."""
    for part in message.walk():
        if part.content_type == REACTION_TYPE:
            emoji = _emoji(part.data()[:_MOST_BYTES])
            if emoji:
                return Reaction(emoji, emoji)
    said = own_words.strip()
    if len(said) > _LONGEST_LINE or "\n" in said or not _REACTED.search(said):
        return None
    # In the words of the client the writer's name comes first; a person's sentence would begin otherwise.
    sender = next(iter(message.addresses("From")), None)
    name = (sender.name or sender.address) if sender else ""
    return Reaction("", said) if name and name.casefold() in said.casefold() else None


def _emoji(data: bytes) -> str:
    try:
        read = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    emoji = read.get("emoji") if isinstance(read, dict) else None
    # Joiners and selectors are part of emoji; what has letters of ours or controls is something else.
    if not isinstance(emoji, str) or len(emoji) > _LONGEST_EMOJI or _NO_EMOJI.search(emoji):
        return ""
    return emoji
