"""What legal notices speak of, by language: data for `quoting_footers`, compared with lower-case text."""

from __future__ import annotations


def _pieces(table: str) -> tuple[str, ...]:
    return tuple(piece.strip() for piece in table.split("|"))


# A customer's own words may have any one of these subjects: "This message is confidential, please call at home."
NOTICE_SUBJECTS: tuple[tuple[str, ...], ...] = (
    # a secret
    _pieces(
        "confiden | privileged | vertraulich | riservat | vertrouwelijk | konfidentiell | sekretess | fortrolig | "
        "luottamuksellis | luottamuksellin | poufn | důvěrn | dôvern | zaupn | povjerljiv | bizalmas | εμπιστευτικ "
        "| gizli | конфиденциал | конфіденцій | поверителн | 保密 | 机密 | 機密 | 기밀 | סודי | سرية"
    ),
    # whom it is for, and whom it reached by mistake: customers tell of both at once
    _pieces(
        "intended | addressee | recipient | adressat | empfänger | destinat | geadresseerde | mottagar | modtager | "
        "mottaker | vastaanottaj | adresat | adresát | címzett | παραλήπτ | alıcı | получател | адресат | отримувач "
        "| 收件人 | 接收者 | 受信者 | 宛先 | 수신인 | 수신자 | נמען | المرسل إليه | "
        "in error | by mistake | mistakenly | irrtümlich | versehentlich | par erreur | por error | por erro | "
        "per errore | por engano | abusievelijk | per vergissing | av misstag | ved en fejl | ved en feil | "
        "erehdyksessä | vahingossa | omyłkow | przez pomyłkę | omylem | tévedésből | din greșeală | κατά λάθος | "
        "yanlışlıkla | ошибочно | по ошибке | помилково | 误收 | 誤って | 잘못 수신"
    ),
    # what nobody may do with it
    _pieces(
        "prohibited | unauthorised | unauthorized | disseminat | unbefugt | unerlaubt | nicht gestattet | interdit "
        "| prohibid | vietat | proibid | verboden | niet toegestaan | förbjud | otillåt | forbudt | kielletty | "
        "zabronion | zakázán | tilos | interzis | απαγορ | yasak | запрещ | заборон | 禁止 | 未经授权 | 금지"
    ),
    # what was looked for in it
    _pieces("virus | viren | вирус | 病毒 | ウイルス"),
    # the paper
    _pieces("environment | umwelt | environnement | medio ambiente | dell'ambiente | miljø | miljö"),
    _pieces("printing | print this | ausdruck | imprim | stampare | udskriver | skriver ut"),
    # what it is, and whose
    _pieces("disclaimer | haftungsausschluss | avis de confidentialité | aviso legal"),
    _pieces("registered office | registered in england | geschäftsführer: | handelsregister | amtsgericht"),
)

# Nobody but a firm writes so.
NOTICES: tuple[str, ...] = _pieces(
    "intended recipient | intended solely | intended only | richtige adressat | confidential information | "
    "vertrauliche informationen | informations confidentielles | "
    "información confidencial | informazioni riservate | informações confidenciais | vertrouwelijke informatie | "
    "konfidentiell information | poufne informacje | důvěrné informace | конфиденциальную информацию | "
    "конфіденційну інформацію | gizli bilgi | scanned for viruses | auf viren geprüft | 机密信息 | 保密信息 | 機密情報"
)

# A firm's notice says "we", "us" and "the sender". What is another word in another language is left out ("je", "ja").
FIRST_PERSON: tuple[str, ...] = _pieces(
    "i'm | i’m | i've | i’ve | me | my | ich | mich | mir | mein | meine | meinem | meinen | meiner | j'ai | j’ai | "
    "je vous | je suis | moi | mon | mes | yo | mi | mis | io | mio | mia | miei | meu | minha | ik | mij | mijn | "
    "jag | jeg | mig | meg | minä | minun | minulle | mnie | mój | moje | mojego | můj | mě | я | мне | меня | мой "
    "| моя | моего | мені | мене | мій | ben | bana | benim"
)
