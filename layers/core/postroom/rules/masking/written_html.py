"""HTML as a person writes and sends it: what its reader is not shown must not keep the digits of a number apart (C15).

Styles that are taken out by the sanitiser leave with a mail that nothing is masked in, and they can hide what stands
between: `4111<i style="display:none">x</i>1111…`.
"""

from __future__ import annotations

import html as markup
import re
from collections.abc import Iterator
from dataclasses import dataclass

_HIDES = (
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all|opacity\s*:\s*0?\.?0+(?![.\d])"
    r"|font(?:-size)?\s*:\s*0+(?:\.0+)?(?:px|pt|em|rem|%)?\s*(?:[;/\"'}!]|$)"
)
_HIDING = re.compile(_HIDES, re.IGNORECASE)
_HIDDEN = re.compile(r"""\shidden(?:\s*=\s*(?:""|''|"?hidden"?|'hidden'|"?true"?))?(?=[\s/>])""", re.IGNORECASE)
_MAY_HIDE = re.compile(rf"\shidden|{_HIDES}", re.IGNORECASE)
_STYLE = re.compile(r"\sstyle\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)
_NAMED = re.compile(r"\s(class|id)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]{0,40})((?:\"[^\"]*\"|'[^']*'|[^\"'<>])*+)>")
_ANY_TAG = re.compile(r"<(/?)([a-zA-Z!?][^\s/<>]{0,40})[^<>]*>")
_LONGEST_TAG = 2_000
_DEEPEST = 200  # elements within a hidden one; the sanitiser cuts what is nested deeper
_names = str.split
_VOID = frozenset(_names("area base br col embed hr img input link meta source track wbr"))
_NO_BREAK = frozenset(
    _names(
        "a abbr b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup time "
        "tspan tt u var wbr !--"
    )
)


@dataclass(frozen=True, slots=True)
class _Element:
    """One hidden element: where it begins and ends."""

    start: int
    end: int


def without_hidden(html: str) -> str:
    """Return HTML without the elements that are not shown: by `hidden`, a style, or a rule of its style sheet.

    An element that is not closed is left in: what is behind it may be all of the mail.
    """
    if not _MAY_HIDE.search(html):
        return html
    kept: list[str] = []
    end = 0
    for element in _hidden_elements(html):
        kept.append(html[end : element.start])
        end = element.end
    return "".join([*kept, html[end:]]) if kept else html


def text_of(html: str) -> str:
    """Return everything between the tags, in what is never shown as well; other tags than inline ones break a line."""
    return markup.unescape(_ANY_TAG.sub(lambda tag: "" if tag[2].lower() in _NO_BREAK else "\n", html))


def _hidden_elements(html: str) -> Iterator[_Element]:
    named = _hiding_names(html)
    open_names: list[str] = []
    start = position = 0
    while (at := html.find("<", position)) >= 0:
        if html.startswith("<!--", at):
            closed = html.find("-->", at)
            position = closed + 3 if closed >= 0 else len(html)
            continue
        tag = _TAG.match(html, at, at + _LONGEST_TAG)
        if tag is None:
            position = at + 1
            continue
        position = tag.end()
        name = tag[2].lower()
        if name in _VOID:
            continue
        if tag[1]:
            if name in open_names:
                del open_names[len(open_names) - 1 - open_names[::-1].index(name) :]
                if not open_names:
                    yield _Element(start, position)
        elif open_names:
            open_names.append(name)
            if len(open_names) > _DEEPEST:
                return
        elif _hides(name, tag[3], named):
            open_names, start = [name], at


def _hides(name: str, attributes: str, named: frozenset[str]) -> bool:
    given = f"{attributes} "
    if _HIDDEN.search(given):
        return True
    style = _STYLE.search(given)
    if style and _HIDING.search(markup.unescape(style[1] or style[2] or style[3] or "")):
        return True
    if not named:
        return False
    names = {name}
    for found in _NAMED.finditer(given):
        mark = "." if found[1].lower() == "class" else "#"
        names.update(mark + one.lower() for one in (found[2] or found[3] or found[4] or "").split())
    return not named.isdisjoint(names)


def _hiding_names(html: str) -> frozenset[str]:
    """List what the last part of each selector of a hiding rule names: `.preview`, `#top`, `small`."""
    names: set[str] = set()
    start = html.lower().find("<style")
    if start < 0:
        return frozenset()
    for rule in html[start:].split("}"):
        selectors, _brace, declarations = rule.rpartition("{")
        if _HIDING.search(declarations[:2_000]):
            for selector in selectors[-500:].split(","):
                last = selector.split()[-1:] or [""]
                names.update(one.lower() for one in re.findall(r"[.#]?[A-Za-z_][\w-]*", last[0])[-1:])
    return frozenset(names)
