"""Compile administrators' patterns with RE2, in linear time, and explain what it refuses (docs/threat-model.md 4).

People bring patterns from Java and JavaScript systems; each construct of these that RE2 lacks, or reads in another way
without saying so, is a row of `CONSTRUCTS` with what to write instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import re2

from postroom.errors import Invalid, Problem

MAX_PATTERN = 1_000
"""Characters of one pattern."""
_MAX_MEMORY = 2 << 20
"""Bytes that RE2 may take for one pattern; also bounds the work for each character of the text."""


@dataclass(frozen=True, slots=True)
class Construct:
    """A construct that is refused: how it is found in a pattern, what it is called, and what to write instead."""

    find: re.Pattern[str]
    name: str
    remedy: str
    in_class: bool = True
    """Whether it means the same between square brackets."""


def _row(find: str, name: str, remedy: str) -> Construct:
    return Construct(re.compile(find), name, remedy, in_class=find.startswith((r"\\", "&&", "^")))


_LINEAR = "RE2 leaves it out because its time could not be bounded."
# The first row that occurs is reported. Escaped characters are blanked before (see `_unescaped`), escapes are not.
CONSTRUCTS: tuple[Construct, ...] = (
    _row(r"^/.*/[a-z]*$", "a JavaScript literal", "Leave out the slashes; write the flag i as (?i) at the beginning."),
    _row(r"\(\?=", "a look-ahead", f"{_LINEAR} Match the text that follows as well, or use a built-in kind."),
    _row(r"\(\?!", "a negative look-ahead", f"{_LINEAR} List what may stand there, or use a built-in kind."),
    _row(r"\(\?<=", "a look-behind", f"{_LINEAR} Match the text before as well, or begin with \\b."),
    _row(r"\(\?<!", "a negative look-behind", f"{_LINEAR} Begin with \\b, or list what may stand before."),
    _row(r"\(\?>", "an atomic group", "Write (?:…): RE2 never goes back, so the atomic form gains nothing."),
    _row(r"\(\?\(", "a condition", "Write two patterns, one for each case."),
    _row(r"\(\?(?:R|[0-9]|&|P>)", "a recursion", "Write the depth that you need out in full."),
    _row(r"\(\?#", "a comment", "Leave it out; the pattern's name says what it is for."),
    _row(r"\(\?[a-z]*x", "the free-spacing flag (?x)", "Leave out the flag and the spaces."),
    _row(r"\(\?[a-z]*[ud]", "a Java flag (u or d)", "Leave it out: text is always read as Unicode."),
    _row(
        r"\(\?[a-z]*U",
        "the flag (?U)",
        "Java reads it as Unicode classes, RE2 as ungreedy. Write \\p{L}, \\p{Nd} or .*?",
    ),
    _row(r"\(\?'", "a group named in quotes", "Write (?P<name>…)."),
    _row(r"\\[1-9]", "a backreference", f"{_LINEAR} Write the repeated part out, or use a built-in kind."),
    _row(r"\\[kg][<{']", "a named backreference", f"{_LINEAR} Write the repeated part out."),
    _row(r"&&", "a class intersection (&&)", "Write the class that is meant, for example [b-df-h] for [a-h&&[^ae]]."),
    _row(
        r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\+", "a possessive quantifier", "Leave out the second +: RE2 never goes back."
    ),
    _row(r"\\u[0-9A-Fa-f]{4}", "a \\u escape", "Write \\x{…}, for example \\x{00E9} for \\u00E9."),
    _row(r"\\u\{", "a \\u{…} escape", "Write \\x{…}."),
    _row(r"\\Z", "the anchor \\Z", "Write \\z."),
    _row(r"\\G", "the anchor \\G", "Leave it out: each search goes on behind the last hit."),
    _row(r"\\h", "the class \\h", "Write [ \\t]."),
    _row(r"\\H", "the class \\H", "Write [^ \\t]."),
    _row(r"\\R", "the class \\R", "Write \\r?\\n."),
    _row(r"\\X", "the class \\X", "Write \\pL\\pM*."),
    _row(r"\\N", "a \\N escape", "Write [^\\n], or \\x{…} for a character."),
    _row(r"\\c[A-Za-z]", "a control character (\\c)", "Write \\x{…}, for example \\x{0d} for \\cM."),
    _row(r"\\e", "the escape \\e", "Write \\x{1b}."),
    _row(r"\\C", "the class \\C", "It takes a byte out of a character. Write a full stop."),
    _row(r"\\[pP]\{java\w+\}", "a Java character class", "Write \\p{L}, \\p{Lu}, \\p{Ll} or \\p{Nd}."),
    _row(r"\\[pP]\{(?:Alpha|IsAlphabetic)\}", "the class \\p{Alpha}", "Write [[:alpha:]], or \\p{L} for all letters."),
    _row(r"\\[pP]\{(?:Digit|IsDigit)\}", "the class \\p{Digit}", "Write [0-9], or \\p{Nd} for all digits."),
    _row(r"\\[pP]\{(?:Alnum)\}", "the class \\p{Alnum}", "Write [[:alnum:]], or [\\p{L}\\p{Nd}] for all scripts."),
    _row(
        r"\\[pP]\{(?:Is|In|Script=|L1|block=|blk=)",
        "a Java block or script class",
        "Write \\p{Greek}, \\p{Cyrillic}, …",
    ),
    _row(
        r"\\[pP]\{(?:Lower|Upper|Punct|Space|Blank|XDigit|ASCII|Cntrl|Graph|Print)\}",
        "a Java POSIX class",
        "Write [[:lower:]], [[:upper:]], [[:punct:]], [[:space:]] and the like.",
    ),
    _row(
        r"\{(?:[0-9]+,)?(?:100[1-9]|10[1-9][0-9]|1[1-9][0-9]{2}|[2-9][0-9]{3}|[0-9]{5,})",
        "a repetition above 1,000",
        "Write a smaller number.",
    ),
)


_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]", re.DOTALL)


def compile_pattern(pattern: str, *, path: str = "pattern", ignore_case: bool = False) -> Any:
    """Return the RE2 object of `pattern`; raises Invalid with field, problem and remedy."""
    problem = explain(pattern, path=path)
    if problem is not None:
        raise Invalid([problem])
    return _compile(pattern, ignore_case=ignore_case)


def explain(pattern: str, *, path: str = "pattern") -> Problem | None:
    """Return why `pattern` is refused, or None when it can be used."""
    if not pattern:
        return Problem(path, "The pattern is empty.", "Write what is to be found.")
    if len(pattern) > MAX_PATTERN:
        return Problem(
            path, f"The pattern has {len(pattern)} characters.", f"Keep it under {MAX_PATTERN}, or split it."
        )
    bare = _unescaped(pattern)
    outside = _CLASS.sub(lambda match: "·" * len(match[0]), bare)
    for construct in CONSTRUCTS:
        found = construct.find.search(bare if construct.in_class else outside)
        if found:
            what = construct.name[0].upper() + construct.name[1:]
            return Problem(path, f"{what} at character {found.start() + 1}.", construct.remedy)
    try:
        compiled = _compile(pattern, ignore_case=False)
    except re2.error as error:
        return _explain_refusal(path, error)
    except UnicodeEncodeError:
        return Problem(path, "The pattern has a character that is no text.", "Type the pattern anew.")
    if compiled.match("") is not None:
        return Problem(
            path, "The pattern is found in an empty text, so it would be found everywhere.", "Write + instead of *."
        )
    return None


def _compile(pattern: str, *, ignore_case: bool) -> Any:
    options = re2.Options()
    options.log_errors = False  # RE2 writes the pattern to standard error, which is a log
    options.max_mem = _MAX_MEMORY
    options.case_sensitive = not ignore_case
    return re2.compile(pattern, options)


def _unescaped(pattern: str) -> str:
    """Blank what is literal, `\\\\`, `\\(`, `\\x{2013}` and `\\Q…\\E`, and keep every position."""
    blanked = re.sub(r"\\Q.*?(?:\\E|$)", lambda match: "·" * len(match[0]), pattern, flags=re.DOTALL)
    blanked = re.sub(r"\\[^A-Za-z0-9]", "··", blanked)
    return re.sub(r"\\x\{[0-9A-Fa-f]+\}", lambda match: "·" * len(match[0]), blanked)


def _explain_refusal(path: str, error: Exception) -> Problem:
    raw = error.args[0] if error.args else ""
    reason = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    remedy = "Correct the pattern; the syntax is at https://github.com/google/re2/wiki/Syntax."
    for beginning, meaning in _REFUSALS.items():
        if reason.startswith(beginning):
            remedy = meaning
    return Problem(path, f"RE2 refuses the pattern: {reason}.", remedy)


_REFUSALS = {
    "missing ]": "Close the class with ], or write \\[ for the bracket itself.",
    "missing )": "Close the group with ), or write \\( for the bracket itself.",
    "unexpected )": "Remove the bracket, or write \\) for the bracket itself.",
    "no argument for repetition operator": "Put what is to be repeated before it, or write \\* for the star itself.",
    "invalid repetition size": "Write {least,most} with most at most 1000.",
    "trailing \\": "Write \\\\ for a backslash.",
    "pattern too large": "Repeat less: nested repetitions are multiplied.",
    "bad repetition operator": "Leave one of the two repetition signs out.",
}
