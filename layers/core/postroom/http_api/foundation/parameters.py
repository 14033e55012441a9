"""Parameters that many routes have."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

_NAME: dict[str, Any] = {"min_length": 1, "max_length": 200}  # every name and id is shorter; a key ends at 1 KB

Name = Annotated[str, Path(**_NAME)]
"""A name or id in the path."""

Asking = Annotated[str, Query(**_NAME)]
"""A name or word in the query, which must be given."""

Cursor = Annotated[str, Query(max_length=4000, description="`next` of the page before.")]

Limit = Annotated[int, Query(ge=1, le=100, description="At most so many.")]
