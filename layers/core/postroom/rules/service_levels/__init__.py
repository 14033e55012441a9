"""Service levels: business time, and the clocks of a case."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.rules.service_levels import clocks
    from postroom.rules.service_levels.business_hours import NeverOpen, add_business_time, business_time, is_open
    from postroom.rules.service_levels.clocks import Targets
else:
    __getattr__ = lazily(
        __name__,
        {
            "business_hours": ["NeverOpen", "add_business_time", "business_time", "is_open"],
            "clocks": ["Targets"],
        },
    )

__all__ = ["NeverOpen", "Targets", "add_business_time", "business_time", "clocks", "is_open"]
