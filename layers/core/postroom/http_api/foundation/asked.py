"""The request that is being answered: what a route may ask of it besides its own parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from postroom.http_api.foundation.versions import etag, wanted_version
from postroom.model.access import Principal, SignIn
from postroom.services.requests import Cursors, operation


@dataclass(slots=True)
class Asked:
    """One request, whose caller may call the route; a route reads it, and may set headers of the answer."""

    principal: Principal
    sign_in: SignIn
    cursors: Cursors
    path: str  # of the route, as it was declared
    called: str  # the path that was called: a list below one object is another than below the next
    query: Mapping[str, str]
    if_match: str | None = None
    key: str = ""  # Idempotency-Key
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Return the version that the change was made from; raises VersionMissing."""
        return wanted_version(self.if_match, on=self.path)

    @property
    def operation(self) -> str:
        """Return what the ids of things that this request makes are derived from: a repetition makes the same."""
        return operation(self.principal.subject, self.key)

    def tag(self, version: int | str) -> None:
        """Send a version along as the answer's ETag."""
        self.headers["ETag"] = etag(version)

    def resume(self, cursor: str) -> Any:
        """Return the position that a cursor of this list holds; none for no cursor. Raises BadCursor."""
        if not cursor:
            return None
        return self.cursors.open(cursor, caller=self.principal.subject, question=self._question)

    def cursor(self, position: Any) -> str | None:
        """Seal the position after the last item of a page; none at the end of the list (a position that is empty)."""
        if not position:
            return None
        return self.cursors.seal(position, caller=self.principal.subject, question=self._question)

    @property
    def _question(self) -> Mapping[str, str]:
        kept = {name: value for name, value in self.query.items() if name not in ("cursor", "limit")}
        return {**kept, "": self.called}
