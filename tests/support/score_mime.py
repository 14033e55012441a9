"""Score the mail reader against the parse that the `mime/` corpus brings (`*.parsed.json`, of stalwart mail-parser)."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from postroom.mail.content.body_parts import bodies
from postroom.mail.headers.address import parse_addresses
from postroom.mail.reader import Message, Part, Unreadable, read

from tests.support import corpora

FIELDS = ("subject", "from", "to", "text", "attachment_count", "attachment_sizes")


# Why a difference can be right: each is a rule about the mail and the source's parse, none is about a file.
LOST_BY_SOURCE = "the source put U+FFFD where the message's own charset, or base64 before a remark, gives a character"
CUT_OFF = "the source makes an attachment of text whose boundary line is missing, or reads on into the next part"
NO_PARTS = "a multipart without parts: the source shows nothing, or reads on into the next attachment"
UUENCODED = "the source does not undo x-uuencode"
SEVERAL_TYPES = (
    "two Content-Types in one part: the source takes the last one and shows the source of the others as text"
)
NO_END_OF_HEADERS = "the empty line behind headers is missing: the source takes the text for headers"


@dataclass(frozen=True)
class Difference:
    """A field that is not equal, and why that is right; `why` is "" where nothing excuses it."""

    file: str
    field: str
    ours: object
    theirs: object
    why: str


@dataclass
class Score:
    """Count equal fields; `differences` holds each that is not."""

    files: int = 0
    unreadable: int = 0
    equal: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FIELDS, 0))
    total: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FIELDS, 0))
    differences: list[Difference] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Return the share of equal fields, 0 to 1."""
        return sum(self.equal.values()) / max(1, sum(self.total.values()))

    @property
    def explained_share(self) -> float:
        """Return the share of fields that are equal or differ for a reason that makes ours the right one, 0 to 1."""
        explained = sum(1 for difference in self.differences if difference.why)
        return (sum(self.equal.values()) + explained) / max(1, sum(self.total.values()))

    def figures(self) -> dict[str, object]:
        """Return what `make score` prints."""
        return {
            "files": self.files,
            "unreadable": self.unreadable,
            "fields_equal": round(self.share, 4),
            "fields_equal_or_explained": round(self.explained_share, 4),
            **{f"{name}_equal": f"{self.equal[name]}/{self.total[name]}" for name in FIELDS},
        }


def score(paths: list[Path] | None = None) -> Score:
    """Compare every mail of `mime/` that has a parse with ours."""
    result = Score()
    for path in corpora.mails("mime") if paths is None else paths:
        parsed = path.with_suffix(".parsed.json")
        if not parsed.exists():
            continue
        result.files += 1
        source = json.loads(parsed.read_text("utf-8"))
        theirs = _theirs(source)
        try:
            message = read(path.read_bytes())
        except Unreadable:
            result.unreadable += 1
            message = read(b"")
        ours = _ours(message, theirs)
        for name in FIELDS:
            result.total[name] += 1
            if ours[name] == theirs[name]:
                result.equal[name] += 1
            else:
                why = _why(name, ours[name], theirs[name], source, message)
                result.differences.append(Difference(path.name, name, ours[name], theirs[name], why))
    return result


def _why(name: str, ours: object, theirs: object, source: dict[str, Any], message: Message) -> str:
    if "\ufffd" in str(theirs) and "\ufffd" not in str(ours):
        return LOST_BY_SOURCE
    if name not in ("text", "attachment_count", "attachment_sizes"):
        return ""
    parts = list(_with_embedded(message))
    reasons = {
        CUT_OFF: _has_problem(source),
        NO_PARTS: any(part.content_type.startswith("multipart/") and not part.children for part in parts),
        UUENCODED: any(part.encoding == "uuencode" for part in parts),
        SEVERAL_TYPES: any(len(part.raw_values("content-type")) > 1 for part in parts),
        NO_END_OF_HEADERS: "no empty line behind the headers" in message.defects,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _with_embedded(message: Message) -> Iterator[Part]:
    for part in message.walk():
        yield part
        if part.message is not None:
            yield from _with_embedded(part.message)


def _has_problem(parsed: dict[str, Any]) -> bool:
    return any(
        part["is_encoding_problem"]
        or (isinstance(part["body"], dict) and "Message" in part["body"] and _has_problem(part["body"]["Message"]))
        for part in parsed["parts"]
    )


def _ours(message: Message, theirs: dict[str, object]) -> dict[str, object]:
    found = bodies(message)
    sizes = theirs["attachment_sizes"]
    kinds = [kind for kind, _ in sizes] if isinstance(sizes, list) else []
    kinds += ["binary"] * len(found.attachments)
    return {
        "subject": " ".join(message.header("subject").split()),
        "from": _our_addresses(message, "from"),
        "to": _our_addresses(message, "to"),
        "text": _squeeze("".join(part.text() for part in found.text_parts)),
        "attachment_count": len(found.attachments),
        "attachment_sizes": [_our_size(part, kind) for part, kind in zip(found.attachments, kinds, strict=False)],
    }


def _our_addresses(message: Message, name: str) -> list[tuple[str, str]]:
    return [
        (" ".join(address.name.split()), address.address)
        for raw in message.raw_headers(name)[-1:]
        for address in parse_addresses(raw)
    ]


def _our_size(part: Part, kind: str) -> tuple[str, int]:
    """Measure an attachment as the source did: parts of a message, characters of a text, bytes of the rest."""
    if kind == "message" and part.message is not None:
        return kind, len(list(part.message.walk()))
    if kind == "text":
        return kind, len(_squeeze(part.text()))
    data = part.data()
    # The source was parsed with LF line ends, which counts where nothing is encoded.
    return kind, len(data if part.encoding != "8bit" else data.replace(b"\r\n", b"\n"))


def _squeeze(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _theirs(parsed: dict[str, Any]) -> dict[str, object]:
    parts = parsed["parts"]
    headers = parts[0]["headers"]
    texts = [parts[index]["body"]["Text"] for index in parsed["text_body"] if "Text" in parts[index]["body"]]
    return {
        "subject": " ".join(str(_last(headers, "subject", "Text") or "").split()),
        "from": _their_addresses(_last(headers, "from", "Address")),
        "to": _their_addresses(_last(headers, "to", "Address")),
        "text": _squeeze("".join(texts)),
        "attachment_count": len(parsed["attachments"]),
        "attachment_sizes": [_their_size(parts[index]) for index in parsed["attachments"]],
    }


def _last(headers: list[dict[str, Any]], name: str, kind: str) -> Any:
    values = [header["value"] for header in headers if header["name"] == name]
    return values[-1].get(kind) if values and isinstance(values[-1], dict) else None


def _their_addresses(value: Any) -> list[tuple[str, str]]:
    if not value:
        return []
    entries = value.get("List") or [entry for group in value.get("Group", []) for entry in group["addresses"]]
    return [(" ".join((entry["name"] or "").split()), entry["address"] or "") for entry in entries]


def _their_size(part: dict[str, Any]) -> tuple[str, int]:
    kind, body = next(iter(part["body"].items()))
    if kind == "Message":
        return "message", len(body["parts"])
    if kind in ("Text", "Html"):
        return "text", len(_squeeze(body))
    return "binary", len(body)


def main() -> None:
    """Print the figures, and how many fields differ for which reason."""
    found = score()
    for name, value in found.figures().items():
        sys.stdout.write(f"{name:28} {value}\n")
    for why, count in Counter(difference.why or "not explained" for difference in found.differences).most_common():
        sys.stdout.write(f"{count:4} {why}\n")


if __name__ == "__main__":
    main()
