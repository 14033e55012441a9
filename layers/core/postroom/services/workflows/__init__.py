"""Trying workflows on mails before they act: expectations in the file, and dry runs."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.workflows.expectations import unmet
    from postroom.services.workflows.trial import Tally, plan_for, tally
else:
    __getattr__ = lazily(__name__, {"expectations": ["unmet"], "trial": ["Tally", "plan_for", "tally"]})

__all__ = ["Tally", "plan_for", "tally", "unmet"]
