"""Measure reading mail (structure, all headers, texts decoded) against `email`, on the same mails in one run.

`python -m bench.parse [--json] [FOLDER…]`; without a folder, the corpora beside the repository, or made-up mails.
"""

import email
import email.policy
import json
import sys
import time
from collections.abc import Callable
from email.header import decode_header, make_header
from pathlib import Path

from postroom.mail.reader import Unreadable, read

from tests.support import corpora


def ours(raw: bytes) -> int:
    """Read with our own reader."""
    try:
        message = read(raw)
    except Unreadable:
        return 0
    size = 0
    for name in message.header_names:
        for value in message.headers(name):
            size += len(value)
    for part in message.walk():
        if not part.children and part.content_type.startswith("text/"):
            size += len(part.text())
    return size


def compat32(raw: bytes) -> int:
    """Read with `email` as careful programs do: compat32, headers and charsets guarded."""
    message = email.message_from_bytes(raw)
    size = 0
    for value in message.values():
        try:
            size += len(str(make_header(decode_header(value))))
        except (LookupError, ValueError):
            size += len(str(value))
    for part in message.walk():
        if part.get_content_maintype() == "text":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                try:
                    size += len(payload.decode(part.get_content_charset() or "utf-8", "replace"))
                except (LookupError, ValueError):
                    size += len(payload.decode("latin-1"))
    return size


def policy_default(raw: bytes) -> int:
    """Read with `email` and policy.default; what raises is counted as read."""
    size = 0
    try:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        for value in message.values():
            size += len(str(value))
        for part in message.walk():
            if part.get_content_maintype() == "text":
                size += len(part.get_content())
    except Exception:  # noqa: BLE001 (it raises a dozen kinds on real mail, which is why we do not use it)
        return size
    return size


READERS: dict[str, Callable[[bytes], int]] = {
    "postroom": ours,
    "email compat32": compat32,
    "email policy.default": policy_default,
}


def measure(mails: list[bytes], *, rounds: int = 3) -> dict[str, float]:
    """Return mails a second for each reader: the best of some rounds, the readers taking turns."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, reader in READERS.items():
            start = time.process_time()
            for raw in mails:
                reader(raw)
            best[name] = max(best.get(name, 0.0), len(mails) / max(time.process_time() - start, 1e-9))
    return best


def _mails(folders: list[str]) -> list[bytes]:
    if folders:
        return [path.read_bytes() for folder in folders for path in sorted(Path(folder).glob("**/*.eml"))]
    found = [path.read_bytes() for path in corpora.mails("bounces", "mime", "mime-odd")]
    return found or _made_up()


def _made_up() -> list[bytes]:
    from email.message import EmailMessage

    mails = []
    for number in range(200):
        message = EmailMessage(policy=email.policy.SMTP)
        message["From"] = f"Jürgen Müller {number} <j{number}@example.com>"
        message["To"] = "Kundendienst <service@example.org>"
        message["Subject"] = f"Störung Nr. {number} an der Anlage"
        message["Message-ID"] = f"<{number}@example.com>"
        message.set_content("Guten Tag,\n\nes geht nicht mehr. Können Sie helfen?\n" * (number % 20 + 1))
        message.add_alternative("<p>Guten Tag, <b>es geht nicht mehr</b></p>" * (number % 20 + 1), subtype="html")
        message.add_attachment(bytes(range(256)) * (number * 4), maintype="image", subtype="png", filename="a.png")
        mails.append(message.as_bytes())
    return mails


def main(arguments: list[str]) -> None:
    """Print the table, or JSON with `--json`."""
    mails = _mails([argument for argument in arguments if not argument.startswith("--")])
    figures = measure(mails)
    factors = {name: figures["postroom"] / rate for name, rate in figures.items()}
    if "--json" in arguments:
        print(json.dumps({"mails": len(mails), "mails_per_second": figures, "factor": factors}))
        return
    print(f"{len(mails)} mails, {sum(map(len, mails)) / 1e6:.1f} MB")
    for name, rate in figures.items():
        print(f"{name:22} {rate:10.0f} mails/s   ours is {factors[name]:.1f} × as fast")


if __name__ == "__main__":
    main(sys.argv[1:])
