"""Tell which links of a mail's HTML say one thing and lead to another.

What is read is the sanitiser's one canonical form. Flags are facts for people and rules; none makes a mail bad.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from html import unescape

from postroom.mail.headers import related_domains, suspicious_domain


class LinkFlag(StrEnum):
    """What is odd about a link."""

    USER_IN_URL = "user-in-url"  # https://bank.example@evil.example leads to evil.example
    LOOK_ALIKE_HOST = "look-alike-host"  # letters of several scripts, or look-alikes of Latin ones
    OTHER_HOST = "text-names-other-host"  # the text shows another host than the link leads to


@dataclass(frozen=True, slots=True)
class OddLink:
    """A flag with the host that the link leads to, and the one that it shows where that is another."""

    flag: LinkFlag
    host: str
    shown: str = ""

    @property
    def words(self) -> str:
        """Say it for people."""
        match self.flag:
            case LinkFlag.USER_IN_URL:
                return f"a link names {self.shown} and leads to {self.host}"
            case LinkFlag.LOOK_ALIKE_HOST:
                return f"a link leads to {self.host}, which looks like another name"
            case LinkFlag.OTHER_HOST:
                return f"a link shows {self.shown} and leads to {self.host}"


_LINK = re.compile(r'href="(https?:[^"]*+)"[^>]*+>')
_URL = re.compile(r"https?:/*([^/?#\s]*+)", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*+>")
# What a text shows as the place that it leads to: a URL, or a name with a domain's ending, and nothing but that.
_SHOWN = re.compile(
    r"\s*(?:https?://)?([^\s/?#@:<>()\"']{1,200}\.[^\W\d_]{2,24})\.?(?::\d{1,5})?(?:[/?#]\S*)?\s*\Z", re.IGNORECASE
)
# Endings of files, which are no domains where a link shows a file's name.
_FILES = frozenset(
    str.split("pdf doc docx xls xlsx ppt pptx txt html htm jpg jpeg png gif zip csv php aspx jsp js css xml")
)
_MOST_LINKS = 500
_MOST_FLAGS = 20
_LONGEST_TEXT = 500


def odd_links(html: str) -> tuple[OddLink, ...]:
    """Return what is odd about the links, each once, in their order."""
    if 'href="http' not in html:
        return ()
    found: dict[OddLink, None] = {}
    for number, link in enumerate(_LINK.finditer(html)):
        if number >= _MOST_LINKS or len(found) >= _MOST_FLAGS:
            break
        if html.rfind("<", 0, link.start()) < html.rfind(">", 0, link.start()):
            continue  # words of the text
        end = html.find("</a>", link.end(), link.end() + 4 * _LONGEST_TEXT)
        inside = html[link.end() : end] if end >= 0 else ""
        if "." not in inside and "@" not in link[1] and link[1].isascii() and "xn--" not in link[1]:
            continue  # words, and a plain host: what most links are
        text = _TAG.sub("", inside)
        for odd in _of_link(unescape(link[1]), unescape(text)[:_LONGEST_TEXT]):
            found.setdefault(odd)
    return tuple(found)


def _of_link(url: str, text: str) -> Iterator[OddLink]:
    authority = _URL.match(url)
    if authority is None:
        return
    user, at, place = authority[1].rpartition("@")
    host = place.partition(":")[0].rstrip(".").lower()
    if at:
        yield OddLink(LinkFlag.USER_IN_URL, host[:253], user[:253])
    if suspicious_domain(host):
        yield OddLink(LinkFlag.LOOK_ALIKE_HOST, host[:253])
    shown = _SHOWN.match(text)
    if shown is None:
        return
    name = shown[1].lower().removeprefix("www.")
    if name.rpartition(".")[2] in _FILES and "://" not in text:
        return
    if not related_domains(name, host.removeprefix("www.")):
        yield OddLink(LinkFlag.OTHER_HOST, host[:253], name)
