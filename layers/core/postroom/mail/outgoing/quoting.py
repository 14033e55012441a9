"""Quote the mail that is answered, and introduce one that is passed on, in the words of the reader's language.

The forms are those that mail clients read back as quotes: an attribution line that ends with a colon and `> ` before
each line, a `blockquote type="cite"`, and a block of header lines. The postroom that gets such a reply cuts them off.
"""

from __future__ import annotations

import html as markup
import re
from dataclasses import dataclass
from datetime import datetime

from postroom.mail.headers import Address

MOST_QUOTED = 100_000
"""Characters of a text that are quoted; what follows is told to be left out."""
MOST_QUOTED_HTML = 200_000


@dataclass(frozen=True, slots=True)
class Words:
    """Our own words around somebody else's mail, in one language."""

    wrote: str  # with {date} and {who}
    forwarded: str
    sender: str
    date: str
    subject: str
    to: str
    cut: str
    date_format: str = "%Y-%m-%d %H:%M"


WORDS: dict[str, Words] = {
    "en": Words("On {date}, {who} wrote:", "Forwarded message", "From", "Date", "Subject", "To", "[cut]"),
    "de": Words(
        "Am {date} schrieb {who}:", "Weitergeleitete Nachricht", "Von", "Datum", "Betreff", "An", "[gekürzt]",
        "%d.%m.%Y um %H:%M",
    ),
    "fr": Words(
        "Le {date}, {who} a écrit :", "Message transféré", "De", "Date", "Objet", "À", "[coupé]", "%d/%m/%Y à %H:%M"
    ),
    "es": Words(
        "El {date}, {who} escribió:", "Mensaje reenviado", "De", "Fecha", "Asunto", "Para", "[cortado]",
        "%d/%m/%Y a las %H:%M",
    ),
    "it": Words(
        "Il {date}, {who} ha scritto:", "Messaggio inoltrato", "Da", "Data", "Oggetto", "A", "[tagliato]",
        "%d/%m/%Y alle %H:%M",
    ),
    "pt": Words(
        "Em {date}, {who} escreveu:", "Mensagem encaminhada", "De", "Data", "Assunto", "Para", "[cortado]",
        "%d/%m/%Y às %H:%M",
    ),
    "nl": Words(
        "Op {date} schreef {who}:", "Doorgestuurd bericht", "Van", "Datum", "Onderwerp", "Aan", "[ingekort]",
        "%d-%m-%Y om %H:%M",
    ),
    "sv": Words("Den {date} skrev {who}:", "Vidarebefordrat meddelande", "Från", "Datum", "Ämne", "Till", "[kortat]"),
    "da": Words("Den {date} skrev {who}:", "Videresendt meddelelse", "Fra", "Dato", "Emne", "Til", "[afkortet]"),
    "nb": Words("Den {date} skrev {who}:", "Videresendt melding", "Fra", "Dato", "Emne", "Til", "[kuttet]"),
    "fi": Words(
        "{date} {who} kirjoitti:", "Välitetty viesti", "Lähettäjä", "Päiväys", "Aihe", "Vastaanottaja", "[leikattu]",
    ),
    "pl": Words("W dniu {date} {who} napisał(a):", "Przekazana wiadomość", "Od", "Data", "Temat", "Do", "[skrócono]"),
    "cs": Words("Dne {date} {who} napsal(a):", "Přeposlaná zpráva", "Od", "Datum", "Předmět", "Komu", "[zkráceno]"),
    "hu": Words("{who} ezt írta ({date}):", "Továbbított üzenet", "Feladó", "Dátum", "Tárgy", "Címzett", "[rövidítve]"),
    "tr": Words("{who} şunları yazdı ({date}):", "İletilen ileti", "Kimden", "Tarih", "Konu", "Kime", "[kısaltıldı]"),
    "ru": Words("{date}, {who} написал(а):", "Пересланное сообщение", "От", "Дата", "Тема", "Кому", "[сокращено]"),
    "uk": Words("{date}, {who} пише:", "Переслане повідомлення", "Від", "Дата", "Тема", "Кому", "[скорочено]"),
    "el": Words(
        "Στις {date}, {who} έγραψε:", "Προωθημένο μήνυμα", "Από", "Ημερομηνία", "Θέμα", "Προς", "[περικοπή]",
    ),
    "ja": Words(
        "{date} {who} のメール:", "転送メッセージ", "差出人", "日時", "件名", "宛先", "[省略]", "%Y/%m/%d %H:%M",
    ),
    "zh": Words(
        "{who} 于{date}写道:", "转发的邮件", "发件人", "日期", "主题", "收件人", "[已截断]", "%Y-%m-%d %H:%M",
    ),
    "ko": Words(
        "{date}, {who}님이 작성:", "전달된 메시지", "보낸사람", "날짜", "제목", "받는사람", "[생략]", "%Y-%m-%d %H:%M",
    ),
}  # fmt: skip
"""English where a language has none of its own."""


@dataclass(frozen=True, slots=True)
class Original:
    """A mail that is answered or passed on, as its reader sees it: masked, sanitised."""

    sender: Address | None
    date: datetime | None
    subject: str
    to: tuple[Address, ...]
    text: str
    html: str | None


def words_of(language: str) -> Words:
    """Return our own words in a language, or in English."""
    return WORDS.get(language) or WORDS.get(language.partition("-")[0]) or WORDS["en"]


def quoted_text(original: Original, *, language: str) -> str:
    """Return the original below its attribution, each line behind `> `."""
    lines = _cut(original.text, language).splitlines()
    return "\n".join([attribution(original, language=language), *map(_behind_mark, lines)])


def _behind_mark(line: str) -> str:
    return f"> {line}" if line and not line.startswith(">") else f">{line}"


def quoted_html(original: Original, *, language: str) -> str:
    """Return the original below its attribution, in a `blockquote` of the kind that readers know as a quote."""
    inner = _html_of(original, language)
    said = markup.escape(attribution(original, language=language), quote=False)
    style = "margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex"
    return (
        f'<div class="gmail_quote"><div>{said}</div><blockquote type="cite" style="{style}">{inner}</blockquote></div>'
    )


def attribution(original: Original, *, language: str) -> str:
    """Return the line before a quote: who wrote, and when (UTC)."""
    words = words_of(language)
    who = _who(original.sender)
    if original.date is None:
        return f"{who}:"
    return words.wrote.format(date=f"{original.date.strftime(words.date_format)} UTC", who=who)


def forwarded_text(original: Original, *, language: str) -> str:
    """Return the original below a block of its header fields."""
    words = words_of(language)
    head = [f"{name}: {value}" for name, value in _fields(original, words)]
    return "\n".join([f"---------- {words.forwarded} ----------", *head, "", _cut(original.text, language)])


def forwarded_html(original: Original, *, language: str) -> str:
    """Return the original below a block of its header fields, in HTML."""
    words = words_of(language)
    head = [f"<b>{markup.escape(name)}:</b> {markup.escape(value)}" for name, value in _fields(original, words)]
    lines = "<br>".join([f"---------- {markup.escape(words.forwarded)} ----------", *head])
    return f'<div class="gmail_quote"><div>{lines}</div><br>{_html_of(original, language)}</div>'


def text_as_html(text: str) -> str:
    """Write plain text as HTML that shows the same: line ends, runs of spaces, links."""
    escaped = markup.escape(text.replace("\r\n", "\n").replace("\r", "\n"), quote=False)
    linked = _LINK.sub(_link, escaped)
    return (
        "<div>" + _SPACES.sub(lambda run: "&nbsp;" * (len(run[0]) - 1) + " ", linked).replace("\n", "<br>\n") + "</div>"
    )


_SPACES = re.compile(r" {2,}")
_LINK = re.compile(r"\bhttps?://[^\s<>\"'(){}]{1,1500}[^\s<>\"'(){}.,;:!?&]", re.IGNORECASE)


def _link(match: re.Match[str]) -> str:
    return f'<a href="{match[0].replace(chr(34), "%22")}">{match[0]}</a>'


def _html_of(original: Original, language: str) -> str:
    if original.html is not None and len(original.html) <= MOST_QUOTED_HTML:
        return original.html
    return text_as_html(_cut(original.text, language))


def _cut(text: str, language: str) -> str:
    return text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]}\n{words_of(language).cut}"


def _who(sender: Address | None) -> str:
    if sender is None:
        return "?"
    return f"{sender.name} <{sender.address}>" if sender.name and sender.address else sender.name or sender.address


def _fields(original: Original, words: Words) -> list[tuple[str, str]]:
    date = f"{original.date.strftime(words.date_format)} UTC" if original.date else ""
    named = [
        (words.sender, _who(original.sender)),
        (words.date, date),
        (words.subject, original.subject),
        (words.to, ", ".join(map(_who, original.to[:20]))),
    ]
    return [(name, value) for name, value in named if value]
