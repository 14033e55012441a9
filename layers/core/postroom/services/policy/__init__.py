"""The configuration compiled for reading the mail of one department."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.policy.compiled import Policies, Policy, outbound_masking, policy_of
else:
    __getattr__ = lazily(
        __name__,
        {
            "compiled": ["Policies", "Policy", "outbound_masking", "policy_of"],
        },
    )

__all__ = [
    "Policies",
    "Policy",
    "outbound_masking",
    "policy_of",
]
