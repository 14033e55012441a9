"""Find where the signature, the firm's address or a legal notice begins that stands under what a person wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from postroom.mail.reply_text.line_kinds import PROBE, Kind, any_of, is_probed, probes
from postroom.mail.reply_text.lines import visible
from postroom.mail.reply_text.phrases import FIRST_PERSON, NOTICE_SUBJECTS, NOTICES
from postroom.mail.reply_text.phrases import footers as phrases
from postroom.mail.reply_text.pointers import is_name, names_of, points_below

# Fewer lines below a rule ("____") are a footer, where an address stands among them even more.
_FEW_LINES = 12
_FEW_LINES_WITH_CONTACT = 25
_LOOKED_AT = 40  # lines below a rule, and above the end for a notice without one
_MAX_RULES = 100
_SIGNATURE_DELIMITERS = ("--", "––")
# What people add under their signature is no signature: "P.S.", "P.D.", "П.С.".
_COLONS = (":", "：")
_POSTSCRIPT = re.compile(r"\W{0,3}(?:p ?\.? ?[sd]|п ?\.? ?с)\b", re.IGNORECASE)
_TEXT, _EMPTY, _DELIMITER = Kind.TEXT.value, Kind.EMPTY.value, Kind.DELIMITER.value
_QUOTED_MAIL = f"{Kind.QUOTE}{Kind.ATTRIBUTION}{Kind.HEADERS}{Kind.FORWARD}"
_NEXT_QUOTED = re.compile(f"[{_QUOTED_MAIL}]")
_PARAGRAPH_START = re.compile(f"(?<!{_TEXT}){_TEXT}")
_NOTICE_WORDS = tuple(word.lower() for word in phrases.FOOTER_WORDS)
_LONGEST_NOTICE = 2_000  # characters of a line that are looked at
_NOTICE_START = re.compile(any_of(phrases.FOOTER_STARTS), re.IGNORECASE)
_FIRST_LETTERS = probes(phrases.FOOTER_STARTS, ends=False)
_FIRST_PERSON = re.compile(rf"(?<!\w)(?:{any_of(FIRST_PERSON)})(?!\w)|我(?![们們司公方行])|私(?=[はがのも])")
_I = re.compile(r"(?<!\w)I(?!\w)")
_FORM_LABELS = frozenset(phrases.FORM_LABELS)
_LABELLED = re.compile(r"[*•·\s-]{0,4}([^\W\d_][^:：\d/@]{0,39})[:：](?!//)\s*\S?")
_LABEL_SCANNED = 60
# What a signature labels; a form has other labels beside.
_OF_CONTACT = re.compile(
    r"(?:tel|fax|telefax|phone|fon|mobil|mobile|cell|direct|office|e-?mail|mail|web|website|www|internet|url|skype|"
    r"linkedin|twitter|facebook|instagram|whatsapp|teams|zoom|[dtmfpew]|home|telefon|telefoon|téléphone|teléfono|"
    r"telefono|telefone|móvil|correo|courriel|puh|gsm|tlf|mob|telefonnummer|direkt|durchwahl|zentrale|hotline|site|"
    r"тел|телефон|факс|моб|電話|电话|传真|手机)\b",
    re.IGNORECASE,
)
_OF_A_FIRM = re.compile(
    r"amtsgericht|handelsregister|\bhrb \d|geschäftsführ|registered office|registered in|registration no|company no|"
    r"\bvat (?:no|reg|id)|\bsiret|\brcs |\bp\. ?iva|\bkvk\b|\bust-?id|managing director|capital social"
)
# What tells of an order, an account or a place, and stands in no list of names.
_FACT = re.compile(r"\d|[:：=€$£¥]")
_CONTACT = re.compile(r"\bwww\.|\b(?:tel|fax|phone|mobil|mobile|fon)\b\.?:?|\+\d[\d ()/-]{7,}|\S@\S", re.IGNORECASE)
_MARKS_BEHIND = "*_\"'”»)] "
_MARKS_BEFORE = "*_[( \t\u00a0"
_THAI_PARTICLES = ("ครับ", "ค่ะ", "คะ")  # they end sentences, which have no mark
_FEWEST_WORDS, _FEW_WORDS, _MANY_WORDS = 3, 5, 8
_SHORT_SENTENCE = 5  # letters of a script that writes no spaces


def first_footer(lines: Sequence[str], kinds: str, *, writer: str = "") -> int:
    """Return the index of the line under which nothing is the writer's own words; the number of lines without one.

    A rule alone is no proof: people and forms set off parts of a letter with it. What stands below, to the end, has to
    show that it is a footer: a legal notice, ways to reach somebody, the writer's name, or names alone.
    """
    names = names_of(writer)
    first_text = kinds.find(_TEXT)
    if first_text < 0:
        return len(kinds)
    if _DELIMITER in kinds:
        below = _texts_below(kinds)
        index = kinds.find(_DELIMITER, first_text)
        for _ in range(_MAX_RULES):
            if index < 0:
                break
            if _begins_footer(lines, kinds, index, below[index], names):
                return index
            index = kinds.find(_DELIMITER, index + 1)
    return _first_notice(lines, kinds, first_text)


def is_said(lines: Sequence[str], kinds: str, start: int, end: int) -> bool:
    """Say whether sentences stand between two lines that are no legal notice."""
    paragraphs = _paragraphs(lines, kinds, start, end)
    return any(_has_sentence(paragraph) and not _is_notice(paragraph) for paragraph in paragraphs)


def _begins_footer(lines: Sequence[str], kinds: str, rule: int, below: int, names: frozenset[str]) -> bool:
    quoted = _NEXT_QUOTED.search(kinds, rule + 1)
    end = min(quoted.start() if quoted else len(kinds), rule + 1 + _LOOKED_AT)
    if any(_POSTSCRIPT.match(line) for line in lines[rule + 1 : end]):
        return False
    is_signature = visible(lines[rule]) in _SIGNATURE_DELIMITERS
    sections = _sections(kinds, rule + 1, end)
    is_notice = any(map(_is_notice, _paragraphs(lines, kinds, *sections[0])))
    if not is_notice and _is_pointed_to(lines, kinds, rule):
        return False
    if is_signature and below < _FEW_LINES_WITH_CONTACT:
        return is_notice or not is_web_form(lines[rule + 1 : end])
    if not is_signature and visible(lines[kinds.rfind(_TEXT, 0, rule)]).endswith(_COLONS):
        return False  # "Please send to:" and a framed address
    if is_notice:
        return not any(map(_has_sentence, _above_notice(lines, kinds, *sections[0])))
    reached = any(_CONTACT.search(line[:500]) for line in lines[slice(*sections[0])])
    if below >= (_FEW_LINES_WITH_CONTACT if reached or is_signature else _FEW_LINES):
        return False
    return all(_is_footer(lines, kinds, start, stop, names) for start, stop in sections)


def _is_footer(lines: Sequence[str], kinds: str, start: int, end: int, names: frozenset[str]) -> bool:
    """Say whether what stands between two rules shows that it belongs under a letter, and nothing that it does not."""
    paragraphs = list(_paragraphs(lines, kinds, start, end))
    written = [visible(line) for paragraph in paragraphs for line in paragraph]
    if not written or any(map(_is_notice, paragraphs)):
        return True
    if any(map(_has_sentence, paragraphs)):
        return False
    if any(_OF_A_FIRM.search(line[:500].lower()) for line in written):
        return True
    if is_form(written):
        return False
    if any(_CONTACT.search(line[:500]) for line in written) or is_name(written[0], names):
        return True
    return not any(_FACT.search(line) for line in written)


def is_form(lines: Sequence[str]) -> bool:
    """Say whether lines are filled in as those of a form, an order or a bank's: two with labels, not all of contact."""
    labels = [found[1].strip().lower() for line in lines if (found := _LABELLED.match(line[:_LABEL_SCANNED]))]
    return len(labels) > 1 and not all(map(_OF_CONTACT.match, labels))


def is_web_form(lines: Sequence[str]) -> bool:
    """Say whether lines are those of a web form: "Name: …" stands in no signature."""
    labels = [found[1].strip().lower() for line in lines if (found := _LABELLED.match(line[:_LABEL_SCANNED]))]
    return len(labels) > 1 and any(label in _FORM_LABELS and not _OF_CONTACT.match(label) for label in labels)


def _is_pointed_to(lines: Sequence[str], kinds: str, rule: int) -> bool:
    """Say whether the last words above a rule point below it: "to the address below"."""
    last = kinds.rfind(_TEXT, 0, rule)
    first = last
    while first > 0 and kinds[first - 1] == _TEXT:
        first -= 1
    return last >= 0 and points_below(lines[first : last + 1])


def _sections(kinds: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return where the parts between rules begin and end."""
    found: list[tuple[int, int]] = []
    while True:
        rule = kinds.find(_DELIMITER, start, end)
        found.append((start, rule if rule >= 0 else end))
        if rule < 0:
            return found
        start = rule + 1


def _above_notice(lines: Sequence[str], kinds: str, start: int, end: int) -> Iterator[Sequence[str]]:
    for paragraph in _paragraphs(lines, kinds, start, end):
        if _is_notice(paragraph):
            return
        yield paragraph


def _first_notice(lines: Sequence[str], kinds: str, first_text: int) -> int:
    """Return where a legal notice without a rule begins, if it is the last of the writer's own part."""
    quoted = _NEXT_QUOTED.search(kinds, first_text)
    end = quoted.start() if quoted else len(kinds)
    for found in _PARAGRAPH_START.finditer(kinds, max(first_text + 1, end - _LOOKED_AT), end):
        start = found.start()
        words = lines[start].lstrip(_MARKS_BEFORE)
        letters = words[:PROBE]
        if letters not in _FIRST_LETTERS and (letters.isascii() or not is_probed(letters, _FIRST_LETTERS, ends=False)):
            continue
        if not _NOTICE_START.match(words):
            continue
        if _is_legal(lines[start:end]) and not is_said(lines, kinds, start, end):
            return start
    return len(kinds)


def _paragraphs(lines: Sequence[str], kinds: str, start: int, end: int) -> Iterator[Sequence[str]]:
    index = kinds.find(_TEXT, start, end)
    while index >= 0:
        stop = index + 1
        while stop < end and kinds[stop] == _TEXT:
            stop += 1
        yield lines[index:stop]
        index = kinds.find(_TEXT, stop, end)


def _has_sentence(paragraph: Sequence[str]) -> bool:
    return any(_is_sentence(visible(line)) for line in paragraph)


def _is_notice(paragraph: Sequence[str]) -> bool:
    words = _words(paragraph)
    return any(map(words.__contains__, _NOTICE_WORDS))


def _is_legal(lines: Sequence[str]) -> bool:
    """Tell a firm's notice, which has several subjects, from what a customer asks to be kept a secret."""
    words = _words(lines)
    if _FIRST_PERSON.search(words) or any(map(_I.search, lines)):
        return False
    subjects = sum(any(map(words.__contains__, subject)) for subject in NOTICE_SUBJECTS)
    return subjects > 1 or any(map(words.__contains__, NOTICES))


def _words(lines: Sequence[str]) -> str:
    return " ".join([line[:_LONGEST_NOTICE].strip() for line in lines]).lower()


def _is_sentence(line: str) -> bool:
    """Tell a sentence, or the line of a longer one, from a name, an address and a list."""
    bare = line.rstrip(_MARKS_BEHIND)
    words = bare.split()
    if bare.endswith(("?", "？")):
        return True
    if bare.endswith(("。", "！")):
        return len(bare) >= _SHORT_SENTENCE
    if bare.endswith(_THAI_PARTICLES):
        return True
    mostly_small = 2 * sum(word[0].islower() for word in words) >= len(words)
    if bare.endswith((".", "!", "…")):
        return len(words) >= _FEW_WORDS or (len(words) >= _FEWEST_WORDS and mostly_small)
    if len(words) >= _MANY_WORDS:
        return mostly_small
    return len(words) >= _FEWEST_WORDS and bare.isascii() and all(word.isalpha() and word.islower() for word in words)


def _texts_below(kinds: str) -> list[int]:
    """Count for each line the texts from it to the next quote, attribution or end."""
    counts = [0] * len(kinds)
    count = 0
    for index in range(len(kinds) - 1, -1, -1):
        if kinds[index] == _TEXT:
            count += 1
        elif kinds[index] in _QUOTED_MAIL:
            count = 0
        counts[index] = count
    return counts
