"""Folders of an Exchange mailbox by their paths below the Inbox: found, or made where mail is to be moved."""

from __future__ import annotations

from postroom.adapters.ews.calls import Exchange
from postroom.adapters.ews.connection import Link
from postroom.errors import FolderMissing, PostroomError, Transient


class Folders:
    """The folders of one mailbox; remembers those that mail is moved to."""

    def __init__(self, link: Link, exchange: Exchange, separator: str) -> None:
        self._link = link
        self._exchange = exchange
        self._separator = separator
        self._inbox = ""
        self._made: dict[str, str] = {}

    def forget(self) -> None:
        """Find folders anew: one of them may have been deleted."""
        self._made.clear()

    def inbox(self) -> str:
        """Return the id of the Inbox; says besides whether the login is right."""
        with self._link.exchange("login"):
            return self._exchange.inbox()

    def find(self, path: str) -> str:
        """Find the folder to fetch from."""
        found = self._inbox = self.inbox()
        for name in names_of(path, self._separator):
            with self._link.exchange("folder"):
                below = self._exchange.subfolder(found, name)
            if below is None:
                raise FolderMissing(
                    f"The folder {path} is not there: below the Inbox, {name} is missing",
                    on=self._link.on,
                    step="folder",
                )
            found = below
        return found

    def made(self, path: str) -> str:
        """Find a folder below the Inbox, and make what is missing of it."""
        if path in self._made:
            return self._made[path]
        found = self._inbox = self._inbox or self.inbox()
        for name in names_of(path, self._separator):
            with self._link.exchange("act"):
                below = self._exchange.subfolder(found, name)
                if below is None:
                    below = self._create(found, name, path) or self._exchange.subfolder(found, name)
            if below is None:
                raise self._not_created(path)
            found = below
        self._made[path] = found
        return found

    def _create(self, parent: str, name: str, path: str) -> str | None:
        try:
            with self._link.exchange("act"):
                return self._exchange.create_folder(parent, name)
        except PostroomError as error:
            if error.code in ("connection_lost", "deadline_exceeded", "server_busy", "unavailable"):
                raise
            raise self._not_created(path, error.what) from error

    def _not_created(self, path: str, why: str = "") -> Transient:
        return Transient(
            f"The folder {path} could not be created{': ' + why if why else ''}",
            on=self._link.on,
            step="act",
            code="folder_not_created",
            remedy=f"Create the folder {path} below the Inbox; the mail is stored here already.",
        )


def names_of(path: str, separator: str) -> list[str]:
    """Split a path relative to the Inbox (G14); the Inbox itself may be named, and is none of its folders."""
    names = [name for name in path.split(separator) if name]
    return names[1:] if names and names[0].casefold() == "inbox" else names
