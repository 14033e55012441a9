"""Score reply texts and hostile HTML against their corpora: `python -m tests.support.score_text`."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from postroom.mail.html.sanitiser import sanitise
from postroom.mail.reply_text.reply import reply_text

from tests.support import corpora


@dataclass
class RepliesScore:
    """Files whose text equals the source's, white space aside.

    The source removes what was forwarded and Postroom keeps it (a forward is no reply): both readings are counted.
    """

    files: int = 0
    equal: int = 0
    forwards_removed: int = 0
    mistakes: list[str] = field(default_factory=list)


def score_replies(folder: Path) -> RepliesScore:
    """Compare every `*.txt` of a folder with its `*.trimmed`."""
    score = RepliesScore()
    for path in sorted(folder.glob("*.txt")):
        expected = path.with_suffix(".trimmed").read_text(encoding="utf-8").split()
        text = path.read_text(encoding="utf-8")
        score.files += 1
        score.forwards_removed += reply_text(text, keep_forwards=False).split() == expected
        if reply_text(text).split() == expected:
            score.equal += 1
        else:
            score.mistakes.append(path.stem)
    return score


class _Left(HTMLParser):
    """Finds what could run or request something, told by deny-list (the unit tests use an allow-list)."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.count = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count += tag in {
            "script",
            "style",
            "svg",
            "math",
            "iframe",
            "object",
            "embed",
            "base",
            "link",
            "meta",
            "form",
        }
        for name, value in attrs:
            address = (value or "").strip().lower()
            self.count += name.startswith("on") or name in {"style", "id", "class", "srcset", "background", "action"}
            self.count += name == "src" and not address.startswith("cid:")
            self.count += name == "href" and not address.startswith(("http://", "https://", "mailto:", "tel:"))


def hostile_left(vectors: Path) -> tuple[int, int]:
    """Return how many vectors there are, and how many leave something after sanitising."""
    fragments = json.loads(vectors.read_text(encoding="utf-8"))
    left = 0
    for fragment in fragments:
        reader = _Left()
        reader.feed(sanitise(fragment).html)
        reader.close()
        left += reader.count > 0
    return len(fragments), left


def main() -> int:
    """Print the score; 1 when it is below what is asked for."""
    replies = score_replies(corpora.ROOT / "replies")
    vectors, left = hostile_left(corpora.ROOT / "xss" / "vectors.json")
    share = 100 * replies.equal / max(1, replies.files)
    lines = [
        f"replies equal                      {replies.equal}/{replies.files} = {share:.1f} % (at least 80 %)",
        f"replies equal, forwards removed    {replies.forwards_removed}/{replies.files}",
        f"replies that differ                {', '.join(replies.mistakes) or 'none'}",
        f"hostile fragments that leave something  {left} of {vectors} (0)",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(share < 80 or left > 0)


if __name__ == "__main__":
    raise SystemExit(main())
