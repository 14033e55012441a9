"""The configuration in chunks that are named by their content (ADR 0002).

A chunk is a run of the configuration's objects, as a document of its own; all chunks one after the other are the
configuration. Where a run ends is decided by the names in it, so that an object that comes, goes or changes moves its
own chunk and, seldom, the next one. A small configuration is one chunk.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from postroom.model.configuration import Configuration, Settings

USUAL = 256  # objects between two ends, on average
LEAST = 128  # objects; a shorter run goes on
MOST = 1024  # objects

SECTIONS = tuple(name for name in Configuration.model_fields if name != "settings")

Run = tuple[tuple[str, BaseModel], ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """One run of objects with the settings, where it is the first, and the key that it is stored under."""

    key: str
    settings: Settings
    run: Run

    @property
    def identity(self) -> tuple[int, ...]:
        """Return what is equal for the very same objects, not only for equal ones: they need no new document."""
        return _identity(self.settings, self.run)


def cut(configuration: Configuration, known: Sequence[Chunk] = ()) -> tuple[tuple[Chunk, ...], dict[str, bytes]]:
    """Cut a configuration into chunks; returns them, and the documents of those that are not among `known`, by key."""
    by_identity = {chunk.identity: chunk for chunk in known}
    keys = {chunk.key for chunk in known}
    chunks: list[Chunk] = []
    documents: dict[str, bytes] = {}
    for index, run in enumerate(_runs(configuration)):
        settings = configuration.settings if index == 0 else _DEFAULTS
        found = by_identity.get(_identity(settings, run))
        if found is None:
            document = _document(settings, run)
            found = Chunk(key_of(hashlib.sha256(document).hexdigest()[:32]), settings, run)
            if found.key not in keys:
                documents[found.key] = document
        chunks.append(found)
    return tuple(chunks), documents


def read(key: str, document: bytes) -> Chunk:
    """Read a chunk from its document; a configuration from before there were chunks is one."""
    part = Configuration.model_validate_json(document)
    run = tuple((section, found) for section in SECTIONS for found in getattr(part, section))
    return Chunk(key, part.settings if "settings" in part.model_fields_set else _DEFAULTS, run)


def joined(chunks: Sequence[Chunk]) -> Configuration:
    """Make the configuration of its chunks."""
    sections: dict[str, list[BaseModel]] = {}
    for chunk in chunks:
        for section, found in chunk.run:
            sections.setdefault(section, []).append(found)
    return _made(chunks[0].settings if chunks else _DEFAULTS, sections)


def key_of(name: str) -> str:
    """Return the key that a chunk is stored under."""
    return f"config/chunks/{name}.json.gz"


def name_of(key: str) -> str:
    """Return the name of a chunk from its key."""
    return key.removeprefix("config/chunks/").removesuffix(".json.gz")


_DEFAULTS = Settings()


def _runs(configuration: Configuration) -> Iterator[Run]:
    """Yield the runs; the last one may be short, and a configuration of nothing but settings is one empty run."""
    run: list[tuple[str, BaseModel]] = []
    for section in SECTIONS:
        for found in getattr(configuration, section):
            run.append((section, found))
            if len(run) >= LEAST and (len(run) >= MOST or _ends_after(section, found.name)):
                yield tuple(run)
                run = []
    yield tuple(run)


def _ends_after(section: str, name: str) -> bool:
    return zlib.crc32(f"{section}/{name}".encode()) % USUAL == 0


def _identity(settings: Settings, run: Iterable[tuple[str, BaseModel]]) -> tuple[int, ...]:
    return (id(settings), *(id(found) for _section, found in run))


def _document(settings: Settings, run: Run) -> bytes:
    sections: dict[str, list[BaseModel]] = {}
    for section, found in run:
        sections.setdefault(section, []).append(found)
    return _made(settings, sections).model_dump_json(exclude_defaults=True).encode()


def _made(settings: Settings, sections: Mapping[str, list[BaseModel]]) -> Configuration:
    # Every object is valid already: it was read, or checked before it was put in force.
    every: dict[str, Any] = {section: tuple(sections.get(section, ())) for section in SECTIONS}
    return Configuration.model_construct(settings=settings, **every)
