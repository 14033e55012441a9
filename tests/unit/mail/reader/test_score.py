"""The measures of the corpora that the reader alone decides are reached."""

import re
from pathlib import Path

from tests.support import corpora
from tests.support.exercise import exercise
from tests.support.score_mime import score

GUIDE = Path(__file__).resolve().parents[4] / "docs" / "mail-reader.md"


def test_fields_of_the_mime_corpus_are_those_of_its_source_or_better() -> None:
    found = score(corpora.mails_or_skip("mime"))
    assert found.files > 0
    assert found.unreadable == 0
    assert [difference for difference in found.differences if not difference.why] == []
    assert found.share >= 0.9


def test_the_guide_counts_the_fields_that_differ() -> None:
    found = score(corpora.mails_or_skip("mime"))
    text = GUIDE.read_text("utf-8")
    told = re.search(r"Of (\d+) fields .*?, (\d+) are equal\. The other (\d+) differ", text, re.DOTALL)
    assert told is not None
    total, equal = sum(found.total.values()), sum(found.equal.values())
    assert [int(number) for number in told.groups()] == [total, equal, total - equal]
    assert sum(map(int, re.findall(r"^\| (\d+) \| ", text, re.MULTILINE))) == total - equal


def test_at_most_two_in_a_hundred_mails_of_the_mime_corpora_are_wrapped() -> None:
    paths = corpora.mails_or_skip("mime", "mime-odd")
    wrapped = [path.name for path in paths if exercise(path.read_bytes()) is None]
    assert len(wrapped) <= len(paths) * 0.02
