"""What adapters share: the clock, making at first use, and the walk to a server without credentials."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.clock import utc_now
    from postroom.adapters.lazy import LateConnector, LateLooks, LateTokens
    from postroom.adapters.probe import NetworkProbe
    from postroom.adapters.trial import try_out
else:
    __getattr__ = lazily(
        __name__,
        {
            "clock": ["utc_now"],
            "lazy": ["LateConnector", "LateLooks", "LateTokens"],
            "probe": ["NetworkProbe"],
            "trial": ["try_out"],
        },
    )

__all__ = [
    "LateConnector",
    "LateLooks",
    "LateTokens",
    "NetworkProbe",
    "try_out",
    "utc_now",
]
