"""Let a parser see what people see: text that HTML hides from programs that run scripts, load objects or know forms.

Only names of elements change here, before the sanitiser reads them; nothing becomes safe or unsafe by that.
"""

from __future__ import annotations

import re

_names = str.split
# Their content is what a mail shows: no script runs, no object is loaded, no form can be filled in.
_CONTENT_SHOWN = frozenset(_names("applet noembed noframes noscript object plaintext select textarea xmp"))
# The sanitiser takes these tags away; what they set apart has to stay apart.
_APART = frozenset(
    _names("details dialog dir fieldset form hgroup legend listing menu optgroup option search summary textarea")
)
_TAG = re.compile(
    r"<(/?)("
    r"a(?:pplet)|d(?:etails|ialog|ir)|f(?:ieldset|orm)|hgroup|l(?:egend|isting)|menu|no(?:embed|frames|script)|"
    r"o(?:bject|pt(?:group|ion))|plaintext|s(?:e(?:arch|lect)|ummary)|textarea|xmp"
    r")(?=[\s/>])",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"<[a-zA-Z/]")
_TITLE_END = re.compile(r"</title(?=[\s/>])", re.IGNORECASE)
_CONTROLS = bytes([*range(9), *range(0x0E, 0x20), 0x7F])
_TITLE = re.compile(r"<title(?=[\s/>])", re.IGNORECASE)
_LONGEST_TITLE = 1_000
_MOST_TITLES = 5


def show(html: str) -> str:
    """Return HTML whose fall-back texts, form fields and unclosed titles are ordinary text, without C0 controls."""
    html = visible_controls(html)
    title = _TITLE.search(html)
    for _ in range(_MOST_TITLES):
        if title is None:
            break
        if _swallows(title):
            html = f"{html[: title.start()]}<span{html[title.end() :]}"
        title = _TITLE.search(html, title.end())
    return _TAG.sub(_renamed, html)


def visible_controls(text: str) -> str:
    """Return text without the control characters that show nothing; VT and FF, which break lines, become spaces."""
    raw = text.encode("utf-8", "surrogatepass")  # several times as fast as a pattern
    kept = raw.translate(None, _CONTROLS)
    if len(kept) != len(raw):
        text = kept.decode("utf-8", "surrogatepass")
    return text.replace("\x0b", " ").replace("\x0c", " ")


def _renamed(tag: re.Match[str]) -> str:
    name = tag[2].lower()
    if name in _APART:
        return f"<{tag[1]}div"
    return f"<{tag[1]}span" if name in _CONTENT_SHOWN else tag[0]


def _swallows(title: re.Match[str]) -> bool:
    """Say whether a title takes in what should be the page: it never ends, or ends behind other elements."""
    html, start = title.string, title.end()
    end = _TITLE_END.search(html, start, start + _LONGEST_TITLE)
    markup = _MARKUP.search(html, start, start + _LONGEST_TITLE)
    return end is None or (markup is not None and markup.start() < end.start())
