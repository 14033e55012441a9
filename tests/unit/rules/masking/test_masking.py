"""What must not be seen is masked in every form of a mail, and what is ordinary is not."""

import random

import pytest
from postroom.errors import Invalid
from postroom.mail.html.sanitiser import sanitise, to_text
from postroom.rules.masking.kinds import KINDS, luhn
from postroom.rules.masking.mask import (
    MAX_PATTERNS,
    MAX_TEXT,
    MaskingRule,
    check,
    compile_patterns,
    mask_html,
    mask_name,
    mask_text,
)

from tests.support.processor_time import takes_at_most
from tests.unit.mail.html.test_html import problems

CARD = compile_patterns([MaskingRule("card", kind="card")])
ALL = compile_patterns([MaskingRule(name, kind=name) for name in KINDS])

CARDS = {
    "sixteen digits": "4111111111111111",
    "groups": "4111 1111 1111 1111",
    "dashes": "4111-1111-1111-1111",
    "en dashes": "4111–1111–1111–1111",
    "full stops": "4111.1111.1111.1111",
    "no-break spaces": "4111\u00a01111\u00a01111\u00a01111",
    "thin spaces": "4111\u20091111\u20091111\u20091111",
    "zero-width spaces": "4111\u200b1111\u200b1111\u200b1111",
    "soft hyphens": "4111\u00ad1111\u00ad1111\u00ad1111",
    "control characters": "4111\x001111\x1b1111\x851111",
    "a line end": "4111 1111\n1111 1111",
    "a quoted line end": "4111 1111\r\n> 1111 1111",
    "single digits": "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "Amex": "3782 822463 10005",
    "thirteen digits": "4222222222222",
    "fourteen digits": "30569309025904",
    "nineteen digits": "6304000000000000000",
    "full-width digits": "４１１１１１１１１１１１１１１１",
    "Arabic digits": "٤١١١١١١١١١١١١١١١",
    "behind a word": "card:4111111111111111.",
    "beside an expiry date": "4111 1111 1111 1111 12/27 123",
    "behind another number": "No. 17: 4111 1111 1111 1111",
}


@pytest.mark.parametrize("text", CARDS.values(), ids=CARDS.keys())
def test_a_card_number_is_masked_however_it_is_written(text: str) -> None:
    masked = mask_text(f"My card {text}, thank you", CARD)
    assert [hit.name for hit in masked.hits] == ["card"]
    assert sum(character.isdecimal() for character in masked.text) <= 9
    assert "111111" not in masked.text
    assert len(masked.text) == len(f"My card {text}, thank you")
    assert masked.text.startswith("My card ")
    assert masked.text.endswith("thank you")


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "4111 1111 1111 1112",
        "41111111111",
        "411111111111111111111111",
        "Order 2024-05-01/1234",
        "+49 30 1234567",
        "12:30 13:45 14:50",
        "",
    ],
)
def test_another_number_is_not_taken_for_a_card(text: str) -> None:
    assert mask_text(text, CARD).text == text


def test_the_lines_of_a_text_stay() -> None:
    text = "a\n4111 1111\n1111 1111\nb"
    assert mask_text(text, CARD).text == "a\n**** ****\n**** ****\nb"


def _with_luhn(digits: str) -> str:
    return next(digits + str(last) for last in range(10) if luhn(digits + str(last)))


def test_every_card_length_from_13_to_19_is_found() -> None:
    source = random.Random(3)
    for length in range(13, 20):
        for _ in range(50):
            number = _with_luhn(str(source.randint(1, 9)) + "".join(source.choices("0123456789", k=length - 2)))
            assert mask_text(f"x {number} y", CARD).text == f"x {'*' * length} y"


KIND_CASES = {
    "iban": ("GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 33"),
    "iban, in one": ("DE89370400440532013000", "DE89370400440532013001"),
    "iban, small letters": ("fr1420041010050500013m02606", "fr1420041010050500013m02607"),
    "iban, Norway": ("NO93 8601 1117 947", "NO93 8601 1117 948"),
    "iban, Malta": ("MT84MALT011000012345MTLCAST001S", "MT84MALT011000012345MTLCAST001T"),
    "us-ssn": ("078-05-1120", "000-12-3456"),
    "us-ssn, spaces": ("219 09 9999", "219 00 9999"),
    "us-ssn, area": ("123-45-6789", "666-45-6789"),
    "ca-sin": ("130 692 544", "130 692 545"),
    "uk-nino": ("AB 12 34 56 C", "QQ 12 34 56 C"),
    "de-tax-id": ("86095742719", "86095742718"),
    "fr-nir": ("2 55 08 14 168 025 38", "2 55 08 14 168 025 39"),
    "nl-bsn": ("111222333", "111222334"),
    "es-dni": ("12345678Z", "12345678A"),
    "es-dni, NIE": ("X1234567L", "X1234567M"),
    "it-fiscal-code": ("RSSMRA85T10A562S", "RSSMRA85T10A562T"),
    "br-cpf": ("111.444.777-35", "111.444.777-36"),
    "pl-pesel": ("44051401359", "44051401358"),
    "email": ("ann.smith+x@example.co.uk", "ann.smith at example"),
    "phone": ("+49 (30) 123 456-78", "030 123"),
}


@pytest.mark.parametrize(("name", "valid", "invalid"), [(k, *v) for k, v in KIND_CASES.items()], ids=KIND_CASES.keys())
def test_a_kind_masks_what_is_valid_and_nothing_else(name: str, valid: str, invalid: str) -> None:
    patterns = compile_patterns([MaskingRule("x", kind=name.partition(",")[0])])
    assert mask_text(f"It is {valid}, yes", patterns).hits[0].count == 1
    masked = mask_text(f"It is {valid}, yes", patterns).text
    assert not any(character.isalnum() for character in masked[6 : 6 + len(valid)])
    assert masked[:6] + masked[6 + len(valid) :] == "It is , yes"
    assert mask_text(f"It is {invalid}, yes", patterns).text == f"It is {invalid}, yes"


def test_every_kind_has_a_case() -> None:
    assert {name.partition(",")[0] for name in KIND_CASES} | {"card"} == set(KINDS)


HTML_FORMS = {
    "text": "<p>4111111111111111</p>",
    "bold part": "<p>4111<b>1111</b>1111<i>1111</i></p>",
    "every digit in its element": "<p>" + "".join(f"<span>{digit}</span>" for digit in "4111111111111111") + "</p>",
    "line breaks": "<p>4111 1111<br>1111 1111</p>",
    "blocks": "<div>4111</div><div>1111</div><div>1111</div><div>1111</div>",
    "cells": "<table><tr><td>4111</td><td>1111</td><td>1111</td><td>1111</td></tr></table>",
    "no-break spaces": "<p>4111&nbsp;1111&nbsp;1111&nbsp;1111</p>",
    "character references": "<p>&#52;111111111111111</p>",
    "soft hyphens": "<p>4111&shy;1111&shy;1111&shy;1111</p>",
    "word break": "<p>4111<wbr>1111<wbr>1111<wbr>1111</p>",
    "beside entities": "<p>&lt;4111 1111 1111 1111&gt; &amp; more</p>",
    "comment": "<p>4111<!-- x -->111111111111</p>",
    "link": "<p><a href='https://x.example/'>4111</a>111111111111</p>",
    "list": "<ul><li>4111 1111 1111 1111</li></ul>",
}


@pytest.mark.parametrize("html", HTML_FORMS.values(), ids=HTML_FORMS.keys())
def test_a_number_is_found_through_the_markup_and_the_markup_stays(html: str) -> None:
    clean = sanitise(f"{html}<p>before &amp; <em>after</em></p>").html
    masked = mask_html(clean, CARD)
    assert masked.hits[0].count == 1
    assert "1111" not in to_text(masked.text).replace(" ", "").replace("\n", "").replace("|", "")
    assert not any(character.isdecimal() for character in to_text(masked.text).replace("https://x.example/", ""))
    assert "<p>before &amp; <em>after</em></p>" in masked.text
    assert problems(masked.text) == []
    assert masked.text.count("<") == clean.count("<")


@pytest.mark.parametrize(
    "html",
    [
        "<a href='https://x.example/?card=4111111111111111'>pay</a>",
        "<a href='tel:4111111111111111'>pay</a>",
        "<img src='cid:a@b' alt='4111 1111 1111 1111'>",
        "<a href='https://x.example/' title='4111-1111-1111-1111'>pay</a>",
    ],
    ids=["address", "telephone", "alternative text", "title"],
)
def test_attributes_are_masked_too(html: str) -> None:
    masked = mask_html(sanitise(html).html, CARD)
    assert "1111" not in masked.text
    assert masked.hits[0].count == 1
    assert problems(masked.text) == []


def test_masked_html_is_as_safe_whatever_the_pattern() -> None:
    patterns = compile_patterns([MaskingRule("all", pattern=r"[a-z0-9&;<>=\"'/: ]+", replacement="X")])
    html = sanitise("<p title='x'>a &lt;script&gt;alert(1)&lt;/script&gt; <a href='https://x.example/'>b</a></p>").html
    masked = mask_html(html, patterns)
    assert problems(masked.text) == []
    assert "script" not in masked.text


def test_nothing_found_leaves_the_html_as_it_was() -> None:
    clean = sanitise("<p>one <b>two</b> &amp; 3</p>").html
    assert mask_html(clean, ALL).text == clean


@pytest.mark.parametrize("text", ["K-12345678", "K-1234 5678", "K-12\n345678", "K-1 2 3 4 5 6 7 8", "K-1234\x005678"])
def test_a_pattern_of_ones_own_finds_numbers_with_spaces_between_the_digits(text: str) -> None:
    patterns = compile_patterns([MaskingRule("customer", pattern=r"\bK-\d{8}\b")])
    masked = mask_text(f"I am {text}.", patterns).text
    assert not any(character.isdecimal() for character in masked)
    assert len(masked) == len(f"I am {text}.")


def test_spaces_count_where_the_pattern_says_so() -> None:
    patterns = compile_patterns([MaskingRule("customer", pattern=r"\b\d{8}\b", spaced=False)])
    assert mask_text("1234 5678", patterns).text == "1234 5678"
    assert mask_text("12345678", patterns).text == "********"


def test_overlapping_patterns_all_count_and_the_later_character_wins() -> None:
    patterns = compile_patterns(
        [MaskingRule("one", pattern="abcd", replacement="X"), MaskingRule("two", pattern="cdef", replacement="Y")]
    )
    masked = mask_text("abcdef", patterns)
    assert masked.text == "XXYYYY"
    assert [hit.name for hit in masked.hits] == ["one", "two"]


def test_the_direction_chooses_the_patterns() -> None:
    both = [MaskingRule("in", pattern="in", outbound=False), MaskingRule("out", pattern="out", inbound=False)]
    assert [one.source.name for one in compile_patterns(both, direction="inbound")] == ["in"]
    assert [one.source.name for one in compile_patterns(both, direction="outbound")] == ["out"]
    assert len(compile_patterns(both)) == 2


def test_a_file_name_keeps_its_extension() -> None:
    assert mask_name("card 4111111111111111.pdf", CARD).text == "card ****************.pdf"
    assert mask_name("4111111111111111", CARD).text == "****************"
    assert mask_name("4111111.111111111", CARD).text == "*" * 17


def test_what_was_found_is_never_in_the_decision_nor_in_a_repr() -> None:
    masked = mask_text("4111111111111111", CARD)
    assert "4111" not in repr(masked) + repr(masked.decisions("text"))
    assert masked.decisions("text")[0].outcome == "masked"
    assert masked.decisions("text")[0].detail == "card: 1 in the text"


def test_text_beyond_the_limit_is_left_out_and_never_shown_unmasked() -> None:
    masked = mask_text("x" * MAX_TEXT + "4111111111111111", CARD)
    assert masked.cut
    assert len(masked.text) == MAX_TEXT


@pytest.mark.parametrize(
    ("pattern", "field"),
    [
        (MaskingRule("", pattern="x"), "masking[0].name"),
        (MaskingRule("x", pattern="x", replacement=""), "masking[0].replacement"),
        (MaskingRule("x", pattern="x", replacement="**"), "masking[0].replacement"),
        (MaskingRule("x", pattern="x", replacement="<"), "masking[0].replacement"),
        (MaskingRule("x", pattern="x", replacement="7"), "masking[0].replacement"),
        (MaskingRule("x", pattern="x", replacement="\u202e"), "masking[0].replacement"),
        (MaskingRule("x"), "masking[0]"),
        (MaskingRule("x", pattern="x", kind="card"), "masking[0]"),
        (MaskingRule("x", kind="cards"), "masking[0].kind"),
        (MaskingRule("x", pattern="(?=x)"), "masking[0].pattern"),
    ],
)
def test_a_bad_pattern_is_refused_with_field_and_remedy(pattern: MaskingRule, field: str) -> None:
    problem = check([pattern])[0]
    assert problem.path == field
    assert problem.problem
    assert problem.remedy
    with pytest.raises(Invalid):
        compile_patterns([pattern])


def test_all_problems_are_reported_together() -> None:
    problems_found = check([MaskingRule("a", pattern="("), MaskingRule("a", kind="nothing", replacement="")])
    assert len(problems_found) == 5


def test_there_is_a_limit_to_the_number_of_patterns() -> None:
    assert check([MaskingRule(str(n), pattern="x") for n in range(MAX_PATTERNS + 1)])


HOSTILE = {
    "numbers": "1234 5678 9012 3456 7890\n" * 8_000,
    "digits": "1" * 200_000,
    "single digits": "1 " * 100_000,
    "half accounts": "ab12 " * 40_000,
    "accounts": "GB82 " * 40_000,
    "cards": "4111 1111 1111 1111, " * 9_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_of_200_kilobytes_takes_less_than_a_second_for_all_kinds_together(text: str) -> None:
    assert takes_at_most(1.0, lambda: mask_text(text, ALL))


def test_a_card_among_very_many_numbers_is_not_let_through() -> None:
    text = "1 " * 250_000 + "4111111111111111"
    assert "4111111111111111" not in mask_text(text, CARD).text
