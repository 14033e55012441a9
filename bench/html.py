"""Measure sanitising against bleach, and HTML to text against html2text, on the same HTML in one run.

`python -m bench.html [--json] [FOLDER…]`; the HTML is that of the mails in the folders (or the corpora beside the
repository), and a made-up newsletter and thread, so that there is enough of it. bleach gets the same allow-list;
html2text runs as it comes.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import bleach
import html2text
from postroom.mail.content.body_parts import bodies
from postroom.mail.html.sanitiser import sanitise, to_text
from postroom.mail.reader import Unreadable, read

from bench import MISSED
from tests.support import corpora

WANTED = 10.0

_TAGS = frozenset(
    str.split(
        "a abbr b big blockquote br center cite code div em font h1 h2 h3 h4 h5 h6 hr i img li ol p pre s small span "
        "strike strong sub sup table tbody td tfoot th thead tr tt u ul"
    )
)
_ATTRIBUTES = {
    "*": ["dir", "lang"],
    "a": ["href", "title"],
    "img": ["src", "alt"],
    "td": ["colspan"],
    "th": ["colspan"],
}
_PROTOCOLS = frozenset({"http", "https", "mailto", "tel", "cid"})


def _newsletter() -> str:
    row = (
        "<tr><td style='padding:8px;font-family:Arial' align='left'><a href='https://news.example/item?id=1&amp;u=2'>"
        "<img src='https://cdn.example/1.png' width='120' alt='Offer'></a></td><td class='text'><h3>An offer</h3>"
        "<p style='color:#333'>This week <b>only</b>: everything you need, at a price &ndash; as always &ndash; that "
        "you like. <a href='https://news.example/more'>Read more</a></p></td></tr>"
    )
    return f"<html><head><style>p{{margin:0}}</style></head><body><table>{row * 60}</table></body></html>"


def _thread() -> str:
    quote = ""
    for depth in range(8):
        quote = (
            f"<div class='gmail_quote'><div>On Mon, 5 Feb 2024 at 10:4{depth}, Ann &lt;"
            "<a href='mailto:ann@example.org'>ann@example.org</a>&gt; wrote:<br></div>"
            "<blockquote style='margin:0 0 0 .8ex'><div dir='ltr'><p>Dear all,</p>"
            f"<ul><li>one</li><li>two <i>or</i> three</li></ul><p>Regards<br>Ann</p></div>{quote}</blockquote></div>"
        )
    return f"<div dir='ltr'>Thank you, that works.</div><br>{quote}"


def collect(folders: list[Path]) -> list[str]:
    """Return the HTML of all mails in the folders, and the made-up ones."""
    found = [_newsletter(), _thread(), "<p>Thank you.</p>"]
    for folder in folders:
        for path in sorted(folder.glob("*.eml")):
            try:
                html = bodies(read(path.read_bytes())).html
            except Unreadable:
                continue
            if html:
                found.append(html)
    return found


def _bleach(html: str) -> str:
    return str(bleach.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, protocols=_PROTOCOLS, strip=True))


def measure(pages: list[str], *, rounds: int = 12) -> dict[str, float]:
    """Return characters a second of processor time for each program: the best round, the programs taking turns."""
    clean = [sanitise(page).html for page in pages]
    programs: dict[str, tuple[Callable[[str], object], list[str]]] = {
        "postroom sanitise": (sanitise, pages),
        "bleach": (_bleach, pages),
        "postroom to_text": (to_text, clean),
        "html2text": (html2text.html2text, clean),
    }
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, (program, inputs) in programs.items():
            started = time.process_time()
            for page in inputs:
                program(page)
            rate = sum(map(len, inputs)) / max(time.process_time() - started, 1e-9)
            best[name] = max(best.get(name, 0.0), rate)
    return best


def main(arguments: list[str]) -> int:
    """Print the rates and the two ratios; MISSED when one is below what is asked for."""
    folders = [Path(argument) for argument in arguments if argument != "--json"]
    pages = collect(folders or [corpora.ROOT / name for name in ("bounces", "mime", "mime-odd")])
    rates = measure(pages)
    ratios = {
        "sanitise / bleach": rates["postroom sanitise"] / rates["bleach"],
        "to_text / html2text": rates["postroom to_text"] / rates["html2text"],
    }
    if "--json" in arguments:
        print(json.dumps({"pages": len(pages), "characters_per_second": rates, "ratios": ratios}))
    else:
        print(f"{len(pages)} pages, {sum(map(len, pages))} characters")
        for name, rate in rates.items():
            print(f"{name:20} {rate / 1e6:8.2f} million characters a second")
        for name, ratio in ratios.items():
            print(f"{name:20} {ratio:8.1f} × (at least {WANTED:.0f})")
    return MISSED if min(ratios.values()) < WANTED else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
