"""Measure `postroom explain` (read, kind, texts, attachments, sender, masking, routing) against a bare parse.

The bare parse is `email` with compat32: headers, payloads and texts decoded, no more. Both see the same mails in
one run, taking turns. `python -m bench.explain [FOLDER…]` prints JSON; without a folder, made-up mails of three
sizes and, where they lie beside the repository, the corpora.
"""

import email
import email.policy
import json
import random
import sys
import time
from collections.abc import Callable
from email.header import decode_header, make_header
from email.message import EmailMessage
from pathlib import Path

from postroom.model.configuration.document import Configuration
from postroom.services.inbound.explanation import explain
from postroom.services.policy.compiled import policy_of

from tests.support import corpora

_POLICY = policy_of(Configuration())
_KEPT = 20  # made-up mails of one size; each is different, so that no cache sees a mail twice in a round


def ours(raw: bytes) -> int:
    """Explain one mail."""
    return len(explain(raw, source="bench", policy=_POLICY))


def compat32(raw: bytes) -> int:
    """Parse and decode with `email` as careful programs do: compat32, headers and charsets guarded."""
    message = email.message_from_bytes(raw)
    size = 0
    for value in message.values():
        try:
            size += len(str(make_header(decode_header(value))))
        except (LookupError, ValueError):
            size += len(str(value))
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if not isinstance(payload, bytes):
            continue
        size += len(payload)
        if part.get_content_maintype() == "text":
            try:
                size += len(payload.decode(part.get_content_charset() or "utf-8", "replace"))
            except (LookupError, ValueError):
                size += len(payload.decode("latin-1"))
    return size


def measure(mails: list[bytes], *, rounds: int = 12) -> dict[str, float]:
    """Return mails a second of processor time of both, the best of some rounds, and what share ours is."""
    readers: dict[str, Callable[[bytes], int]] = {"postroom explain": ours, "email compat32": compat32}
    best = dict.fromkeys(readers, 0.0)
    for _ in range(rounds):
        for name, reader in readers.items():
            start = time.process_time()
            for raw in mails:
                reader(raw)
            best[name] = max(best[name], len(mails) / max(time.process_time() - start, 1e-9))
    return {
        "mails": len(mails),
        "mean_bytes": round(sum(map(len, mails)) / max(len(mails), 1)),
        "postroom_explain_per_second": round(best["postroom explain"], 1),
        "email_compat32_per_second": round(best["email compat32"], 1),
        "ratio": round(best["postroom explain"] / best["email compat32"], 3),
    }


def made_up() -> dict[str, list[bytes]]:
    """Return ordinary mails: short text, text and HTML with an earlier mail quoted, and the same with attachments."""
    chance = random.Random(2)
    return {
        "ordinary 2 KB": [_mail(chance, number, lines=14) for number in range(_KEPT * 5)],
        "text and HTML 20 KB": [_mail(chance, number, lines=110, html=True) for number in range(_KEPT)],
        "with attachments 200 KB": [
            _mail(chance, number, lines=30, html=True, attached=65_000) for number in range(_KEPT // 2)
        ],
    }


_WORDS = str.split(
    "order invoice delivery yesterday please customer number contract address payment thanks question answer machine "
    "hello regards meter reading letter phone month bill amount price service office change name account möchte für "
    "Rechnung Zählerstand Vertrag"
)


def _line(chance: random.Random) -> str:
    return " ".join(chance.choice(_WORDS) for _ in range(11))


def _mail(chance: random.Random, number: int, *, lines: int, html: bool = False, attached: int = 0) -> bytes:
    message = EmailMessage(policy=email.policy.SMTP)
    message["Return-Path"] = f"<j{number}@example.com>"
    message["Received"] = "from mail.example.com (mail.example.com [192.0.2.1]) by mx.example.org with ESMTPS id x1"
    message["Authentication-Results"] = "mx.example.org; spf=pass smtp.mailfrom=example.com; dkim=pass"
    message["DKIM-Signature"] = "v=1; a=rsa-sha256; d=example.com; s=s1; h=from:to:subject; bh=YWJj; b=" + "Zm9v" * 40
    message["From"] = f"Jürgen Müller {number} <j{number}@example.com>"
    message["To"] = "Kundendienst <service@example.org>"
    message["Subject"] = f"Störung Nr. {number} an der Anlage"
    message["Date"] = "Mon, 02 Nov 2026 10:00:00 +0100"
    message["Message-ID"] = f"<{number}.{chance.random()}@example.com>"
    message["User-Agent"] = "Mozilla Thunderbird"
    said = [_line(chance) for _ in range(lines)]
    if html:
        own, quoted = said[: lines // 2], said[lines // 2 :]
        message["In-Reply-To"] = f"<{number}.a@example.org>"
        head = "On Mon, 2 Nov 2026 at 09:00, Kundendienst <service@example.org> wrote:"
        message.set_content("\n".join([*own, "", head, "", *(f"> {line}" for line in quoted)]))
        paragraphs = "".join(f'<p class="MsoNormal" style="margin:0cm">{line}</p>\n' for line in own)
        earlier = "".join(f"<div>{line}</div>\n" for line in quoted)
        page = f"<html><head><style>p{{margin:0}}</style></head><body>{paragraphs}{head}<blockquote>{earlier}"
        message.add_alternative(page + "</blockquote></body></html>", subtype="html")
    else:
        message.set_content("\n".join(said) + "\n\n-- \nJürgen Müller\n+49 30 1234567\n")
    if attached:
        image = b"\x89PNG\r\n\x1a\n" + chance.randbytes(attached)
        message.add_attachment(image, maintype="image", subtype="png", filename="Foto.png")
        message.add_attachment(
            b"%PDF-1.7\n" + chance.randbytes(attached), maintype="application", subtype="pdf", filename="Rechnung.pdf"
        )
    return message.as_bytes()


def _groups(folders: list[str]) -> dict[str, list[bytes]]:
    if folders:
        return {name: [path.read_bytes() for path in sorted(Path(name).glob("**/*.eml"))] for name in folders}
    found = {name: [path.read_bytes() for path in corpora.mails(name)] for name in ("bounces", "mime", "mime-odd")}
    return made_up() | {f"corpus {name}": mails for name, mails in found.items() if mails}


def main(folders: list[str]) -> None:
    """Print what was measured as JSON."""
    print(json.dumps({name: measure(mails) for name, mails in _groups(folders).items() if mails}, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
