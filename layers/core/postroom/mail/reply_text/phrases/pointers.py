"""Words that point to what stands below, and the words around a letter, by language: data for `reply` and `footers`."""

from __future__ import annotations


def _pieces(table: str) -> tuple[str, ...]:
    return tuple(piece for written in table.split("|") if (piece := " ".join(written.split())))


BELOW: tuple[str, ...] = _pieces(
    """
    below | inline | in-line | underneath | beneath | further down | unten | untenstehend |
    untenstehende | untenstehenden | unterhalb | nachfolgend | nachfolgende | nachfolgenden |
    nachstehend | nachstehende | nachstehenden | ci-dessous | ci dessous | ci-après | plus bas | abajo |
    a continuación | más abajo | sotto | di seguito | qui sotto | abaixo | a seguir | em baixo |
    hieronder | onderstaand | onderstaande | hierna | nedan | nedanför | nedanstående | nedenfor |
    nedenunder | nedenstående | herunder | under her | fylgir | fyrir neðan | alempana | allpool |
    poniżej | poniższy | poniższą | níže | nižšie | spodaj | ispod | u nastavku | dolje | dole |
    lentebb | alább | alábbi | mai jos | žemiau | zemāk | ниже | нижче | по-долу | долу | подолу |
    испод | παρακάτω | κατωτέρω | aşağıda | aşağıdaki | aşağıya | aşağı | למטה | להלן | בהמשך | أدناه |
    ادناه | في الأسفل | زیر | پایین | bên dưới | dưới đây | phía dưới | ด้านล่าง | ข้างล่าง | di bawah |
    berikut | sa ibaba | azpian | a sota | més avall | isod | hapa chini | नीचे | নীচে | கீழே | కింద |
    નીચે | 下記 | 以下 | 下の | 文中 | 如下 | 下面 | 下方 | 见下 | 見下 | 아래 | 하단 | katso alla |
    katso alta | ks. alla |
    alla olevat | alla oleva | alla olevaan | vastaukset alla
    """
)
"""Words that point to what stands below them, as they are compared: in small letters."""

FOLLOWING: tuple[str, ...] = _pieces(
    """
    following | as follows | folgend | folgende | folgenden | suivante | suivant | siguiente | seguente |
    seguinte | seuraava | järgmine | următoarele
    """
)
"""Words that announce what follows, and are said of days and meetings as well: enough for an address below a rule."""

CLOSINGS: tuple[str, ...] = _pieces(
    """
    regards | kind regards | best regards | best wishes | best | warm regards | warmest regards | many thanks |
    yours sincerely | yours faithfully | sincerely | cheers | rgds | br | kr | yours truly | respectfully |
    with kind regards | with best regards | mit freundlichen grüßen | mit freundlichen grüssen |
    mit freundlichem gruß | freundliche grüße | viele grüße | freundliche grüsse | beste grüße | liebe grüße |
    schöne grüße | herzliche grüße | hochachtungsvoll | mfg | lg | vg | gruß | grüße | cordialement |
    bien cordialement | bien à vous | sincères salutations | salutations | amicalement | saludos | un saludo |
    saludos cordiales | atentamente | cordialmente | cordiali saluti | distinti saluti | saluti | un saluto |
    atenciosamente | cumprimentos | melhores cumprimentos | abraços | abraço | com os melhores cumprimentos |
    met vriendelijke groet | met vriendelijke groeten | vriendelijke groet | vriendelijke groeten | groeten |
    groet | mvg | med vänlig hälsning | med vänliga hälsningar | vänliga hälsningar | hälsningar | mvh |
    med venlig hilsen | venlig hilsen | med vennlig hilsen | vennlig hilsen | hilsen | ystävällisin terveisin |
    terveisin | t. | tervitades | pozdrawiam | z poważaniem | s pozdravem | s pozdravom | lep pozdrav |
    lijep pozdrav | srdačan pozdrav | pozdrav | üdvözlettel | tisztelettel | cu stimă | cu respect |
    numai bine | с уважением | з повагою | с уважение | поздрави | με εκτίμηση | φιλικά | saygılarımla |
    iyi çalışmalar | selamlar | בברכה | تحياتي | مع التحية | با احترام | trân trọng | ขอแสดงความนับถือ | salam |
    hormat saya | pagarbiai | ar cieņu | bestu kveðjur | atentament | よろしくお願いします |
    よろしくお願いいたします | 宜しくお願い致します |
    此致 | 敬礼 | 祝好 | 감사합니다
    """
)
"""Words with which a letter closes, as they are compared: in small letters, without signs after them."""

GREETINGS: tuple[str, ...] = _pieces(
    """
    hi | hello | hey | dear | good morning | good afternoon | good evening | greetings | hallo | guten tag |
    guten morgen | moin | servus | liebe | lieber | sehr geehrte | sehr geehrter | bonjour | bonsoir | salut |
    cher | chère | madame | monsieur | hola | buenos días | buenas tardes | buenas | estimado | estimada |
    estimados | ciao | buongiorno | buonasera | salve | gentile | gentili | egregio | olá | oi | bom dia |
    boa tarde | prezado | prezada | prezados | caro | beste | geachte | goedemorgen | goedemiddag | dag | hej |
    hei | heisann | god morgon | god morgen | kära | kjære | kære | moi | hyvä | tere | cześć | dzień dobry |
    witam | szanowni państwo | dobrý den | ahoj | vážený | vážená | pozdravljeni | dobar dan | poštovani |
    szia | tisztelt | kedves | bună ziua | bună | stimate | stimată | здравствуйте | добрый день | привет |
    уважаемый | уважаемая | доброго дня | вітаю | здравейте | γεια σας | αγαπητέ | αγαπητή | merhaba | sayın |
    iyi günler | שלום | مرحبا | السلام عليكم | عزيزي | سلام | xin chào | kính gửi | สวัสดี | เรียน |
    selamat pagi | halo | sveiki | labas | góðan dag | bon dia |
    お世話になっております | こんにちは | 您好 | 你好 | 안녕하세요
    """
)
"""Words with which a letter opens, as they are compared: in small letters."""
