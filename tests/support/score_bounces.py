"""Score the reading of bounces against a corpus: `python -m tests.support.score_bounces [FOLDER]`.

Measured are: recognised, status class, permanent or temporary, a right recipient, reason; and how much ordinary mail is
called a failure.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from postroom.mail.reader import Unreadable, read
from postroom.mail.reports.delivery_report import DeliveryReport, ReportKind
from postroom.rules.kind import find_report


@dataclass
class Score:
    """Counts over one corpus, and the mistakes as lines."""

    mails: int = 0
    recognised: int = 0
    recipients: int = 0
    with_address: int = 0
    status_class: int = 0
    permanence: int = 0
    reason: int = 0
    reply_code: int = 0
    misses: list[str] = field(default_factory=list)
    confusions: Counter[tuple[str, str]] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        def share(part: int, whole: int) -> str:
            return f"{part}/{whole} = {100 * part / max(1, whole):.1f} %"

        return [
            f"recognised            {share(self.recognised, self.mails)}",
            f"a right recipient     {share(self.with_address, self.mails)}",
            f"status class          {share(self.status_class, self.recipients)}",
            f"permanent/temporary   {share(self.permanence, self.recipients)}",
            f"reply code            {share(self.reply_code, self.recipients)}",
            f"reason                {share(self.reason, self.recipients)}",
        ]


def report_of(raw: bytes) -> DeliveryReport | None:
    try:
        return find_report(read(raw))
    except Unreadable:
        return None


def score_bounces(folder: Path) -> Score:
    """Compare every `*.eml` of a folder with its `*.expected.json`."""
    score = Score()
    for mail in sorted(folder.glob("*.eml")):
        expected = json.loads(mail.with_suffix(".expected.json").read_text())
        raw = mail.read_bytes()
        report = report_of(raw)
        score.mails += 1
        score.recipients += len(expected)
        if report is None:
            score.misses.append(f"{mail.stem}: not recognised, expected {[want['reason'] for want in expected]}")
            continue
        score.recognised += report.kind is not ReportKind.DISPOSITION
        # The corpus names no recipients: one that the mail itself contains, and that is not its addressee, counts.
        score.with_address += any(
            found.address and found.address.encode("utf-8", "replace").lower() in raw.lower()
            for found in report.recipients
        )
        for number, want in enumerate(expected):
            if number >= len(report.recipients):
                score.misses.append(f"{mail.stem}: recipient {number + 1} missing")
                continue
            got = report.recipients[number]
            score.status_class += (got.status or "")[:1] == (want["status"] or "")[:1]
            score.permanence += got.permanent == want["hard"]
            score.reply_code += (got.reply_code or "") == want["reply_code"]
            score.reason += got.reason == want["reason"]
            wrong = [
                f"{what} {have!r} for {should!r}"
                for what, have, should in (
                    ("class", (got.status or "")[:1], (want["status"] or "")[:1]),
                    ("permanent", got.permanent, want["hard"]),
                    ("reason", got.reason, want["reason"]),
                )
                if have != should
            ]
            if wrong:
                score.confusions[got.reason or "", want["reason"]] += got.reason != want["reason"]
                said = f"{got.status} {got.reply_code} <{got.address}> {(got.diagnostic or '')[:300]}"
                score.misses.append(f"{mail.stem} [{report.rule}]: {'; '.join(wrong)} | {said}")
    return score


def failures_among(folders: list[Path]) -> tuple[int, list[str]]:
    """Return how many ordinary mails there are, and those that are called a delivery failure."""
    called: list[str] = []
    count = 0
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.suffix in {".json", ".trimmed", ".md"} or not path.is_file():
                continue
            count += 1
            report = report_of(path.read_bytes())
            if report is not None and report.kind is ReportKind.NDR:
                called.append(
                    f"{path.parent.name}/{path.name} [{report.rule}] {[r.address for r in report.recipients]}"
                )
    return count, called


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/corpora")
    score = score_bounces(root / "bounces")
    count, called = failures_among([root / "mime", root / "mime-odd", root / "replies"])
    print(  # noqa: T201 (a command)
        "\n".join([*score.misses, "", *score.lines(), f"ordinary mail called a failure {len(called)}/{count}", *called])
    )


if __name__ == "__main__":
    main()
