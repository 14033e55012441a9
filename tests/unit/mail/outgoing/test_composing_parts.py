"""Texts and files arrive as they were, whatever encoding was wished for; quotes and languages are what readers know."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from postroom.mail.headers.address import Address
from postroom.mail.html import sanitise, to_text
from postroom.mail.outgoing.composition import Composition, compose
from postroom.mail.outgoing.languages import best_language, language_of
from postroom.mail.outgoing.mime import Enclosure, Ways, file_name
from postroom.mail.outgoing.quoting import WORDS, Original, forwarded_text, quoted_html, quoted_text, text_as_html
from postroom.mail.outgoing.transfer import base64_size, encode_file, encode_text, encoding_for, seven_bit
from postroom.mail.reader import read

TEXTS = (
    "", "plain\n", "Grüße\nÄ\n", "日本語\n" * 30, "x" * 3_000, ".\n..\n.x\n", "From me\n", "tab\t \nspace \n",
    "a\r\nb\rc\n", "=3D =\n", "\u2028 \u0085 \x0b\n", "😀" * 400, "--=_postroom_x\n", "e\u0301\n", "ends without",
)  # fmt: skip
FILES = (
    b"",
    b"a\r\n",
    b"a\n",
    b"a\r",
    b"\0\r\n",
    b"x" * 2_000,
    bytes(range(256)) * 40,
    "ü\r\n".encode(),
    b"--=_postroom_\r\n",
)


def plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def composed(
    text: str, *, html: str | None = None, files: tuple[Enclosure, ...] = (), ways: Ways | None = None
) -> bytes:
    return compose(
        Composition(
            sender="us@example.com",
            to=["ann@example.org"],
            subject="x",
            text=text,
            html=html,
            date=datetime(2026, 11, 30, tzinfo=UTC),
            message_id="<1@example.com>",
            files=files,
            ways=ways or Ways(),
        )
    )


@pytest.mark.feature("S02")
@pytest.mark.parametrize(
    "charset", ["utf-8", "iso-8859-1", "us-ascii", "utf-16", "iso-2022-jp", "windows-1252", "no-such"]
)
@pytest.mark.parametrize("wanted", ["7bit", "8bit", "base64", "quoted-printable", "no-such"])
@pytest.mark.parametrize("eight_bit", [True, False])
def test_a_text_arrives_as_it_was(charset: str, wanted: str, eight_bit: bool) -> None:
    for text in TEXTS:
        ways = Ways(charset=charset, body=wanted, eight_bit=eight_bit)
        content = composed(text, html=text_as_html(text), ways=ways)
        assert all(len(line) <= 998 for line in content.split(b"\r\n"))
        assert eight_bit or content.isascii()
        for one in (content, seven_bit(content)):
            part = message_from_bytes(one, policy=policy.default).get_body(("plain",))
            assert part is not None
            assert plain(part.get_content()).rstrip("\n") == plain(text).rstrip("\n"), (text, charset, wanted)
        assert seven_bit(content).isascii()


@pytest.mark.feature("S01")
@pytest.mark.parametrize("wanted", ["7bit", "8bit", "base64", "quoted-printable", "bin=8bit;*=base64", "no-such"])
@pytest.mark.parametrize("eight_bit", [True, False])
def test_a_file_arrives_byte_for_byte(wanted: str, eight_bit: bool) -> None:
    files = tuple(Enclosure(f"{number}.bin", "application/x-any", data) for number, data in enumerate(FILES))
    content = composed("x", files=files, ways=Ways(files=wanted, eight_bit=eight_bit))
    for one in (content, seven_bit(content)):
        arrived = [part for part in message_from_bytes(one).walk() if part.get_filename()]
        assert [part.get_payload(decode=True) for part in arrived] == list(FILES)


@pytest.mark.feature("S01")
@pytest.mark.parametrize(
    ("table", "name", "encoding"),
    [
        ("wav=base64;txt=7bit;*=8bit", "a.txt", "7bit"),
        ("wav=base64;txt=7bit;*=8bit", "a.WAV", "base64"),
        ("wav=base64;txt=7bit;*=8bit", "a.pdf", "8bit"),
        ("quoted-printable", "a.pdf", "quoted-printable"),
        ("", "a.pdf", "base64"),
        ("txt=7bit", "README", "base64"),
    ],
)
def test_the_encoding_of_a_file_is_chosen_by_its_ending(table: str, name: str, encoding: str) -> None:
    assert encoding_for(name, table) == encoding


def test_quoted_printable_is_taken_where_it_is_shorter() -> None:
    assert encode_text("Viele Grüße aus dem Lager in Hamburg", wanted="8bit").encoding == "quoted-printable"
    assert encode_text("Привет всем", wanted="8bit").encoding == "base64"
    assert encode_file("ü\r\n".encode(), wanted="8bit").encoding == "base64"
    assert all(len(encode_file(b"x" * size).octets) == base64_size(size) for size in range(200))


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\r\nb.txt", "a_b.txt"),
        ("", "file"),
        ("...", "file"),
        ("C:\\x\\y.doc", "C:_x_y.doc"),
        ("rtl\u202egpj.exe", "rtl_gpj.exe"),
        ("ü" * 300 + ".pdf", "ü" * 196 + ".pdf"),
    ],
)
def test_a_name_of_a_file_is_a_name(given: str, safe: str) -> None:
    assert file_name(given) == safe


def test_names_of_files_read_back_by_two_parsers() -> None:
    chance = random.Random(20261130)
    letters = "abc äöü 日本 😀 ()'\"%*;=&.,-_"
    names = [file_name("".join(chance.choices(letters, k=chance.randint(1, 120))) + ".pdf") for _ in range(100)]
    content = composed("x", files=tuple(Enclosure(name, "application/pdf", b"x") for name in names))
    default = [part.get_filename() for part in message_from_bytes(content, policy=policy.default).walk()]
    ours = [part.name for part in read(content).walk() if part.name]
    assert [name for name in default if name] == names
    assert ours == [" ".join(name.split()) for name in names]  # ours shows a run of spaces as one


ORIGINAL = Original(
    sender=Address("Ann", "ann@example.org"),
    date=datetime(2026, 11, 20, 10, tzinfo=UTC),
    subject="Where?",
    to=(Address("", "support@example.com"),),
    text="Line\n> quoted\n\nEnd",
    html=None,
)


@pytest.mark.feature("A09")
@pytest.mark.parametrize("language", sorted(WORDS))
def test_a_quote_is_introduced_in_its_language_and_told_from_the_answer(language: str) -> None:
    text = quoted_text(ORIGINAL, language=language)
    first, *lines = text.splitlines()
    assert "ann@example.org" in first
    assert first.endswith(":")
    assert lines == ["> Line", ">> quoted", ">", "> End"]
    assert "blockquote" in quoted_html(ORIGINAL, language=language)
    assert "Where?" in forwarded_text(ORIGINAL, language=language)


def test_text_as_html_shows_the_same_text() -> None:
    text = "a < b & c\n  two  spaces\nhttps://example.org/?a=1&b=2.\n<script>x</script>"
    html = text_as_html(text)
    assert "<script>" not in html
    assert '<a href="https://example.org/?a=1&amp;b=2">' in html
    shown = " ".join(to_text(sanitise(html).html).split())
    assert shown.startswith("a < b & c two spaces")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my order? I have not received it and would like to know when you will send it.", "en"),
        ("Ich habe meine Bestellung noch nicht erhalten. Bitte sagen Sie mir, wann sie kommt.", "de"),
        ("Bonjour, je n'ai pas reçu ma commande et je vous prie de me répondre. Merci", "fr"),
        ("Hola, no he recibido mi pedido. ¿Cuándo llega? Gracias por su respuesta, es muy urgente.", "es"),
        ("Buongiorno, non ho ricevuto il mio ordine. Vorrei sapere quando arriva, grazie della risposta.", "it"),
        ("Ik heb mijn bestelling niet ontvangen en wil graag weten wanneer het komt. Bedankt voor uw antwoord.", "nl"),
        ("Dzień dobry, nie otrzymałem jeszcze zamówienia. Proszę o odpowiedź, czy jest w drodze.", "pl"),
        ("Здравствуйте, я не получил мой заказ. Пожалуйста, ответьте, когда он будет.", "ru"),
        ("注文した商品がまだ届いていません。いつ届きますか。", "ja"),
        ("我的订单还没有收到，请问什么时候发货？", "zh"),
        ("주문한 상품이 아직 도착하지 않았습니다.", "ko"),
        ("لم أستلم طلبي بعد، متى سيصل؟", "ar"),
        ("4711", None),
        ("", None),
        ("OK", None),
    ],
)
def test_the_language_of_a_text_is_told_or_left_open(text: str, language: str | None) -> None:
    assert language_of(text) == language
    assert best_language(text, among=("xx", "de", "pt-BR"), otherwise="en") == ("de" if language == "de" else "en")
