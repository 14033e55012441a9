"""The reply is found below, above and between quotes, in the languages and clients that people use."""

import pytest
from postroom.mail.reply_text.reply import is_forward, reply_text

from tests.support import corpora
from tests.support.processor_time import takes_at_most
from tests.support.score_text import score_replies

NEW = "Thank you, that works.\n\nBest regards\nBob"

# What Gmail, Outlook, Apple Mail, Thunderbird, Yahoo, Lotus Notes, GroupWise, Zoho, Roundcube and others write.
ATTRIBUTIONS = (
    "On Mon, 5 Feb 2024 at 10:43, Ann Smith <ann@example.org> wrote:",
    "On Feb 5, 2024, at 10:43 AM, Ann Smith <ann@example.org> wrote:",
    "On 05/02/2024 10:43, Ann Smith wrote:",
    "On Monday, February 5th, 2024 at 10:43 AM, Ann Smith <ann@example.org> wrote:",
    "On 2024-02-05 10:43, Ann Smith wrote:",
    "Ann Smith <ann@example.org> writes:",
    "Quoting Ann Smith <ann@example.org>:",
    "Ann Smith/ACME/US wrote on 02/05/2024 10:43:12 AM:",
    "At 10:43 AM 2/5/2024, Ann Smith wrote:",
    "In article <abc@example.org>, Ann Smith <ann@example.org> wrote:",
    "Am Mo., 5. Feb. 2024 um 10:43 Uhr schrieb Ann Smith <ann@example.org>:",
    "Am 05.02.24 um 10:43 schrieb Ann Smith:",
    "Am 05.02.2024 um 10:43 schrieb Ann Smith <ann@example.org>:",
    "Ann Smith <ann@example.org> hat am 05.02.2024 10:43 CET geschrieben:",
    "Ann Smith schrieb am 05.02.2024 um 10:43:",
    "Am 5. Februar 2024 10:43:00 MEZ schrieb Ann Smith <ann@example.org>:",
    "Zitat von Ann Smith <ann@example.org>:",
    "Le lun. 5 févr. 2024 à 10:43, Ann Smith <ann@example.org> a écrit :",
    "Le 5 févr. 2024 à 10:43, Ann Smith <ann@example.org> a écrit :",
    "Le 05/02/2024 à 10:43, Ann Smith a écrit :",
    "El lun, 5 feb 2024 a las 10:43, Ann Smith (<ann@example.org>) escribió:",
    "El 5 feb 2024, a las 10:43, Ann Smith <ann@example.org> escribió:",
    "El 05/02/2024 a las 10:43, Ann Smith escribió:",
    "Il giorno lun 5 feb 2024 alle ore 10:43 Ann Smith <ann@example.org> ha scritto:",
    "Il 05/02/2024 10:43, Ann Smith ha scritto:",
    "Il giorno 5 feb 2024, alle ore 10:43, Ann Smith <ann@example.org> ha scritto:",
    "Em seg., 5 de fev. de 2024 às 10:43, Ann Smith <ann@example.org> escreveu:",
    "Ann Smith <ann@example.org> escreveu no dia segunda, 5/02/2024 à(s) 10:43:",
    "Em 05/02/2024 10:43, Ann Smith escreveu:",
    "Op ma 5 feb 2024 om 10:43 schreef Ann Smith <ann@example.org>:",
    "Op 5 feb. 2024 om 10:43 heeft Ann Smith <ann@example.org> het volgende geschreven:",
    "Op 05-02-2024 om 10:43 schreef Ann Smith:",
    "Den mån 5 feb. 2024 kl 10:43 skrev Ann Smith <ann@example.org>:",
    "5 feb. 2024 kl. 10:43 skrev Ann Smith <ann@example.org>:",
    "Den 2024-02-05 kl. 10:43, skrev Ann Smith:",
    "Den man. 5. feb. 2024 kl. 10.43 skrev Ann Smith <ann@example.org>:",
    "man. 5. feb. 2024 kl. 10:43 skrev Ann Smith <ann@example.org>:",
    "Den 05.02.2024 10:43, skrev Ann Smith:",
    "ma 5. helmik. 2024 klo 10.43 Ann Smith (ann@example.org) kirjoitti:",
    "Ann Smith kirjoitti 5.2.2024 klo 10.43:",
    "pon., 5 lut 2024 o 10:43 Ann Smith <ann@example.org> napisał(a):",
    "W dniu 05.02.2024 o 10:43, Ann Smith pisze:",
    "Wiadomość napisana przez Ann Smith <ann@example.org> w dniu 05.02.2024, o godz. 10:43:",
    "po 5. 2. 2024 v 10:43 odesílatel Ann Smith <ann@example.org> napsal:",
    "Dne 05. 02. 24 v 10:43 Ann Smith napsal(a):",
    "5. 2. 2024 v 10:43, Ann Smith <ann@example.org>:",
    "po 5. 2. 2024 o 10:43 Ann Smith <ann@example.org> napísal(a):",
    "пн, 5 февр. 2024 г. в 10:43, Ann Smith <ann@example.org>:",
    "05.02.2024 10:43, Ann Smith пишет:",
    "5 февр. 2024 г., в 10:43, Ann Smith <ann@example.org> написал(а):",
    "Понедельник, 5 февраля 2024, 10:43 +03:00 от Ann Smith <ann@example.org>:",
    '05.02.2024, 10:43, "Ann Smith" <ann@example.org>:',
    "пн, 5 лют. 2024 р. о 10:43 Ann Smith <ann@example.org> пише:",
    "На пн, 5.02.2024 г. в 10:43 Ann Smith <ann@example.org> написа:",
    "5 Şub 2024 Pzt, 10:43 tarihinde Ann Smith <ann@example.org> şunu yazdı:",
    "Ann Smith <ann@example.org>, 5 Şub 2024 Pzt, 10:43 tarihinde şunu yazdı:",
    "Ann Smith <ann@example.org> ezt írta (időpont: 2024. febr. 5., H, 10:43):",
    "2024. 02. 05. 10:43 keltezéssel, Ann Smith írta:",
    "În lun., 5 feb. 2024 la 10:43, Ann Smith <ann@example.org> a scris:",
    "Pe lun., 5 feb. 2024 la 10:43, Ann Smith <ann@example.org> a scris:",
    "Στις Δευ 5 Φεβ 2024 στις 10:43 π.μ., ο/η Ann Smith <ann@example.org> έγραψε:",
    "\u202bבתאריך יום ב׳, 5 בפבר׳ 2024 ב-10:43 מאת \u202aAnn Smith\u202c\u200f <\u202aann@example.org\u202c\u200f>:\u202c",  # noqa: E501
    "ב-5 בפברואר 2024 בשעה 10:43, Ann Smith <ann@example.org> כתב/ה:",
    "في الاثنين، 5 فبراير 2024 في 10:43 ص تمت كتابة ما يلي بواسطة Ann Smith <ann@example.org>:",
    "في ٥ فبراير ٢٠٢٤، الساعة ١٠:٤٣، كتب Ann Smith <ann@example.org>:",
    "2024年2月5日(月) 10:43 Ann Smith <ann@example.org>:",
    "2024/02/05 10:43、Ann Smith <ann@example.org>のメール:",
    "On Mon, 5 Feb 2024 10:43:00 +0900 Ann Smith <ann@example.org> wrote:",
    "Ann Smith <ann@example.org> 于2024年2月5日周一 10:43写道：",
    "在 2024年2月5日，上午10:43，Ann Smith <ann@example.org> 写道：",
    '在 2024-02-05 10:43:12，"Ann Smith" <ann@example.org> 写道：',
    "Ann Smith <ann@example.org> 於 2024年2月5日 週一 上午10:43寫道：",
    "2024년 2월 5일 (월) 오전 10:43, Ann Smith <ann@example.org>님이 작성:",
    "2024. 2. 5. 오전 10:43, Ann Smith <ann@example.org> 작성:",
    "Vào Th 2, 5 thg 2, 2024 vào lúc 10:43 Ann Smith <ann@example.org> đã viết:",
    "เมื่อ จ. 5 ก.พ. 2024 เวลา 10:43 Ann Smith <ann@example.org> เขียนว่า:",
    "Pada Sen, 5 Feb 2024 pukul 10.43 Ann Smith <ann@example.org> menulis:",
    "El dl., 5 de febr. 2024, 10:43, Ann Smith <ann@example.org> va escriure:",
    "pon, 5. velj 2024. u 10:43 Ann Smith <ann@example.org> napisao je:",
    "V V pon., 5. feb. 2024 ob 10:43 je oseba Ann Smith <ann@example.org> napisala:",
    "Kuupäev E, 5. veebruar 2024 kell 10:43 kirjutas Ann Smith <ann@example.org>:",
    "2024-02-05, pr, 10:43 Ann Smith <ann@example.org> rašė:",
    "-----Original Message-----",
    "-----Ursprüngliche Nachricht-----",
    "-----Message d'origine-----",
    "-----Mensaje original-----",
    "-------- Messaggio originale --------",
    "-----Mensagem original-----",
    "-----Oorspronkelijk bericht-----",
    "-----Ursprungligt meddelande-----",
    "-----Oprindelig meddelelse-----",
    "-----Alkuperäinen viesti-----",
    "-----Původní zpráva-----",
    "-----Исходное сообщение-----",
    "-----Orijinal Mesaj-----",
    "------------------ 原始邮件 ------------------",
    "-----元のメッセージ-----",
    "-----원본 메시지-----",
    "---- On Mon, 05 Feb 2024 10:43:12 +0100 Ann Smith <ann@example.org> wrote ----",
    ">>> Ann Smith <ann@example.org> 05.02.2024 10:43 >>>",
    "Ann Smith ---05/02/2024 10:43:12---Dear all, please",
)

HEADER_BLOCKS = (
    "From: Ann Smith <ann@example.org>\nSent: Monday, 5 February 2024 10:43\nTo: Support\nSubject: RE: x",
    "Von: Ann Smith <ann@example.org>\nGesendet: Montag, 5. Februar 2024 10:43\nAn: Support\nBetreff: AW: x",
    "De : Ann Smith\nEnvoyé : lundi 5 février 2024 10:43\nÀ : Support\nObjet : RE: x",
    "De: Ann Smith\nEnviado el: lunes, 5 de febrero de 2024 10:43\nPara: Support\nAsunto: RE: x",
    "Da: Ann Smith\nInviato: lunedì 5 febbraio 2024 10:43\nA: Support\nOggetto: R: x",
    "Van: Ann Smith\nVerzonden: maandag 5 februari 2024 10:43\nAan: Support\nOnderwerp: RE: x",
    "Från: Ann Smith\nSkickat: den 5 februari 2024 10:43\nTill: Support\nÄmne: SV: x",
    "Fra: Ann Smith\nSendt: 5. februar 2024 10:43\nTil: Support\nEmne: SV: x",
    "Lähettäjä: Ann Smith\nLähetetty: maanantai 5. helmikuuta 2024 10.43\nVastaanottaja: Support\nAihe: VS: x",
    "Od: Ann Smith\nWysłano: poniedziałek, 5 lutego 2024 10:43\nDo: Support\nTemat: RE: x",
    "Od: Ann Smith\nOdesláno: pondělí 5. února 2024 10:43\nKomu: Support\nPředmět: RE: x",
    "От: Ann Smith\nОтправлено: 5 февраля 2024 г. 10:43\nКому: Support\nТема: RE: x",
    "Gönderen: Ann Smith\nGönderildi: 5 Şubat 2024 Pazartesi 10:43\nKime: Support\nKonu: YNT: x",
    "Feladó: Ann Smith\nElküldve: 2024. február 5., hétfő 10:43\nCímzett: Support\nTárgy: RE: x",
    "De la: Ann Smith\nTrimis: luni, 5 februarie 2024 10:43\nCătre: Support\nSubiect: RE: x",
    "Από: Ann Smith\nΣτάλθηκε: Δευτέρα, 5 Φεβρουαρίου 2024 10:43\nΠρος: Support\nΘέμα: RE: x",
    "מאת: Ann Smith\nנשלח: יום שני 05 פברואר 2024 10:43\nאל: Support\nנושא: RE: x",
    "من: Ann Smith\nتم الإرسال: 05/فبراير/2024 10:43\nإلى: Support\nالموضوع: RE: x",
    "差出人: Ann Smith\n送信日時: 2024年2月5日 10:43\n宛先: Support\n件名: RE: x",
    "发件人: Ann Smith\n发送时间: 2024年2月5日 10:43\n收件人: Support\n主题: RE: x",
    "寄件者: Ann Smith\n寄件日期: 2024年2月5日 10:43\n收件者: Support\n主旨: RE: x",
    "보낸 사람: Ann Smith\n보낸 날짜: 2024년 2월 5일 10:43\n받는 사람: Support\n제목: RE: x",
    "*From:* Ann Smith <ann@example.org>\n*Sent:* Monday, 5 February 2024 10:43\n*To:* Support\n*Subject:* RE: x",
    "**From: **Ann Smith <ann@example.org>\n**Date: **Monday, 5 February 2024 at 10:43\n**To: **Support\n**Subject: **Re: x",  # noqa: E501
    "________________________________\nFrom: Ann Smith\nSent: Monday\nTo: Support\nSubject: RE: x",
)

QUOTED = "> Hello Bob,\n> does it work?\n>\n> Ann"
PLAIN = "Hello Bob,\ndoes it work?\n\nAnn"


@pytest.mark.parametrize("body", [QUOTED, PLAIN], ids=["with marks", "without marks"])
@pytest.mark.parametrize("introduction", [*ATTRIBUTIONS, *HEADER_BLOCKS])
def test_the_quoted_mail_below_is_removed(introduction: str, body: str) -> None:
    assert reply_text(f"{NEW}\n\n{introduction}\n\n{body}\n") == NEW


def _wrap(line: str, width: int) -> str:
    lines, rest = [], line
    while len(rest) > width and " " in rest[:width]:
        place = rest.rindex(" ", 0, width)
        lines.append(rest[:place])
        rest = rest[place + 1 :]
    return "\n".join([*lines, rest])


@pytest.mark.parametrize("width", [60, 76])
@pytest.mark.parametrize("introduction", [line for line in ATTRIBUTIONS if "@" in line and line[0] not in "->"])
def test_an_attribution_of_several_lines_is_found(introduction: str, width: int) -> None:
    assert reply_text(f"{NEW}\n\n{_wrap(introduction, width)}\n\n{QUOTED}\n") == NEW


@pytest.mark.parametrize("introduction", [line for line in ATTRIBUTIONS if line[0] not in "->"])
def test_an_attribution_inside_the_quote_is_found(introduction: str) -> None:
    assert reply_text(f"{NEW}\n\n> {introduction}\n>\n{QUOTED}\n") == NEW


@pytest.mark.parametrize("introduction", [line for line in ATTRIBUTIONS if line[0] not in "->"])
def test_an_answer_below_the_quote_is_found(introduction: str) -> None:
    assert reply_text(f"{introduction}\n{QUOTED}\n\n{NEW}\n") == NEW


SIGNATURES = (
    "Sent from my iPhone",
    "Sent from my Samsung Galaxy smartphone.",
    "Sent from Outlook for Android<https://aka.ms/AAb9ysg>",
    "Sent from Yahoo Mail for iPhone",
    "Sent from Mail for Windows",
    "Sent with Proton Mail secure email.",
    "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "Get [Outlook for Android](https://aka.ms/ghei36)",
    "Von meinem iPhone gesendet",
    "Gesendet von Mail für Windows",
    "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
    "Outlook für Android herunterladen",
    "Envoyé de mon iPhone",
    "Envoyé depuis l'application Mail Orange",
    "Télécharger Outlook pour iOS",
    "Enviado desde mi iPhone",
    "Obtener Outlook para Android",
    "Inviato da iPhone",
    "Scarica Outlook per iOS",
    "Enviado do meu iPhone",
    "Obter o Outlook para iOS",
    "Verstuurd vanaf mijn iPhone",
    "Outlook voor Android downloaden",
    "Skickat från min iPhone",
    "Sendt fra min iPhone",
    "Lähetetty iPhonesta",
    "Wysłane z iPhone'a",
    "Odesláno z iPhonu",
    "Poslané z iPhonu",
    "Отправлено с iPhone",
    "Надіслано з iPhone",
    "iPhone'umdan gönderildi",
    "Trimis de pe iPhone-ul meu",
    "Στάλθηκε από το iPhone μου",
    "נשלח מה-iPhone שלי",
    "أُرسلت من الـ iPhone",
    "iPhoneから送信",
    "发自我的 iPhone",
    "從我的 iPhone 傳送",
    "나의 iPhone에서 보냄",
    "Được gửi từ iPhone của tôi",
    "ส่งจาก iPhone ของฉัน",
    "Dikirim dari iPhone saya",
    "-- \nBob Smith\nACME Ltd\n+44 20 7946 0000",
    "--\nBob",
    "________________________________\nThis e-mail is confidential.",
    "-----\nBob Smith | ACME",
    "_______________________________________________\nusers mailing list\nusers@example.org",
)


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_signature_is_removed(signature: str) -> None:
    assert reply_text(f"{NEW}\n\n{signature}\n") == NEW


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_signature_above_the_quote_is_removed(signature: str) -> None:
    assert (
        reply_text(f"{NEW}\n\n{signature}\n\nOn 5 Feb 2024, at 10:43, Ann <ann@example.org> wrote:\n\n{QUOTED}") == NEW
    )


KEPT = {
    "a text": "One line.",
    "a journey": "I want to book:\n\nFrom: Paris\nTo: London\nDate: 5 May 2024\n\nThank you",
    "a form": "Name: Ann\nDate: 5.2.2024\nOrder: 1234\n\nWhere is it?",
    "a date in a sentence": "On Monday I wrote to you.\nOn 5 May I wrote again: nothing came.\nPlease help.",
    "what somebody wrote": "Your colleague wrote:\n\nWe will pay.\n\nWhen?",
    "a time": "You can call me at 10:43:\n\n+44 20 7946 0000",
    "a list": "I need\n\n- one\n- two\n- three\n\nThanks",
    "a heading": "Complaint\n=========\n\nThe parcel is broken.",
    "a bracketed original": "The original message was lost.\nOriginal message\nis what I need.",
    "sent from somewhere": "The parcel was sent from Berlin\nand never came.",
    "a question about sending": "Hello,\nit was\nsent from our warehouse.",
    "a rule between two long parts": "Part one\n\n" + "-----\n\n" + "\n".join(f"line {n}" for n in range(12)),
    "code": "Look:\n\n```\n> not a quote\n-- \n---\n```\n\nWhat is wrong?",
    "only a quote": "> only this",
    "a quote without attribution, then text": "> your question\n\nmy answer",
    "answers between the quotes": "> first?\n\nyes\n\n> second?\n\nno",
    "a greeting above the quote": "Hello Ann,\n\n> your question\n\nmy answer",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT.keys())
def test_what_a_person_wrote_is_kept(text: str) -> None:
    assert reply_text(text) == text


def test_answers_between_quoted_lines_keep_these_lines() -> None:
    text = "On 5 Feb 2024, at 10:43, Ann wrote:\n> first?\n\nyes\n\n> second?\n\nno\n\n> Ann\n"
    assert reply_text(text) == "> first?\n\nyes\n\n> second?\n\nno"


def test_an_answer_below_a_quote_with_a_greeting_above_is_kept() -> None:
    text = "Hi Ann,\n\nOn 5 Feb 2024, at 10:43, Ann wrote:\n> Shall we?\n\nYes, on Monday.\n"
    assert reply_text(text) == "Hi Ann,\n\n> Shall we?\n\nYes, on Monday."


def test_a_quoted_line_that_was_wrapped_does_not_hide_the_rest() -> None:
    long = "> " + "word " * 16
    text = f"{NEW}\n\nOn 5 Feb 2024, at 10:43, Ann wrote:\n{long}\nthe rest\n{long}\nthe rest\n> Ann\n"
    assert reply_text(text) == NEW


@pytest.mark.parametrize(
    "line",
    [
        "##- Please type your reply above this line -##",
        "--- Reply above this line ---",
        "----- Bitte antworten Sie oberhalb dieser Linie -----",
        "=== Répondez au-dessus de cette ligne ===",
    ],
)
def test_what_a_help_desk_wrote_below_its_line_is_removed(line: str) -> None:
    assert reply_text(f"{NEW}\n\n{line}\n\nYour request 1234\nhas been updated.\n") == NEW


def test_a_long_signature_of_a_firm_is_removed() -> None:
    firm = "\n".join(["ACME GmbH", *(f"Line {n}" for n in range(14)), "Tel: +49 30 1234567", "www.example.com"])
    assert reply_text(f"{NEW}\n\n________________________\n{firm}\n") == NEW


FORWARDS = {
    "Gmail": "---------- Forwarded message ---------\nFrom: Ann <ann@example.org>\nDate: Mon, 5 Feb 2024\nSubject: Bill\n"  # noqa: E501
    "To: Bob <bob@example.org>\n\nThe bill.",
    "Apple Mail": "Begin forwarded message:\n\n> From: Ann <ann@example.org>\n> Subject: Bill\n>\n> The bill.",
    "Thunderbird": "-------- Weitergeleitete Nachricht --------\nBetreff: Bill\nVon: Ann <ann@example.org>\n\nThe bill.",  # noqa: E501
    "Lotus Notes": "----- Forwarded by Ann/ACME on 05/02/2024 10:43 -----\n\nThe bill.",
    "French": "---------- Message transféré ----------\nDe : Ann <ann@example.org>\n\nThe bill.",
    "Spanish": "---------- Mensaje reenviado ----------\nDe: Ann <ann@example.org>\n\nThe bill.",
    "Russian": "-------- Пересылаемое сообщение --------\n05.02.2024, Ann <ann@example.org>:\n\nThe bill.",
    "Japanese": "---------- 転送されたメッセージ ----------\n差出人: Ann <ann@example.org>\n\nThe bill.",
    "Chinese": "---------- 转发的邮件 ----------\n发件人: Ann <ann@example.org>\n\nThe bill.",
}


@pytest.mark.parametrize("comment", ["", "Please pay this.\n\n"], ids=["alone", "with a comment"])
@pytest.mark.parametrize("forward", FORWARDS.values(), ids=FORWARDS.keys())
def test_a_forward_is_kept_whole(forward: str, comment: str) -> None:
    text = comment + forward
    assert is_forward(text)
    assert reply_text(text) == text


def test_outlooks_forward_is_told_by_its_subject() -> None:
    text = f"Please pay this.\n\n{HEADER_BLOCKS[0]}\n\nThe bill."
    assert reply_text(text, subject="FW: Bill") == text
    assert reply_text(text, subject="RE: Bill") == "Please pay this."


def test_a_forward_deep_in_the_quoted_mail_makes_no_forward() -> None:
    text = f"{NEW}\n\n{ATTRIBUTIONS[0]}\n\n{FORWARDS['Gmail']}"
    assert not is_forward(text)
    assert reply_text(text) == NEW


@pytest.mark.parametrize("end", ["\r\n", "\r"], ids=["CRLF", "CR"])
def test_every_line_end_is_understood(end: str) -> None:
    text = f"{NEW}\n\n{ATTRIBUTIONS[0]}\n\n{QUOTED}\n".replace("\n", end)
    assert reply_text(text) == NEW


HOSTILE = {
    "colons": "1:\n" * 350_000,
    "attributions": "On 5 May 2020 10:10, a wrote:\n" * 35_000,
    "headers": "From: a@b\n\n" * 100_000,
    "quotes": "> \n" * 350_000,
    "one quote": ">" * 1_000_000,
    "spaces": " " * 1_000_000,
    "dashes": "- " * 500_000,
    "delimiters": "a\n-----\n" * 125_000,
    "answers": "x\nOn 5 May 2020 10:10, a wrote:\n> a\nx\n" * 25_000,
    "words": ("on " * 133 + "\n") * 2_500,
    "numbers": ("1111 " * 70 + ":\n") * 2_800,
    "signatures": "sent from\n" * 100_000,
    "fences": "```\n" * 250_000,
    "one line": "On 5 May " * 110_000 + "wrote:",
    "letters with accents": ("éa" * 150 + " wrote:\n") * 3_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_megabyte_takes_less_than_a_second(text: str) -> None:
    assert takes_at_most(1.0, lambda: reply_text(text))


def test_the_corpus_of_replies_is_trimmed_as_its_source_does() -> None:
    score = score_replies(corpora.folder("replies"))
    assert score.forwards_removed == score.files, score.mistakes
    assert score.equal >= 0.95 * score.files, score.mistakes
