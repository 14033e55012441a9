"""Ways out: SMTP and Amazon SES."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.transports.by_server import ConfiguredTransports
    from postroom.adapters.transports.ses import SesTransport
else:
    __getattr__ = lazily(
        __name__,
        {
            "by_server": ["ConfiguredTransports"],
            "ses": ["SesTransport"],
        },
    )

__all__ = [
    "ConfiguredTransports",
    "SesTransport",
]
