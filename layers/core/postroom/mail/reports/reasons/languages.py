"""What reports say in other languages than English: asked last, as the answers of servers are mostly English."""

from __future__ import annotations

from postroom.mail import phrases
from postroom.mail.reports.reasons.rule import Rule
from postroom.mail.reports.reasons.vocabulary import Reason

R = Reason

LANGUAGE_RULES: tuple[Rule, ...] = (
    Rule(
        R.MAILBOXFULL,
        phrases(
            """
            postfach des empfängers ist voll | postfach ist überfüllt | speicherplatz überschritten |
            boîte aux lettres du destinataire est pleine | boîte aux lettres pleine | boîte est pleine |
            quota dépassé | buzón del destinatario está lleno | buzón está lleno | casilla llena | cuota excedida |
            casella di posta del destinatario è piena | casella è piena |
            caixa de correio do destinatário está cheia | caixa de correio está cheia | caixa postal cheia |
            postvak van de geadresseerde is vol | postvak is vol | skrzynka odbiorcy jest pełna |
            skrzynka jest pełna | skrzynka pocztowa jest przepełniona | ящик переполнен | ящик получателя переполнен |
            ящик заполнен | превышена квота | 邮箱空间已满 | 邮箱已满 | 信箱已滿 | 信箱空間已滿 | 容量超过限制 |
            メールボックスがいっぱい | メールボックスの容量 | 受信箱がいっぱい | 사서함이 가득 | 용량이 초과 |
            용량 초과 | posta kutusu dolu | schránka je plná
            """
        ),
    ),
    Rule(
        R.HOSTUNKNOWN,
        phrases(
            """
            domain existiert nicht | domäne existiert nicht | domäne wurde nicht gefunden | domaine n'existe pas |
            domaine introuvable | dominio no existe | dominio inesistente | domínio não existe | domein bestaat niet |
            domena nie istnieje | домен не найден | домен не существует | 域名不存在 | 找不到域名 |
            ドメインが見つかりません | ドメインが存在しません
            """
        ),
    ),
    Rule(
        R.SUSPEND,
        phrases(
            """
            konto ist gesperrt | postfach ist gesperrt | konto wurde deaktiviert | compte est désactivé |
            compte désactivé | cuenta está deshabilitada | cuenta suspendida | account disattivato |
            conta desativada | account is uitgeschakeld | konto zostało zablokowane | ящик заблокирован |
            аккаунт заблокирован | 帐号已停用 | 邮箱被禁用 | 账号被禁用 | アカウントが無効 | アカウントは停止
            """
        ),
    ),
    Rule(
        R.USERUNKNOWN,
        phrases(
            """
            empfänger wurde nicht gefunden | empfänger existiert nicht | adresse existiert nicht | adresse unbekannt |
            benutzer unbekannt | unbekannter benutzer | postfach existiert nicht | wurde nicht gefunden oder |
            adresse de messagerie que vous avez entrée est introuvable | adresse est introuvable |
            adresse n'existe pas | boîte inexistante | destinataire introuvable | n'a pas été trouvé |
            dirección no existe | no se encontró la dirección | usuario no existe | destinatario desconocido |
            indirizzo inesistente | indirizzo non esiste | destinatario sconosciuto | utente inesistente |
            endereço não existe | não foi encontrado | usuário desconhecido | destinatário desconhecido |
            onbekende gebruiker | gebruiker onbekend | adres bestaat niet | geadresseerde is onbekend |
            nieznany użytkownik | adres nie istnieje | użytkownik nie istnieje | adresat nie istnieje |
            пользователь не найден | адресат не найден | такого пользователя нет | адрес не существует |
            ящик не существует | получатель не найден | нет такого пользователя | 收件人不存在 | 用户不存在 |
            邮箱地址不存在 | 收件人地址不存在 | 邮箱不存在 | 收件者不存在 | 找不到收件者 | 無此使用者 |
            宛先が見つかりません | 宛先不明 | ユーザーが存在しません | アドレスが見つかりません |
            アドレスは存在しません | 존재하지 않는 | 찾을 수 없습니다 | bilinmeyen kullanıcı | neznámý uživatel |
            okänd användare | ukjent bruker
            """
        ),
    ),
    # Whatever stands between the two: "l'adresse … ci-dessus n'existe pas".
    Rule(
        R.USERUNKNOWN,
        phrases(
            """
            n'existe pas | existiert nicht | no existe | não existe | non esiste | bestaat niet | nie istnieje |
            не существует | finns inte | finnes ikke | findes ikke | neexistuje | nem létezik | bulunamadı | 不存在 |
            存在しません | 見つかりません
            """
        ),
        longest=400,
        with_any=phrases(
            """
            adres | destinat | empfänger | benutzer | postfach | boîte | compte | utilisateur | usuario | cuenta |
            buzón | direcci | endereço | usuário | utente | casella | indirizzo | gebruiker | skrzynk | użytkownik |
            konto | ящик | пользовател | адрес | mottagar | mottaker | modtager | uživatel | címzett | alıcı | 邮箱 |
            收件人 | 用户 | 帐户 | 账号 | 宛先 | アドレス | ユーザ | メールボックス
            """
        ),
    ),
    Rule(
        R.SPAMDETECTED,
        phrases(
            """
            als spam eingestuft | als spam abgelehnt | considéré comme du spam | considerado spam |
            identificato come spam | als spam gemarkeerd | uznana za spam | похоже на спам | как спам | 垃圾邮件 |
            迷惑メールと判定
            """
        ),
    ),
    Rule(
        R.MESGTOOBIG,
        phrases(
            """
            nachricht ist zu groß | message est trop volumineux | mensaje es demasiado grande |
            messaggio è troppo grande | mensagem é muito grande | bericht is te groot | wiadomość jest zbyt duża |
            слишком большой размер | 邮件太大 | 邮件大小超过 | サイズが大きすぎ
            """
        ),
    ),
)
