"""Every five minutes: repair what no retry will, and tell what needs a person."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from postroom import bootstrap
from postroom.edge import leaves_no_text

logger = logging.getLogger("postroom.sweep")


@leaves_no_text
def handler(_event: Mapping[str, Any], _context: Any) -> Mapping[str, Any]:
    """Sweep once; answer what was found and repaired."""
    swept = bootstrap.sweep()()
    logger.info("swept", extra=dict(swept))
    return swept
