"""Where Microsoft Graph is, in Microsoft's own clouds: who is given a token there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# learn.microsoft.com/graph/deployments, seen 2026; dod-graph has the authority of the other cloud of the US government.
_HOSTS = re.compile(r"(?:[a-z]+-)?graph\.microsoft\.(?:com|us|de)|microsoftgraph\.chinacloudapi\.cn", re.IGNORECASE)


def is_microsoft_graph(server: str) -> bool:
    """Tell whether an https address is Microsoft Graph itself, and no gateway before it."""
    return bool(_HOSTS.fullmatch(urlsplit(server).hostname or ""))
