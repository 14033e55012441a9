"""Whose mail a forward passes on, by the introductions of clients in their languages.

The aim is the right original sender for forwards that were never seen: the forms are what clients have in common.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from postroom.mail.reader import read
from postroom.mail.reply_text.forwarded_mail import Forwarded, forwarded

from tests.support.mails import mail

KIM = "Kim Doe <kim@customer.example>"
BO = "Bo Clerk <bo@branch.example>"
TEXT = "Where is my order?\nIt should have come on Monday."


def read_forward(text: str, *, subject: str = "Fwd: Order 4711", headers: tuple[str, ...] = ()) -> Forwarded | None:
    raw = mail("Content-Type: text/plain; charset=utf-8", *headers, sender=BO, subject="x", body=text)
    return forwarded(read(raw), text, subject=subject)


@dataclass(frozen=True)
class Words:
    """The words of one language: header names, the title of a forward, the subject's prefix, a date."""

    sender: str
    sent: str
    date: str
    to: str
    subject: str
    title: str
    prefix: str
    when: str


LANGUAGES = {
    "en": Words("From", "Sent", "Date", "To", "Subject", "Forwarded message", "Fwd", "Fri, 27 Nov 2026 at 16:02"),
    "de": Words(
        "Von", "Gesendet", "Datum", "An", "Betreff", "Weitergeleitete Nachricht", "WG", "27. November 2026 16:02"
    ),
    "fr": Words("De", "Envoyé", "Date", "À", "Objet", "Message transféré", "TR", "vendredi 27 novembre 2026 à 16:02"),
    "es": Words(
        "De", "Enviado", "Fecha", "Para", "Asunto", "Mensaje reenviado", "RV", "27 de noviembre de 2026, 16:02"
    ),
    "it": Words("Da", "Inviato", "Data", "A", "Oggetto", "Messaggio inoltrato", "I", "venerdì 27 novembre 2026 16:02"),
    "pt": Words(
        "De", "Enviado", "Data", "Para", "Assunto", "Mensagem encaminhada", "ENC", "27 de novembro de 2026 16:02"
    ),
    "nl": Words(
        "Van", "Verzonden", "Datum", "Aan", "Onderwerp", "Doorgestuurd bericht", "FW", "27 november 2026 16:02"
    ),
    "sv": Words(
        "Från", "Skickat", "Datum", "Till", "Ämne", "Vidarebefordrat meddelande", "VB", "27 november 2026 16:02"
    ),
    "da": Words("Fra", "Sendt", "Dato", "Til", "Emne", "Videresendt meddelelse", "VS", "27. november 2026 16:02"),
    "no": Words("Fra", "Sendt", "Dato", "Til", "Emne", "Videresendt melding", "VS", "27. november 2026 16:02"),
    "fi": Words(
        "Lähettäjä", "Lähetetty", "Päivämäärä", "Vastaanottaja", "Aihe", "Välitetty viesti", "VL", "27.11.2026 16:02"
    ),
    "pl": Words("Od", "Wysłano", "Data", "Do", "Temat", "Wiadomość przekazana", "PD", "27 listopada 2026 16:02"),
    "cs": Words("Od", "Odesláno", "Datum", "Komu", "Předmět", "Přeposlaná zpráva", "FW", "27. listopadu 2026 16:02"),
    "hu": Words(
        "Feladó", "Elküldve", "Dátum", "Címzett", "Tárgy", "Továbbított üzenet", "Tov", "2026. november 27. 16:02"
    ),
    "ro": Words("De la", "Trimis", "Data", "Către", "Subiect", "Mesaj redirecționat", "FW", "27 noiembrie 2026 16:02"),
    "ru": Words("От", "Отправлено", "Дата", "Кому", "Тема", "Пересылаемое сообщение", "FW", "27 ноября 2026 г. 16:02"),
    "uk": Words(
        "Від", "Надіслано", "Дата", "Кому", "Тема", "Переслане повідомлення", "FW", "27 листопада 2026 р. 16:02"
    ),
    "tr": Words("Gönderen", "Gönderildi", "Tarih", "Kime", "Konu", "Yönlendirilen ileti", "İLT", "27 Kasım 2026 16:02"),
    "el": Words("Από", "Στάλθηκε", "Ημερομηνία", "Προς", "Θέμα", "Προωθημένο μήνυμα", "ΠΡΘ", "27 Νοεμβρίου 2026 16:02"),
    "he": Words("מאת", "נשלח", "תאריך", "אל", "נושא", "הודעה שהועברה", "FW", "27 בנובמבר 2026 16:02"),
    "ar": Words("من", "تم الإرسال", "التاريخ", "إلى", "الموضوع", "رسالة معاد توجيهها", "FW", "27 نوفمبر 2026 16:02"),
    "ja": Words("差出人", "送信日時", "日付", "宛先", "件名", "転送されたメッセージ", "FW", "2026年11月27日 16:02"),
    "zh": Words("发件人", "发送时间", "日期", "收件人", "主题", "转发的邮件", "转发", "2026年11月27日 16:02"),
    "ko": Words(
        "보낸 사람", "보낸 날짜", "날짜", "받는 사람", "제목", "전달된 메시지", "전달", "2026년 11월 27일 16:02"
    ),
}


def outlook(w: Words) -> tuple[str, str]:
    return f"{w.prefix}: Order 4711", (
        f"Please handle.\n\n{w.sender}: {KIM}\n{w.sent}: {w.when}\n{w.to}: {BO}\n{w.subject}: Order 4711\n\n{TEXT}"
    )


def outlook_ruled(w: Words) -> tuple[str, str]:
    subject, text = outlook(w)
    return subject, text.replace("\n\n", "\n\n________________________________\n", 1)


def outlook_old(w: Words) -> tuple[str, str]:
    return f"{w.prefix}: Order 4711", (
        f"-----Original Message-----\n{w.sender}: Kim Doe [mailto:kim@customer.example]\n{w.sent}: {w.when}\n"
        f"{w.to}: Bo Clerk\n{w.subject}: Order 4711\n\n{TEXT}"
    )


def gmail(w: Words) -> tuple[str, str]:
    return "Fwd: Order 4711", (
        f"---------- {w.title} ---------\n{w.sender}: Kim Doe <kim@customer.example>\n{w.date}: {w.when}\n"
        f"{w.subject}: Order 4711\n{w.to}: <bo@branch.example>\n\n\n{TEXT}"
    )


def gmail_bold(w: Words) -> tuple[str, str]:
    subject, text = gmail(w)
    return subject, f"Bob, can you?\n\n{text.replace('Kim Doe <', '*Kim Doe* <')}"


def apple(w: Words) -> tuple[str, str]:
    return "Fwd: Order 4711", (
        f"{w.title}:\n\n> {w.sender}: Kim Doe <kim@customer.example>\n> {w.subject}: Order 4711\n> {w.date}: {w.when}\n"
        f"> {w.to}: bo@branch.example\n> \n> {TEXT}"
    )


def apple_bold(w: Words) -> tuple[str, str]:
    return "Fwd: Order 4711", (
        f"{w.title}:\n\n*{w.sender}: *Kim Doe <kim@customer.example>\n*{w.subject}: **Order 4711*\n"
        f"*{w.date}: *{w.when}\n*{w.to}: *bo@branch.example\n\n{TEXT}"
    )


def thunderbird(w: Words) -> tuple[str, str]:
    return "Fwd: Order 4711", (
        f"\n-------- {w.title} --------\n{w.subject}: \tOrder 4711\n{w.date}: \t{w.when}\n"
        f"{w.sender}: \tKim Doe <kim@customer.example>\n{w.to}: \tbo@branch.example\n\n\n{TEXT}"
    )


def yahoo(w: Words) -> tuple[str, str]:
    return "Fw: Order 4711", (
        f'   ----- {w.title} -----\n{w.sender}: "Kim Doe" <kim@customer.example>\n{w.to}: "Bo" <bo@branch.example>\n'
        f"{w.sent}: {w.when}\n{w.subject}: Order 4711\n {TEXT}"
    )


def table(w: Words) -> tuple[str, str]:
    return "Fwd: Order 4711", (
        f"-------- {w.title} --------\n{w.subject}: | Order 4711\n{w.date}: | {w.when}\n"
        f"{w.sender}: | Kim Doe <kim@customer.example>\n{w.to}: | bo@branch.example\n\n{TEXT}"
    )


def apart(w: Words) -> tuple[str, str]:
    return f"{w.prefix}: Order 4711", (
        f"FYI\n\n{w.sender}:\nKim Doe <kim@customer.example>\n{w.sent}:\n{w.when}\n{w.to}:\nBo\n"
        f"{w.subject}:\nOrder 4711\n\n{TEXT}"
    )


CLIENTS = (outlook, outlook_ruled, outlook_old, gmail, gmail_bold, apple, apple_bold, thunderbird, yahoo, table, apart)


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES.keys())
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: str(client.__name__))
def test_the_original_is_read_of_every_client_in_every_language(client: object, words: Words) -> None:
    subject, text = client(words)  # type: ignore[operator]  # a parametrised function
    found = read_forward(text, subject=subject)
    assert found is not None
    assert found.sender is not None
    assert (found.sender.name, found.sender.address) == ("Kim Doe", "kim@customer.example")
    assert found.subject == "Order 4711"
    assert found.date == words.when


INTRODUCTIONS = {
    "a title that is unknown": "======== Pasirinktas laiškas ========\nSubject: Order 4711\nDate: 3 Nov 2021 15:51\n"
    f"From: {KIM}\nTo: bo@branch.example\n\n{TEXT}",
    "labels that are unknown": "---------- Forwarded message ---------\nOpettaja: Kim Doe <kim@customer.example>\n"
    f"Aika: 27.11.2026 klo 16.02\nAsia: Order 4711\nSaaja: bo@branch.example\n\n{TEXT}",
    "an attribution": f"Please handle.\n\nOn Fri, Nov 27, 2026 at 4:02 PM, {KIM} wrote:\n\n{TEXT}",
    "an attribution in German": "Bitte.\n\nAm 27.11.2026 um 16:02 schrieb Kim Doe <kim@customer.example>:\n\n> Wo?",
    "HubSpot's": f"---------- Forwarded message ---------\nfrom: {KIM}\ndate: Nov 27, 2026, 4:02 PM\n"
    f"subject: Order 4711\nto: bo@branch.example\n\n{TEXT}",
    "Notes'": "----- Forwarded by Bo Clerk/Branch on 27/11/2026 16:10 -----\n\nFrom: \tKim Doe <kim@customer.example>\n"
    f"To: \tbo@branch.example\nDate: \t27/11/2026 16:02\nSubject: \tOrder 4711\n\n{TEXT}",
    "an address twice": f"FYI\n\nFrom: Kim Doe <kim@customer.example<mailto:kim@customer.example>>\n"
    f"Sent: Friday 16:02\nTo: Bo\nSubject: Order 4711\n\n{TEXT}",
    "quotes around the name": "FYI\n\nFrom: 'Kim Doe' <kim@customer.example>\nSent: Friday 16:02\nSubject: x\n\nHi",
    "round brackets": f"FYI\n\nFrom: Kim Doe (kim@customer.example)\nSent: Friday 16:02\nSubject: Order\n\n{TEXT}",
    "many recipients": f"FYI\n\nFrom: {KIM}\nSent: Friday 16:02\nTo: One <one@x.example>;\n Two <two@x.example>;"
    f"\n Three <three@x.example>\nCc: Four <four@x.example>\nSubject: Order 4711\n\n{TEXT}",
    "a mail that was forwarded before": f"FYI\n\nFrom: {KIM}\nSent: Friday 16:02\nTo: Bo\nSubject: FW: Order\n\nSee.\n"
    "\n"
    "From: Eve <eve@x.example>\nSent: Thursday 16:02\nTo: Kim\nSubject: Order\n\nHello",
}


@pytest.mark.parametrize("text", INTRODUCTIONS.values(), ids=INTRODUCTIONS.keys())
def test_the_original_is_read_of_odd_introductions(text: str) -> None:
    found = read_forward(text)
    assert found is not None
    assert found.sender is not None
    assert (found.sender.name, found.sender.address) == ("Kim Doe", "kim@customer.example")


def test_a_name_without_an_address_is_told_as_it_is() -> None:
    found = read_forward(f"FYI\n\nFrom: Kim Doe\nSent: Friday 16:02\nTo: Bo\nSubject: Order\n\n{TEXT}")
    assert found is not None
    assert found.sender is not None
    assert (found.sender.name, found.sender.address) == ("Kim Doe", "")


ATTACHED = (
    "--b\r\n\r\nFYI\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: Kim Doe <kim@customer.example>\r\n"
    "To: bo@branch.example\r\nDate: Fri, 27 Nov 2026 16:02:00 +0000\r\nSubject: Order 4711\r\n\r\nWhere?\r\n--b--"
)


def test_the_original_is_read_of_the_message_that_is_attached() -> None:
    raw = mail("Content-Type: multipart/mixed; boundary=b", sender=BO, subject="Order", body=ATTACHED)
    found = forwarded(read(raw), "FYI", subject="Order")
    assert found is not None
    assert found.sender is not None
    assert (found.sender.address, found.subject, found.date) == (
        "kim@customer.example",
        "Order 4711",
        "Fri, 27 Nov 2026 16:02:00 +0000",
    )


@pytest.mark.parametrize(
    ("text", "subject", "headers"),
    [
        pytest.param(f"Thanks.\n\n{outlook(LANGUAGES['en'])[1]}", "Re: Order", ("In-Reply-To: <a@x>",), id="an answer"),
        pytest.param(
            f"Thanks.\n\nOn Fri, Nov 27, 2026 at 4:02 PM, {KIM} wrote:\n> Hi", "Re: x", (), id="an attribution"
        ),
        pytest.param("Please send it on.\nFrom: Leeds\nTo: York", "Order", (), id="a journey"),
        pytest.param("Where is it?", "Fwd: Order", (), id="nothing is below"),
        pytest.param(
            f"A question.\n\nFrom: {KIM}\nSent: Friday 16:02\nTo: Bo\nSubject: Order\n\nHi", "Order", (), id="a quote"
        ),
    ],
)
def test_other_mail_forwards_nothing(text: str, subject: str, headers: tuple[str, ...]) -> None:
    assert read_forward(text, subject=subject, headers=headers) is None


@pytest.mark.parametrize("piece", ["From: a@x ", "From:\n", "> From: Kim\n> Date: x\n", "a:\n" * 3, "@" * 50])
def test_hostile_forwards_take_linear_time(piece: str) -> None:
    import time

    spent = []
    for times in (2_000, 8_000):
        started = time.process_time()
        read_forward(piece * times)
        spent.append(time.process_time() - started)
    assert spent[1] < 12 * spent[0] + 0.05
