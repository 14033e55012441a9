"""Mail as the programs and services of real senders write it is read as the people see it who use them."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pytest
from postroom.mail.content.body_parts import bodies
from postroom.mail.content.calendar import invitation
from postroom.mail.content.parts_as_files import files
from postroom.mail.content.signed import Protection, protection
from postroom.mail.reader import read

from tests.unit.mail.content.test_special_kinds import ICS, STREAM
from tests.unit.mail.encoding.test_transfer import uuencoded


def lines(*pieces: str | bytes) -> bytes:
    """Join lines as they travel; text is UTF-8."""
    return b"\r\n".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)


def part(*headers: str | bytes, body: str | bytes = b"") -> bytes:
    """Return a part's source."""
    return lines(*headers, "", body)


def multi(kind: str, *parts: bytes, boundary: str = "b", quote: str = '"', extra: str = "") -> bytes:
    """Return a multipart's source."""
    head = f"Content-Type: multipart/{kind}; boundary={quote}{boundary}{quote}{extra}"
    return lines(head, "", *(b"--" + boundary.encode() + b"\r\n" + one for one in parts), f"--{boundary}--", "")


def b64(data: bytes | str) -> bytes:
    """Return base64 in lines of 76."""
    return base64.encodebytes(data.encode() if isinstance(data, str) else data).replace(b"\n", b"\r\n")


@dataclass(frozen=True)
class Seen:
    """What a person sees of a mail; `files` are (name, type, shown in place)."""

    text: str | None = None
    html: str | None = None
    files: tuple[tuple[str, str, bool], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


TOP = b"From: a@example.org\r\nMIME-Version: 1.0\r\n"
PLAIN = part("Content-Type: text/plain; charset=utf-8", body="Grüße")
HTML = part("Content-Type: text/html; charset=utf-8", body="<p>Grüße</p>")
PDF = part(
    'Content-Type: application/pdf; name="Angebot.pdf"',
    'Content-Disposition: attachment; filename="Angebot.pdf"',
    "Content-Transfer-Encoding: base64",
    body=b64(b"%PDF-1.4"),
)
PDF_SEEN = ("Angebot.pdf", "application/pdf", False)
WORDS = "=?utf-8?B?UmVjaG51bmcgZsO8ciBNw6Ry?=\r\n =?utf-8?B?ei5wZGY=?="
BOTH = multi("alternative", PLAIN, HTML, boundary="alt")


def image(*headers: str) -> bytes:
    """Return an image part."""
    return part("Content-Transfer-Encoding: base64", *headers, body=b64(b"\x89PNG"))


MAILS = {
    # Microsoft
    "Outlook: picture in the signature, file behind it": (
        multi(
            "mixed",
            multi(
                "related",
                multi("alternative", PLAIN, HTML, boundary="_000_x"),
                image(
                    'Content-Type: image/png; name="image001.png"',
                    "Content-Description: image001.png",
                    'Content-Disposition: inline; filename="image001.png"; size=4;\r\n'
                    '\tcreation-date="Mon, 15 Jan 2024 09:00:00 GMT"; modification-date=""',
                    "Content-ID: <image001.png@01DA4790.12345678>",
                ),
                boundary="_004_x",
                extra=';\r\n\ttype="multipart/alternative"',
            ),
            PDF,
            boundary="_005_x",
        ),
        Seen("Grüße", "<p>Grüße</p>", (("image001.png", "image/png", True), PDF_SEEN)),
    ),
    "Outlook: winmail.dat beside the text": (
        multi(
            "mixed",
            part("Content-Type: text/plain; charset=iso-8859-1", body="Grüße".encode("latin-1")),
            part(
                'Content-Type: application/ms-tnef; name="winmail.dat"',
                "Content-Transfer-Encoding: base64",
                'Content-Disposition: attachment; filename="winmail.dat"',
                body=b64(STREAM),
            ),
        ),
        Seen("Grüße", None, (("Angebot №1.pdf", "application/pdf", False),)),
    ),
    "Outlook: names in encoded words": (
        multi(
            "mixed",
            PLAIN,
            part(
                f'Content-Type: application/pdf;\r\n\tname="{WORDS}"',
                f'Content-Disposition: attachment;\r\n\tfilename="{WORDS}"',
                body="x",
            ),
        ),
        Seen("Grüße", None, (("Rechnung für März.pdf", "application/pdf", False),)),
    ),
    "Exchange: invitation": (
        multi(
            "alternative",
            PLAIN,
            HTML,
            part(
                'Content-Type: text/calendar; charset="utf-8"; method=REQUEST',
                "Content-Transfer-Encoding: base64",
                body=b64(ICS.replace("\n", "\r\n")),
            ),
        ),
        Seen("Grüße", "<p>Grüße</p>", (("attachment-1.ics", "text/calendar", False),)),
    ),
    "Exchange: forwarded as attachment": (
        multi(
            "mixed",
            PLAIN,
            part(
                "Content-Type: message/rfc822",
                'Content-Disposition: attachment;\r\n\tcreation-date="Mon, 15 Jan 2024 09:00:00 GMT"',
                body=lines("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "From: b@example.com", "", "inner"),
            ),
        ),
        Seen("Grüße", None, (("Grüße.eml", "message/rfc822", False),)),
    ),
    "Outlook Express: no label, German windows-1252": (
        part("Content-Type: text/plain", body="„Grüße“ – 5 €".encode("cp1252")),
        Seen("„Grüße“ – 5 €"),
    ),
    # Google
    "Gmail: reply": (
        multi(
            "alternative",
            part(
                'Content-Type: text/plain; charset="UTF-8"',
                "Content-Transfer-Encoding: quoted-printable",
                body="Gr=C3=BC=C3=9Fe\r\n\r\nOn Mon, Ann <a@example.org> wrote:\r\n\r\n> a very long line that is=\r\n"
                "  folded=20",
            ),
            HTML,
            boundary="000000000000abcdef06",
        ),
        Seen(
            "Grüße\n\nOn Mon, Ann <a@example.org> wrote:\n\n> a very long line that is  folded ",
            "<p>Grüße</p>",
        ),
    ),
    "Gmail: picture in the text and a file": (
        multi(
            "mixed",
            multi(
                "related",
                BOTH,
                image(
                    'Content-Type: image/png; name="Bildschirmfoto.png"',
                    'Content-Disposition: inline; filename="Bildschirmfoto.png"',
                    "X-Attachment-Id: ii_lr1",
                    "Content-ID: <ii_lr1>",
                ),
                boundary="rel",
            ),
            PDF,
        ),
        Seen("Grüße", "<p>Grüße</p>", (("Bildschirmfoto.png", "image/png", True), PDF_SEEN)),
    ),
    "Gmail: AMP beside the HTML": (
        multi("alternative", PLAIN, part("Content-Type: text/x-amp-html; charset=utf-8", body="<html ⚡4email>"), HTML),
        Seen("Grüße", "<p>Grüße</p>"),
    ),
    "Google Calendar: the invitation twice": (
        multi(
            "mixed",
            multi(
                "alternative",
                PLAIN,
                HTML,
                part("Content-Type: text/calendar; charset=UTF-8; method=REQUEST", body=ICS.replace("\n", "\r\n")),
                boundary="alt",
            ),
            part(
                'Content-Type: application/ics; name="invite.ics"',
                'Content-Disposition: attachment; filename="invite.ics"',
                body=ICS.replace("\n", "\r\n"),
            ),
        ),
        Seen(
            "Grüße",
            "<p>Grüße</p>",
            (("attachment-1.ics", "text/calendar", False), ("invite.ics", "application/ics", False)),
        ),
    ),
    # Apple
    "Apple Mail: file between two pieces of HTML": (
        multi(
            "alternative", PLAIN, multi("mixed", HTML, PDF, HTML, boundary="Apple-Mail=_2"), boundary="Apple-Mail=_1"
        ),
        Seen("Grüße", "<p>Grüße</p>\n<p>Grüße</p>", (PDF_SEEN,)),
    ),
    "Apple Mail: related within the alternative": (
        multi(
            "alternative",
            PLAIN,
            multi(
                "related",
                HTML,
                image(
                    'Content-Type: image/png; name=PastedGraphic-1.png; x-unix-mode="0666"',
                    "Content-Disposition: inline; filename=PastedGraphic-1.png",
                    "Content-Id: <9AF@example.org>",
                ),
                boundary="Apple-Mail=_2",
                extra=';\r\n\ttype="text/html"',
            ),
            boundary="Apple-Mail=_1",
        ),
        Seen("Grüße", "<p>Grüße</p>", (("PastedGraphic-1.png", "image/png", True),)),
    ),
    "iPhone: photograph between two texts": (
        multi(
            "mixed",
            PLAIN,
            image(
                "Content-Type: image/jpeg; name=IMG_0001.jpeg; x-apple-part-url=9AF",
                "Content-Disposition: inline; filename=IMG_0001.jpeg",
            ),
            part("Content-Type: text/plain; charset=us-ascii", body="\r\n\r\nSent from my iPhone"),
            boundary="Apple-Mail-9AF",
            quote="",
        ),
        Seen("Grüße\n\n\nSent from my iPhone", None, (("IMG_0001.jpeg", "image/jpeg", True),)),
    ),
    "iPhone: photograph without any text": (
        multi(
            "mixed",
            part("Content-Type: text/plain; charset=us-ascii", body=""),
            image("Content-Type: image/heic; name=IMG_1.HEIC", "Content-Disposition: inline; filename=IMG_1.HEIC"),
            part("Content-Type: text/plain; charset=us-ascii", body=""),
        ),
        Seen("\n", None, (("IMG_1.HEIC", "image/heic", True),)),
    ),
    "Apple Mail: decomposed letters and a narrow space in the name of a screenshot": (
        multi(
            "mixed",
            PLAIN,
            image(
                'Content-Type: image/png;\r\n\tname="=?utf-8?Q?U=CC=88bersicht_10=E2=80=AFUhr=2Epng?="',
                "Content-Disposition: attachment;\r\n\tfilename*=utf-8''U%CC%88bersicht%2010%E2%80%AFUhr.png",
            ),
        ),
        Seen("Grüße", None, (("U\u0308bersicht 10 Uhr.png", "image/png", False),)),
    ),
    "old Apple Mail: AppleDouble": (
        multi(
            "appledouble",
            part(
                "Content-Type: application/applefile; name=a.jpg", "Content-Transfer-Encoding: base64", body="AAUWBw=="
            ),
            image("Content-Type: image/jpeg; name=a.jpg", "Content-Disposition: inline; filename=a.jpg"),
        ),
        Seen(None, None, (("a.jpg", "application/applefile", False), ("a.jpg", "image/jpeg", True))),
    ),
    # Others
    "Android: base64 text": (
        part('Content-Type: text/plain; charset="utf-8"', "Content-Transfer-Encoding: base64", body=b64("Grüße\r\n😀")),
        Seen("Grüße\n😀"),
    ),
    "Samsung: file name in raw UTF-8": (
        multi(
            "mixed", PLAIN, part('Content-Type: application/pdf; name="영수증.pdf"', "Content-Disposition: attachment")
        ),
        Seen("Grüße", None, (("영수증.pdf", "application/pdf", False),)),
    ),
    "Lotus Notes: boundary with spaces": (
        multi(
            "related",
            multi("alternative", PLAIN, HTML, boundary="=_alternative 0056D2C7C1257A3B_="),
            image("Content-Type: image/gif", "Content-ID: <_1_0A1B2C>"),
            boundary="=_related 0056D2C7C1257A3B_=",
        ),
        Seen("Grüße", "<p>Grüße</p>", (("attachment-1.gif", "image/gif", True),)),
    ),
    "Thunderbird: flowed text keeps its lines": (
        part(
            "Content-Type: text/plain; charset=UTF-8; format=flowed; delsp=no",
            "Content-Transfer-Encoding: 8bit",
            body="A paragraph that \r\nflows on.\r\n\r\n-- \r\nAnn",
        ),
        Seen("A paragraph that \nflows on.\n\n-- \nAnn"),
    ),
    "Thunderbird: HTML with a picture": (
        multi("related", HTML, image('Content-Type: image/png; name="x.png"', "Content-Id: <part1.9AF@example.org>")),
        Seen(None, "<p>Grüße</p>", (("x.png", "image/png", True),)),
    ),
    "Yahoo: both in base64": (
        multi(
            "alternative",
            part("Content-Type: text/plain; charset=UTF-8", "Content-Transfer-Encoding: base64", body=b64("Grüße")),
            part(
                "Content-Type: text/html; charset=UTF-8", "Content-Transfer-Encoding: base64", body=b64("<p>Grüße</p>")
            ),
            boundary="----=_Part_1_2.3",
        ),
        Seen("Grüße", "<p>Grüße</p>"),
    ),
    "mailing list: footer as a part of its own": (
        multi(
            "mixed",
            BOTH,
            part('Content-Type: text/plain; charset="us-ascii"', "Content-Disposition: inline", body="___\r\nlist"),
        ),
        Seen("Grüße\n___\nlist", "<p>Grüße</p>\n<div>___<br>\nlist</div>"),
    ),
    "Eudora: x-uuencode": (
        multi(
            "mixed",
            PLAIN,
            part(
                'Content-Type: image/png; name="a.png"',
                "Content-Transfer-Encoding: x-uuencode",
                'Content-Disposition: attachment; filename="a.png"',
                body=uuencoded(b"\x89PNG" * 30, b"a.png"),
            ),
        ),
        Seen("Grüße", None, (("a.png", "image/png", False),)),
    ),
    "web form in PHP: no MIME at all, raw UTF-8": (
        b"Subject: Anfrage f\xc3\xbcr\r\n\r\nGr\xc3\xbc\xc3\x9fe",
        Seen("Grüße"),
    ),
    "web form: HTML that says its charset itself": (
        part("Content-Type: text/html", body='<meta charset="windows-1251"><p>Добрый день</p>'.encode("cp1251")),
        Seen(None, '<meta charset="windows-1251"><p>Добрый день</p>'),
    ),
    "fax server: file alone": (
        part(
            "Content-Type: application/pdf",
            "Content-Transfer-Encoding: base64",
            "Content-Disposition: attachment; filename=FAX_001.pdf",
            body=b64(b"%PDF"),
        ),
        Seen(None, None, (("FAX_001.pdf", "application/pdf", False),)),
    ),
    "voice box: sound alone": (
        part("Content-Type: audio/x-wav; name=msg0001.wav", "Content-Transfer-Encoding: base64", body=b64(b"RIFF")),
        Seen(None, None, (("msg0001.wav", "audio/x-wav", True),)),
    ),
    "scanner: text is an attachment": (
        part("Content-Type: text/plain; name=scan.txt", "Content-Disposition: attachment; filename=scan.txt", body="x"),
        Seen(None, None, (("scan.txt", "text/plain", False),)),
    ),
    "patch sent inline with a name": (
        multi(
            "mixed",
            PLAIN,
            part(
                "Content-Type: text/x-diff; charset=us-ascii",
                'Content-Disposition: inline; filename="a.diff"',
                body="-",
            ),
        ),
        Seen("Grüße", None, (("a.diff", "text/x-diff", True),)),
    ),
    "business card": (
        multi(
            "mixed",
            PLAIN,
            part(
                'Content-Type: text/x-vcard; charset=utf-8; name="ann.vcf"',
                'Content-Disposition: attachment; filename="ann.vcf"',
                body="BEGIN:VCARD",
            ),
        ),
        Seen("Grüße", None, (("ann.vcf", "text/x-vcard", False),)),
    ),
    "empty body": (part("Content-Type: text/plain; charset=utf-8"), Seen("")),
    "no body at all": (b"Subject: x\r\n", Seen("")),
    "empty alternative": (
        multi("alternative", part("Content-Type: text/plain"), part("Content-Type: text/html")),
        Seen("", ""),
    ),
    "Markdown alone": (part("Content-Type: text/markdown; charset=utf-8", body="# Grüße"), Seen("# Grüße")),
    "text/enriched beside plain text": (
        multi("alternative", PLAIN, part("Content-Type: text/enriched", body="<bold>x</bold>")),
        Seen("Grüße", None, (("attachment-1.bin", "text/enriched", False),)),
    ),
    "calendar alone": (
        part("Content-Type: text/calendar; method=CANCEL; charset=utf-8", body=ICS),
        Seen(None, None, (("attachment-1.ics", "text/calendar", False),)),
    ),
    "message in pieces": (
        part('Content-Type: message/partial; id="a@b"; number=1; total=3', body="Subject: inner\r\n\r\npiece"),
        Seen(None, None, (("attachment-1.bin", "message/partial", False),)),
    ),
    "body that is elsewhere": (
        multi(
            "mixed",
            PLAIN,
            part(
                'Content-Type: message/external-body; access-type=URL; URL="https://example.org/a"',
                body="Content-Type: text/plain\r\n\r\n",
            ),
        ),
        Seen("Grüße", None, (("attachment-1.bin", "message/external-body", False),)),
    ),
    "digest": (
        multi(
            "digest",
            part("", body="Subject: one\r\n\r\n1"),
            part("Content-Type: message/rfc822", body="Subject: two\r\n\r\n2"),
        ),
        Seen(None, None, (("one.eml", "message/rfc822", False), ("two.eml", "message/rfc822", False))),
    ),
    "forwarded message in base64, as phones do": (
        multi(
            "mixed",
            PLAIN,
            part(
                "Content-Type: message/rfc822; name=mail.eml",
                "Content-Transfer-Encoding: base64",
                body=b64("Subject: x\r\n\r\ny"),
            ),
        ),
        Seen("Grüße", None, (("mail.eml", "message/rfc822", False),)),
    ),
    # Signed and encrypted
    "S/MIME, clear signed": (
        multi(
            "signed",
            BOTH,
            part(
                'Content-Type: application/pkcs7-signature; name="smime.p7s"',
                'Content-Disposition: attachment; filename="smime.p7s"',
                body="MII=",
            ),
            extra='; protocol="application/pkcs7-signature"; micalg=sha-256',
        ),
        Seen("Grüße", "<p>Grüße</p>", (("smime.p7s", "application/pkcs7-signature", False),)),
    ),
    "S/MIME, encrypted": (
        part(
            'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"',
            "Content-Transfer-Encoding: base64",
            'Content-Disposition: attachment; filename="smime.p7m"',
            body=b64(b"\x30\x80"),
        ),
        Seen(None, None, (("smime.p7m", "application/pkcs7-mime", False),)),
    ),
    "PGP/MIME, signed": (
        multi(
            "signed",
            multi("mixed", PLAIN, PDF, boundary="inner"),
            part(
                'Content-Type: application/pgp-signature; name="signature.asc"',
                "Content-Description: OpenPGP digital signature",
                body="-----BEGIN PGP SIGNATURE-----",
            ),
            extra='; micalg=pgp-sha512; protocol="application/pgp-signature"',
        ),
        Seen("Grüße", None, (PDF_SEEN, ("signature.asc", "application/pgp-signature", False))),
    ),
    "PGP/MIME, encrypted": (
        multi(
            "encrypted",
            part("Content-Type: application/pgp-encrypted", body="Version: 1"),
            part(
                'Content-Type: application/octet-stream; name="encrypted.asc"',
                'Content-Disposition: inline; filename="encrypted.asc"',
                body="-----BEGIN PGP MESSAGE-----",
            ),
            extra='; protocol="application/pgp-encrypted"',
        ),
        Seen(
            None,
            None,
            (
                ("attachment-1.bin", "application/pgp-encrypted", False),
                ("encrypted.asc", "application/octet-stream", True),
            ),
        ),
    ),
    "PGP inline, signed": (
        part("Content-Type: text/plain", body="-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nHello\r\n"),
        Seen("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello\n"),
    ),
    # Languages
    "Japan: ISO-2022-JP with letters of Microsoft's and half-width kana": (
        part(
            "Content-Type: text/plain; charset=ISO-2022-JP",
            "Content-Transfer-Encoding: 7bit",
            body=b"\x1b$B-!!!9bF|\x1b(B(\x1b(I6@\x1b(B) \x1b$B|b\x1b(B\r\nabc",
        ),
        Seen("①　高日(ｶﾀ) 髙\nabc"),
    ),
    "Japan: file name in pieces of RFC 2231": (
        multi(
            "mixed",
            part("Content-Type: text/plain; charset=iso-2022-jp", body="日本".encode("iso2022_jp")),
            part(
                "Content-Type: application/pdf",
                "Content-Disposition: attachment;\r\n filename*0*=iso-2022-jp''%1B%24B8%2B%40Q%3Dq;\r\n"
                ' filename*1*=%3Bq%1B%28B;\r\n filename*2=".pdf"',
                body="x",
            ),
        ),
        Seen("日本", None, (("見積書資.pdf", "application/pdf", False),)),
    ),
    "Japan: file name in raw Shift-JIS": (
        multi(
            "mixed",
            part("Content-Type: text/plain; charset=Shift_JIS", body="見積書".encode("cp932")),
            part(
                b'Content-Type: application/pdf; name="' + "御見積書.pdf".encode("cp932") + b'"',
                "Content-Disposition: attachment",
                body="x",
            ),
        ),
        Seen("見積書", None, (("御見積書.pdf", "application/pdf", False),)),
    ),
    "Japan: word cut within a character": (
        lines(
            "Subject: =?UTF-8?B?44GT44KT44Gr44Gh?=\r\n =?UTF-8?B?44Gv5LiW?= =?UTF-8?B?55U=?=\r\n =?UTF-8?B?jA==?=",
            "",
            "x",
        ),
        Seen("x", headers=(("subject", "こんにちは世界"),)),
    ),
    "Japan: raw ISO-2022-JP in the headers": (
        lines(b"Subject: \x1b$B$3$s$K$A$O\x1b(B", b"To: \x1b$B:4F#\x1b(B <j@example.jp>, x@example.jp", "", "x"),
        Seen("x", headers=(("subject", "こんにちは"), ("to", "佐藤 <j@example.jp>, x@example.jp"))),
    ),
    "Russia: raw windows-1251 in the headers, which the HTML tells": (
        lines(
            "Subject: Привет".encode("cp1251"),
            "Content-Type: text/html",
            "Content-Transfer-Encoding: base64",
            "",
            b64('<meta charset="windows-1251">Да'.encode("cp1251")),
        ),
        Seen(None, '<meta charset="windows-1251">Да', headers=(("subject", "Привет"),)),
    ),
    "rich text alone is a file": (
        part("Content-Type: text/rtf", body=r"{\rtf1 x}"),
        Seen(None, None, (("attachment-1.rtf", "text/rtf", False),)),
    ),
    "China: GB2312 that is GB18030": (
        part(
            "Content-Type: text/plain; charset=gb2312",
            "Content-Transfer-Encoding: base64",
            body=b64("朱镕基，𠮷😀".encode("gb18030")),
        ),
        Seen("朱镕基，𠮷😀"),
    ),
    "Taiwan: Big5 with letters of Microsoft's": (
        part(
            "Content-Type: text/plain; charset=Big5",
            "Content-Transfer-Encoding: 8bit",
            body="許功蓋：碁銹裏墻恒粧嫺 €".encode("cp950"),
        ),
        Seen("許功蓋：碁銹裏墻恒粧嫺 €"),
    ),
    "Russia: KOI8-R": (
        part(
            "Content-Type: text/plain; charset=KOI8-R",
            "Content-Transfer-Encoding: 8bit",
            body="Добрый день!".encode("koi8-r"),
        ),
        Seen("Добрый день!"),
    ),
    "Russia: windows-1251 that says it is Latin-1": (
        part("Content-Type: text/plain; charset=iso-8859-1", body="Добрый день! Где мой заказ?".encode("cp1251")),
        Seen("Добрый день! Где мой заказ?"),
    ),
    "UTF-7": (part("Content-Type: text/plain; charset=UTF-7", body="Gr+APwA3w-e +- ok"), Seen("Grüße + ok")),
    "UTF-16 with a mark": (
        part(
            "Content-Type: text/plain; charset=utf-16",
            "Content-Transfer-Encoding: base64",
            body=b64("Grüße\r\nAnn".encode("utf-16")),
        ),
        Seen("Grüße\nAnn"),
    ),
    "UTF-16 big-endian with a mark": (
        part(
            "Content-Type: text/plain; charset=utf-16",
            "Content-Transfer-Encoding: base64",
            body=b64(b"\xfe\xff" + "Grüße".encode("utf-16-be")),
        ),
        Seen("Grüße"),
    ),
    "UTF-8 that was encoded as Latin-1 a second time stays as it was sent": (
        part("Content-Type: text/plain; charset=utf-8", body="GrÃ¼ÃŸe"),
        Seen("GrÃ¼ÃŸe"),
    ),
    # Transfer encodings
    "quoted-printable: breaks at all edges": (
        part(
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: Quoted-Printable",
            body=b"a=\r\nb= \r\nc=3D=\r\n=c3=\r\n=bc d \r\ne=20\r\n=\r\n=\r\nf=2\r\nend=",
        ),
        Seen("abc=ü d \ne \nf=2\nend"),
    ),
    "quoted-printable: encoded line ends": (
        part(
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
            body="a=0D=0A=\r\nb=0D=0A=\r\n",
        ),
        Seen("a\nb\n"),
    ),
    "base64 with a list's footer behind it": (
        part(
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            body=b64("Grüße") + b"\r\n____\r\nA list\r\n",
        ),
        Seen("Grüße"),
    ),
}


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_is_seen_as_its_sender_meant_it(name: str) -> None:
    raw, seen = MAILS[name]
    message = read(TOP + raw)
    found = bodies(message)
    assert (found.text, found.html) == (seen.text, seen.html)
    assert tuple((one.name, one.content_type, one.inline) for one in files(found)) == seen.files
    assert tuple((header, message.header(header)) for header, _ in seen.headers) == seen.headers


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("S/MIME, clear signed", Protection.SMIME_SIGNED),
        ("S/MIME, encrypted", Protection.SMIME_ENCRYPTED),
        ("PGP/MIME, signed", Protection.PGP_SIGNED),
        ("PGP/MIME, encrypted", Protection.PGP_ENCRYPTED),
        ("PGP inline, signed", Protection.PGP_INLINE_SIGNED),
        ("Gmail: reply", None),
    ],
)
def test_its_protection_is_said(name: str, kind: Protection | None) -> None:
    found = protection(read(TOP + MAILS[name][0]))
    assert (found.kind if found else None) == kind


@pytest.mark.parametrize("name", ["Exchange: invitation", "Google Calendar: the invitation twice", "calendar alone"])
def test_its_invitation_is_found(name: str) -> None:
    found = invitation(read(TOP + MAILS[name][0]))
    assert found is not None
    assert found.uid == "42@example.com"
