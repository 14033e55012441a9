"""Whole messages by GetItem: the answer is read as it comes, and each MimeContent decoded straight into its file.

exchangelib would hold the answer, its XML tree and the decoded bytes at once: four times a large message.
"""

from __future__ import annotations

import binascii
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Any
from xml.parsers import expat

from exchangelib.items import ID_ONLY
from exchangelib.properties import ItemId
from exchangelib.services import GetItem
from exchangelib.util import MNS, SOAPNS, TNS

from postroom.adapters.ews.calls import MIME
from postroom.adapters.ews.connection import Link
from postroom.adapters.ews.errors import DOUBTFUL, GONE, OF_THE_ITEM
from postroom.adapters.net import Spool
from postroom.errors import ServerMisbehaved
from postroom.model import Fetched, FetchFailed, Item

_PIECE = 64 * 1024  # what is lost of an answer that breaks off
_TEXT_LIMIT = 4096  # of codes, ids and texts of errors
_ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"


class _GetMime(GetItem):  # type: ignore[misc]  # exchangelib has no types
    def answer(self, ids: Sequence[str]) -> Iterator[bytes]:
        """Ask for MimeContent, and yield the answer's bytes as they come in."""
        self.streaming = True
        payload = self.get_payload([ItemId(id=one) for one in ids], MIME, ID_ONLY)
        try:
            response = self._get_response(payload=payload, api_version=self._version_hint.api_version)
            yield from response.iter_content(_PIECE)
        finally:
            self.stop_streaming()


def fetch(link: Link, items: Sequence[Item], *, limit: int) -> Iterator[Fetched | FetchFailed]:
    """Fetch these in one request, in order; `limit` is the longest message that is taken, in bytes.

    A message counts when its whole response message has come in: the sizes that Exchange tells are of its own store,
    and never those of the MIME content.
    """
    reading = _Reading(link, items, limit)
    try:
        with link.exchange("fetch", size=sum(item.size or 0 for item in items)):
            for piece in _GetMime(account=link.account).answer([item.id for item in items]):
                yield from reading.feed(piece)
            reading.finish()
            link.note("<", reading.what_came())
        yield from reading.done()
    finally:
        reading.drop()


class _Reading:
    """Reads one GetItemResponse."""

    def __init__(self, link: Link, items: Sequence[Item], limit: int) -> None:
        self._link = link
        self._todo = deque(items)
        self._limit = limit
        self._results: deque[Fetched | FetchFailed] = deque()
        self._doubtful: list[FetchFailed] = []
        self._several = len(items) > 1
        self._size = 0
        self._codes: Counter[str] = Counter()
        self._some_good = False
        self._content: _Decoder | None = None
        self._path: list[str] = []
        self._text = ""
        self._class = self._code = self._message = self._id = ""
        self._named = ""  # what a Value beside an error is of
        self._back_off: float | None = None  # seconds
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.buffer_size = 64 * 1024
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, piece: bytes) -> Iterator[Fetched | FetchFailed]:
        """Read on; yields what has become complete."""
        self._size += len(piece)
        try:
            self._parser.Parse(piece, False)
        except expat.ExpatError as error:
            raise self._broken(f"The answer is no XML ({error})") from error
        finally:
            yield from self.done()

    def finish(self) -> None:
        """Check that the answer is whole."""
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise self._broken(f"The answer breaks off ({error})") from error
        if self._todo:
            raise self._broken("The server answered for fewer items than it was asked for")
        if self._doubtful and self._several and not self._some_good:
            raise self._link.refused(self._code, self._message)  # no item is to blame for that
        self._results.extend(self._doubtful)

    def what_came(self) -> str:
        """Say what the answer was, for the trace."""
        return f"{self._size:,} bytes: {', '.join(f'{count} × {kind}' for kind, count in self._codes.items())}"

    def done(self) -> Iterator[Fetched | FetchFailed]:
        """Hand over what is complete."""
        while self._results:
            yield self._results.popleft()

    def drop(self) -> None:
        """Delete what nobody will take."""
        if self._content is not None:
            self._content.spool.drop()
        for result in self._results:
            if isinstance(result, Fetched):
                result.path.unlink(missing_ok=True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        self._text = ""
        if name == f"{MNS} GetItemResponseMessage":
            self._class = attributes.get("ResponseClass", "")
            self._code = self._message = self._id = ""
            self._back_off = None
        elif name == f"{TNS} Value":
            self._named = attributes.get("Name", "")
        elif name == f"{TNS} ItemId" and not self._id:
            self._id = attributes.get("Id", "")
        elif name == f"{TNS} MimeContent":
            if self._content is not None:
                raise self._broken("The server sent two contents for one item")
            self._content = _Decoder(self._limit)

    def _characters(self, text: str) -> None:
        if self._path[-1] == f"{TNS} MimeContent" and self._content is not None:
            try:
                self._content.take(text)
            except _TooLong as error:
                raise self._broken(str(error), code="message_too_long") from error
        elif len(self._text) < _TEXT_LIMIT:
            self._text += text

    def _end(self, name: str) -> None:
        self._path.pop()
        if name in (f"{MNS} ResponseCode", f"{_ERRORS} ResponseCode"):
            self._code = self._text.strip()
        elif name in (f"{MNS} MessageText", f"{_ERRORS} Message", "faultstring"):
            self._message = self._message or self._text.strip()
        elif name == f"{TNS} Value" and self._named == "BackOffMilliseconds" and self._text.strip().isdecimal():
            self._back_off = int(self._text.strip()[:9]) / 1000
        elif name == f"{SOAPNS} Fault":
            raise self._link.refused(self._code or "fault", self._message, back_off=self._back_off)
        elif name == f"{MNS} GetItemResponseMessage":
            self._complete()

    def _complete(self) -> None:
        content, self._content = self._content, None
        try:
            if not self._todo:
                raise self._broken("The server answered for more items than it was asked for")
            item = self._todo[0]
            if self._code in GONE:
                result: Fetched | FetchFailed = FetchFailed(item, "it is no longer on the server", gone=True)
            elif self._class != "Success" or self._code != "NoError":
                if self._code not in OF_THE_ITEM | DOUBTFUL:
                    raise self._link.refused(self._code, self._message, back_off=self._back_off)
                result = FetchFailed(item, f"the server said {self._code}: {self._message}"[:200])
            elif self._id != item.id:
                raise self._broken("The server answered with another item than it was asked for")
            elif content is None or not content.is_whole:
                result = FetchFailed(item, "the server gave no readable content", doubtful=True)
            else:
                kept = content.spool.keep()
                result = Fetched(item, kept.path, kept.size, kept.sha256)
            self._todo.popleft()
            self._codes["a message" if isinstance(result, Fetched) else "none"] += 1
            self._some_good = self._some_good or isinstance(result, Fetched)
            if self._code in DOUBTFUL and isinstance(result, FetchFailed):
                self._doubtful.append(result)
            else:
                self._results.append(result)
        finally:
            if content is not None:
                content.spool.drop()

    def _doctype(self, *_rest: Any) -> None:
        raise self._broken("The answer has a document type, which SOAP forbids")  # SOAP 1.1 §3

    def _broken(self, what: str, *, code: str = "") -> ServerMisbehaved:
        return ServerMisbehaved(what, on=self._link.on, step="fetch", code=code)


class _TooLong(Exception):
    """A content goes beyond its limit."""


class _Decoder:
    """Decodes base64 into a file."""

    def __init__(self, limit: int) -> None:
        self.spool = Spool()
        self._limit = limit
        self._rest = ""
        self._good = True

    def take(self, text: str) -> None:
        """Take a piece of base64, cut anywhere."""
        text = self._rest + "".join(text.split())
        whole = len(text) // 4 * 4
        self._rest = text[whole:]
        try:
            data = binascii.a2b_base64(text[:whole], strict_mode=True) if whole and self._good else b""
        except (binascii.Error, ValueError):
            self._good = False
            return
        if self.spool.size + len(data) > self._limit:
            raise _TooLong(f"The server sent more than {self._limit:,} bytes for a message")
        self.spool.write(data)

    @property
    def is_whole(self) -> bool:
        """Tell whether a whole content has come in."""
        return self._good and not self._rest and self.spool.size > 0
