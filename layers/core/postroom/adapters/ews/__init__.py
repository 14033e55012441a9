"""The EWS connector (G24). exchangelib, which only the layer of one function holds, is imported when one is opened."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.ews.connector import EwsConnector
else:
    __getattr__ = lazily(
        __name__,
        {
            "connector": ["EwsConnector"],
        },
    )

__all__ = [
    "EwsConnector",
]
