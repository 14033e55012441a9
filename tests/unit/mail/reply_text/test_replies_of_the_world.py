"""Replies as clients write them, whole: what remains is what the person wrote."""

from __future__ import annotations

import pytest
from postroom.mail.html.sanitiser import sanitise, to_text
from postroom.mail.reply_text.reply import reply_text

_SENT = "service@example.org"

# The answer in the customer's language, and what stands under it.
REPLIES: dict[str, tuple[str, str]] = {
    "gmail-en-us": (
        "Yes, Tuesday works.",
        f"On Mon, Nov 2, 2026 at 9:00 AM Service <{_SENT}> wrote:\n\n> Dear Ann,\n> when?",
    ),
    "gmail-de": (
        "Ja, Dienstag passt.",
        f"Am Mo., 2. Nov. 2026 um 09:00 Uhr schrieb Service <{_SENT}>:\n\n> Hallo,\n> wann?",
    ),
    "gmail-fr": (
        "Oui, mardi me va.",
        f"Le lun. 2 nov. 2026 à 09:00, Service <{_SENT}> a écrit :\n\n> Bonjour,\n> quand ?",
    ),
    "gmail-es": (
        "Sí, el martes.",
        f"El lun, 2 nov 2026 a las 9:00, Service (<{_SENT}>) escribió:\n\n> Hola,\n> ¿cuándo?",
    ),
    "gmail-it": (
        "Sì, martedì.",
        f"Il giorno lun 2 nov 2026 alle ore 09:00 Service <{_SENT}> ha scritto:\n\n> Salve,\n> quando?",
    ),
    "gmail-pt": ("Sim, terça.", f"Service <{_SENT}> escreveu (segunda, 2/11/2026 à(s) 09:00):\n\n> Olá,\n> quando?"),
    "gmail-pt-br": (
        "Pode ser terça.",
        f"Em seg., 2 de nov. de 2026 às 09:00, Service <{_SENT}> escreveu:\n\n> Olá,\n> quando?",
    ),
    "gmail-nl": ("Ja, dinsdag kan.", f"Op ma 2 nov 2026 om 09:00 schreef Service <{_SENT}>:\n\n> Hallo,\n> wanneer?"),
    "gmail-pl": (
        "Tak, wtorek pasuje.",
        f"pon., 2 lis 2026 o 09:00 Service <{_SENT}> napisał(a):\n\n> Dzień dobry,\n> kiedy?",
    ),
    "gmail-cs": ("Ano, úterý.", f"po 2. 11. 2026 v 9:00 odesílatel Service <{_SENT}> napsal:\n\n> Dobrý den,\n> kdy?"),
    "gmail-sv": ("Ja, tisdag går bra.", f"Den mån 2 nov. 2026 kl 09:00 skrev Service <{_SENT}>:\n\n> Hej,\n> när?"),
    "gmail-da": (
        "Ja, tirsdag passer.",
        f"Den man. 2. nov. 2026 kl. 09.00 skrev Service <{_SENT}>:\n\n> Hej,\n> hvornår?",
    ),
    "gmail-no": ("Ja, tirsdag.", f"man. 2. nov. 2026 kl. 09:00 skrev Service <{_SENT}>:\n\n> Hei,\n> når?"),
    "gmail-fi": (
        "Kyllä, tiistai käy.",
        f"ma 2. marrask. 2026 klo 9.00 Service <{_SENT}> kirjoitti:\n\n> Hei,\n> milloin?",
    ),
    "gmail-hu": (
        "Igen, kedd jó.",
        f"Service <{_SENT}> ezt írta (időpont: 2026. nov. 2., H, 9:00):\n\n> Üdv,\n> mikor?",
    ),
    "gmail-ro": ("Da, marți.", f"lun., 2 nov. 2026, 09:00 Service <{_SENT}> a scris:\n\n> Bună,\n> când?"),
    "gmail-tr": (
        "Evet, salı olur.",
        f"Service <{_SENT}>, 2 Kas 2026 Pzt, 09:00 tarihinde şunu yazdı:\n\n> Merhaba,\n> ne zaman?",
    ),
    "gmail-ru": (
        "Да, вторник подходит.",
        f"пн, 2 нояб. 2026 г. в 09:00, Service <{_SENT}>:\n\n> Здравствуйте,\n> когда?",
    ),
    "gmail-uk": ("Так, у вівторок.", f"пн, 2 лист. 2026 р. о 09:00 Service <{_SENT}> пише:\n\n> Вітаю,\n> коли?"),
    "gmail-el": (
        "Ναι, την Τρίτη.",
        f"Στις Δευ 2 Νοε 2026 στις 9:00 π.μ., ο χρήστης Service <{_SENT}> έγραψε:\n\n> Γεια,\n> πότε;",
    ),
    "gmail-ja": (
        "火曜日で大丈夫です。",
        f"2026年11月2日(月) 9:00 Service <{_SENT}>:\n\n> お世話になっております。\n> いつですか。",
    ),
    "gmail-zh": ("星期二可以。", f"Service <{_SENT}> 于2026年11月2日周一 09:00写道：\n\n> 您好，\n> 什么时候？"),
    "gmail-zh-tw": (
        "星期二可以。",
        f"Service <{_SENT}> 於 2026年11月2日 週一 上午9:00寫道：\n\n> 您好，\n> 什麼時候？",
    ),
    "gmail-ko": (
        "화요일 괜찮습니다.",
        f"2026년 11월 2일 (월) 오전 9:00, Service <{_SENT}>님이 작성:\n\n> 안녕하세요,\n> 언제?",
    ),
    "gmail-he": (
        "כן, יום שלישי.",
        f"\u202bבתאריך יום ב׳, 2 בנוב׳ 2026 ב-9:00 מאת \u202aService\u202c\u200f <\u202a{_SENT}\u202c\u200f>:"
        "\u202c\n\n> שלום,\n> מתי?",
    ),
    "gmail-ar": (
        "نعم، الثلاثاء.",
        f"في الاثنين، 2 نوفمبر 2026 في 9:00 ص تمت كتابة ما يلي بواسطة Service <{_SENT}>:\n\n> مرحبا،\n> متى؟",
    ),
    "apple-en": (
        "Tuesday is fine.",
        "> On 2 Nov 2026, at 09:00, Service <service@example.org> wrote:\n> \n> Dear Ann,\n> when?",
    ),
    "apple-de-iphone": (
        "Dienstag passt.\n\nVon meinem iPhone gesendet",
        f"> Am 02.11.2026 um 09:00 schrieb Service <{_SENT}>:\n> \n> ﻿Hallo,\n> wann?",
    ),
    "apple-fr-iphone": (
        "Mardi me va.\n\nEnvoyé de mon iPhone",
        f"> Le 2 nov. 2026 à 09:00, Service <{_SENT}> a écrit :\n> \n> Bonjour,\n> quand ?",
    ),
    "thunderbird-de": ("Dienstag passt.", "Am 02.11.2026 um 09:00 schrieb Service:\n> Hallo,\n> wann?"),
    "thunderbird-it": ("Martedì va bene.", "Il 02/11/2026 09:00, Service ha scritto:\n> Salve,\n> quando?"),
    "thunderbird-es": ("El martes.", "El 2/11/26 a las 9:00, Service escribió:\n> Hola,\n> ¿cuándo?"),
    "outlook-en": (
        "Tuesday is fine.",
        f"From: Service <{_SENT}>\nSent: Monday, November 2, 2026 9:00 AM\nTo: Ann <ann@example.com>\nSubject: "
        "Your contract\n\nDear Ann,\nwhen?",
    ),
    "outlook-de": (
        "Dienstag passt.",
        f"Von: Service <{_SENT}>\nGesendet: Montag, 2. November 2026 09:00\nAn: Ann <ann@example.com>\nBetreff: "
        "Ihr Vertrag\n\nHallo,\nwann?",
    ),
    "outlook-fr": (
        "Mardi me va.",
        f"De : Service <{_SENT}>\nEnvoyé : lundi 2 novembre 2026 09:00\nÀ : Ann <ann@example.com>\nObjet : Votre "
        "contrat\n\nBonjour,\nquand ?",
    ),
    "outlook-nl-rule": (
        "Dinsdag is goed.",
        f"________________________________\nVan: Service <{_SENT}>\nVerzonden: maandag 2 november 2026 09:00\n"
        "Aan: Ann\nOnderwerp: Contract\n\nHallo,\nwanneer?",
    ),
    "outlook-pl": (
        "Wtorek pasuje.",
        f"Od: Service <{_SENT}>\nWysłano: poniedziałek, 2 listopada 2026 09:00\nDo: Ann\nTemat: Umowa\n\nDzień "
        "dobry,\nkiedy?",
    ),
    "outlook-sv": (
        "Tisdag går bra.",
        f"Från: Service <{_SENT}>\nSkickat: den 2 november 2026 09:00\nTill: Ann\nÄmne: Avtal\n\nHej,\nnär?",
    ),
    "outlook-ja": (
        "火曜日で大丈夫です。",
        f"差出人: Service <{_SENT}>\n送信日時: 2026年11月2日 9:00\n宛先: Ann <ann@example.com>\n件名: 契約\n\n"
        "お世話になっております。",
    ),
    "outlook-zh": (
        "星期二可以。",
        f"发件人: Service <{_SENT}>\n发送时间: 2026年11月2日 9:00\n收件人: Ann\n主题: 合同\n\n您好，什么时候？",
    ),
    "outlook-original": (
        "Tuesday is fine.",
        f"-----Original Message-----\nFrom: Service <{_SENT}>\nSent: Monday\nTo: Ann\nSubject: Contract\n\nDear "
        "Ann,\nwhen?",
    ),
    "outlook-express-de": (
        "Dienstag passt.",
        f'----- Original Message ----- \nFrom: "Service" <{_SENT}>\n'
        'To: "Ann"\nSent: Monday, November 02, 2026 9:00 AM\nSubject: Vertrag\n\n> Hallo,\n> wann?',
    ),
    "lotus-en": (
        "Tuesday is fine.",
        f"From:   Service <{_SENT}>\nTo:     Ann <ann@example.com>\nDate:   02.11.2026 09:00\nSubject:        "
        "Contract\n\n\n\nDear Ann,\nwhen?",
    ),
    "yahoo-en": (
        "Tuesday is fine.",
        f"On Monday, November 2, 2026 at 09:00:00 AM GMT+1, Service <{_SENT}> wrote: \n\nDear Ann,\nwhen?",
    ),
    "android-de": (
        "Dienstag passt.",
        "Von meinem Samsung Galaxy Smartphone gesendet.\n\n-------- Ursprüngliche Nachricht --------\nVon: "
        f"Service <{_SENT}>\nDatum: 02.11.26 09:00 (GMT+01:00)\nAn: Ann\nBetreff: Vertrag\n\nHallo,\nwann?",
    ),
    "gmx-de": (
        "Dienstag passt.",
        "Gesendet: Montag, 02. November 2026 um 09:00 Uhr\n"
        f'Von: "Service" <{_SENT}>\nAn: ann@example.com\nBetreff: Vertrag\n\nHallo,\nwann?',
    ),
    "web.de-android": (
        "Dienstag passt.",
        "-- \nDiese Nachricht wurde von meinem Android Mobiltelefon mit WEB.DE Mail gesendet.\nAm 02.11.26, "
        f"09:00 schrieb Service <{_SENT}>:\n> Hallo,\n> wann?",
    ),
    "mail.ru": (
        "Вторник подходит.",
        f"Понедельник, 2 ноября 2026, 9:00 +03:00 от Service <{_SENT}>:\n \nЗдравствуйте, когда?",
    ),
    "yandex": ("Вторник подходит.", f'02.11.2026, 09:00, "Service" <{_SENT}>:\n\n> Здравствуйте,\n> когда?'),
    "qq": (
        "星期二可以。",
        "------------------ 原始邮件 ------------------\n"
        f'发件人: "Service"<{_SENT}>;\n发送时间: 2026年11月2日(星期一) 上午9:00\n'
        '收件人: "Ann";\n主题: 合同\n\n您好，什么时候？',
    ),
    "163": ("星期二可以。", f'At 2026-11-02 09:00:00, "Service" <{_SENT}> wrote:\n\n>您好，\n>什么时候？'),
    "protonmail": (
        "Tuesday is fine.",
        f"Sent with Proton Mail secure email.\n\nOn Monday, November 2nd, 2026 at 9:00 AM, Service <{_SENT}> "
        "wrote:\n\n> Dear Ann,\n> when?",
    ),
    "roundcube-fr": ("Mardi me va.", "Le 2026-11-02 09:00, Service a écrit :\n> Bonjour,\n> quand ?"),
    "zimbra-it": (
        "Martedì va bene.",
        f'----- Messaggio originale -----\nDa: "Service" <{_SENT}>\n'
        'A: "Ann" <ann@example.com>\nInviato: Lunedì, 2 novembre 2026 9:00:00\nOggetto: Contratto\n\nSalve, quando?',
    ),
    "bluemail": (
        "Tuesday is fine.",
        f"Get BlueMail for Android\nOn Nov 2, 2026, at 09:00, Service <{_SENT}> wrote:\n> Dear Ann,\n> when?",
    ),
}


@pytest.mark.parametrize("name", REPLIES)
def test_the_answer_alone_remains(name: str) -> None:
    answer, below = REPLIES[name]
    said = answer.split("\n\n")[0]
    assert reply_text(f"{answer}\n\n{below}\n", subject="Re: Your contract") == said


# What introduces the quoted mail; below it `> ` marks the quote, or nothing does.
INTRODUCTIONS: dict[str, str] = {
    "tuta": "2. Nov. 2026, 09:00 von service@example.org:",
    "gmail-hi": f"सोम, 2 नव॰ 2026 को 9:00 am बजे को Service <{_SENT}> ने लिखा:",
    "gmail-bn": f"সোম, ২ নভে, ২০২৬ তারিখে ৯:০০ AM টায় তারিখে Service <{_SENT}> লিখেছেন:",
    "gmail-ta": f"திங்., 2 நவ., 2026, முற்பகல் 9:00 அன்று, Service <{_SENT}> எழுதியது:",
    "gmail-fil": f"Noong Lun, Nob 2, 2026 nang 9:00 AM, isinulat ni Service <{_SENT}> ang:",
    "gmail-sw": f"Mnamo Jumatatu, 2 Novemba 2026, 9:00 Service <{_SENT}> aliandika:",
    "gmail-ka": f"ორშ, 2 ნოე. 2026, 9:00 Service <{_SENT}> წერს:",
    "gmail-mk": f"На пон., 2 ное. 2026 во 9:00 Service <{_SENT}> напиша:",
    "gmail-fa": f"در تاریخ دوشنبه ۲ نوامبر ۲۰۲۶،‏ ۹:۰۰ Service <{_SENT}> نوشت:",
    "gmail-lv": f"pirmd., 2026. g. 2. nov., plkst. 9:00 — lietotājs Service (<{_SENT}>) rakstīja:",
    "spark": f"On 2 Nov 2026, 09:00 +0100, Service <{_SENT}>, wrote:",
    "becky": f"On Mon, 02 Nov 2026 09:00:00 +0900\nService <{_SENT}> wrote:",
    "orange": f'> Message du 02/11/26 09:00\n> De : "Service" <{_SENT}>\n> A : ann@example.com\n> Objet : Contrat\n>',
    "t-online": f'-----Original-Nachricht-----\nBetreff: Vertrag\nDatum: 2026-11-02T09:00:00\nVon: "Service" <{_SENT}>',
    "seznam": f"---------- Původní e-mail ----------\nOd: Service <{_SENT}>\nKomu: ann@example.com\nPředmět: Smlouva",
    "outlook-hi": f"से: Service <{_SENT}>\nभेजा गया: 02 नवंबर 2026 09:00\nको: Ann\nविषय: अनुबंध",
    "outlook-eu": f"Nork: Service <{_SENT}>\nBidaltze-data: 2026-11-02 09:00\nNori: Ann\nGaia: Kontratua",
}


@pytest.mark.parametrize("introduction", INTRODUCTIONS.values(), ids=INTRODUCTIONS.keys())
def test_the_quote_goes_with_its_introduction(introduction: str) -> None:
    text = f"Tuesday is fine.\n\nAnn\n\n{introduction}\n\n> Dear Ann,\n> when?\n"
    assert reply_text(text, subject="Re: Your contract") == "Tuesday is fine.\n\nAnn"


HTML_REPLIES: dict[str, str] = {
    "gmail": (
        "<div dir=ltr>Tuesday is fine.</div><br><div class=gmail_quote><div dir=ltr class=gmail_attr>On Mon, "
        "Nov 2, 2026 at "
        "9:00\u202fAM Service &lt;<a href='mailto:service@example.org'>service@example.org</a>&gt; "
        "wrote:<br></div><blockquote "
        "class=gmail_quote style='margin:0'>Dear Ann,<br>when?</blockquote></div>"
    ),
    "outlook-web": (
        "<div class=elementToProof>Tuesday is fine.</div><div id=appendonsend></div><hr style='width:98%'><div "
        "id=divRplyFwdMsg dir=ltr><font face=Calibri><b>From:</b> Service "
        "&lt;service@example.org&gt;<br><b>Sent:</b> Monday, "
        "November 2, 2026 9:00 AM<br><b>To:</b> Ann<br><b>Subject:</b> Contract</font></div><div>Dear "
        "Ann,<br>when?</div>"
    ),
    "outlook-desktop-de": (
        "<div class=WordSection1><p class=MsoNormal>Tuesday is fine.<o:p></o:p></p><p "
        "class=MsoNormal><o:p>&nbsp;</o:p></p><div>"
        "<div style='border:none;border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b>Von:</b> Service "
        "&lt;service@example.org"
        "&gt; <br><b>Gesendet:</b> Montag, 2. November 2026 09:00<br><b>An:</b> Ann<br><b>Betreff:</b> "
        "Vertrag</p></div></div>"
        "<p class=MsoNormal>Hallo,<br>wann?</p></div>"
    ),
    "apple": (
        "<html><body>Tuesday is fine.<br><div><br><blockquote type=cite><div>On 2 Nov 2026, at 09:00, Service &lt;<a "
        "href='mailto:service@example.org'>service@example.org</a>&gt; wrote:</div><br><div>Dear Ann, "
        "when?</div></blockquote>"
        "</div><br></body></html>"
    ),
    "thunderbird-fr": (
        "<p>Tuesday is fine.</p><div class=moz-cite-prefix>Le 02/11/2026 à 09:00, Service a "
        "écrit\u00a0:<br></div><blockquote "
        "type=cite cite='mid:x@example.org'><p>Bonjour, quand ?</p></blockquote>"
    ),
    "yahoo": (
        "<div>Tuesday is fine.</div><div><br></div><div id=yahoo_quoted_1 class=yahoo_quoted><div>On Monday, "
        "November 2, 2026 at "
        "09:00:00 AM GMT+1, Service &lt;service@example.org&gt; wrote:</div><div><br></div><div>Dear "
        "Ann,<br>when?</div></div>"
    ),
    "gmx-de": (
        "<div>Tuesday is fine.</div><div>&nbsp;<div name=quote "
        "style='margin:10px'><div><b>Gesendet:</b>&nbsp;Montag, 02. "
        "November 2026 um 09:00 Uhr<br><b>Von:</b>&nbsp;&quot;Service&quot; "
        "&lt;service@example.org&gt;<br><b>An:</b>&nbsp;"
        "ann@example.com<br><b>Betreff:</b>&nbsp;Vertrag</div><div>Hallo,<br>wann?</div></div></div>"
    ),
}


@pytest.mark.parametrize("html", HTML_REPLIES.values(), ids=HTML_REPLIES.keys())
def test_the_answer_alone_remains_of_html(html: str) -> None:
    assert reply_text(to_text(sanitise(html).html), subject="Re: Your contract") == "Tuesday is fine."


WHOLE: dict[str, str] = {
    "a colon ends a sentence": "Hello,\nI need two things:\n- the bill of 2 Nov 2026\n- a new contract\nThanks",
    "an address in a sentence": "Please write to ann@example.com from 09:00 to 17:00:\nshe knows.",
    "a journey": "From: Paris\nTo: London\nDate: 2 November\nTwo persons.",
    "a letter with dashes": "First part.\n\n----------\n\nSecond part, which is as long.\nIt goes "
    "on.\nAnd on.\nAnd on.\nAnd on."
    "\nAnd on.\nAnd on.\nAnd on.\nAnd on.\nAnd on.\nAnd on.\nAnd on.\nAnd on.",
    "what somebody wrote": "In your mail of 2 November you wrote:\nthe machine is repaired.\nIt is not.",
    "a German sentence": "Am 2. November schrieb ich Ihnen schon einmal.\nBisher kam keine Antwort.",
}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE.keys())
def test_a_mail_that_quotes_nothing_stays_whole(text: str) -> None:
    assert reply_text(text) == text
