"""How mail systems write their reports in plain text: servers by their words, and where the returned mail begins.

Ordered rows, the first that matches names the server. All texts are lower case.
"""

from __future__ import annotations

from dataclasses import dataclass

from postroom.mail import phrases
from postroom.mail.reports.reasons import Command


@dataclass(frozen=True, slots=True)
class Server:
    """One kind of reporter: recognised by pieces of its text, its subject, its sender or a header."""

    name: str
    text: tuple[str, ...] = ()  # one of these occurs in the text
    subject: tuple[str, ...] = ()  # or the subject begins with one of these
    sender: tuple[str, ...] = ()  # or From contains one of these
    header: tuple[str, ...] = ()  # or the mail has one of these headers
    every: bool = False  # True: all that is given must match, not one of it
    sufficient: bool = False  # True: no other evidence that a machine wrote it is needed


SERVERS: tuple[Server, ...] = (
    Server(
        "fml",
        header=("x-mlserver",),
        every=True,
        sufficient=True,
        text=(
            "you are not a member of this mailing list",
            "command status report",
            "message to this list is restricted",
        ),
    ),
    Server("amazon-sns", sender=("@sns.amazonaws.com",), sufficient=True),
    Server("googlegroups", text=("groups.google.com/support",)),
    Server("facebook", sender=("@mx.facebook.com",)),
    Server(
        "mail.ru", text=("не может быть доставлено", "mail.ru, отвечать на него не нужно"), sender=("@corp.mail.ru",)
    ),
    Server("gmx", text=("smtp error from remote server after rcpt command", "smtp error from remote server for")),
    Server("zoho", sender=("@mail.zoho.com", "@zohomail.")),
    Server(
        "gmail",
        text=phrases(
            """
            google tried to deliver your message | delivery to the following recipient failed permanently |
            delivery to the following recipient has been delayed | delivery to the following recipients failed
            """
        ),
    ),
    Server(
        "exim",
        text=phrases(
            """
            created automatically by mail delivery software | smtp error from remote mail server |
            smtp error from remote mailer | could not be delivered to all of its recipients |
            contained one or more recipient addresses that were | message that you sent has not yet been delivered |
            a message sent by | created automatically by the smtp relay
            """
        ),
        header=("x-failed-recipients",),
        subject=("mail delivery failed: returning message to sender", "mail failure -"),
    ),
    Server(
        "qmail",
        text=phrases(
            """
            this is the qmail-send program | this is the qmail | i wasn't able to deliver your message |
            i tried to deliver your message but |
            i'm not going to try again; this message has been in the queue too long
            """
        ),
        subject=("failure notice",),
    ),
    Server(
        "x2", every=True, text=("message from ",), subject=("delivery failure", "failed delivery", "failure delivery")
    ),
    Server("yahoo", text=("sorry, we were unable to deliver your message to the following address",)),
    Server("postfix", text=("this is the mail system at host", "this is the postfix program", "this is the postfix")),
    Server("opensmtpd", text=("this is the mailer-daemon, please do not reply",)),
    Server("dragonfly", text=("this is the dragonfly mail agent", "there was an error delivering your mail to")),
    Server(
        "sendmail",
        text=phrases(
            """
            the following addresses had permanent | transcript of session follows |
            the following addresses had transient | the following addresses have delivery
            """
        ),
    ),
    Server(
        "exchange",
        text=phrases(
            """
            did not reach the following recipient(s) | delivery has failed to these recipients |
            diagnostic information for administrators | original message headers: | remote server returned
            """
        ),
    ),
    Server("domino", text=("was not delivered to:",), subject=("delivery failure:",)),
    Server("groupwise", sender=("mailer-daemon@groupwise",)),
    Server(
        "messagingserver",
        text=(
            "this report relates to a message you sent",
            "your message cannot be delivered to the following recipients",
            "your message is being returned",
        ),
    ),
    Server(
        "ezweb",
        text=(
            "the following recipients did not receive this message",
            "each of the following recipients was rejected",
            "your message was not delivered within",
        ),
        sender=("@ezweb.ne.jp", "@au.com"),
    ),
    Server("kddi", text=("could not be delivered to: <", "as their mailbox is full"), sender=(".dion.ne.jp",)),
    Server("biglobe", text=("non-delivered information",), sender=("@biglobe.ne.jp",)),
    Server(
        "imailserver",
        every=True,
        subject=("undeliverable mail",),
        text=("unknown user", "invalid final delivery userid", "user mailbox exceeds allowed size", "undeliverable to"),
    ),
    Server(
        "interscan", text=("message from interscan", "interscan messaging security suite", "interscan notification")
    ),
    Server("mfilter", text=("-------server message", "-------smtp command")),
    Server(
        "mailfoundry",
        text=("this has been a permanent failure.  no further", "this has been a permanent failure. no further"),
    ),
    Server("mcafee", text=("--- the following addresses had delivery problems ---",)),
    Server("mailmarshal", text=("your message:", "could not be delivered because of")),
    Server("messagelabs", sender=("@messagelabs.",)),
    Server(
        "verizon",
        text=("could not be delivered to mobile", "no valid recipients for this mm"),
        sender=("@vtext.com", ".vzwpix.com", "post_master@"),
    ),
    Server("surfcontrol", text=("your message could not be sent", "surfcontrol"), header=("x-surfcontrol",)),
    Server("v5sendmail", text=("-- transcript of session --", "----- unsent message follows")),
    Server("x1", text=("the following addresses had delivery errors", "---the following")),
    Server("x3", text=("technical details:", "automatically generated delivery status notification")),
    Server("x4", text=("your mail message to the following address(es) could not be delivered",)),
    Server("x5", sender=("maildelivery subsystem",)),
    Server("x6", text=("we had trouble delivering your message",)),
    Server("activehunter", header=("x-ahmailid",), text=(">>> ",)),
    Server(
        "apachejames",
        text=("content of the bounced email was", "unable to be sent with reasons as follows", "error message below"),
        header=("x-james-postmaster",),
    ),
    Server("mxlogic", text=("mx logic",), header=("x-mx-bounce",)),
    Server("mimecast", text=("mimecast",), sender=("@mimecast.com", ".mimecast.com")),
    Server("amavis", text=("amavisd-new", "considered unsolicited bulk email")),
    Server("qq", subject=("来自qq.com的退信",), sender=("postmaster@qq.com",)),
    Server(
        "netease",
        subject=("系统退信",),
        sender=("postmaster@163.com", "postmaster@126.com", "postmaster@188.com", "postmaster@yeah.net"),
    ),
    Server(
        "nonames",
        text=phrases(
            """
            message log follows | failed addresses follow | could not be delivered | couldn't be delivered |
            cannot be delivered | undeliverable | was not delivered | were not delivered | unable to deliver |
            delivery failed | delivery failure | failed to deliver | returned to sender | user unknown |
            no such user | unknown user | mailbox full | mailbox is full | over quota | delivery error |
            delivery has been delayed | could not deliver | not be delivered | delivery of your message |
            message was rejected | message could not be | your message to the following | permanent error |
            returned mail | delivery to the following | konnte nicht zugestellt werden | unzustellbar |
            n'a pas pu être | no se pudo entregar | não pôde ser entregue | non è stato possibile | kon niet worden |
            не удалось доставить | 無法傳送 | 送信できませんでした | 配信できません |
            未能送达 | 无法送达 | 无法投递 | 投递失败 |
            無法傳遞 | 退信原因 | 配信に失敗 | 不達通知 | 배달할 수 없 | konnte nicht ausgeliefert werden |
            n’a pas pu être | n'a pas été remis | no se ha podido entregar | no pudo ser entregado |
            impossibile recapitare |
            non è stato recapitato | não foi possível entregar | não foi entregue | kan niet worden bezorgd |
            niet worden afgeleverd | nie można dostarczyć | nie została dostarczona | не может быть отправлено |
            не может быть доставлен | не доставлено | nelze doručit | kunde inte levereras | kunne ikke leveres |
            teslim edilemedi | kézbesíthetetlen | nu a putut fi livrat |
            not reach the following | has not been delivered |
            delivery problem | invalid final delivery
            """
        ),
    ),
)

SUBJECTS: tuple[str, ...] = phrases(
    """
            undeliverable | undelivered mail | mail delivery failed | mail delivery failure |
            delivery status notification | failure notice | returned mail | delivery failure | delivery failed |
            mail system error | mail could not be delivered | undelivered message | mail delivery status |
            non delivery | nondeliverable | delivery notification | warning: message | delayed mail |
            mail delivery problem | mail failure | failed delivery | message undeliverable | mail failed |
            delivery problem | error sending your mail | unzustellbar | zustellung fehlgeschlagen |
            notification d'état de remise | échec de la remise | mail delivery system | undeliverable mail |
            could not send message | warning: could not send | message delivery failure |
            sorry, your message could not | nicht zustellbar | non remis | onbestelbaar | no se puede entregar |
            no se pudo entregar | devuelto al remitente | niedostarczalne | nie dostarczono | não é possível entregar |
            não entregue | non recapitabile | mancato recapito | не удается доставить | недоставленное сообщение |
            ошибка доставки | не доставлено | nedoručitelné | går inte att leverera | kan ikke leveres |
            teslim edilemedi |
            配信不能 | 配信できません | 未送达 | 退信 | 系统退信 | 无法投递 | 無法傳遞 | 無法傳送 | 배달되지 않음 |
            [postmaster] email delivery failure
            """
)
"""Subjects that mail systems put on reports, compared at the beginning; evidence only beside a machine's structure."""

REPORTERS: tuple[str, ...] = phrases(
    """
            mail delivery system | mail delivery subsystem | mail delivery service | mail delivery agent |
            mail.delivery | mail_delivery | maildelivery | system administrator | smtp_mail_service |
            smtp_gateway | smtp gateway | smtp-gateway | mailgateway | mail gateway
            """
)
"""Names under which mail systems write reports from an address of their own; people may bear some of them, too."""

DELAY_SUBJECTS: tuple[str, ...] = ("warning: message", "(delay", "delayed mail", "delayed delivery", "delivery delayed")
DELAY_WORDS: tuple[str, ...] = phrases(
    """
            this is a warning message only | this is a warning only | only a temporary failure report |
            has not yet been delivered | noch nicht zugestellt | wird weiter versucht | attempts will continue |
            do not resend your | do not need to resend |
            not need to re-send | will continue to be made | will keep trying | server is still trying
            """
)
"""Pieces of the subject and of the first words by which a report tells of a delay: the mail is still being tried."""

DELIVERED_WORDS: tuple[str, ...] = (
    "successfully delivered",
    "has been delivered",
    "was delivered to",
    "was relayed to",
    "return receipt",
)
"""Words of reports, without the standard's fields, that nothing failed."""

PASSING: tuple[str, ...] = (
    "retry timeout exceeded",
    "failing for a long time",
    "details of temporary failure",
    "temporarily over quota",
)
"""Words of a final report that give no code, by which the fault itself was one that passes."""

RETURNED: tuple[str, ...] = phrases(
    """
            this is a copy of the message | this is a copy of your message | this is a copy of the headers |
            below this line is a copy | below this line is the original | below is a copy of the original message |
            original message follows | message headers follow | original message | original message headers: |
            the header of the original message | unsent message | returned message | undelivered message |
            message header follows | message text follows | message text: | header of the bounced message |
            content of the bounced | the original message headers | message header | original mail |
            the body of the message is | the following is the original | received: from | received:from |
            return-path: | x-original-to: | -- a copy of | - a copy of | copy of the original | forwarded message |
            here is the message | start of the message | the original message was: | headers of the original |
            --returned | mail header follows | bounced message | mime-version: 1.0 | includes the original |
            the first 50 lines | this is the original message | nachrichtenkopf | the message you sent |
            dkim-signature: | заголовки исходного письма | исходное сообщение | 原始邮件 | 原邮件头 | 元のメッセージ |
            ursprüngliche nachricht | originalnachricht | kopfzeilen der | en-têtes du message | message d'origine |
            encabezados del mensaje | cabeçalhos da mensagem | intestazioni del messaggio | originele berichtkoppen
            """
)
"""Beginnings of the line where the mail that comes back starts, bars and stars in front left out."""

COMMANDS: tuple[tuple[str, Command], ...] = (
    ("in reply to end of data", Command.DATA),
    ("in reply to rcpt", Command.RCPT),
    ("in reply to mail", Command.MAIL),
    ("in reply to data", Command.DATA),
    ("in reply to ehlo", Command.HELO),
    ("in reply to helo", Command.HELO),
    ("after end of data", Command.DATA),
    ("after pipelined end of data", Command.DATA),
    ("after rcpt", Command.RCPT),
    ("after pipelined rcpt", Command.RCPT),
    ("after mail from", Command.MAIL),
    ("after pipelined mail", Command.MAIL),
    ("after data", Command.DATA),
    ("after ehlo", Command.HELO),
    ("after helo", Command.HELO),
    ("after initial connection", Command.CONNECT),
    ("did not like our rcpt", Command.RCPT),
    ("did not like our final data", Command.DATA),
    ("did not like our data", Command.DATA),
    ("did not like our mail", Command.MAIL),
    ("does not like recipient", Command.RCPT),
    ("does not like sender", Command.MAIL),
    ("does not like the sender", Command.MAIL),
    ("failed after i sent the message", Command.DATA),
    ("after i sent the message", Command.DATA),
    ("failed on data", Command.DATA),
    ("failed on rcpt", Command.RCPT),
    ("[rcpt_to]", Command.RCPT),
    ("[mail_from]", Command.MAIL),
    ("[data]", Command.DATA),
    ("rcpt to response", Command.RCPT),
    ("smtp:rcpt", Command.RCPT),
    ("smtp:mail", Command.MAIL),
    ("smtp:data", Command.DATA),
    ("smtp:eom", Command.DATA),
    ("message (data)", Command.DATA),
    ("message (rcpt", Command.RCPT),
    ("message (mail", Command.MAIL),
    ("helo handshake", Command.HELO),
    ("ehlo handshake", Command.HELO),
    ("initial server greeting", Command.CONNECT),
    ("refused to talk to me", Command.CONNECT),
    ("smtp command data", Command.DATA),
    ("smtp command rcpt", Command.RCPT),
    ("smtp command mail", Command.MAIL),
    (">>> rcpt", Command.RCPT),
    (">>> data", Command.DATA),
    (">>> mail", Command.MAIL),
    (">>> ehlo", Command.HELO),
    (">>> helo", Command.HELO),
    (">>> .", Command.DATA),
    ("(state 13)", Command.MAIL),
    ("(state 14)", Command.RCPT),
    ("(state 15)", Command.DATA),
    ("(state 18)", Command.DATA),
    ("rejected recipient", Command.RCPT),
)
"""How reports name the SMTP command that was refused; the first that occurs in the words about a recipient."""

COMMAND_HINTS: tuple[str, ...] = (
    "in reply to",
    "after ",
    "not like",
    "failed on",
    "_to]",
    "_from]",
    "[data]",
    "rcpt to resp",
    "smtp:",
    "message (",
    "handshake",
    "greeting",
    "talk to me",
    "smtp command",
    ">>> ",
    "(state",
    "rejected recip",
)
"""Pieces of these phrases: each phrase has one."""
