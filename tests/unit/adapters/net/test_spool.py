"""A spooled message is the bytes that came, and nothing of a message that is not kept stays on the disk."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pytest
from postroom.adapters.net.spool import Spool


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that files are made in."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_is_kept_is_whole_and_stays_until_it_is_discarded(folder: Path) -> None:
    with Spool() as spool:
        spool.write(b"Subject: one\r\n")
        spool.write(memoryview(b"\r\nHello"))
        content = spool.keep()
    assert content.path.read_bytes() == b"Subject: one\r\n\r\nHello"
    assert (content.size, content.sha256) == (21, hashlib.sha256(content.path.read_bytes()).hexdigest())
    content.discard()
    assert list(folder.iterdir()) == []


def break_off() -> None:
    """Receive the beginning of a message, and no more."""
    with Spool() as spool:
        spool.write(b"Subject: one\r\n")
        raise ConnectionError


def test_what_breaks_off_is_deleted(folder: Path) -> None:
    with pytest.raises(ConnectionError):
        break_off()
    assert list(folder.iterdir()) == []
