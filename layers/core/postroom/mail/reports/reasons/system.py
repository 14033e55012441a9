"""What the words mean that speak of policies, security, systems, networks and time; asked last."""

from __future__ import annotations

from postroom.mail import phrases
from postroom.mail.reports.reasons.common import FIRST_RULES
from postroom.mail.reports.reasons.rule import Rule
from postroom.mail.reports.reasons.vocabulary import Reason

R = Reason

_ONE_ANSWER = 250

TEXT_RULES: tuple[Rule, ...] = (
    *FIRST_RULES,
    # Two words that belong together, wherever they stand: servers are inventive with the words between them.
    Rule(
        R.NORELAYING,
        ("relay",),
        longest=_ONE_ANSWER,
        with_any=(
            "denied",
            "not permit",
            "not allow",
            "prohibit",
            "unauthorized",
            "reject",
            "refus",
            "not configured",
            "n't allow",
        ),
    ),
    Rule(
        R.REJECTED,
        ("sender", "mail from", "mailfrom", "return-path"),
        longest=_ONE_ANSWER,
        with_any=(
            "reject",
            "denied",
            "refused",
            "failed",
            "invalid",
            "mismatch",
            "not in my",
            "not allowed",
            "unknown",
        ),
        none_of=("recipient", "policy", "client host"),
    ),
    Rule(
        R.FILTERED, ("refused to receive", "user refused", "recipient refused", "is restricted", "user does not accept")
    ),
    Rule(
        R.SUSPEND,
        ("account", "mailbox", "user", "recipient", "alias", "is now disabled"),
        longest=_ONE_ANSWER,
        with_any=phrases(
            """
            disabled | deactivated | inactivated | inactive | suspend | is locked | been locked | locked out |
            expired | closed | not activated | frozen | terminated | discontinued | cancelled | canceled |
            this account is not allowed
            """
        ),
        none_of=("connection", "session", "message expired", "envelope expired"),
    ),
    Rule(
        R.MAILBOXFULL,
        ("mailbox", "quota", "storage", "inbox", "mailfolder", "maildir", "account"),
        longest=_ONE_ANSWER,
        with_any=("full", "exceed", "over ", "insufficient", "no space", "enough space", "not enough", "exhausted"),
        none_of=("sending", "rate"),
    ),
    Rule(
        R.EXCEEDLIMIT,
        ("message size", "mail size", "message has exceeded", "message length", "size of the message", "size of your"),
        longest=_ONE_ANSWER,
        with_any=("exceed", "limit", "maximum", "too big", "too large", "too long", "larger"),
    ),
    Rule(
        R.USERUNKNOWN,
        ("user", "recipient", "mailbox", "address", "account", "alias", "local part", "email"),
        longest=_ONE_ANSWER,
        with_any=phrases(
            """
            unknown | not found | not exist | n't exist | no such | invalid | no longer exist | no longer accepts |
            no exist | not known | not available | unavailable | not unique | cannot be verified | wrong | not ok |
            not recognized | not recognised | unrecognized | nonexistent | non-existent | not valid |
            not a member of domain | illegal | lookup in domain map failed | not a valid | been deleted |
            been removed | not hosted | not reside
            """
        ),
        none_of=phrases(
            """
            sender | mail from | temporarily | header | ip address | client | attachment | command | policy |
            your address | try again | unknown error | unknown mail | tls
            """
        ),
    ),
    Rule(
        R.SPAMDETECTED,
        ("spam", "junk", "content reject", "unsolicited"),
        none_of=(
            "spam sent to",
            "spamhaus",
            "spamcop",
            "spam source",
            "protect our users from spam",
            "blocked for spam",
        ),
    ),
    Rule(
        R.CONTENTERROR, ("mime error", "mime/reject", "invalid header", "malformed header", "invalid data in message")
    ),
    Rule(R.SECURITYERROR, ("auth failed", "authentication failure")),
    Rule(R.ONHOLD, ("greylist", "graylist", "grey-list", "gray-list", "postgrey")),
    Rule(
        R.NOTACCEPT,
        phrases(
            """
            null mx | nullmx | does not accept mail | does not accept any mail | doesn't receive email |
            not accept mail | not accepting network | no mx record found | no mx found |
            smtp protocol returned permanent error: does not accept | host/domain does not accept mail |
            not accepting mail | no mail accepted | destination seem to reject all mails | does not receive mail |
            dns mx record of 0 | no mx for | indicated no smtp service | domain does not handle mail |
            host does not accept mail | server does not accept mail | name server: .: host not found |
            mail receiving disabled
            """
        ),
    ),
    Rule(
        R.POLICYVIOLATION,
        phrases(
            """
            policy | policies | unsafe attachment | banned attachment | header error | prohibited | not allowed - dm |
            attachment type | macros | spoofed | sender restrictions | potentially executable | delivery not allowed |
            local policy | administrative prohibition | message refused | attachment is not allowed |
            contains prohibited | we do not accept | denied by | attachments of this type | forbidden |
            closed mailing list | you have exceeded | not accepted for | disallowed | illegal attachment |
            rejected due to | unacceptable | file extension | we don't accept | blocked attachment | executable |
            not allowed to send | betreff | bad header | suspicious | administratively
            """
        ),
        none_of=("tls", "relay"),
    ),
    Rule(R.SYSTEMFULL, ("system full", "no disk space", "disk full", "insufficient", "not enough space")),
    # With a space: words and names of hosts contain these letters.
    Rule(
        R.SECURITYERROR, (" tls", "tls ", " ssl", "ssl "), none_of=("does not support tls", "not accepting connections")
    ),
    Rule(
        R.SECURITYERROR,
        phrases(
            """
            starttls | authentication failed | authentication required | smtp authentication |
            auth required | must authenticate | not authenticated | not authorized | unauthorized | authorization |
            authentication | encryption | certificate | security | access denied | must issue a starttls |
            credentials | login failed | authenticate | permission denied | username and password | sasl |
            insufficient privilege
            """
        ),
        none_of=("does not support tls", "not accepting connections"),
    ),
    Rule(
        R.SYSTEMERROR,
        phrases(
            """
            system error | internal error | local error | server error | system config error | configuration error |
            incorrectly configured | not capable of selected | config error | ldap | server configuration |
            can't create | cannot create | internal server | internal software | local configuration |
            loops back to myself | out of memory | does not support tls | timeout waiting for input |
            temporarily unavailable due to | timeout exceeded in | database | can't open | cannot open |
            aliasing/forwarding loop | unable to lookup | service currently unavailable | temporary local problem |
            not able to process | mail forwarding loop | queue file | too many levels | system failure | proxy error |
            service refuse | processing error | server busy | resources temporarily unavailable |
            temporary system problem | unable to open | mta's | unexpected | milter | error in processing |
            transaction failed | mail system problem | interrupted system call | temporary lookup failure |
            could not load drd | operation not permitted | pickup | local problem | recipient table |
            mail server configuration | hosts in the mx | backend | mail transport | points to local host |
            redirect data | unable to process
            """
        ),
    ),
    Rule(
        R.NETWORKERROR,
        phrases(
            """
            hop count | too many hops | maximum hop | routing loop | mail loop | loop detected | too many received |
            network is unreachable | no route to host | host unreachable | dns error | dns lookup |
            name service error | lookup failure | name server | network error | connection reset | lost connection |
            connection closed | bad connection | dns failure | dns server | could not connect and send |
            protocol error | connection was dropped | unable to resolve | mx record | mail forwarding loop |
            delivered-to: | connection dropped | host name lookup failure | dns query | network |
            unreachable for too long | malformed or unexpected name server | looping | no route found |
            host lookup did not complete
            """
        ),
        none_of=(
            "retry timeout",
            "network is on",
            "too long",
            "timed out",
            "giving up",
            "no answer from host",
            "not responding",
        ),
    ),
    Rule(
        R.EXPIRED,
        phrases(
            """
            timed out | time out | timeout | expired | not delivered within | too long | retry time |
            could not deliver for the last | delivery time | giving up | multiple retries |
            did not accept our requests to connect | not responding | unable to connect | could not connect |
            connect to | connection refused | still being retried | not yet been delivered | has been delayed |
            is delayed | delayed for more | cannot be delivered within | delivery attempts | warning: could not send |
            will be retried | after 1 day | for a long time | couldn't reach | not reachable |
            unable to deliver this message after | retry | retries | failing for |
            message could not be delivered for | will keep trying | will continue | delivery delayed | delayed mail |
            has not been delivered | not be delivered within | host not reachable | no answer | connect failed |
            connection attempt | after several | days | hours on the queue
            """
        ),
    ),
    Rule(R.EXPIRED, ("attempts",), longest=_ONE_ANSWER, with_any=("fail", "after", "unsuccessful")),
    Rule(
        R.CONTENTERROR,
        phrases(
            """
            duplicate header | nul character | charset | mime | 8-bit | 8bit | improper use | line too long |
            line length | malformed | header line | non-ascii | null character | invalid content | conversion |
            body contains | illegal character | content type | contenterror | content error | unconverted |
            transaction failed:
            """
        ),
    ),
    Rule(
        R.SYNTAXERROR,
        phrases(
            """
            syntax error | malformed address | bad sequence | command sequence | improper sequence |
            command not implemented | command unrecognized | unrecognized command | command not recognized |
            unimplemented | invalid command | bad address syntax | address syntax | syntax
            """
        ),
    ),
    Rule(
        R.ONHOLD,
        phrases(
            """
            try again later | deferred | temporarily rejected | on hold | come back later | please retry later |
            temporarily unavailable | recipient error
            """
        ),
    ),
)
