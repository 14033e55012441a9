"""Make the HTML of a mail safe to show: docs/threat-model.md 5, one pass of the sanitiser and nothing after it."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

import nh3

from postroom.mail.html.as_text import to_text
from postroom.mail.html.hidden import (
    LONGEST_STYLE,
    attribute_code,
    code_of,
    cut_hidden,
    hidden_names,
    may_hide,
    page_is_plain,
)
from postroom.mail.html.limits import RENAMED_ELEMENTS, RENAMED_PREFIX, bound
from postroom.mail.html.shown import show

__all__ = ["SanitisedHtml", "sanitise", "to_text"]

_names = str.split
_TAGS = frozenset(
    _names(
        "a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del dfn "
        "div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p "
        "pre q rp rt ruby s samp section small span strike strong sub sup table tbody td tfoot th thead time tr tt "
        "u ul var wbr"
    )
)
# Dropped with what is inside: it is program, style, drawing, or the fall-back for a reader that we are not.
_DROPPED_WITH_CONTENT = frozenset(RENAMED_ELEMENTS) - {"marquee"} | frozenset(_names("audio canvas video"))
_CELL = frozenset({"colspan", "rowspan", "align", "valign"})
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"dir", "lang"},
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": set(_CELL),
    "th": set(_CELL),
}
# Each names what stands after the scheme: "https:x" is a relative address on an https page (URL standard, "special
# authority slashes"), and a backslash counts as a slash.
_LINK = re.compile(
    r"(?:https?://[^\s/\\?#@:.][^\s\\\x00-\x1f\x7f]*|mailto:[^\s\\\x00-\x1f\x7f]+|tel:[+0-9().*#;,=a-z -]+)",
    re.IGNORECASE,
)
_INLINE_IMAGE = re.compile(r"cid:[^\s\\/\x00-\x1f\x7f]+", re.IGNORECASE)
_REMOTE = re.compile(r"\s*(?:https?:|ftp:|[/\\]{2})", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,4}%?")
_WORD = re.compile(r"[A-Za-z]{1,10}")
# What an attribute may say; the text of the others is anything.
_FORMS = dict.fromkeys(("colspan", "rowspan", "width", "height", "start"), _NUMBER)
_FORMS |= dict.fromkeys(("align", "valign", "dir"), _WORD)
_FORMS["lang"] = re.compile(r"[A-Za-z]{2,8}(?:-(?:[A-Za-z]{2,8}|[0-9]{3})){0,3}")  # RFC 5646, as far as mails use it
# Browsers drop these from an address before they read it.
_IGNORED_IN_URLS = {ord(character): None for character in "\t\n\r"}


@dataclass(frozen=True, slots=True)
class SanitisedHtml:
    """HTML that runs nothing and requests nothing, with what was taken out.

    `remote_images` counts removed images of other servers, `blocked_urls` relative and malformed addresses; `cuts`
    names the limits of `html.limits` that the mail went over; `hidden_text` counts the characters left out because no
    reader saw them.
    """

    html: str
    remote_images: int = 0
    blocked_urls: int = 0
    cuts: tuple[str, ...] = ()
    hidden_text: int = 0


def sanitise(html: str) -> SanitisedHtml:
    """Return `html` reduced to an allow-list of elements, attributes and absolute addresses; never raises."""
    # A lone surrogate, which a lenient decoder may leave, cannot be handed to the sanitiser.
    bounded = bound(show(html).encode("utf-8", "replace").decode("utf-8"))
    counts = _Counts()
    token = _counts.set(counts)
    try:
        hidden = 0
        seen = bounded.html
        if may_hide(seen):
            counts.hidden_names = hidden_names(seen)
            marked = _marker().clean(seen)
            visible, hidden = cut_hidden(marked, plain_page=page_is_plain(seen))
            if hidden:
                seen = visible  # without the addresses that were counted
            else:
                counts.remote_images = counts.blocked_urls = 0
        cleaned = _cleaner().clean(seen)
    finally:
        _counts.reset(token)
    return SanitisedHtml(cleaned, counts.remote_images, counts.blocked_urls, bounded.cuts, hidden)


_CLEAN_CONTENT = _DROPPED_WITH_CONTENT | {RENAMED_PREFIX + name for name in RENAMED_ELEMENTS if name != "marquee"}


@dataclass(slots=True)
class _Counts:
    """What is taken out of one mail."""

    remote_images: int = 0
    blocked_urls: int = 0
    hidden_names: frozenset[str] = frozenset()


# The sanitiser's tables are made once for all mails; what it calls back finds the mail's counts here.
_counts: ContextVar[_Counts] = ContextVar("counts")


@cache
def _cleaner() -> nh3.Cleaner:
    return _made(_ATTRIBUTES, _attribute)


@cache
def _marker() -> nh3.Cleaner:
    """Return the cleaner whose output says in `style` what hides an element; it is never the last one."""
    more = {"style", "hidden", "class", "id", "bgcolor", "color"}
    marked = {name: allowed | more for name, allowed in _ATTRIBUTES.items()}
    return _made(marked, _marking_attribute)


def _made(attributes: dict[str, set[str]], attribute_filter: Callable[[str, str, str], str | None]) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(_TAGS),
        clean_content_tags=set(_CLEAN_CONTENT),
        attributes=attributes,
        attribute_filter=attribute_filter,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )


def _attribute(_element: str, attribute: str, value: str) -> str | None:
    """Return the value to keep, or None to drop the attribute: the decision is taken inside the sanitiser."""
    if attribute == "href":
        return _link(value)
    if attribute == "src":
        return _image(value)
    form = _FORMS.get(attribute)
    return value if form is None or form.fullmatch(value) else None


def _marking_attribute(element: str, attribute: str, value: str) -> str | None:
    if attribute == "style":
        return code_of(value[:LONGEST_STYLE]) or None
    if attribute in ("hidden", "class", "id", "bgcolor", "color"):
        return attribute_code(attribute, value, _counts.get().hidden_names)
    return _attribute(element, attribute, value)


def _link(value: str) -> str | None:
    url = (value if value.isprintable() else value.translate(_IGNORED_IN_URLS)).strip()
    if _LINK.fullmatch(url):
        return url
    _counts.get().blocked_urls += 1
    return None


def _image(value: str) -> str | None:
    url = (value if value.isprintable() else value.translate(_IGNORED_IN_URLS)).strip()
    if _INLINE_IMAGE.fullmatch(url):
        return url
    if _REMOTE.match(url):
        _counts.get().remote_images += 1
    else:
        _counts.get().blocked_urls += 1
    return None
