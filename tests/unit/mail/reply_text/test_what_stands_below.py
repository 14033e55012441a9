"""What stands below the writer's own words: forms, addresses, answers in an unmarked quote, and marked signatures.

The family: text that used to go with a rule, a quote or a signature although nothing showed that it was one.
"""

from __future__ import annotations

import pytest
from postroom.mail.reply_text.marked import marked_lines
from postroom.mail.reply_text.reply import reply_text

_UNMARKED = (
    "From: Shop <shop@example.org>\nSent: Monday, 5 February 2024 10:43\nTo: Ann\nSubject: Your lamp\n\n"
    "Which colour?\nThe green one, and by Friday.\n"
)
_MARKED = "On Mon, 5 Feb 2024 at 10:43, Shop <shop@example.org> wrote:\n> Which colour?\n> Green, by Friday.\n"


@pytest.mark.parametrize(
    "own",
    [
        "See below.",
        "please see below",
        "Siehe unten.",
        "Hallo,\n\nAntworten stehen unten.\n\nMit freundlichen Grüßen\nAnn Example",
        "Voir ci-dessous",
        "Ver abajo",
        "Vedi sotto.",
        "Veja abaixo.",
        "Zie hieronder.",
        "Se nedan.",
        "Se nedenfor",
        "Katso alta.",
        "Patrz poniżej.",
        "Viz níže.",
        "См. ниже",
        "Lásd alább.",
        "Vezi mai jos.",
        "Aşağıda.",
        "Δείτε παρακάτω.",
        "ראה למטה",
        "انظر أدناه",
        "xem bên dưới",
        "下記の通りです",
        "如下",
        "아래 참조",
        "Hi Bob,",
        "Dear Shop,\n\nKind regards\nAnn Example",
        "Best,\nAnn",
        "Ann",
    ],
)
def test_where_the_own_words_only_point_greet_or_sign_everything_stays(own: str) -> None:
    said = reply_text(f"{own}\n\n{_UNMARKED}", subject="Re: Your lamp", writer="Ann Example")
    assert "The green one, and by Friday." in said


@pytest.mark.parametrize(
    "own",
    [
        "Thank you.",
        "Tack alla",
        "Ci vediamo alla riunione",
        "In line with that, yes.",
        "Mercredi suivant.",
        "Yes, please.",
        "OK",
        "Merci beaucoup",
        "Am Dienstag.",
        "Bob",
    ],
)
def test_short_words_that_say_something_stand_alone(own: str) -> None:
    assert reply_text(f"{own}\n\n{_UNMARKED}", subject="Re: Your lamp", writer="Ann Example") == own


def test_a_pointer_keeps_a_marked_quote_too_and_a_greeting_does_not() -> None:
    assert "Green, by Friday." in reply_text(f"See below.\n\n{_MARKED}")
    assert reply_text(f"Hi Bob,\n\n{_MARKED}") == "Hi Bob,"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "New enquiry from the portal\n\n------------\n\nName: Ann Example\nPhone: 030 123456\n"
            "E-Mail: ann@example.com\n\n------------\n\nCar: Model 7, 12.900 EUR",
            id="a form in sections",
        ),
        pytest.param(
            "Neue Bestellung\n\n____________\n\nTelefon: 030 123456\nE-Mail: ann@example.com\n\n____________\n\n"
            "2 x Lampe, grün\n1 x Schirm",
            id="an order below a contact",
        ),
        pytest.param(
            "Please send the lamp to the address below.\n\n---\nAnn Example\n5 Main Street\nLeeds LS1 1AA",
            id="an address that is pointed to",
        ),
        pytest.param(
            "Bitte an die untenstehende Adresse liefern.\n\n-- \nAnn Example\nHauptstr. 5\n12345 Stadt",
            id="an address below a signature's dashes",
        ),
        pytest.param(
            "Please use the following address\n\n---\nAnn Example\n5 Main Street", id="an address that is announced"
        ),
        pytest.param(
            "Please refund me.\n\n----\nIBAN: DE02120300000000202051\nBIC: BYLADEM1001",
            id="bank details",
        ),
        pytest.param("Moving house\n\n---\n5 Main Street\nLeeds LS1 1AA\n0044", id="a place"),
        pytest.param(
            "Please change my booking.\n\n-- \nName: Ann Example\nMessage: two nights more\nPhone: 030 1",
            id="a web form below dashes",
        ),
    ],
)
def test_what_shows_no_footer_is_kept_below_a_rule(text: str) -> None:
    assert reply_text(text, subject="Your lamp") == text


@pytest.mark.parametrize(
    "footer",
    [
        pytest.param("----\nAnn Example\nHead of lamps", id="names alone"),
        pytest.param("____\nAnn Example\n5 Main Street\nLeeds LS1 1AA", id="the writer and an address"),
        pytest.param("____\nLamps Ltd\nTel: 0113 496 0000\nFax: 0113 496 0001", id="labels of contact"),
        pytest.param("____\nLamps GmbH\nIBAN: DE02\nBIC: BYL\nAmtsgericht Stadt HRB 12", id="a firm's bank"),
        pytest.param("-- \nAnn\nPosition: Head of lamps\nTel: 0113 496 0000", id="a signature with labels"),
    ],
)
def test_a_footer_that_shows_one_is_removed(footer: str) -> None:
    assert reply_text(f"The lamp is broken.\n\n{footer}", writer="Ann Example") == "The lamp is broken."


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my garden, it is even better than my desk in town.",
        "Sent from my phone the picture never arrived at your desk.",
        "Sent from the shop in Leeds to the one in York on Monday morning",
        "Gesendet von meinem Nachbarn, der hat es auch nicht bekommen.",
    ],
)
def test_a_sentence_that_begins_like_a_mobile_signature_stays(line: str) -> None:
    text = f"I like the lamp.\n\n{line}"
    assert reply_text(text) == text


@pytest.mark.parametrize(
    "line",
    ["Sent from my iPhone", "Sent from my cell, please excuse any typos.", "Sent from my Pixel. Sorry for typos."],
)
def test_a_mobile_signature_goes(line: str) -> None:
    assert reply_text(f"I like the lamp.\n\n{line}") == "I like the lamp."


@pytest.mark.parametrize(
    "title", ["-------- Message passed on --------", "====== Pasirinktas laiškas ======", "~~ Weiter ~~"]
)
def test_a_title_of_unknown_words_is_not_the_writers_own(title: str) -> None:
    quoted = "Subject: Lamp\nDate: Wed, 3 Nov 2021 15:51:30 +0100\nFrom: Bob <bob@example.com>\n\nWhere is my lamp?"
    assert "Where is my lamp?" in reply_text(f"{title}\n{quoted}")
    assert reply_text(f"Please answer him.\n\n{title}\n{quoted}") == "Please answer him."


SIGNED = {
    "gmail": '<div dir="ltr">Please call me.</div><div class="gmail_signature"><p>Ann, Head of lamps</p></div>',
    "gmail with its dashes": '<div>Please call me.</div><span class="gmail_signature_prefix">-- </span><br>'
    '<div dir="ltr" class="gmail_signature" data-smartmail="gmail_signature"><div>Ann</div>Head of lamps</div>',
    "outlook": '<div>Please call me.</div><div id="Signature"><p>Ann</p><p>Head of lamps</p></div>',
    "outlook for phones": '<div>Please call me.</div><div id="ms-outlook-mobile-signature">Ann<br>Lamps</div>',
    "apple": '<div>Please call me.</div><div id="AppleMailSignature" dir="ltr">Ann<br>Lamps</div>',
    "apple's break": '<div dir="ltr">Please call me.</div><br id="lineBreakAtBeginningOfSignature">'
    '<div dir="ltr">Ann<br>Lamps</div><div dir="ltr"><br><blockquote type="cite">Hi</blockquote></div>',
    "thunderbird": '<p>Please call me.</p><div class="moz-signature">Ann<br>Lamps</div>',
}


@pytest.mark.parametrize("html", SIGNED.values(), ids=SIGNED.keys())
def test_a_signature_that_the_client_marks_goes(html: str) -> None:
    from postroom.mail.html.as_text import to_text
    from postroom.mail.html.sanitiser import sanitise

    text = to_text(sanitise(html).html)
    assert reply_text(text, marked=tuple(marked_lines(html))) == "Please call me."


def test_a_mark_in_the_html_counts_in_the_plain_text_beside_it() -> None:
    marks = tuple(marked_lines(SIGNED["outlook"]))
    assert reply_text("Please call me.\n\nAnn\n\nHead of lamps\n", marked=marks) == "Please call me."


@pytest.mark.parametrize(
    "html",
    [
        pytest.param('<div class="gmail_signature">Please call me.</div>', id="nothing else is there"),
        pytest.param('<p>Hello</p><div id="Signature">Can you call me?</div>', id="a question was typed into it"),
        pytest.param(
            '<p>Yes</p><blockquote><div class="gmail_signature">Yes</div></blockquote>', id="it is the quoted mail's"
        ),
        pytest.param('<p>Yes</p><div class="gmail_signature">Yes', id="it never ends"),
    ],
)
def test_words_are_kept_where_a_mark_may_be_wrong(html: str) -> None:
    from postroom.mail.html.as_text import to_text
    from postroom.mail.html.sanitiser import sanitise

    text = to_text(sanitise(html).html)
    said = reply_text(text, marked=tuple(marked_lines(html)))
    assert said.split() == text.split() or said == "Yes"


def test_the_header_that_outlook_marks_begins_the_quote_in_any_language() -> None:
    html = (
        '<p>Please handle.</p><div id="divRplyFwdMsg"><b>Lähtekoht:</b> Ann &lt;ann@example.com&gt;<br>'
        "<b>Aeg:</b> 5.2.2024</div><p>Where is my lamp?</p>"
    )
    marks = tuple(marked_lines(html))
    text = "Please handle.\n\nLähtekoht: Ann <ann@example.com>\nAeg: 5.2.2024\n\nWhere is my lamp?"
    assert reply_text(text, subject="Re: Lamp", marked=marks) == "Please handle."
