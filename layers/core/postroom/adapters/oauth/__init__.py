"""Access tokens of Microsoft and Google: requests, answers, consent, and what is kept of them."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.oauth.consent_code import redeem
    from postroom.adapters.oauth.requests import graph_of, wanted
    from postroom.adapters.oauth.tokens import OAuthTokens
else:
    __getattr__ = lazily(
        __name__,
        {
            "consent_code": ["redeem"],
            "requests": ["graph_of", "wanted"],
            "tokens": ["OAuthTokens"],
        },
    )

__all__ = [
    "OAuthTokens",
    "graph_of",
    "redeem",
    "wanted",
]
