"""Find the text of a mail that its readers never saw: hidden by styles, by size, or by a colour on the same colour.

Senders put it there for filters, previews and programs. What is read here is the one canonical form of the sanitiser
(every tag complete and closed), in which the attribute `style` holds what `code_of` says of an element's style.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

_names = str.split
# Word → pattern that begins with it, for text in lower case: most mail has hardly any of the words.
_HIDES = {
    word: re.compile(word + rest)
    for word, rest in (
        ("display", r"\s*:\s*none"),
        ("visibility", r"\s*:\s*(?:hidden|collapse)"),
        ("opacity", r"\s*:\s*(?:0(?![.\d])|0?\.0)"),
        ("mso-hide", ""),
        ("hidden", r"(?=[\s=>/])(?<=\shidden)"),
        ("font-size", r"\s*:\s*(?:0|1(?:\.\d+)?p[xt])"),
        ("height", r"\s*:\s*0(?![.\d])"),
        ("width", r"\s*:\s*0(?![.\d])"),
        ("text-indent", r"\s*:\s*-\d{3}"),
        ("left", r"\s*:\s*-\d{3}"),
        ("top", r"\s*:\s*-\d{3}"),
    )
}
_HIDING_WORDS = tuple(map(str.encode, _HIDES))
_VALUE = r"\s*[\"']?\s*(#[0-9a-f]{3,6}|rgba?\([^()]{1,40}\)|[a-z]{3,20})"
_COLOUR = re.compile(r"color\s*[:=]" + _VALUE)
_GROUNDS = (re.compile(r"background(?:-color)?\s*:" + _VALUE), re.compile(r"bgcolor\s*=" + _VALUE))
_ZERO = re.compile(r"0+(?:\.0*)?(?:px|pt|em|rem|ex|%|vh|vw)?\Z|\.0+(?:px|pt|em|rem|%)?\Z")
_TINY = re.compile(r"[01](?:\.\d+)?(?:px|pt)\Z|0(?:\.\d+)?(?:em|rem|%)?\Z")
_FAR_OUT = re.compile(r"-\d{3,}(?:\.\d+)?(?:px|pt|em|rem)?\Z")
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})\Z")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})(?:\s*[,/]\s*([\d.]+%?))?\s*\)\Z")
_COLOURS = {"white": "ffffff", "black": "000000", "red": "ff0000", "yellow": "ffff00", "blue": "0000ff"}
_SAME = 8  # of 255, in each channel: nobody reads that
_MOST_COLOURS = 30
_AT_RULE = re.compile(r"@[^{};]*+(?:;|\{(?:[^{}]*+\{[^{}]*+\})*+[^{}]*+\})")
_STYLE_SHEET = re.compile(r"<style\b[^<>]*+>([^<]*+)", re.IGNORECASE)
_RULE = re.compile(r"(?<![^{}])([^{}]*+)\{([^{}]*+)\}")
_SIMPLE_SELECTOR = re.compile(r"(?:[a-z]{1,10})?([.#][\w-]{1,60})\Z", re.IGNORECASE)
_MOST_SHEET = 200_000  # characters
LONGEST_STYLE = 4_000
_TAG = re.compile(r"<(/?)([a-z0-9]+)([^>]*+)>")
_CODES = re.compile(r'\s(?:style|hidden|class|id|bgcolor|color)="([^"]*+)"')
_VOID = frozenset(_names("br hr img wbr col"))


def may_hide(html: str) -> bool:
    """Say quickly whether anything in a mail may be hidden: most mail has nothing of the kind."""
    raw = html.encode("utf-8", "replace").lower()  # CSS and HTML compare ASCII letters only; of bytes it is fast
    words = [word for word in _HIDING_WORDS if word in raw]
    if not words and b"color" not in raw:
        return False
    lowered = raw.decode("utf-8")
    if any(_HIDES[word.decode()].search(lowered) for word in words):
        return True
    written = set(_COLOUR.findall(lowered)) if "color" in lowered else ()
    colours = {colour for one in written if (colour := _colour(one))}
    if not colours:
        return False
    behind = {one for pattern in _GROUNDS for one in pattern.findall(lowered)}
    grounds = {colour for one in behind if (colour := _colour(one))} | {"ffffff"}
    if len(colours) * len(grounds) > _MOST_COLOURS * _MOST_COLOURS:
        return True
    return any(_are_the_same(one, other) for one in colours for other in grounds)


def page_is_plain(html: str) -> bool:
    """Say whether no background is set anywhere: then it is white, and white text is not seen."""
    lowered = html.lower()
    return "background" not in lowered and "bgcolor" not in lowered


def hidden_names(html: str) -> frozenset[str]:
    """Return the classes and ids (`.name`, `#name`) that the style sheets of a mail hide on every screen."""
    found: set[str] = set()
    for sheet in _STYLE_SHEET.findall(html):
        # What a media query says holds for some screens only, and may as well show what is hidden on the others.
        rules = _AT_RULE.sub("", sheet[:_MOST_SHEET])
        for selectors, declarations in _RULE.findall(rules):
            if "n" in code_of(declarations[:LONGEST_STYLE]):
                names = (_SIMPLE_SELECTOR.match(one.strip()) for one in selectors.split(","))
                found.update(name[1] for name in names if name)
    return frozenset(found)


@lru_cache(maxsize=256)  # the same few styles stand in all cells of a table
def code_of(style: str) -> str:
    """Return what a style says of being seen, in words that the sanitiser may keep.

    `n` not shown at all; `s0`, `s1` and `v0`, `v1` a size or visibility that hides, or shows again; `c` and `b` with
    six digits the colours of text and background, `b?` one that is not known.
    """
    values: dict[str, str] = {}
    for declaration in style.lower().split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            values[name.strip()] = value.strip().removesuffix("!important").strip()
    words: list[str] = []
    clipped = "hidden" in (values.get("overflow", ""), values.get("overflow-y", ""))
    if (
        values.get("display") == "none"
        or values.get("mso-hide") == "all"
        or _is_zero(values.get("opacity"))
        or (clipped and any(_is_zero(values.get(name)) for name in ("max-height", "height", "max-width", "width")))
        or _FAR_OUT.match(values.get("text-indent", ""))
        or (
            values.get("position") in ("absolute", "fixed")
            and any(_FAR_OUT.match(values.get(name, "")) for name in ("left", "top"))
        )
    ):
        words.append("n")
    if size := values.get("font-size"):
        words.append("s0" if _TINY.match(size) else "s1")
    if visibility := values.get("visibility"):
        words.append("v0" if visibility in ("hidden", "collapse") else "v1")
    if "color" in values:
        words.append(f"c{_colour(values['color']) or '?'}")
    background = values.get("background-color") or values.get("background")
    if background:
        words.append(f"b{_colour(background) or '?'}")
    return " ".join(words)


def attribute_code(attribute: str, value: str, names: Collection[str]) -> str | None:
    """Return the code of another attribute that hides: `hidden`, `color`, `bgcolor`, a class or id of a style sheet."""
    if attribute == "hidden":
        return "n"
    if attribute == "color":
        return f"c{_colour(value.strip().lower()) or '?'}"
    if attribute == "bgcolor":
        return f"b{_colour(value.strip().lower()) or '?'}"
    mark = "." if attribute == "class" else "#"
    return "n" if any(mark + one in names for one in value.split()[:50]) else None


def _is_zero(value: str | None) -> bool:
    return value is not None and _ZERO.match(value) is not None


def _colour(value: str) -> str | None:
    """Return a colour as six hexadecimal digits; None for one that is not known, or that shines through."""
    if match := _HEX.match(value):
        digits = match[1]
        return digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    if match := _RGB.match(value):
        if match[4] and match[4] not in ("1", "1.0", "100%"):
            return None
        return "".join(f"{min(255, int(channel)):02x}" for channel in match.groups()[:3])
    return _COLOURS.get(value)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What an element and those around it say."""

    shown: bool = True
    size: bool = True
    visible: bool = True
    colour: str | None = None
    background: str | None = None

    @property
    def is_hidden(self) -> bool:
        return not (self.shown and self.size and self.visible) or (
            self.colour is not None and self.background is not None and _are_the_same(self.colour, self.background)
        )


def cut_hidden(marked: str, *, plain_page: bool) -> tuple[str, int]:
    """Return canonical HTML without the texts that are hidden, and how many characters they have.

    A mail of which nothing would be left is returned as it is: what hides all of it is some client's doing.
    """
    pieces: list[str] = []
    stack: list[_Seen] = [_Seen(background="ffffff" if plain_page else None)]
    hidden = shown = position = 0
    for tag in _TAG.finditer(marked):
        text = marked[position : tag.start()]
        position = tag.end()
        characters = len("".join(text.split()))
        if stack[-1].is_hidden:
            hidden += characters
        else:
            shown += characters
            pieces.append(text)
        closes, name, attributes = tag.groups()
        if closes:
            if len(stack) > 1:
                stack.pop()
        elif name not in _VOID:
            stack.append(_inside(stack[-1], attributes))
        elif stack[-1].is_hidden or _inside(stack[-1], attributes).is_hidden:
            continue
        elif name == "img":
            shown += 1
        pieces.append(tag[0])
    text = marked[position:]
    pieces.append(text)
    shown += len(text.split())
    return ("".join(pieces), hidden) if hidden and shown else (marked, 0)


def _inside(around: _Seen, attributes: str) -> _Seen:
    """Return what holds within an element: what is not shown stays so, sizes and colours can be set anew."""
    codes = [word for codes in _CODES.findall(attributes) for word in codes.split()] if attributes else []
    if not codes:
        return around
    shown, size, visible = around.shown, around.size, around.visible
    colour, background = around.colour, around.background
    for code in codes:
        kind, rest = code[0], code[1:]
        if kind == "n":
            shown = False
        elif kind == "s":
            size = rest == "1"
        elif kind == "v":
            visible = rest == "1"
        elif kind == "c":
            colour = rest if rest != "?" else None
        elif kind == "b":
            background = rest if rest != "?" else None
    return _Seen(shown, size, visible, colour, background)


@lru_cache(maxsize=256)
def _are_the_same(one: str, other: str) -> bool:
    return all(abs(int(one[at : at + 2], 16) - int(other[at : at + 2], 16)) <= _SAME for at in (0, 2, 4))
