"""The guide tells the limits that hold."""

import re
from dataclasses import asdict
from pathlib import Path

from postroom.mail.reader.limits import LIMITS

GUIDE = Path(__file__).resolve().parents[4] / "docs" / "mail-reader.md"


def test_the_guide_lists_every_limit_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", GUIDE.read_text("utf-8"), re.MULTILINE))
    assert {name: int(value) for name, value in rows.items()} == asdict(LIMITS)
