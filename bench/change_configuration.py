"""One change of a large configuration: processor time of change and reload, against one document a version.

The peer is what was done before there were chunks (ADR 0002): compare all objects, validate all, write and read one
document. Both run in this process, on stores in memory: what is measured is our own work, not AWS's.
"""

from __future__ import annotations

import argparse
import gzip
import time
from collections.abc import Callable
from typing import Any

from postroom.adapters.configuration.chunks import cut, joined, read
from postroom.model.configuration import Change, Configuration, Edit, Mailbox, object_version
from postroom.services.configuration import check, edited

from bench import MISSED

SHARE = 0.58  # of a processor, which a function of 1,024 MB has
LIMIT_SECONDS = 1.0


def configuration(count: int) -> Configuration:
    """Make a configuration with so many mailboxes."""
    return Configuration.model_validate(
        {
            "queues": [{"name": f"q{number}"} for number in range(50)],
            "endpoints": [{"name": f"e{number}", "queue": f"q{number}"} for number in range(50)],
            "mailboxes": [
                {
                    "name": f"m{number}",
                    "address": f"m{number}@example.com",
                    "server": "imap.example.com",
                    "password": {"secret": f"mailbox.m{number}"},
                    "endpoint": f"e{number % 50}",
                    "enabled": True,
                }
                for number in range(count)
            ],
        }
    )


def seconds(act: Callable[[], Any]) -> tuple[float, Any]:
    """Return the processor time of an act, and what it returned."""
    started = time.process_time()
    found = act()
    return time.process_time() - started, found


def main() -> int:
    """Measure, and say whether the limit is kept."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mailboxes", type=int, default=10_000)
    count = arguments.parse_args().mailboxes
    first = configuration(count)
    chunks, stored = cut(first)
    known = tuple(read(key, document) for key, document in stored.items())
    old = joined(known)
    before: Mailbox = old.mailboxes[count // 2]

    def change() -> tuple[Any, dict[str, bytes]]:
        after = before.model_copy(update={"description": "changed"})
        edit = Edit("mailboxes", before.name, object_version(before), after)
        new = edited(old, Change((edit,), "bench", ""))
        check(old, new)
        moved, documents = cut(new, known)
        for document in documents.values():
            gzip.compress(document, mtime=0)
        return moved, documents

    taken, (moved, documents) = seconds(change)

    def reload() -> Configuration:
        found = {chunk.key: chunk for chunk in known} | {key: read(key, one) for key, one in documents.items()}
        return joined([found[chunk.key] for chunk in moved])

    reloading, _ = seconds(reload)

    def before_chunks() -> bytes:
        changed = before.model_copy(update={"description": "changed"})
        mailboxes = tuple(changed if found is before else found for found in old.mailboxes)
        new = old.model_copy(update={"mailboxes": mailboxes})
        check(Configuration(), new)
        for found in (*old.mailboxes, *new.mailboxes):
            found.model_dump(mode="json", exclude_defaults=True)
        return gzip.compress(new.model_dump_json(exclude_defaults=True).encode(), mtime=0)

    peer, whole = seconds(before_chunks)
    peer_reload, _ = seconds(lambda: Configuration.model_validate_json(gzip.decompress(whole)))
    limit = LIMIT_SECONDS * SHARE
    print(f"{count:,} mailboxes in {len(chunks)} chunks; one change writes {len(documents)} of them")
    print(f"change: {taken:.3f} s of processor time (limit {limit:.2f} s: 1 s at {SHARE} of a processor)")
    print(f"reload: {reloading:.3f} s; written: {sum(map(len, documents.values())):,} bytes before compression")
    print(
        f"one document a version: change {peer:.3f} s ({peer / taken:.1f} times), reload {peer_reload:.3f} s", end=" "
    )
    print(f"reload of it: {peer_reload / max(reloading, 1e-6):.0f} times as long")
    return 0 if taken <= limit else MISSED


if __name__ == "__main__":
    raise SystemExit(main())
