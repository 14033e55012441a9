"""A pattern from another system is accepted, or refused with what to write instead."""

import re

import pytest
from postroom.errors import Invalid
from postroom.rules.patterns import CONSTRUCTS, MAX_PATTERN, compile_pattern, explain

REFUSED = {
    r"\d+(?=€)": "look-ahead",
    r"\d+(?!€)": "negative look-ahead",
    r"(?<=€)\d+": "look-behind",
    r"(?<!€)\d+": "negative look-behind",
    r"(?>\d+)x": "atomic group",
    r"(\d)\1": "backreference",
    r"(?<a>\d)\k<a>": "named backreference",
    r"\d++x": "possessive",
    r"\d*+x": "possessive",
    r"\d?+x": "possessive",
    r"\d{2,3}+x": "possessive",
    r"(a)?(?(1)b|c)": "condition",
    r"a(?R)?b": "recursion",
    r"(?#x)a": "comment",
    r"(?x) a b": "free-spacing",
    r"(?ix) a b": "free-spacing",
    r"(?u)a": "Java flag",
    r"(?U)a": r"\(\?U\)",
    r"(?'n'a)": "named in quotes",
    r"[a-z&&[^aeiou]]": "intersection",
    r"\u00E9": r"\\u",
    r"\u{1F600}": r"\\u",
    r"\d\Z": r"\\Z",
    r"\G\d": r"\\G",
    r"\d\h\d": r"\\h",
    r"\d\H\d": r"\\H",
    r"\R": r"\\R",
    r"\X": r"\\X",
    r"\N": r"\\N",
    r"\cM": "control character",
    r"\e": r"\\e",
    r"\C": r"\\C",
    r"\p{javaUpperCase}": "Java character class",
    r"\p{Alpha}+": "Alpha",
    r"\p{IsDigit}+": "Digit",
    r"\p{Alnum}+": "Alnum",
    r"\p{InGreek}": "Java block",
    r"\p{IsLatin}": "Java block",
    r"\p{Upper}": "POSIX",
    r"a{2000}": "1,000",
    r"/\d{4}/gi": "JavaScript literal",
    r"(a": "missing",
    r"a)": r"\\\)",
    r"[a": "class",
    r"*a": "repeated|repetition",
    r"a{3,2}": "least",
    "a\\": "backslash",
    r"((a{100}){100}){100}": "large|repetition",
    r"\d*": "empty",
    r"": "empty",
    "x" * (MAX_PATTERN + 1): "characters",
    "a\ud800": "no text",
}


@pytest.mark.parametrize(("pattern", "words"), REFUSED.items())
def test_what_re2_cannot_do_is_explained_with_a_remedy(pattern: str, words: str) -> None:
    problem = explain(pattern, path="masking[3].pattern")
    assert problem is not None
    assert problem.path == "masking[3].pattern"
    assert re.search(words, f"{problem.problem} {problem.remedy}")
    assert problem.remedy
    with pytest.raises(Invalid):
        compile_pattern(pattern)


def test_every_row_of_the_table_is_reached_by_a_case() -> None:
    reported = {problem.problem.partition(" at character")[0].lower() for p in REFUSED if (problem := explain(p))}
    assert {construct.name.lower() for construct in CONSTRUCTS} <= reported


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"\b\d{4}\b", "1234"),
        (r"(?i)order\s+\d+", "ORDER 77"),
        (r"(?P<a>\d)x", "1x"),
        (r"(?<a>\d)x", "1x"),
        (r"[\w.*+-]+@x", "a+b@x"),
        (r"[*+?]+x", "++x"),
        (r"\Q(?=a)\E", "(?=a)"),
        (r"\(\?=\)", "(?=)"),
        (r"\\Zx", r"\Zx"),
        (r"a{1000}", "a" * 1000),
        (r"\p{Greek}+", "αβγ"),
        (r"[[:alpha:]]+", "abc"),
        (r"\x{e9}", "é"),
        (r"a&b", "a&b"),
        (r"(?:a|b)+?c", "abc"),
        (r"a/b/c", "a/b/c"),
        (r"[0-9]\x{2013}[0-9]", "4–7"),
        (r"[]&]x", "]x"),
    ],
)
def test_what_re2_can_do_is_used_as_it_is(pattern: str, found: str) -> None:
    assert explain(pattern) is None
    assert compile_pattern(pattern).search(found) is not None


def test_the_pattern_of_a_refusal_is_not_written_to_a_log(capfd: pytest.CaptureFixture[str]) -> None:
    explain("(secret-4711")
    written = capfd.readouterr()
    assert written.out + written.err == ""
