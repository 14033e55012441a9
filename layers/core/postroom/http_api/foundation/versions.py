"""Versions of objects: ETag, If-Match, and merge patches (RFC 9110 §13, RFC 7396)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from postroom.errors import VersionMissing

_TAG = re.compile(r'\s*(?:W/)?"([^"]{1,64})"\s*')


def etag(version: int | str) -> str:
    """Write a version as an entity tag."""
    return f'"{version}"'


def wanted_version(if_match: str | None, *, on: str) -> str:
    """Read the one version that If-Match names; raises VersionMissing for none, several, or `*`.

    `*` would overwrite what nobody has read.
    """
    found = _TAG.fullmatch(if_match or "")
    if not found:
        raise VersionMissing("The change does not say which version it was made from", on=on)
    return found[1]


def merge_patch(document: Any, patch: Any) -> Any:
    """Apply a merge patch: objects are merged, null removes a member, everything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(document) if isinstance(document, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
