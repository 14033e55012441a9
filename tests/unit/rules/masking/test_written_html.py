"""A number is masked in the HTML that a person writes also where what stands between its digits is not shown."""

from __future__ import annotations

import pytest
from postroom.rules.masking.mask import MaskingRule, compile_patterns
from postroom.rules.masking.outbound import mask_recipient, mask_written_html
from postroom.rules.masking.written_html import without_hidden

from tests.support.processor_time import takes_at_most

PATTERNS = compile_patterns(
    [MaskingRule(name="cards", kind="card"), MaskingRule(name="numbers", pattern=r"\b\d{10}\b", spaced=False)]
)
STYLE = "<style>b.x, td .preview { color: red; FONT-SIZE: 0 } #top{display:none}</style>"

SPLIT = {
    "display": '<p>4111<i style="display:none">x</i>1111 1111 1111</p>',
    "a-digit": "<p>4111<i style='color:red; display : none !important'>9</i>1111 1111 1111</p>",
    "size": '<p>4111<span style="font-size:0px">and</span>1111 1111 1111</p>',
    "hidden": "<p>4111<span hidden>and</span>1111 1111 1111</p>",
    "class": f'{STYLE}<p>4111<i class="a preview">and</i>1111 1111 1111</p>',
    "id": f"{STYLE}<p>4111<i id=top>and</i>1111 1111 1111</p>",
    "nested": '<p>4111<i style="visibility:hidden">x<b>y<br>z</b><!-- </i> -->q</i>1111 1111 1111</p>',
    "of-ten-digits": '<p>12345<span style="mso-hide:all">x</span>67890</p>',
    "drawing": "<svg><text>4111<tspan>1111</tspan>1111 1111</text></svg>",
    "fall-back": "<noscript>4111<b>1111</b>1111 1111</noscript>",
    "inside-what-is-hidden": '<p>Yes<i style="display:none">4111 1111 1111 1111</i></p>',
    "in-parts-inside-what-is-hidden": "<p>Yes<i hidden>4111<b>1111</b>1111 1111</i></p>",
}


@pytest.mark.feature("C15")
@pytest.mark.parametrize("written", SPLIT.values(), ids=SPLIT.keys())
def test_a_number_is_masked_whatever_hides_between_its_digits(written: str) -> None:
    masked = mask_written_html(written, PATTERNS)
    assert masked.hits
    assert not any(digit in masked.text for digit in "123456789")


SHOWN = {
    "nothing-hidden": '<p style="font-size:10px; opacity:0.5">4111<i style="display:inline">x</i>1111</p>',
    "never-closed": '<p>4111<i style="display:none">x<p>all the rest',
    "a-word": "<p>The hidden <b>treasure</b></p>",
    "another-attribute": '<p data-hidden="1" title="hidden">Yes</p>',
}


@pytest.mark.parametrize("written", SHOWN.values(), ids=SHOWN.keys())
def test_what_is_shown_is_not_taken_out(written: str) -> None:
    assert without_hidden(written) == written


def test_html_with_something_hidden_and_nothing_to_mask_leaves_as_it_was_written() -> None:
    written = '<div style="display:none">Order 12 is on its way</div><p>Order 12</p>'
    assert mask_written_html(written, PATTERNS).text == written


RECIPIENTS = {
    "name": ("Card 4111 1111 1111 1111 <ann@example.org>", '"Card **** **** **** ****" <ann@example.org>'),
    "quoted": ('"a \\" 4111111111111111" <ann@example.org>', '"a \\" ****************" <ann@example.org>'),
    "encoded": ("=?utf-8?q?4111_1111_1111_1111?= <ann@example.org>", '"**** **** **** ****" <ann@example.org>'),
    "comment": ("ann@example.org (4111 1111 1111 1111)", '"**** **** **** ****" <ann@example.org>'),
    "nothing": ("Ann <ann@example.org>", "Ann <ann@example.org>"),
    "address": ("4111111111111111@example.org", "4111111111111111@example.org"),
}


@pytest.mark.feature("C15")
@pytest.mark.parametrize(("written", "sent"), RECIPIENTS.values(), ids=RECIPIENTS.keys())
def test_the_name_of_a_recipient_is_masked_and_its_address_stays(written: str, sent: str) -> None:
    assert mask_recipient(written, PATTERNS).text == sent


HOSTILE = {
    "quotes": '<a "' * 100_000,
    "tags": '<a style="display:none"' * 20_000,
    "deep": '<i style="display:none">' + "<b>" * 100_000 + "</q>" * 10,
    "many": "<i hidden><b></i>" * 30_000,
    "selectors": "<style>" + "a," * 150_000 + " hidden",
    "braces": "<style>" + "{}" * 150_000 + " hidden",
    "comments": "<i hidden><!--" * 40_000,
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_html_takes_long_to_be_searched_for_what_is_hidden(hostile: str) -> None:
    assert takes_at_most(1.0, lambda: without_hidden(hostile))
