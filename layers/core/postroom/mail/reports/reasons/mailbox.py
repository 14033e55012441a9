"""What the words mean that speak of the mailbox: full, moved, disabled, and mail too large for it; asked first."""

from __future__ import annotations

from postroom.mail import phrases
from postroom.mail.reports.reasons.rule import Rule
from postroom.mail.reports.reasons.vocabulary import Reason

R = Reason

MAILBOX_RULES: tuple[Rule, ...] = (
    # Full, too large.
    Rule(
        R.SYSTEMFULL,
        phrases(
            """
            insufficient disk space | insufficient system storage | mail system full | no space left | out of disk |
            mail system is full | not enough disk space | disk is full | insufficient system resources |
            not enough storage space on the server | mail system storage
            """
        ),
    ),
    Rule(
        R.MAILBOXFULL,
        phrases(
            """
            mailbox full | mailbox is full | mailbox for user is full | zuviele mails | file too large |
            mailbox quota | over quota | overquota | quota exceeded | exceeded quota | exceeds quota | quota exceed |
            exceeded storage | exceeded its storage | exceeded their storage | over the maximum allowed quota |
            disk quota | quota limit | quota is full | inbox is full | inbox is out of storage |
            out of storage space | mailfolder is full | mail folder is full | mailbox size limit exceeded |
            mailbox has exceeded | mailbox is over | mailbox over | not enough storage | insufficient storage |
            storage quota | exceeds the local limit | exceeded the local limit | maildir over |
            maildir delivery failed: error_code 422 | user has too many messages | too many messages in |
            boite pleine | boîte pleine | mailbox exceed | account is full | recipient's mailbox is full | mbox full |
            exceeded allowed storage | postfach voll | postfach ist voll | buzón lleno | casella piena |
            user is full | has insufficient quota | no room in mailbox | mailbox is exceed |
            mailbox temporarily full | box full | exceed maximum allowed storage | recipient reached disk quota |
            quota violation | over its disk quota | recipient exceeded | recipient is over | user over |
            full mailbox | exceeds maximum storage | too much mail data | mailbox limit | speichervolumen
            """
        ),
    ),
    Rule(
        R.MESGTOOBIG,
        phrases(
            """
            message too long | message too big for system | exceeds maximum message size | message size exceeds |
            message file too big | message too large | message is too large | message too big | size limit exceeded |
            exceeds maximum fixed size | message length exceeds | larger than the current system limit |
            message size limit | mail size limit | too large for | maximum message size | exceeds size limit |
            max message size exceeded | is too big | message exceeds | exceeded maximum message size |
            message header size | mail too large | over size limit | exceeds the maximum | size exceed | sm_exceeded |
            exceeds the size limit | size of message exceeds | message is too long | mailsize limit
            """
        ),
        status=("5.3.4", "4.3.4"),
    ),
    Rule(
        R.EXCEEDLIMIT,
        phrases(
            """
            message too long | message length exceeds | message size exceeds | message too large |
            message is too large | message too big | message file too big | exceeds maximum message size |
            exceeds administrative limit | exceeds limit set by | size limit exceeded | exceeds maximum fixed size |
            size exceeds | exceeded maximum message size | larger than the current system limit | message size limit |
            mail size limit | too large for | exceeds size limit | max message size exceeded |
            exceeded the maximum message size | mail too large | message exceeds | exceeds the size limit |
            size of message exceeds | exceeds the maximum message size | message is too long | mailsize limit
            """
        ),
    ),
    # The account.
    Rule(
        R.HASMOVED,
        phrases(
            """
            recipient moved | has moved | has been moved | no longer on server | address has changed |
            has been replaced by | new e-mail address | no longer here | moved to another |
            destination mailbox has moved | not our user | has left the | no longer works | no longer employed |
            no longer with
            """
        ),
    ),
    Rule(R.HASMOVED, ("please try", "please use"), reply_code=("551",)),
    Rule(
        R.SUSPEND,
        phrases(
            """
            account disabled | account is disabled | account has been disabled | mailbox disabled |
            mailbox is disabled | user disabled | user is disabled | account inactive | account is inactive |
            is inactive | account suspended | account is suspended | account has been suspended | is suspended |
            been suspended | mailbox is inactive | mailbox is frozen | mailbox frozen | mailbox currently suspended |
            account expired | account has expired | account is locked | account locked | user account is expired |
            account is blocked | account blocked | is deactivated | been deactivated | account deactivated |
            inactive account | inactive user | not active | user not active |
            account that you tried to reach is disabled | recipient suspend | recipient is suspended |
            disabled or discontinued | mailbox temporarily disabled | temporarily disabled | account is temporarily |
            user suspended | status expired | domain is suspended | compte du destinataire est bloque |
            recipient account is blocked | has been locked | terminated account | account has been terminated |
            unavailable to take delivery | this account is not allowed | vdelivermail: account is locked |
            email account that you tried to reach is over | boite du destinataire archivee | blocked due to inactivity
            """
        ),
    ),
)
