"""Make ordinary mails of which is known what was put in: every charset, transfer encoding and structure in use."""

from __future__ import annotations

import base64
import quopri
import random
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

# Label → Python codec, and text that the charset has.
_CYRILLIC = "Добрый день! Ваш заказ № принят, счёт во вложении. Щука, ёлка, объект."
_JAPANESE = "お問い合わせありがとうございます。ご注文の商品は明日発送します。カタカナ、漢字、ABC。"
_CHINESE = "您好,感谢您的来信。订单已经发货,请查收附件。朋友们辛苦了。"
_TAIWANESE = "您好,感謝您的來信。訂單已經出貨,請查收附件。許功蓋。"
_KOREAN = "안녕하세요. 주문하신 상품이 발송되었습니다. 감사합니다."
_WESTERN = "Grüße aus Köln! Ça va très bien; mañana señor. Smørrebrød på øen. Être naïf, élève à São Tomé. ÄÖÜ"
_CENTRAL = "Zażółć gęślą jaźń. Příliš žluťoučký kůň úpěl ďábelské ódy. Árvíztűrő tükörfúrógép."
_GREEK = "Καλημέρα σας! Η παραγγελία σας έχει αποσταλεί. Ώρα ΄΅"
_TURKISH = "Günaydın! Şikâyetiniz alındı, çözüm için çalışıyoruz. ĞÜŞİÖÇ ığ"
_HEBREW = "שלום רב, ההזמנה שלך נשלחה. תודה רבה על פנייתך"
_ARABIC = "مرحبا، تم إرسال طلبك. شكرا جزيلا لتواصلك معنا"
_THAI = "สวัสดีครับ สินค้าของคุณถูกจัดส่งแล้ว ขอบคุณมาก"
_BALTIC = "Ačiū už laišką! Paldies par vēstuli. Šiauliai ąčęėįšųūž ļķņģ"
_VIETNAMESE = "Cảm ơn quý khách đã đặt hàng. Đơn hàng đang được giao."
CHARSETS: tuple[tuple[str, str, str], ...] = (
    ("us-ascii", "ascii", "Hello, my parcel has not come yet. Please tell me where it is, and when; =20 ?= _ x@y"),
    ("utf-8", "utf-8", f"{_WESTERN} {_CYRILLIC} {_JAPANESE} 😀🏳️‍🌈 {_ARABIC} {_VIETNAMESE}"),
    ("UTF-8", "utf-8", f"{_CHINESE} — “{_WESTERN}” … €"),
    ("iso-8859-1", "latin-1", _WESTERN),
    ("ISO-8859-1", "cp1252", f"“{_WESTERN}” – 12 € … ’s"),
    ("windows-1252", "cp1252", f"“{_WESTERN}” – 12 € …"),
    ("iso-8859-15", "iso8859-15", f"{_WESTERN} 12 € œuvre Šž"),
    ("iso-8859-2", "iso8859-2", _CENTRAL),
    ("windows-1250", "cp1250", f"„{_CENTRAL}”"),
    ("iso-8859-4", "iso8859-4", "Šiauliai ąčęėįšųūž ļķņģ"),
    ("iso-8859-13", "iso8859-13", _BALTIC.replace("ģ", "g")),
    ("windows-1257", "cp1257", f"„{_BALTIC}“"),
    ("iso-8859-5", "iso8859-5", _CYRILLIC),
    ("windows-1251", "cp1251", f"«{_CYRILLIC}» – 5 €"),
    ("koi8-r", "koi8-r", _CYRILLIC.replace("№", "N")),
    ("koi8-u", "koi8-u", "Доброго дня! Ваше замовлення її ґанок є."),
    ("x-mac-cyrillic", "mac_cyrillic", _CYRILLIC),
    ("cp866", "cp866", _CYRILLIC),
    ("iso-8859-7", "iso8859-7", _GREEK),
    ("windows-1253", "cp1253", _GREEK),
    ("iso-8859-9", "iso8859-9", _TURKISH),
    ("windows-1254", "cp1254", f"“{_TURKISH}”"),
    ("iso-8859-8-i", "iso8859-8", _HEBREW),
    ("windows-1255", "cp1255", _HEBREW),
    ("iso-8859-6", "iso8859-6", _ARABIC),
    ("windows-1256", "cp1256", _ARABIC),
    ("tis-620", "cp874", _THAI),
    ("windows-874", "cp874", f"{_THAI}…"),
    ("windows-1258", "cp1258", "Tôi đa\u0303 nhâ\u0323n đươ\u0323c hàng. Đơn hàng."),
    ("macintosh", "mac_roman", f"“{_WESTERN}”"),
    ("ibm850", "cp850", _WESTERN),
    ("iso-2022-jp", "iso2022_jp", _JAPANESE),
    ("ISO-2022-JP", "iso2022_jp", f"{_JAPANESE}\r\n-- \r\n担当"),
    ("shift_jis", "cp932", f"{_JAPANESE}①髙﨑㈱〜".replace("〜", "～")),
    ("euc-jp", "euc_jp", _JAPANESE),
    ("gb2312", "gb18030", f"{_CHINESE}朱镕基"),
    ("gbk", "gbk", _CHINESE),
    ("gb18030", "gb18030", f"{_CHINESE}𠮷 😀"),
    ("hz-gb-2312", "hz", _CHINESE),
    ("big5", "big5", _TAIWANESE),
    ("euc-kr", "euc_kr", _KOREAN),
    ("ks_c_5601-1987", "cp949", f"{_KOREAN} 똠방각하"),
    ("iso-2022-kr", "iso2022_kr", _KOREAN),
    ("utf-7", "utf-7", f"{_WESTERN} {_CYRILLIC}"),
    ("utf-16", "utf-16", f"{_WESTERN} {_JAPANESE}"),
    ("utf-16le", "utf-16-le", f"{_WESTERN} {_CYRILLIC}"),
    ("utf-16be", "utf-16-be", f"{_WESTERN} {_CHINESE}"),
)
_WIDE = ("utf-16", "utf-32")
_SEVEN_BIT = ("ascii", "iso2022_jp", "iso2022_kr", "hz", "utf-7")

_SELDOM_RAW = ("utf-16", "utf-16-le", "utf-16-be", "utf-7", "hz", "iso2022_kr")


@dataclass(frozen=True)
class Made:
    """A mail and what was put into it; texts have LF line ends."""

    raw: bytes
    what: str  # how it was made, for whoever looks at a failure
    subject: str
    sender: str
    text: str | None
    html: str | None
    files: tuple[tuple[str, bytes], ...]


def make(seed: int) -> Made:
    """Make one mail; the same seed makes the same one."""
    return _Maker(random.Random(seed)).make()


def make_raw(seed: int) -> Made:
    """Make a mail whose headers and file name are in the charset of its text, unencoded, as old senders do."""
    maker = _Maker(random.Random(seed))
    while maker.codec in _SELDOM_RAW:
        maker.label, maker.codec, maker.pool = maker.rng.choice(CHARSETS)
    return maker.make_raw()


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.label, self.codec, self.pool = rng.choice(CHARSETS)
        self.end = rng.choice(("\r\n", "\r\n", "\n"))
        self.what = [self.label]
        self.boundaries = 0

    def make(self) -> Made:
        rng = self.rng
        subject, sender = self._words(rng.randint(1, 14)), self._words(2).replace(",", "").replace("\r\n", " ")
        subject = " ".join(subject.split())
        sender = " ".join(sender.replace(";", "").split())
        text, html = self._text(), self._html()
        file = (self._file_name(), rng.randbytes(rng.choice((0, 1, 57, 300, 5_000))))
        image = ("image001.png", b"\x89PNG\r\n\x1a\n" + rng.randbytes(200))
        plain, rich = self._text_part("plain", text), self._text_part("html", html)
        attached, shown = self._file_part("application/pdf", *file), self._file_part("image/png", *image, cid="i@x")
        structure = rng.choice(
            ("plain", "html", "alternative", "mixed", "mixed alternative", "related", "apple", "outlook", "file only")
        )
        self.what.append(structure)
        related = self._multi("related", rich, shown)
        alternative = self._multi("alternative", plain, rich)
        root, with_text, with_html, files = {
            "plain": (plain, True, False, ()),
            "html": (rich, False, True, ()),
            "alternative": (alternative, True, True, ()),
            "mixed": (self._multi("mixed", plain, attached), True, False, (file,)),
            "mixed alternative": (
                self._multi("mixed", alternative, attached), True, True, (file,),
            ),
            "related": (related, False, True, (image,)),
            "apple": (
                self._multi("alternative", plain, self._multi("mixed", related, attached)),
                True, True, (image, file),
            ),
            "outlook": (
                self._multi("mixed", self._multi("related", alternative, shown), attached),
                True, True, (image, file),
            ),
            "file only": (attached, False, False, (file,)),
        }[structure]  # fmt: skip
        headers = [
            f"From: {self._header(sender, phrase=True)} <sender@example.org>".encode(),
            b"To: support@example.com",
            f"Subject: {self._header(subject)}".encode(),
            b"Date: Fri, 20 Nov 2026 10:00:00 +0000",
            b"Message-ID: <%d@example.org>" % rng.randrange(10**9),
            b"MIME-Version: 1.0",
        ]
        rng.shuffle(headers)
        end = self.end.encode()
        return Made(
            raw=b"".join(line.replace(b"\r\n", b"\n").replace(b"\n", end) + end for line in headers) + root,
            what=" ".join(self.what),
            subject=subject,
            sender=sender,
            text=text.replace("\r\n", "\n") if with_text else None,
            html=html.replace("\r\n", "\n") if with_html else None,
            files=files,
        )

    def make_raw(self) -> Made:
        subject, name = " ".join(self._words(4).split()), self._file_name()
        sender = " ".join("".join(char for char in self._words(2) if char not in '"<>,;:()@.').split()) or "x"
        text = self._text()
        lines = [
            f'From: "{sender}" <sender@example.org>',
            f"To: {sender} <support@example.com>",
            f"Subject: {subject}",
            'Content-Type: multipart/mixed; boundary="b0"',
            "",
            "--b0",
            f"Content-Type: text/plain; charset={self.label}",
            "",
            f"{text}\r\n{self.pool}",
            "--b0",
            f'Content-Type: application/pdf; name="{name}"',
            f'Content-Disposition: attachment; filename="{name}"',
            "",
            "x",
            "--b0--",
        ]
        return Made(
            raw=self.end.encode().join(line.encode(self.codec) for line in lines),
            what=f"{self.label} raw",
            subject=subject,
            sender=sender,
            text=f"{text}\n{self.pool}".replace("\r\n", "\n"),
            html=None,
            files=((name, b"x"),),
        )

    def _words(self, count: int) -> str:
        words = self.pool.split(" ")
        start = self.rng.randrange(len(words))
        return " ".join((words * 3)[start : start + count])[: self.rng.randint(8, 60)].strip() or "x"

    def _text(self) -> str:
        lines = [self._words(self.rng.randint(1, 10)) for _ in range(self.rng.randint(1, 12))]
        lines += self.rng.choice(([], [""], ["-- ", "Name"], ["> quoted", ">> more"], ["From here", ".", "--", "=3D"]))
        return "\r\n".join(lines)

    def _html(self) -> str:
        return (
            "<html><body>" + "<br>\r\n".join(f"<p>{line}</p>" for line in self._text().split("\r\n")) + "</body></html>"
        )

    def _text_part(self, subtype: str, text: str) -> bytes:
        """Return a text part with its headers, in a transfer encoding that the charset allows."""
        rng = self.rng
        wide = self.codec.startswith(_WIDE)
        encodings = ["base64"] if wide else ["quoted-printable", "base64", "8bit"]
        if self.codec in _SEVEN_BIT:
            encodings = ["7bit", "base64", "quoted-printable", ""]
        encoding = rng.choice(encodings)
        self.what.append(f"{subtype}:{encoding}")
        lines = text if wide or encoding == "base64" else text.replace("\r\n", self.end)
        data = lines.encode(self.codec)
        if encoding == "base64":
            body = base64.encodebytes(data) if rng.random() < 0.9 else base64.b64encode(data)
            body = body.replace(b"\n", self.end.encode())
        elif encoding == "quoted-printable":
            body = quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", self.end.encode())
        else:
            body = data
        label = rng.choice((self.label, f'"{self.label}"', self.label.upper()))
        extra = (
            rng.choice(("", "; format=flowed", f";{self.end}\tformat=flowed; delsp=no")) if subtype == "plain" else ""
        )
        kind = rng.choice((f"text/{subtype}", f"TEXT/{subtype.upper()}", f"text/{subtype} "))
        headers = [f"Content-Type: {kind}; charset={label}{extra}"]
        if encoding:
            headers.append(f"Content-Transfer-Encoding: {rng.choice((encoding, encoding.upper()))}")
        if rng.random() < 0.2:
            headers.append("Content-Disposition: inline")
        rng.shuffle(headers)
        return self.end.join([*headers, "", ""]).encode() + body

    def _file_name(self) -> str:
        stem = self._words(self.rng.randint(1, 6))
        for mark in "\"\\/;:<>|?*\r\n=_%@,'":
            stem = stem.replace(mark, "")
        return f"{' '.join(stem.split()) or 'a'}.pdf"

    def _file_part(self, kind: str, name: str, data: bytes, *, cid: str = "") -> bytes:
        name_type, name_disposition = self._name_parameters(name)
        headers = [
            f"Content-Type: {kind}{name_type}",
            "Content-Transfer-Encoding: base64",
            f"Content-Disposition: {'inline' if cid else 'attachment'}{name_disposition}",
        ]
        if cid:
            headers.append(f"Content-ID: <{cid}>")
        text = self.end.join([*headers, "", ""]).encode()
        return text + base64.encodebytes(data).replace(b"\n", self.end.encode())

    def _name_parameters(self, name: str) -> tuple[str, str]:
        """Return the parameters for Content-Type and Content-Disposition, in one of the forms that senders use."""
        rng = self.rng
        if name.isascii():
            plain = f'"{name}"' if " " in name or rng.random() < 0.7 else name
            return (f"; name={plain}", f"; filename={plain}")
        form = rng.choice(("2231", "2231 pieces", "word", "word and 2231", "raw"))
        self.what.append(form)
        charset, codec = (
            ("utf-8", "utf-8") if self.codec.startswith((*_WIDE, "hz", "utf-7")) else (self.label, self.codec)
        )
        data = name.encode(codec)
        escaped = quote_from_bytes(data, safe="")
        extended = f";{self.end} filename*={charset}''{escaped}"
        word = f';{self.end} name="{self._encoded(name, phrase=True)}"'
        if form == "2231":
            return ("", extended)
        if form == "2231 pieces":
            cut = rng.randint(5, 40)
            pieces = [escaped[at : at + cut] for at in range(0, len(escaped), cut)]
            if any("%" in piece[-2:] for piece in pieces):  # an escape is not split
                return ("", extended)
            listed = [f"filename*{number}*={piece}" for number, piece in enumerate(pieces)]
            listed[0] = f"filename*0*={charset}''{pieces[0]}"
            return (word, "".join(f";{self.end}\t{piece}" for piece in listed))
        if form == "word":
            return (word, f';{self.end} filename="{self._encoded(name, phrase=True)}"')
        if form == "word and 2231":
            return (word, extended)
        return (f'; name="{name}"', f'; filename="{name}"')  # RFC 6532

    def _header(self, text: str, *, phrase: bool = False) -> str:
        if text.isascii() and "=?" not in text and "?=" not in text:
            return f'"{text}"' if phrase else text
        if self.rng.random() < 0.15 and "=?" not in text and "?=" not in text:
            self.what.append("raw header")
            return f'"{text}"' if phrase else text  # RFC 6532: raw UTF-8
        return self._encoded(text, phrase=phrase)

    def _encoded(self, text: str, *, phrase: bool) -> str:
        """Return encoded words; some senders cut the bytes within a character, which RFC 2047 §5 forbids."""
        rng = self.rng
        label, codec = (
            ("utf-8", "utf-8") if self.codec.startswith((*_WIDE, "hz", "utf-7")) else (self.label, self.codec)
        )
        within = rng.random() < 0.3 and codec not in _SEVEN_BIT
        encoding = rng.choice("BbQq")
        self.what.append(f"{encoding}{'|' if within else ''}")
        if within:
            data = text.encode(codec)
            size = rng.randint(7, 40)
            chunks = [data[at : at + size] for at in range(0, len(data), size)]
        else:
            size = rng.randint(3, 16)
            chunks = [text[at : at + size].encode(codec) for at in range(0, len(text), size)]
        words = [f"=?{label}?{encoding}?{_word(chunk, encoding)}?=" for chunk in chunks]
        return rng.choice((" ", "\r\n ", "\r\n\t")).join(words)

    def _multi(self, kind: str, *parts: bytes) -> bytes:
        self.boundaries += 1
        style = self.rng.choice(
            ("----=_NextPart_000_%04d", "b%d", "Apple-Mail=_%d-AB", "==%d==", "_%d_", "(a+b)'?/:, %d")
        )
        boundary = style % (self.rng.randrange(1_000) * 10 + self.boundaries)
        end = self.end.encode()
        quoted = boundary if self.rng.random() < 0.2 and boundary.isalnum() else f'"{boundary}"'
        out = [f"Content-Type: multipart/{kind}; boundary={quoted}".encode(), b""]
        if self.rng.random() < 0.4:
            out.append(b"This is a multi-part message in MIME format.")
        for part in parts:
            out += [b"--" + boundary.encode(), part]
        out += [b"--" + boundary.encode() + b"--", b""]
        return end.join(out)


def _word(chunk: bytes, encoding: str) -> str:
    if encoding in "Bb":
        return base64.b64encode(chunk).decode()
    return "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else "_" if byte == 32 else f"={byte:02X}" for byte in chunk
    )
