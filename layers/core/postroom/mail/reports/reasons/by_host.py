"""What the words of particular servers mean: ordered rows, asked before the words that all use."""

from __future__ import annotations

from postroom.mail import phrases
from postroom.mail.reports.reasons.rule import Rule
from postroom.mail.reports.reasons.vocabulary import Command, Reason

R = Reason
_GOOGLE = ("google.com", "gmail.com", "googlemail", "googlegroups")
_MICROSOFT = ("outlook.com", "hotmail", "live.com", "msn.com", "office365", "outlook-com", "office.com")
_ORANGE = ("orange.fr", "wanadoo.", "laposte.net", "orange.com")
_DOCOMO = ("docomo",)
_KDDI = ("ezweb.ne.jp", "au.com", "kddi")
_GODADDY = ("secureserver.net",)
_YAHOO = ("yahoodns.net", "yahoo.", "aol.com")
_TENCENT = ("qq.com", "qq.example", "tencent")
_COX = ("cox.net", "charter.net", "spectrum", "cloudfilter.net")
_MIMECAST = ("mimecast",)
_APPLE = ("icloud.com", "apple.com", "me.com", "mac.com")

HOST_RULES: tuple[Rule, ...] = (
    # Sentences that other rows would take for something else.
    Rule(R.NETWORKERROR, ("dns error:", "malformed or unexpected name server"), none_of=("null mx",)),
    Rule(R.HOSTUNKNOWN, ("could not be found in domain name service", "not be found in dns", "find a gateway for")),
    Rule(R.SYSTEMERROR, ("maildir file", "cannot update mailbox"), none_of=("quota", "too large", "space")),
    Rule(R.CONTENTERROR, ("duplicate header",)),
    Rule(R.SYNTAXERROR, ("malformed address",)),
    Rule(R.REJECTED, ("to/from an address that has been blacklisted",)),
    Rule(R.REJECTED, reporter=("googlegroups",)),
    Rule(R.USERUNKNOWN, ("not a member of domain", "not a member of this domain")),
    Rule(R.USERUNKNOWN, ("rejected",), reporter=("messagelabs",), reply_code=("542",)),
    Rule(R.MAILERERROR, ("pipe to |",)),
    Rule(R.POLICYVIOLATION, ("bounced by administrator",)),
    Rule(
        R.FILTERED,
        phrases(
            """
            blocked by the recipient | blocked by recipient | recipient's rules | are not accepting mail from |
            has blocked your | has blocked you
            """
        ),
    ),
    Rule(R.USERUNKNOWN, ("account or domain may not exist", ":550 5.1.1")),
    # What a list of addresses says of ours, whatever else the sentence blames.
    Rule(
        R.BLOCKED,
        phrases(
            """
            is blacklisted | blacklisted using | blacklisted by | dns blacklist | dnsbl | spammer list | -xbl |
            shxbl | xbl list | on one or more | currently sending spam | as spammer | real-time block |
            realtime block | rbl deny | in an rbl | by rbl | in rbl | black ip | permanently deferred
            """
        ),
        none_of=("dbl.spamhaus", "[gl01]"),
    ),
    Rule(R.BLOCKED, ("ask your postmaster for help or to contact",)),  # T-Online
    # IronPort's answer to whole hosts; it names the reputation where that was why.
    Rule(
        R.BLOCKED,
        ("your access to this mail system has been rejected", "your access to submit messages"),
        none_of=("reputation",),
    ),
    Rule(R.USERUNKNOWN, ("access denied",), all_of=("recipient address rejected",)),
    # Links to a page about one error name it exactly, whatever the sentence around them says.
    Rule(R.USERUNKNOWN, ("?p=nosuchuser", "answer=6596", "answer/6596")),
    Rule(R.MAILBOXFULL, ("?p=overquota", "answer=6558", "answer/6558")),
    Rule(R.SUSPEND, ("?p=disableduser", "?p=inactiveuser")),
    Rule(
        R.AUTHFAILURE,
        phrases(
            """
            ?p=dmarcrejection | ?p=unauthenticatedemail | ?p=unauthenticated | ?p=authenticationrequired
            """
        ),
    ),
    Rule(R.NOTCOMPLIANTRFC, ("?p=rfcmessagenoncompliant",)),
    Rule(R.BADREPUTATION, ("very low reputation",)),
    Rule(R.SPAMDETECTED, ("?p=unsolicitedmessageerror",), none_of=("reputation", "rate of unsolicited")),
    Rule(R.REQUIREPTR, ("?p=ipv6authentication", "?p=ipv6_authentication")),
    Rule(R.SPEEDING, ("?p=receivingrate", "?p=receivingratehigh", "?p=receivingrateperm", "?p=sendingrate")),
    Rule(R.EXCEEDLIMIT, ("?p=maxsizeerror",)),
    Rule(R.CONTENTERROR, ("?p=blockedmessage",)),
    Rule(
        R.BLOCKED,
        phrases(
            """
            spamhaus.org/ | sorbs.net/ | spamcop.net/ | barracudacentral.org/ | uceprotect | /rbl/?ip=
            """
        ),
    ),
    # Google: the same status for the sender's misdeeds and the recipient's.
    Rule(R.NOTCOMPLIANTRFC, ("multiple addresses in from",), host=_GOOGLE),
    Rule(R.SPEEDING, ("unusual rate of unsolicited mail",), host=_GOOGLE),
    Rule(R.SUSPEND, ("is disabled", "is inactive", "account has been disabled"), status=("5.2.1",), host=_GOOGLE),
    Rule(R.SPEEDING, ("at a rate that prevents", "receiving mail too quickly")),
    Rule(R.BLOCKED, ("ip you're using to send",), host=_GOOGLE),
    Rule(R.POLICYVIOLATION, ("presents a potential security issue", "detected an illegal attachment")),
    # au (KDDI), by itself or quoted by others: without an address in front, the recipient's own filter refused.
    Rule(R.FILTERED, ("550 : user unknown", "550: : user unknown")),
    Rule(R.USERUNKNOWN, (">: user unknown",), host=_KDDI),
    # Microsoft: 5.7.5xx the sender's domain, 5.7.6xx the sender's address, 4.7.6xx the same but passing.
    Rule(R.NORELAYING, ("tenantattribution", "relay access denied"), status=("5.7.64", "5.4.1")),
    Rule(R.SPEEDING, status=("5.7.230", "5.7.231", "5.7.232", "5.7.233")),
    Rule(R.AUTHFAILURE, status=("5.7.509", "4.7.509", "5.7.515", "5.7.23", "4.7.23", "5.7.26", "4.7.26")),
    Rule(R.SPAMDETECTED, status=("5.7.501", "5.7.502", "5.7.503")),
    Rule(R.FILTERED, status=("5.7.504", "5.7.505", "5.7.507")),
    Rule(R.BLOCKED, status=("5.7.506",)),
    Rule(R.SPEEDING, status=("5.7.508", "5.2.122", "5.2.121", "5.1.90", "4.7.28", "5.7.28")),
    Rule(R.NOTACCEPT, status=("5.7.510",)),
    Rule(R.REJECTED, status=("5.7.511", "5.7.750")),
    Rule(R.NOTCOMPLIANTRFC, status=("5.7.512",)),
    Rule(R.BLOCKED, status=("5.7.513", "5.7.70", "5.7.60", "5.7.61", "5.7.62", "5.7.63", "5.7.64")),
    Rule(R.BADREPUTATION, status=("4.7.650", "5.7.650", "4.7.651", "4.7.652", "4.7.653", "4.7.654")),
    Rule(
        R.USERUNKNOWN,
        ("unknown recipient", "recipient not found", "recipientnotfound", "recipnotfound"),
        status=("5.1.351", "5.1.10"),
    ),
    Rule(R.BLOCKED, ("block list (s3", "(s3140)", "(s3150)", "550 sc-0", "550 dy-0", "550 ou-0")),
    Rule(R.SPEEDING, ("421 rp-0",)),
    Rule(
        R.SECURITYERROR,
        ("resolver.rst.authrequired", "resolver.rst.notauthorized", "authentication required"),
        none_of=("relay",),
    ),
    Rule(
        R.SECURITYERROR, status=("5.7.124", "5.7.133", "5.7.134", "5.7.135", "5.7.136", "5.7.129", "5.7.193", "5.7.57")
    ),
    Rule(
        R.MAILBOXFULL,
        (
            "resolver.rst.mailboxfull",
            "storedrv.deliver; mailbox full",
            "mailbox full;storedrv",
            "quotaexceeded",
            "deliver.mailboxfull",
        ),
    ),
    Rule(R.EXCEEDLIMIT, ("resolver.rst.recipsizelimit", "resolver.rst.sendsizelimit", "recipsizelimit")),
    Rule(R.EXPIRED, ("queue.expired", "queue.transportdelay", "message expired")),
    Rule(R.ONHOLD, ("server busy",), status=("4.7.5",)),
    Rule(R.SPAMDETECTED, ("likely unsolicited",)),
    Rule(R.SPEEDING, ("is receiving mail at a rate", "sending quota exceeded")),
    Rule(
        R.USERUNKNOWN,
        phrases(
            """
            resolver.adr.recip | resolver.adr.exrecip | resolver.adr.invalidsmtp | resolver.adr.badprimary |
            resolver.adr.ambiguous | resolver.adr.cannotresolve
            """
        ),
    ),
    Rule(R.SUSPEND, ("accountdisabledexception", "aduserdisabled")),
    Rule(R.TOOMANYCONN, ("thread limit exceeded",)),
    Rule(
        R.SYSTEMERROR,
        phrases(
            """
            resolver.grp.expansion | resolver.fwd.loop | storedrv.deliver.exception |
            routing.noconnectorforaddresstype
            """
        ),
    ),
    Rule(R.FILTERED, ("transport.rules.rejectmessage",)),
    Rule(R.USERUNKNOWN, ("requested action not taken: mailbox unavailable",), reporter=("outlook",)),
    Rule(R.USERUNKNOWN, ("requested action not taken: mailbox unavailable",), host=_MICROSOFT),
    Rule(R.SYSTEMERROR, ("transaction failed",), host=("hotmail",)),
    # RFC 3463 §3.2: whatever the words, it is the sender's address.
    Rule(R.REJECTED, status=("5.1.7", "5.1.8", "4.1.7", "4.1.8")),
    # Orange and La Poste write the number of their error at the end.
    Rule(R.BLOCKED, ("_102", "_103", "_401", "_510", "[102]", "[103]"), host=_ORANGE),
    Rule(R.TOOMANYCONN, ("_104", "[104]"), host=_ORANGE),
    Rule(R.UNDEFINED, ("_105", "_107", "_109", "_201"), host=_ORANGE),
    Rule(R.SECURITYERROR, ("_305", "_402"), host=_ORANGE),
    Rule(R.REJECTED, ("_403", "_405", "_414", "_415", "_418", "_421"), host=_ORANGE),
    Rule(R.USERUNKNOWN, ("_416", "[416]"), host=_ORANGE),
    Rule(R.MAILBOXFULL, ("_417", "[417]"), host=_ORANGE),
    Rule(R.SUSPEND, ("_420", "_425", "_426", "[425]", "[426]"), host=_ORANGE),
    Rule(R.SYSTEMERROR, ("_505", "[505]", "_504", "_501"), host=_ORANGE),
    Rule(R.SPAMDETECTED, ("_506", "[506]", "_507"), host=_ORANGE),
    Rule(R.MESGTOOBIG, ("_514",), host=_ORANGE),
    Rule(R.POLICYVIOLATION, ("_630", "_605", "_606"), host=_ORANGE),
    # NTT docomo says "unknown user" at three moments and means three things.
    Rule(R.TOOMANYCONN, ("too many recipients",), host=_DOCOMO),
    Rule(R.REJECTED, ("unknown user",), host=_DOCOMO, status=("5.0.0",), command=(Command.MAIL, Command.DATA)),
    Rule(R.USERUNKNOWN, ("unknown user",), host=_DOCOMO, command=(Command.RCPT,)),
    Rule(R.FILTERED, ("unknown user",), host=_DOCOMO),
    Rule(R.FILTERED, ("service unavailable", "message refused"), host=_DOCOMO, command=(Command.DATA,)),
    # GoDaddy numbers its errors IBnnn; gateways quote them.
    Rule(
        R.BLOCKED,
        tuple(f"ib{number}" for number in (103, 104, 105, 106, 108, 110, 111, 112, 113, 302, 507)),
        host=_GODADDY,
    ),
    Rule(R.SPEEDING, ("ib007", "ib114", "ib115", "ib605", "ib607"), host=_GODADDY),
    Rule(R.SPEEDING, ("too many recipients this hour",)),
    Rule(R.TOOMANYCONN, ("ib101", "ib102", "ib116", "ib010"), host=_GODADDY),
    Rule(R.REQUIREPTR, ("ib001", "ib004"), host=_GODADDY),
    Rule(R.SECURITYERROR, ("ib401",), host=_GODADDY),
    Rule(R.AUTHFAILURE, ("ib504", "ib510", "ib511"), host=_GODADDY),
    Rule(R.REJECTED, ("ib501", "ib502", "ib503", "ib506", "ib508", "ib509", "ib516", "ib517"), host=_GODADDY),
    Rule(R.REJECTED, ("domain is invalid. please provide a valid from",)),
    Rule(R.SPAMDETECTED, ("ib212", "ib701", "ib702", "ib703", "ib704"), host=_GODADDY),
    Rule(R.VIRUSDETECTED, ("ib705",), host=_GODADDY),
    Rule(R.MAILBOXFULL, ("account storage limit",), host=_GODADDY),
    Rule(R.USERUNKNOWN, ("account does not exist", "recipient not found"), host=_GODADDY),
    # Yahoo and AOL name their policies in brackets.
    Rule(R.USERUNKNOWN, ("delivery error: dd",), none_of=("disabled", "quota", "full", "suspended", "not active")),
    Rule(R.SUSPEND, ("delivery error: dd",), all_of=("account",), none_of=("quota", "full")),
    Rule(R.BLOCKED, ("[bl21]", "[bl22]", "[bl23]", "[tss"), host=_YAHOO),
    Rule(R.SPEEDING, ("[ts01]", "[ts02]", "[ts03]", "[ts04]", "[ts05]", "[gl01]"), host=_YAHOO),
    Rule(R.AUTHFAILURE, ("for authentication reasons", "dmarc policy", "authentication checks"), host=_YAHOO),
    Rule(R.POLICYVIOLATION, ("for policy reasons",)),
    # Tencent.
    Rule(
        R.TOOMANYCONN, ("frequency limited", "connection frequency", "1000725", "too many connections"), host=_TENCENT
    ),
    Rule(R.AUTHFAILURE, ("dmarc check", "spf check"), host=_TENCENT),
    Rule(R.BLOCKED, ("suspected bounce attacks", "suspected spam ip", "connection denied"), host=_TENCENT),
    Rule(R.FILTERED, ("rejected by recipients",), host=_TENCENT),
    Rule(R.SPAMDETECTED, ("suspected spam", "mail content denied", "1000719"), host=_TENCENT),
    Rule(R.MAILBOXFULL, ("space not enough", "mailbox space exceed"), host=_TENCENT),
    Rule(R.SUSPEND, ("account is abnormal", "user is locked"), host=_TENCENT),
    Rule(R.USERUNKNOWN, ("mailbox not found", "mailbox unavailable", "no such user"), host=_TENCENT),
    # NetEase: what was looked at, and why it was refused.
    Rule(R.BLOCKED, ("hl:rep", "hl:mep", "hl:itc", "dt:rbl", "wm:bli", "mi:nhd")),
    Rule(R.TOOMANYCONN, ("hl:icc", "rp:drc")),
    Rule(R.SPEEDING, ("hl:ifc", "mi:dmc", "mi:sfq", "rp:qrc", "mi:stc")),
    Rule(R.REJECTED, ("wm:blu",)),
    Rule(R.SPAMDETECTED, ("dt:spm", "mi:spb")),
    Rule(R.AUTHFAILURE, ("mi:spf",)),
    Rule(R.SYNTAXERROR, ("mi:cel", "mi:ccl", "rp:cel", "rp:ccl")),
    # Cox and Charter/Spectrum: the code after AUP#.
    Rule(R.TOOMANYCONN, ("aup#in-1310", "aup#in-1300", "aup#cxcnct", "aup#cxconn", "aup#i-1310", "aup#i-1300")),
    Rule(R.SPEEDING, ("aup#cxmxrt", "aup#cxthrt", "aup#in-1080", "aup#in-1100", "aup#i-1100", "aup#out-1000")),
    Rule(R.REQUIREPTR, ("aup#cxdns", "aup#cxpt", "aup#pop", "aup#in-1001", "aup#in-1050")),
    Rule(R.REJECTED, ("aup#cxsndr", "aup#in-1430", "aup#in-1420")),
    Rule(R.SECURITYERROR, ("aup#cxmj",)),
    Rule(R.SPAMDETECTED, ("aup#urlbl", "aup#urlblc", "aup#in-1030", "aup#in-1040", "aup#in-1460", "aup#in-1800")),
    Rule(R.SYSTEMERROR, ("aup#in-1010", "aup#in-1020", "aup#in-1070", "aup#in-1500", "aup#in-1720")),
    Rule(R.BLOCKED, ("aup#",)),
    Rule(R.BLOCKED, ("sender rejected",), host=_COX),
    # AOL's letters.
    Rule(R.BLOCKED, ("(rly:", "(rtr:", "(dyn:", "(con:", "rly:b", "rtr:b", "dyn:t")),
    Rule(R.SPAMDETECTED, ("(hvu:", "hvu:b")),
    # Mimecast.
    Rule(R.VIRUSDETECTED, ("mcspamsignature", "mcvirus", "antivirus policy", "virus signature detection", "malware")),
    Rule(
        R.SPAMDETECTED,
        ("spamsignature", "greylisting in effect", "message is spam"),
        host=_MIMECAST,
        none_of=("greylist",),
    ),
    Rule(R.ONHOLD, ("greylisting",), host=_MIMECAST),
    Rule(
        R.POLICYVIOLATION,
        phrases(
            """
            administrative lockout | restrictive rejection policy | rejected by header based | security policies
            """
        ),
        host=_MIMECAST,
    ),
    Rule(R.BLOCKED, ("not accepting connections",), command=(Command.CONNECT,), host=_APPLE),
    Rule(R.BLOCKED, ("esmtp not accepting connections",)),
    Rule(R.POLICYVIOLATION, ("[cs01]", "mail rejected due to content", "blacklist domain"), host=_APPLE),
    Rule(R.USERUNKNOWN, ("#rcp", "rcp-p1"), all_of=("does not exist",)),
    Rule(R.FILTERED, ("rcp-p2", "rcp-p3", "recipient preferences")),
    # facebook.com: the letters before the number are the family of the error.
    Rule(R.BADREPUTATION, ("dns-p3",)),
    Rule(R.REQUIREPTR, ("dns-p1", "dns-p2")),
    Rule(R.BLOCKED, ("con-p", "pol-p2")),
    Rule(R.SPEEDING, ("con-t", "pol-t1", "pol-t2")),
    Rule(R.TOOMANYCONN, ("con-t1", "con-t3")),
    Rule(R.SYSTEMERROR, ("int-p", "int-t")),
    Rule(R.EXCEEDLIMIT, ("msg-p1",)),
    Rule(R.SPAMDETECTED, ("pol-p6", "pol-p7", "inb-p")),
    Rule(R.POLICYVIOLATION, ("pol-p3", "pol-p4", "pol-p5")),
    # Gmail's old reports end in the state of the session: 18 is after the content.
    Rule(R.FILTERED, ("(state 18)",), reporter=("gmail",), none_of=("quota", "full", "size")),
    Rule(
        R.SYSTEMERROR, ("(state 6)", "(state 9)", "(state 8)"), reporter=("gmail",), none_of=("block", "spam", "user")
    ),
    # Servers that write "user unknown" when the content was refused.
    Rule(
        R.FILTERED,
        phrases(
            """
            user unknown | unknown user | no such user | this user doesn't have | mailbox unavailable
            """
        ),
        reporter=("x1", "x2", "surfcontrol", "zoho"),
    ),
)
