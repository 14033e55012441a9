"""Nothing runs, and nothing is requested, in the HTML that is stored: checked by reading it with another parser."""

import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import pytest
from postroom.mail.html.sanitiser import sanitise, to_text

from tests.support import corpora
from tests.support.processor_time import takes_at_most

_ALLOWED = set(
    str.split(
        "a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del dfn "
        "div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p "
        "pre q rp rt ruby s samp section small span strike strong sub sup table tbody td tfoot th thead time tr tt "
        "u ul var wbr"
    )
)
_ALLOWED_ATTRIBUTES = set(
    str.split("href src alt title width height dir lang colspan rowspan align valign start rel target")
)
_ADDRESS = re.compile(r"(?:https?://[a-z0-9\[][^\s\\]*|mailto:[^\s\\]+|tel:[^\s\\]+|cid:[^\s\\]+)", re.IGNORECASE)


class Reader(HTMLParser):
    """Collects what breaks the allow-list."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _ALLOWED:
            self.problems.append(f"element {tag}")
        for name, value in attrs:
            if name not in _ALLOWED_ATTRIBUTES:
                self.problems.append(f"attribute {tag} {name}")
            if name in ("href", "src") and not _ADDRESS.fullmatch(value or ""):
                self.problems.append(f"address {value!r}")
            if name == "src" and not (value or "").startswith("cid:"):
                self.problems.append(f"request {value!r}")

    def handle_comment(self, data: str) -> None:
        self.problems.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.problems.append("declaration")

    def handle_pi(self, data: str) -> None:
        self.problems.append("instruction")

    def unknown_decl(self, data: str) -> None:
        self.problems.append("unknown declaration")


def problems(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.problems


def _vectors() -> list[str]:
    path = corpora.ROOT / "xss" / "vectors.json"
    return json.loads(path.read_text()) if path.exists() else []


OWN_VECTORS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<IMG SRC=http://tracker.example/x.gif>",
    "<img src=//tracker.example/x.gif>",
    "<img src='\\\\tracker.example\\x.gif'>",
    "<img srcset='http://tracker.example/x 2x'>",
    "<picture><source srcset=http://tracker.example/x></picture>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<img src=cid:../../x>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href='data:text/html,<script>'>x</a>",
    "<a href='/api/logout'>x</a>",
    "<a href='//evil.example/'>x</a>",
    "<a href='https:/api/logout'>x</a>",
    "<a href='https:api/logout'>x</a>",
    "<a href='https:\\\\evil.example'>x</a>",
    "<a href='https:///evil.example'>x</a>",
    "<a href='http://'>x</a>",
    "<a href='http://?x'>x</a>",
    "<a href='http:// x'>x</a>",
    "<a href='?q=1'>x</a>",
    "<a href='#top'>x</a>",
    "<a href='x'>x</a>",
    "<a href=''>x</a>",
    "<a href='blob:https://x/y'>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    "<a href='ht\ttps:x'>x</a>",
    "<a href='https://x.example/\u2028y'>x</a>",
    "<a ping=http://x.example href=https://y.example>x</a>",
    "<a href=https://y.example target=_top id=location name=cookie class=btn style='position:fixed'>x</a>",
    "<base href=https://evil.example><a href=x>x</a>",
    "<link rel=stylesheet href=https://evil.example>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<style>@import 'https://evil.example'</style>",
    "<div style='background:url(https://evil.example)'>x</div>",
    "<table background=https://evil.example><td background=https://evil.example>x</table>",
    "<body onload=alert(1) background=https://evil.example>",
    "<iframe src=https://evil.example></iframe>",
    "<object data=https://evil.example></object><embed src=https://evil.example>",
    "<form action=https://evil.example><input name=x><button formaction=javascript:alert(1)>x</button></form>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><img src=x onerror=alert(1)></template>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'></xmp>",
    "<textarea><p title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<select><iframe></select><img src=x onerror=alert(1)>",
    "<video poster=https://evil.example src=https://evil.example><source src=https://evil.example></video>",
    "<audio src=https://evil.example></audio>",
    "<blockquote cite=https://evil.example>x</blockquote><q cite=/x>y</q>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml-stylesheet href='javascript:alert(1)'?>",
    "<a href='mailto:a@b.example?subject=x%0d%0aBcc:c@d.example'>x</a>",
    "<ol start='1&quot; onclick=alert(1)'><li>x</ol>",
    "<x-script>alert(1)</x-script><custom-element onclick=alert(1)>x</custom-element>",
    "<p lang='en\" onclick=\"alert(1)'>x</p>",
    "<img alt='x\" onerror=\"alert(1)' src=cid:a@b>",
    "\ud800<script>alert(1)</script>",
    "<scr\0ipt>alert(1)</scr\0ipt>",
    "<img src=`x`onerror=alert(1)>",
    "<a href=https://user:pass@evil.example\\@good.example>x</a>",
]


@pytest.mark.parametrize("vector", [*_vectors(), *OWN_VECTORS])
def test_a_hostile_fragment_runs_and_requests_nothing(vector: str) -> None:
    for html in (vector, f"<div><p>before {vector} after</p></div>", f"<table><tr><td>{vector}</td></tr></table>"):
        cleaned = sanitise(html).html
        assert problems(cleaned) == []
        assert problems(sanitise(cleaned).html) == [], "read once more it must be as safe"


def test_hostile_fragments_mixed_at_random_run_and_request_nothing() -> None:
    source = random.Random(7)
    vectors = [*_vectors(), *OWN_VECTORS]
    for _ in range(300):
        html = "".join(source.choice(vectors)[: source.randint(1, 400)] for _ in range(source.randint(1, 6)))
        assert problems(sanitise(html).html) == []


def test_the_large_form_is_as_safe_as_the_small_one() -> None:
    filler = "<p>x</p>" * 4_000
    for vector in OWN_VECTORS[::9]:
        assert problems(sanitise(filler + vector + filler).html) == []


def test_hostile_fragments_are_text_when_they_are_text() -> None:
    for vector in [*_vectors(), *OWN_VECTORS]:
        assert problems(sanitise(to_text(sanitise(vector).html)).html) == []


@pytest.mark.parametrize(
    ("html", "remote", "blocked"),
    [
        ("<img src=http://t.example/a><img src=https://t.example/b><img src=//t.example/c>", 3, 0),
        ("<img src=cid:logo@example.org alt=Logo>", 0, 0),
        ("<img src=data:image/png;base64,AAAA>", 0, 0),
        ("<a href=/x>x</a><a href=https:x>y</a>", 0, 2),
        ("<img src=x.png>", 0, 1),
        ("<p>no image</p>", 0, 0),
    ],
    ids=["three remote", "inline", "data", "relative links", "relative image", "none"],
)
def test_what_was_taken_out_is_counted(html: str, remote: int, blocked: int) -> None:
    result = sanitise(html)
    assert (result.remote_images, result.blocked_urls) == (remote, blocked)


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/a?b=1&c=%20#d",
        "http://192.0.2.1:8080/",
        "https://[2001:db8::1]/",
        "https://münchen.example/",
        "mailto:ann@example.org?subject=Hello",
        "tel:+49-30-1234567",
    ],
)
def test_an_absolute_address_is_kept(address: str) -> None:
    cleaned = sanitise(f'<a href="{address.replace("&", "&amp;")}">x</a>').html
    assert f'href="{address.replace("&", "&amp;")}"' in cleaned
    assert 'rel="noopener noreferrer nofollow"' in cleaned


def test_the_counts_of_mails_read_at_the_same_time_are_their_own() -> None:
    pages = ["<img src=http://t.example/a>" * number for number in range(1, 60)]
    with ThreadPoolExecutor(4) as pool:
        assert [result.remote_images for result in pool.map(sanitise, pages)] == list(range(1, 60))


def test_an_inline_image_keeps_its_content_id() -> None:
    assert sanitise('<img src="cid:part1.abc@example.org" alt="Logo">').html == (
        '<img src="cid:part1.abc@example.org" alt="Logo">'
    )


N = 100_000
_OPEN_FORMATTING = "".join(f"<b a={n}>" for n in range(9_000)) + "<p>x" * 9_000
HOSTILE = {
    "nested blocks": "<div>" * N + "end",
    "nested spans": "<span>" * N + "end",
    "nested quotes": "<blockquote>" * N + "end",
    "nested tables": "<table><tr><td>" * N + "end",
    "nested lists": "<ul><li>" * N + "end",
    "nested links": "<a href=https://x.example><p>" * N + "end",
    "misnested formatting": "<b><div></b>" * N + "end",
    "misnested spans": "<span><div></span>" * N + "end",
    "ends behind cells": "<div><table><tr><td></div>" * N + "end",
    "formatting left open": _OPEN_FORMATTING,
    "formatting opened in a paragraph": "<p>" + "".join(f"<b a={n}>" for n in range(1_200)) + "<p>x" * 1_200,
    "formatting behind a comment": "<!-- <a x=' -->" + _OPEN_FORMATTING,
    "formatting behind a style": "<style> <a x=' </style>"
    + "".join(f"<b a={n}>" for n in range(9_000))
    + "<p>x" * 9_000,
    "attributes": "<a " + " ".join(f"a{n}" for n in range(6 * N)) + ">end",
    "attributes of a tag that never ends": "<a " + " ".join(f"a{n}" for n in range(6 * N)),
    "less-than signs": "<" * 20 * N,
    "tags that never end": "<a " * 16 * N,
    "quotes that never end": '<a x="' * 8 * N,
    "comments that never end": "<!--" * 10 * N,
    "entities": "&amp;" * 4 * N,
    "five megabytes": "<p>Hello <b>world</b>, see <a href='https://x.example/y'>this</a></p>\n" * 70_000,
    "an image in the text": "<img src='data:image/png;base64," + "A" * 6_000_000 + "'>end",
}


@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_size_and_depth_take_less_than_a_second(html: str) -> None:
    made: list[str] = []

    def make() -> None:
        made.append(sanitise(html).html)
        to_text(made[-1])

    assert takes_at_most(1.0, make)
    assert problems(made[-1][:50_000]) == []


def test_what_is_cut_is_said_and_the_text_of_what_is_deep_stays() -> None:
    result = sanitise("<div>" * 5_000 + "the end")
    assert result.cuts == ("depth",)
    assert "the end" in to_text(result.html)


def test_the_text_behind_a_large_inline_image_stays() -> None:
    result = sanitise("<p>one</p><img src='data:image/png;base64," + "A" * 3_000_000 + "'><p>two</p>")
    assert result.cuts == ()
    assert to_text(result.html).split() == ["one", "two"]


def test_ordinary_unclosed_markup_is_not_cut() -> None:
    html = "<table>" + "<tr><td><p>a<p>b<ul><li>c<li>d</ul>" * 2_000 + "</table>" + "<p><font size=2>x" * 1_000
    assert sanitise(html).cuts == ()
