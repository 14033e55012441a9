"""The measures of the corpora that the reader alone decides are reached."""

from tests.support import corpora
from tests.support.exercise import exercise
from tests.support.score_mime import score


def test_fields_of_the_mime_corpus_are_those_of_its_source_or_better() -> None:
    found = score(corpora.mails_or_skip("mime"))
    assert found.files > 0
    assert found.unreadable == 0
    assert [
        difference
        for difference in found.differences
        if difference.field in ("subject", "from", "to") and not difference.why
    ] == []
    assert found.explained_share >= 0.97


def test_at_most_two_in_a_hundred_mails_of_the_mime_corpora_are_wrapped() -> None:
    paths = corpora.mails_or_skip("mime", "mime-odd")
    wrapped = [path.name for path in paths if exercise(path.read_bytes()) is None]
    assert len(wrapped) <= len(paths) * 0.02
