"""Files that messages are received into: hashed on the way, and gone again unless the message is kept."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Spooled:
    """What was received, in a file; the receiver deletes it."""

    path: Path
    size: int
    sha256: str

    def discard(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)


class Spool:
    """A file for what is on its way; the end of the `with` deletes it unless it was kept."""

    def __init__(self) -> None:
        self._handle, name = tempfile.mkstemp(prefix="postroom-", suffix=".eml")
        self._is_open = True
        self._path = Path(name)
        self._digest = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.drop()

    def write(self, piece: bytes | memoryview) -> None:
        """Take a piece."""
        self._digest.update(piece)
        self.size += len(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(self._handle, view) :]

    def keep(self) -> Spooled:
        """Close the file and hand it over."""
        self._close()
        return Spooled(self._path, self.size, self._digest.hexdigest())

    def drop(self) -> None:
        """Delete the file, unless it was kept."""
        if self._is_open:
            self._close()
            self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        self._is_open = False
        os.close(self._handle)
