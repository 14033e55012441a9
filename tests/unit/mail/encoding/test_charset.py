"""Bytes become the text that their sender saw, whatever the label says."""

import re
import tracemalloc

import pytest
from postroom.mail.encoding.charset import decode
from postroom.mail.encoding.charset_names import codec_name
from postroom.mail.reader import read

GERMAN, RUSSIAN, JAPANESE, CHINESE = "Größe und Übermaß", "Привет, как дела?", "こんにちは世界", "请假条和申请书"
POLISH, GREEK, KOREAN, TURKISH = "Zażółć gęślą jaźń", "Ελληνικά γράμματα", "한국어 메일입니다", "Günaydın şöförüm"


@pytest.mark.parametrize(
    ("text", "encoding", "declared"),
    [
        pytest.param(GERMAN, "utf-8", "utf-8", id="UTF-8"),
        pytest.param(JAPANESE, "iso2022_jp", "utf-8", id="ISO-2022-JP labelled UTF-8"),
        pytest.param(GERMAN, "utf-16", None, id="UTF-16 with a mark, without label"),
        pytest.param(GERMAN, "utf-16", "utf-8", id="UTF-16 with a mark, labelled UTF-8"),
        pytest.param(RUSSIAN * 2, "cp1251", "iso-8859-1", id="windows-1251 labelled Latin-1"),
        pytest.param(RUSSIAN * 5, "koi8-r", "windows-1252", id="KOI8-R labelled windows-1252"),
        pytest.param(JAPANESE, "cp932", "iso-8859-1", id="Shift-JIS labelled Latin-1"),
        pytest.param("ÄÖÜ, ÀÉÈ: ‘ÇA’", "cp1252", "iso-8859-1", id="Latin-1 capitals"),
        pytest.param("Günaydın! Siparişiniz çıktı", "cp1254", None, id="Turkish without label"),
        pytest.param("Góðan daginn, það er þýðing", "cp1252", None, id="Icelandic without label"),
        pytest.param(
            "Dzień dobry, proszę o pomoc. Gdzie jest moja paczka? Są dwie książki, źle wysłane.",
            "iso8859-2",
            None,
            id="Polish ISO-8859-2 without label",
        ),
        pytest.param("Dobrý den, příliš žluťoučký kůň", "iso8859-2", None, id="Czech ISO-8859-2 without label"),
        pytest.param("Dobrý den, příliš žluťoučký kůň", "cp1250", None, id="Czech windows-1250 without label"),
        pytest.param("Доброго дня! Ваше замовлення її. " * 3, "koi8-u", None, id="KOI8-U without label"),
        pytest.param(GERMAN, "utf-8", None, id="UTF-8 without label"),
        pytest.param(GERMAN, "utf-8", "us-ascii", id="UTF-8 labelled ASCII"),
        pytest.param(GERMAN, "utf-8", "iso-8859-1", id="UTF-8 labelled Latin-1"),
        pytest.param(GERMAN, "utf-8", "x-unknown", id="UTF-8 under an unknown label"),
        pytest.param(GERMAN, "latin-1", "utf-8", id="Latin-1 labelled UTF-8"),
        pytest.param(GERMAN, "latin-1", None, id="Latin-1 without label"),
        pytest.param("“Größe” – 5 €", "cp1252", "iso-8859-1", id="windows-1252 labelled Latin-1"),
        pytest.param("“Größe” – 5 €", "cp1252", "us-ascii", id="windows-1252 labelled ASCII"),
        pytest.param(RUSSIAN, "koi8-r", "koi8-r", id="KOI8-R"),
        pytest.param(RUSSIAN, "cp1251", "windows-1251", id="windows-1251"),
        pytest.param(RUSSIAN, "cp1251", "x-cp1251", id="windows-1251 as x-cp1251"),
        pytest.param(RUSSIAN * 5, "cp1251", None, id="windows-1251 without label"),
        pytest.param(RUSSIAN * 5, "koi8-r", "utf-8", id="KOI8-R labelled UTF-8"),
        pytest.param(RUSSIAN, "iso8859-5", "iso-8859-5", id="ISO-8859-5"),
        pytest.param(RUSSIAN, "mac_cyrillic", "x-mac-cyrillic", id="Macintosh"),
        pytest.param(JAPANESE, "iso2022_jp", "ISO-2022-JP", id="ISO-2022-JP"),
        pytest.param(JAPANESE, "iso2022_jp", None, id="ISO-2022-JP without label"),
        pytest.param(JAPANESE, "cp932", "shift_jis", id="Shift-JIS"),
        pytest.param("①髙﨑", "cp932", "Shift_JIS", id="Microsoft's Shift-JIS"),
        pytest.param(JAPANESE * 3, "euc_jp", "iso-2022-jp", id="EUC-JP labelled ISO-2022-JP"),
        pytest.param(JAPANESE * 5, "cp932", None, id="Shift-JIS without label"),
        pytest.param(CHINESE, "gb18030", "gb2312", id="GBK labelled GB2312"),
        pytest.param("朱镕基", "gbk", "GB2312", id="GBK character labelled GB2312"),
        pytest.param("繁體中文", "big5", "big5", id="Big5"),
        pytest.param(CHINESE, "hz", "hz-gb-2312", id="HZ"),
        pytest.param(KOREAN, "cp949", "ks_c_5601-1987", id="Korean by its old name"),
        pytest.param("똠방각하", "cp949", "euc-kr", id="UHC labelled EUC-KR"),
        pytest.param(POLISH, "iso8859-2", "iso-8859-2", id="ISO-8859-2"),
        pytest.param(POLISH, "cp1250", "windows-1250", id="windows-1250"),
        pytest.param(GREEK, "cp1253", "cp1253", id="Greek"),
        pytest.param(TURKISH, "cp1254", "iso-8859-9", id="Turkish"),
        pytest.param("สวัสดี", "cp874", "tis-620", id="Thai"),
        pytest.param("שלום", "iso8859-8", "iso-8859-8-i", id="logical Hebrew"),
        pytest.param("Frösche", "utf-7", "utf-7", id="UTF-7"),
        pytest.param("Frösche", "utf-7", "unicode-1-1-utf-7", id="UTF-7 by its long name"),
        pytest.param(GERMAN, "utf-16", "utf-16", id="UTF-16 with a mark"),
        pytest.param(GERMAN, "utf-16-le", "utf-16le", id="UTF-16LE"),
        pytest.param(GERMAN, "utf-8-sig", "utf-8", id="byte order mark"),
        pytest.param(GERMAN, "utf-8", '"UTF-8"; format=flowed', id="label with rubbish"),
        pytest.param(GERMAN, "latin-1", "ISO-8859-1//TRANSLIT", id="label of iconv"),
        pytest.param(GERMAN, "latin-1", "iso8859_1", id="label with underscore"),
        pytest.param(GERMAN, "cp850", "ibm-850", id="DOS"),
    ],
)
def test_text_is_decoded(text: str, encoding: str, declared: str | None) -> None:
    assert decode(text.encode(encoding), declared) == text


@pytest.mark.parametrize(
    "declared", ["rot13", "base64", "idna", "punycode", "unicode_escape", "zlib", "../../etc", "\0", "mbcs"]
)
def test_codecs_that_are_no_charsets_are_not_used(declared: str) -> None:
    assert codec_name(declared) == ""
    assert decode(b"\\u0041xn--a", declared) == "\\u0041xn--a"


def test_long_names_of_charsets_are_not_kept() -> None:
    """A name may be as long as a header; hundreds of them would stay in the memory of a function for its life."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(50):
            assert codec_name(f"x{number}" * 20_000) == ""
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept < 200_000


@pytest.mark.parametrize("label", ["utf-8", "us-ascii", None])
@pytest.mark.parametrize(
    "text",
    [
        "Здравствуйте, лампа сломалась",
        "お世話になっております。ランプが壊れました。",
        "您好，我的灯坏了，请给我寄一个新的。",
        "안녕하세요, 램프가 고장 났습니다.",
        "Καλημέρα, η λάμπα χάλασε",
        "สวัสดีครับ โคมไฟของฉันเสีย",
        "Grüße aus Köln: größere Öfen für Händler, schöne Grüße",
    ],
)
def test_a_byte_lost_in_utf_8_costs_one_character(text: str, label: str | None) -> None:
    raw = text.encode()
    place = next(index for index, byte in enumerate(raw) if byte >= 0xC2)
    damaged = decode(raw[: place + 1] + raw[place + 2 :], label)
    assert damaged.endswith(text[len(raw[:place].decode()) + 1 :])


def test_a_damaged_character_does_not_cost_the_text() -> None:
    text = ("Größe " * 20).encode()
    assert decode(text[:-2] + b"\xc3", "utf-8") == ("Größe " * 20)[:-2] + "\ufffd"


@pytest.mark.parametrize(
    "declared", [None, "utf-8", "utf-7", "iso-2022-jp", "gb2312", "big5", "utf-16", "hz", "koi8-r"]
)
def test_any_bytes_give_some_text(declared: str | None) -> None:
    assert decode(bytes(range(256)) * 3, declared)
    assert decode(b"", declared) == ""


@pytest.mark.parametrize(
    "raw",
    [
        b'Content-Type: text/html\r\n\r\n<meta charset="iso-8859-2">' + "Žluťoučký".encode("iso-8859-2"),
        b'Content-Type: text/html\r\n\r\n<meta charset="iso-8859-2">' + "Žluťoučký".encode(),
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        + "Žluťoučký".encode("iso-8859-2")
        + b"\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-2\r\n\r\n--b--",
    ],
    ids=["said in the HTML", "UTF-8 in spite of the HTML", "said by another part"],
)
def test_text_without_charset_is_read_by_what_else_is_known(raw: bytes) -> None:
    texts = [part.text() for part in read(raw).walk() if part.content_type == "text/html"]
    assert texts[0].endswith("Žluťoučký")


def test_a_text_under_a_wrong_label_is_a_defect_not_an_error() -> None:
    message = read(b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xe4\xf6\xfc und so weiter")
    assert message.text() == "äöü und so weiter"
    assert message.defects == ("charset utf-8 is not that of the text of part 1",)


@pytest.mark.parametrize("text", ["张伟", "王小明", "北京市朝阳区", "订单 4711 的状态", "张 静 (公司)"])
@pytest.mark.parametrize(
    "around", [("", ""), ("Dear all,\n" * 500, "\nbye\n" * 500), ("From the desk of ", ", Ltd. <x@y.example>")]
)
def test_a_little_chinese_without_a_label_is_chinese(text: str, around: tuple[str, str]) -> None:
    whole = text.join(around)
    assert decode(whole.encode("gb2312"), None) == whole


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("привет всем, как дела сегодня", "koi8-r"),
        ("Добрый день, где мой заказ", "cp1251"),
        ("Grüße aus Köln, schöne Füße", "cp1252"),
        ("ご注文の状況を教えてください", "euc_jp"),
        ("안녕하세요 주문 상태를 알려 주세요", "cp949"),
        ("Καλημέρα σας, πού είναι", "cp1253"),
        ("สวัสดีครับ สินค้าอยู่ที่ไหน", "cp874"),
    ],
)
def test_other_languages_are_not_called_chinese(text: str, codec: str) -> None:
    assert not re.search("[\u4e00-\u9fff]{4}", decode(text.encode(codec), None)) or codec == "euc_jp"
