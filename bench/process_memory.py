"""Memory of process_inbound for a 25 MB mail, beyond the idle process, as a multiple of the mail's size (limit: 6)."""

from __future__ import annotations

import gc
import json
import multiprocessing
import tempfile
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from random import Random
from typing import Any

from bench import missed

MEGABYTE = 1_000_000
LIMIT = 6.0


def large_mail(size: int) -> bytes:
    """Return a mail of about `size` bytes: text, HTML and one large attachment."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "ann@example.org", "support@example.com", "Film"
    message["Message-ID"] = "<film@example.org>"
    message.set_content("See attached.")
    message.add_alternative("<p>See attached.</p>", subtype="html")
    content = Random(1).randbytes(int(size * 0.73))
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename="film.bin")
    return message.as_bytes()


def _status(name: str) -> int:
    """Read a figure of /proc/self/status in bytes: VmRSS, or VmHWM for the peak since it was reset."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


class _Bucket:
    """Holds one raw message on disk, and takes what is put without keeping it, as a bucket elsewhere would."""

    def __init__(self, path: str) -> None:
        self._path = path

    def get(self, key: str) -> Any:
        from postroom.model.raw_message import RawMessage

        return RawMessage(key=key, content=Path(self._path).read_bytes(), metadata={})

    def put(self, key: str, content: bytes, *, content_type: str) -> None:
        return None


class _Store:
    """Answers as an empty table would."""

    def __getattr__(self, name: str) -> Any:
        if name == "add":
            from postroom.model.interaction import Added

            return lambda *_arguments, **_named: Added.CREATED
        return lambda *_arguments, **_named: []


def _measure(path: str, answers: Any) -> None:
    from postroom.adapters.clock import utc_now
    from postroom.model.configuration.document import Configuration
    from postroom.model.identity import raw_key
    from postroom.model.understanding import Tried
    from postroom.services.desk.incoming import IncomingCases
    from postroom.services.inbound.ingest import Ingest
    from postroom.services.inbound.store import Store
    from postroom.services.policy.compiled import Policies

    made = Configuration()

    class Fixed:
        def current(self) -> Configuration:
            return made

    def trial(work: Callable[[], str], *, seconds: float) -> Tried:
        return Tried(said=f"none within {seconds} seconds")

    bucket: Any = _Bucket(path)
    store: Any = _Store()
    ingest = Ingest(
        raw=bucket,
        interactions=store,
        duplicates=store,
        policies=Policies(Fixed(), lambda: ()),
        store=Store(
            contents=bucket,
            interactions=store,
            outbox=store,
            outbound_queue=store,
            suppressions=store,
            cases=IncomingCases(store, store, lambda _agent, _queue: True),
        ),
        trial=trial,
        clock=utc_now,
    )
    gc.collect()
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here (Linux)
    ingest(raw_key("support", utc_now(), "1/1", "0" * 64))
    answers.put((before, _status("VmHWM")))


def run() -> dict[str, float]:
    """Process a 25 MB mail in a process of its own; return sizes in megabytes and the multiple."""
    raw = large_mail(25 * MEGABYTE)
    context = multiprocessing.get_context("spawn")
    with tempfile.NamedTemporaryFile(suffix=".eml") as file:
        file.write(raw)
        file.flush()
        answers = context.Queue()
        process = context.Process(target=_measure, args=(file.name, answers))
        process.start()
        before, after = answers.get(timeout=120)
        process.join()
    return {
        "mail_mb": len(raw) / MEGABYTE,
        "idle_mb": before / MEGABYTE,
        "beyond_idle_mb": (after - before) / MEGABYTE,
        "times_its_size": (after - before) / len(raw),
    }


if __name__ == "__main__":
    figures = run()
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))
    if figures["times_its_size"] > LIMIT:
        missed(f"processing takes {figures['times_its_size']:.1f} × the mail's size; the limit is {LIMIT}")
