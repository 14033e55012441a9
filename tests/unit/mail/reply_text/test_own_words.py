"""No word of the customer is lost with a rule, a signature or a quote; legal notices are."""

from __future__ import annotations

import time

import pytest
from postroom.mail.reply_text.reply import reply_text

_SENT = "shop@example.org"
_QUOTE = f"On Mon, 5 Feb 2024 at 10:43, Shop <{_SENT}> wrote:\n> Which lamp?\n> Kind regards"
_UNMARKED = (
    f"From: Shop <{_SENT}>\nSent: Monday, 5 February 2024 10:43\nTo: Ann\nSubject: Your lamp\n\nDear Ann,\n"
    "1. What is your customer number?\nIt is 12345.\n2. Which lamp?\nThe green one.\n"
)

WHOLE = {
    "parts set off by dashes": "Dear team,\n\nhere is what happened.\n\n-----\n\nOn Monday the parcel came and it was "
    "open.\nThe glass was broken.\n\n-----\n\nPlease send a new one.\n\nAnn",
    "parts set off by stars": "Two questions:\n\n***\n\nWhere is my parcel?\n\n***\n\nWhen do I get my money?",
    "parts set off by a long dash": "Two things.\n\n—\n\nFirst, the lamp that you sent is broken.\n\n—\n\nSecond, send "
    "a new one, please.",
    "headings": "Summary\n\n=====\n\nThe app stops when I open it.\n\n=====\n\nDetails\n\nI use version 3.",
    "a rule above the question": "I bought a lamp.\n________________________________\nWhere can I return it?",
    "a table": "My order:\n\nArticle        Count\n----------------------\nLamp               2\n\nIs that in stock?",
    "steps": "Steps:\n\n1. open\n----\n2. close\n----\n3. it stops\n\nWhy?",
    "a passage between stars": "The law:\n\n*****\nA seller takes goods back in a fortnight.\n*****\n\nDo so, please.",
    "Chinese below a rule": "您好，我的订单还没有到。\n\n------\n\n请问什么时候可以发货？我等了很久。",
    "markdown": "Here is what I found:\n\n## Points\n----\n\n1. It is faster\n2. It is smaller\n\n----\n\nThe dashes "
    "above are mine.",
    "what you wrote on a day": "Hello,\n\nOn 5 May 2026 you wrote:\n\nWe will pay the money back.\n\nIt has not come.",
    "what you wrote, in German": "Hallo,\n\nam 5. Mai 2026 haben Sie geschrieben:\n\nEs kommt.\n\nEs ist nicht da.",
    "what somebody said in a year": "In 2024 your colleague said:\n\nFive years.\n\nIs that true?",
    "sent by courier": "The lamp is on its way.\n\nSent by courier yesterday.\n\nTell me when it is there.",
    "sent, in Spanish": "Hola,\n\nEnviado con DHL el lunes.\n\nSaludos",
    "sent, in German": "Das Paket ist unterwegs.\n\nGesendet mit DHL am Montag.\n\nViele Grüße",
    "a wish to be left alone": "Hello,\n\nplease unsubscribe me from your mailing list. I never asked for it.\n\nAnn",
    "a secret": "Hello,\n\nThis message is confidential, please show it to nobody.\n\nI want to go.\n\nAnn",
    "a secret at the end": "Hello,\n\nplease cancel.\n\nThis email is confidential. Do not tell my firm about it.",
    "a secret, without a person": "Hallo,\n\nich gehe.\n\nDiese Nachricht bitte vertraulich behandeln.",
    "a secret in French": "Bonjour,\n\nje pars.\n\nCe message est confidentiel, merci de ne rien dire au bureau.",
    "a secret in Polish": "Dzień dobry,\n\nodchodzę.\n\nTa wiadomość jest poufna, proszę nie dzwonić do pracy.",
    "a secret in Chinese": "您好，\n\n我要退货。\n\n本邮件内容请保密，不要打电话到公司。",
    "a parcel that nobody took": "Hola,\n\nno llegó.\n\nEste mensaje apareció: destinatario ausente. ¿Y ahora?",
    "a mailing list": "Hi,\n\nnew job.\n\nThis mail is to ask you to strike me from the mailing list.",
    "a mail that reached somebody else": "Hello,\n\nno lamp here.\n\nThis message reached me in error, I am not the "
    "intended recipient.",
    "a parcel at somebody else's": "Bonjour,\n\nrien reçu.\n\nCe message est arrivé par erreur chez un autre "
    "destinataire. Merci de corriger.",
    "a web form with little in it": "A message came in.\n\nFrom: ann@example.com\nSubject: Lamp\nPhone: 030 1\n"
    "Message: It is broken.",
    "an address in a frame": "Please send it to:\n\n----\nAnn Example\n1 Lamp Street\nLeeds\nPhone 0113 496 0000",
    "a number below a rule": "您好，请改地址：\n----\n北京市朝阳区建国路88号\n李明 13800138000",
    "sent from a place": "It was broken.\n\nSent from my shop in Leeds on Monday\n\nPlease send a new one.",
    "a question about an app": "Hi\n\nGet Outlook for iOS does not open on the phone. Help?",
    "what somebody wrote to the writer": "Hallo,\n\nam 3.5.2026 um 10:30 schrieb mir Frau Klein:\nEs kommt. Nichts.",
    "what a colleague wrote": "Bonjour,\n\nle 3 mai 2026 à 10:30 votre collègue a écrit :\nIl arrive. Rien.",
    "the head of a letter": "Hello,\n\nFrom: Ann Example\nTo: Complaints\nSubject: broken lamp\n\nI want a new one.",
    "a web form": "A message came in.\n\nName: Ann\nFrom: ann@example.com\nSubject: Lamp\nDate: 5 May 2026 10:43\n"
    "Message: It is broken.\n\nI want a new one.",
    "a web form in German": "Neue Anfrage\n\nVon: ann@example.com\nBetreff: Lampe\nDatum: 5.5.2026\nTelefon: 030\n\n"
    "Nachricht:\nSie ist kaputt.",
    "a flight with its times": "My flight:\n\nFrom: London 10:43\nTo: Leeds 13:55\nDate: 5 May 2026\n\nChange it.",
    "a train in German": "Hallo,\n\nVon: Berlin 10:43\nAn: Ulm 14:55\nDatum: 5.5.2026\n\nDer Zug fiel aus.",
    "what was written when": "5.5.2026 10:43 I wrote to you:\nbroken\n6.5.2026 11:00 you wrote:\nwait\n\nNothing",
    "a list with marks of a quote": "Two faults:\n> no light\n> too loud",
    "small words below a rule": "Hi\n\n---\n\ncan you help",
    "Japanese between rules": "お世話になっております。\n\n=====\n注文番号: 123\n=====\n\nまだ届きません。",
    "Thai below a rule": "สวัสดีครับ\n\n----\n\nโคมไฟของฉันเสีย กรุณาส่งอันใหม่ครับ",
    "a log": "The log says:\n\n> ERROR 12\n> ERROR 13\n\nWhat is this?",
}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE.keys())
def test_a_letter_stays_whole(text: str) -> None:
    assert reply_text(text, subject="Re: Your lamp") == text


@pytest.mark.parametrize(
    "below",
    [
        pytest.param("The green one that I bought in May, please.\n\nAnn", id="a sentence"),
        pytest.param("Ist sie noch da?", id="a question"),
        pytest.param("我要绿色的那一个，谢谢您的帮助。", id="a sentence in Chinese"),
        pytest.param("Please take the one with the green shade and\nsend it to my sister in Leeds", id="no full stop"),
    ],
)
def test_an_answer_below_the_quote_stays_with_the_words_above(below: str) -> None:
    said = reply_text(f"Thanks for asking.\n\n{_QUOTE}\n\n{below}\n")
    assert said.startswith("Thanks for asking.")
    assert said.endswith(below)


@pytest.mark.parametrize("mark", ["P.S.", "PS:", "P. S.", "P.D.", "П.С."])
def test_a_postscript_below_the_signature_stays(mark: str) -> None:
    said = reply_text(
        f"The lamp is broken.\n\n-- \nAnn\n+49 30 1234567\n\n{mark} I need the bill as well.\n\n{_QUOTE}\n"
    )
    assert f"{mark} I need the bill as well." in said
    assert "Which lamp?" not in said


@pytest.mark.parametrize("signature", ["", "\n\n-- \nAnn\n+49 30 1234567"], ids=["bare", "signed"])
@pytest.mark.parametrize(
    "hint",
    [
        "Hello, see my answers below in red.",
        "Meine Antworten siehe unten.",
        "Mes réponses ci-dessous.",
        "Respuestas más abajo.",
        "Please see inline.",
    ],
)
def test_answers_within_an_unmarked_quote_are_kept_where_the_words_above_point_to_them(
    hint: str, signature: str
) -> None:
    said = reply_text(f"{hint}{signature}\n\n{_UNMARKED}", subject="Re: Your lamp")
    assert "It is 12345." in said
    assert "The green one." in said


def test_an_unmarked_quote_goes_where_nothing_points_to_it() -> None:
    assert reply_text(f"Thank you.\n\n{_UNMARKED}", subject="Re: Your lamp") == "Thank you."


OWN = "The lamp is broken.\n\nKind regards\nAnn"
NOTICES = {
    "English": "This e-mail and any attachments are confidential and intended solely for the addressee.",
    "English in lines": "The information contained in this message may be\nconfidential. If you are not the intended\n"
    "recipient, delete it.",
    "German": "Diese E-Mail enthält vertrauliche Informationen. Sind Sie nicht der richtige Adressat, löschen Sie sie.",
    "French": "Ce message et ses pièces jointes sont confidentiels et réservés à leur destinataire.",
    "Spanish": "Este mensaje es confidencial y va dirigido a su destinatario.",
    "Italian": "Questo messaggio è riservato al destinatario.",
    "Russian": "Это сообщение содержит конфиденциальную информацию.",
    "Dutch": "Dit bericht is vertrouwelijk en alleen bestemd voor de geadresseerde.",
    "Swedish": "Detta meddelande är konfidentiellt och endast avsett för mottagaren.",
    "Danish": "Denne e-mail er fortrolig og kun til modtageren. Har du modtaget den ved en fejl, bedes du slette den.",
    "Finnish": "Tämä viesti on luottamuksellinen ja tarkoitettu vain vastaanottajalle.",
    "Polish": "Niniejsza wiadomość jest poufna i przeznaczona wyłącznie dla adresata.",
    "Czech": "Tato zpráva je důvěrná a je určena pouze adresátovi.",
    "Hungarian": "Ez az üzenet bizalmas, és kizárólag a címzettnek szól.",
    "Romanian": "Acest mesaj este confidențial și este destinat exclusiv destinatarului.",
    "Turkish": "Bu e-posta gizlidir ve yalnızca alıcısı içindir.",
    "Chinese": "本邮件含有保密信息，仅供收件人使用。",
    "Japanese": "このメールには機密情報が含まれています。宛先以外の方は削除してください。",
    "Korean": "이 메일은 기밀 정보를 포함하고 있으며 수신인만 볼 수 있습니다.",
    "a scanner's": "This email has been scanned for viruses by Example.",
    "under a heading": "Disclaimer\n\nThe information contained in this communication is confidential.\n\nThis email "
    "has been scanned for viruses by Example Ltd.",
    "under a rule, in paragraphs": "__________\nThis e-mail is confidential.\n\nPlease tell us if you are not the "
    "intended recipient and delete it then.",
    "a list's": "-- \nYou received this message because you are subscribed to the group.\nTo unsubscribe, write to us.",
    "a firm's": "_____________________\nBob Beispiel\nBeispiel GmbH\nHauptstr. 1, 12345 Stadt\nTel. +49 30 123456\n"
    "Geschäftsführer: Max Muster\nAmtsgericht Stadt HRB 1234",
    "a thought for trees": "------\nBob Smith | Example Ltd\nPlease consider the environment before printing.",
    "a name under a long dash": "—\nAnn Example\nHead of lamps at Example",
}


@pytest.mark.parametrize("quote", ["", f"\n\n{_QUOTE}", f"\n\n{_UNMARKED}"], ids=["new", "marked", "unmarked"])
@pytest.mark.parametrize("notice", NOTICES.values(), ids=NOTICES.keys())
def test_a_notice_at_the_end_is_removed(notice: str, quote: str) -> None:
    assert reply_text(f"{OWN}\n\n{notice}{quote}\n", subject="Re: Your lamp") == OWN


INTRODUCTIONS = {
    "an address on a line of its own that begins with a letter": "On Mon, Feb 5, 2024 at 10:43 AM The Shop <\n"
    "a-long-automatic-address+12345@example.org> wrote:",
    "an address like a date": "On Nov 30, 2024, at 12:47 PM, S <\n416ffd3258d4d1721d66e3@example.org>\nwrote:",
    "no verb, broken in the address": "2024-02-05 10:43 GMT+01:00 Shop <\nshop@example.org>:",
    "dashes on both sides": "---- Shop wrote ----",
    "dashes and a date": "------On 02/05/2024 10:43 AM, Shop wrote-----",
    "a header that begins with the day, in French": f'Message du : 05/02/2024 10:43\nDe : "Shop" <{_SENT}>\nA : '
    "ann@example.com\nObjet : Lampe",
    "a reply's title in German": "-----Antwort Nachricht-----",
}


@pytest.mark.parametrize("introduction", INTRODUCTIONS.values(), ids=INTRODUCTIONS.keys())
def test_an_introduction_goes_whole(introduction: str) -> None:
    assert reply_text(f"Tuesday is fine.\n\n{introduction}\n\n> Dear Ann,\n> when?\n") == "Tuesday is fine."


def test_an_attribution_behind_the_answer_leaves_the_answer() -> None:
    text = f"Yes.\nTuesday is fine - really--- On Mon, Feb 5, 2024 at 10:43 AM, Shop <{_SENT}> wrote:\n> when?"
    assert reply_text(text) == "Yes.\nTuesday is fine - really"


def test_lines_that_may_hold_an_attribution_are_read_at_once() -> None:
    started = time.process_time()
    plain = "and so on 1 " * 32 + "wrote: x\n"
    for _ in range(200):
        reply_text("- On Mon 1 wrote: x\n" + plain * 20)
    usual = time.process_time() - started
    hostile = "On Mon 1 " * 42 + "wrote: x\n"
    started = time.process_time()
    for _ in range(200):
        reply_text("- On Mon 1 wrote: x\n" + hostile * 20)
    assert time.process_time() - started < 20 * usual


@pytest.mark.parametrize("broken", [" (https://example.org/a/b) >", "rest=of-the-link)"], ids=["a link", "its rest"])
def test_a_link_that_was_broken_out_of_the_quote_is_no_answer(broken: str) -> None:
    text = f"Yes.\n\n{_QUOTE}\n> see (https://example.org/a?\n{broken}\n> Shop\n"
    assert reply_text(text) == "Yes."
