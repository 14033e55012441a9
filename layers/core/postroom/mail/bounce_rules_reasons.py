"""What servers mean by their words: ordered rows, the first that matches names the reason.

Texts are compared in lower case with single spaces; several pieces in `all_of` must all occur, one of `any_of` must.
Rows of one server come first, because the same words mean different things there. Sources: the operators' own postmaster
pages, RFC 3463 and the IANA registry of enhanced status codes, and real reports.
"""

from __future__ import annotations

from dataclasses import dataclass

from postroom.mail.reasons import Command, Failure, Reason


@dataclass(frozen=True, slots=True)
class Rule:
    """One row; every condition that is given must hold. Hosts and reporters are compared as pieces of the name."""

    reason: Reason
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    reply_code: tuple[str, ...] = ()
    command: tuple[Command, ...] = ()
    host: tuple[str, ...] = ()
    reporter: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    program: bool | None = None  # True: only words of a program behind the mailbox

    def matches(self, text: str, failure: Failure, host: str) -> bool:
        """Say whether this row speaks about a failure; `text` is normalised, `host` lower case."""
        if self.host and not any(piece in host for piece in self.host):
            return False
        if self.reporter and failure.reporter not in self.reporter:
            return False
        if self.status and not failure.status.startswith(self.status):
            return False
        if self.reply_code and failure.reply_code not in self.reply_code:
            return False
        if self.command and failure.command not in self.command:
            return False
        if self.program is not None and self.program is failure.is_smtp:
            return False
        if self.none_of and any(piece in text for piece in self.none_of):
            return False
        if self.all_of and not all(piece in text for piece in self.all_of):
            return False
        return not self.any_of or any(piece in text for piece in self.any_of)


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
    # Links to a page about one error name it exactly, whatever the sentence around them says.
    Rule(R.USERUNKNOWN, ("?p=nosuchuser", "answer=6596", "answer/6596")),
    Rule(R.MAILBOXFULL, ("?p=overquota", "answer=6558", "answer/6558")),
    Rule(R.SUSPEND, ("?p=disableduser", "?p=inactiveuser")),
    Rule(
        R.AUTHFAILURE,
        ("?p=dmarcrejection", "?p=unauthenticatedemail", "?p=unauthenticated", "?p=authenticationrequired"),
    ),
    Rule(R.NOTCOMPLIANTRFC, ("?p=rfcmessagenoncompliant",)),
    Rule(R.BADREPUTATION, ("very low reputation",)),
    Rule(R.SPAMDETECTED, ("?p=unsolicitedmessageerror",), none_of=("reputation", "rate of unsolicited")),
    Rule(R.REQUIREPTR, ("?p=ipv6authentication", "?p=ipv6_authentication")),
    Rule(R.SPEEDING, ("?p=receivingrate", "?p=receivingratehigh", "?p=receivingrateperm", "?p=sendingrate")),
    Rule(R.EXCEEDLIMIT, ("?p=maxsizeerror",)),
    Rule(R.CONTENTERROR, ("?p=blockedmessage",)),
    Rule(
        R.BLOCKED, ("spamhaus.org/", "sorbs.net/", "spamcop.net/", "barracudacentral.org/", "uceprotect", "/rbl/?ip=")
    ),
    # Google: the same status for the sender's misdeeds and the recipient's.
    Rule(R.NOTCOMPLIANTRFC, ("multiple addresses in from",), host=_GOOGLE),
    Rule(R.SPEEDING, ("unusual rate of unsolicited mail",), host=_GOOGLE),
    Rule(R.SUSPEND, ("is disabled", "is inactive", "account has been disabled"), status=("5.2.1",), host=_GOOGLE),
    Rule(R.SPEEDING, ("at a rate that prevents", "receiving mail too quickly"), host=_GOOGLE),
    # Microsoft: 5.7.5xx sender's domain, 5.7.6xx sender's address, 4.7.6xx the same but passing.
    Rule(R.AUTHFAILURE, status=("5.7.509", "4.7.509", "5.7.515", "5.7.23", "5.7.26", "5.7.5 ")),
    Rule(R.USERUNKNOWN, ("recipient address rejected: access denied",), status=("5.4.1", "4.4.1")),
    Rule(R.NORELAYING, ("relay access denied",), status=("5.4.1",), host=_MICROSOFT),
    Rule(
        R.USERUNKNOWN,
        status=("5.1.351", "5.1.10", "5.1.0 "),
        any_of=("unknown recipient", "recipient not found", "recipientnotfound", "recipnotfound"),
    ),
    Rule(
        R.BLOCKED,
        status=(
            "5.7.606",
            "5.7.607",
            "5.7.608",
            "5.7.609",
            "5.7.61",
            "5.7.62",
            "5.7.63",
            "5.7.64",
            "5.7.511",
            "5.7.512",
            "5.7.513",
        ),
    ),
    Rule(R.BADREPUTATION, status=("4.7.650", "5.7.650", "4.7.651", "4.7.652", "4.7.653", "4.7.654")),
    Rule(R.BLOCKED, status=("5.7.700", "5.7.701", "5.7.702", "5.7.703", "5.7.705", "5.7.708", "5.7.750", "5.7.703")),
    Rule(R.SPEEDING, status=("5.2.122", "5.2.121", "4.7.500", "4.7.501", "4.7.502", "4.7.26", "5.1.90", "5.7.233")),
    Rule(R.BLOCKED, ("is on our block list", "on our block list (s3", "(s3140)", "(s3150)"), host=()),
    Rule(R.SECURITYERROR, ("resolver.rst.authrequired", "resolver.rst.notauthorized", "authentication required")),
    Rule(
        R.SECURITYERROR, status=("5.7.124", "5.7.133", "5.7.134", "5.7.135", "5.7.136", "5.7.129", "5.7.193", "5.7.12")
    ),
    Rule(R.MAILBOXFULL, ("resolver.rst.mailboxfull", "storedrv.deliver; mailbox full", "mailboxfull")),
    Rule(R.EXCEEDLIMIT, ("resolver.rst.recipsizelimit", "resolver.rst.sendsizelimit", "recipsizelimit")),
    Rule(R.EXPIRED, ("queue.expired",)),
    Rule(
        R.USERUNKNOWN,
        (
            "resolver.adr.recip",
            "resolver.adr.exrecip",
            "resolver.adr.invalidsmtp",
            "resolver.adr.badprimary",
            "resolver.adr.ambiguous",
            "resolver.adr.cannotresolve",
        ),
    ),
    Rule(
        R.SYSTEMERROR,
        (
            "resolver.grp.expansion",
            "resolver.fwd.loop",
            "storedrv.deliver.exception",
            "routing.noconnectorforaddresstype",
        ),
    ),
    Rule(R.FILTERED, ("transport.rules.rejectmessage",)),
    Rule(R.USERUNKNOWN, ("requested action not taken: mailbox unavailable",), reporter=("outlook",)),
    Rule(R.USERUNKNOWN, ("requested action not taken: mailbox unavailable",), host=_MICROSOFT),
    Rule(R.SYSTEMERROR, ("transaction failed",), host=("hotmail",)),
    # Orange and La Poste write the number of their error at the end.
    Rule(R.USERUNKNOWN, ("_416", "[416]"), host=_ORANGE),
    Rule(R.MAILBOXFULL, ("_417", "[417]", "_510", "_513"), host=_ORANGE),
    Rule(R.SUSPEND, ("_402", "_425", "_426", "[425]", "[426]"), host=_ORANGE),
    Rule(R.TOOMANYCONN, ("_102", "_103", "_104", "_105", "_109", "[102]", "[104]"), host=_ORANGE),
    Rule(R.SPEEDING, ("_107", "_108", "_301", "_302", "_303", "_305"), host=("orange.fr", "wanadoo.")),
    Rule(R.UNDEFINED, ("_107",), host=("laposte.net",)),
    Rule(R.SPAMDETECTED, ("_506", "[506]", "_507"), host=_ORANGE),
    Rule(R.SYSTEMERROR, ("_505", "[505]", "_504", "_501"), host=_ORANGE),
    Rule(R.BLOCKED, ("_403", "_503", "_110", "_200", "_201", "_517"), host=_ORANGE),
    Rule(R.REJECTED, ("_405", "_515", "_516", "_535"), host=_ORANGE),
    Rule(R.HOSTUNKNOWN, ("_415",), host=_ORANGE),
    Rule(R.EXCEEDLIMIT, ("_514",), host=_ORANGE),
    Rule(R.AUTHFAILURE, ("_515",), host=_ORANGE),
    Rule(R.POLICYVIOLATION, ("_630",), host=_ORANGE),
    # NTT docomo says "unknown user" at three moments and means three things.
    Rule(R.FILTERED, ("unknown user",), host=_DOCOMO, status=("5.2.0", "5.3.0", "5.0.0"), command=(Command.DATA,)),
    Rule(R.TOOMANYCONN, ("too many recipients",), host=_DOCOMO),
    Rule(R.REJECTED, ("unknown user",), host=_DOCOMO, command=(Command.MAIL,)),
    Rule(R.USERUNKNOWN, ("unknown user",), host=_DOCOMO, command=(Command.RCPT,)),
    Rule(R.REJECTED, ("unknown user",), host=_DOCOMO, status=("5.0.0",)),
    Rule(R.FILTERED, ("unknown user",), host=_DOCOMO),
    Rule(R.FILTERED, ("service unavailable", "message refused"), host=_DOCOMO, command=(Command.DATA,)),
    # au (KDDI): without the address in front, the recipient's own filter refused.
    Rule(R.FILTERED, ("550 : user unknown", "550: : user unknown"), host=_KDDI),
    Rule(R.FILTERED, ("550 : user unknown", "550: : user unknown")),
    Rule(R.USERUNKNOWN, (">: user unknown",), host=_KDDI),
    # GoDaddy numbers its errors IBnnn.
    Rule(
        R.BLOCKED,
        ("ib103", "ib104", "ib105", "ib106", "ib108", "ib110", "ib111", "ib112", "ib212", "ib302", "ib402"),
        host=_GODADDY,
    ),
    Rule(
        R.SPEEDING,
        ("ib007", "ib113", "ib114", "ib115", "ib401", "ib404", "ib605", "ib607", "ib705", "ib607"),
        host=_GODADDY,
    ),
    Rule(R.TOOMANYCONN, ("ib101", "ib102", "ib116", "ib010"), host=_GODADDY),
    Rule(R.REQUIREPTR, ("ib001", "ib004"), host=_GODADDY),
    Rule(
        R.REJECTED,
        ("ib501", "ib502", "ib503", "ib504", "ib506", "ib507", "ib508", "ib509", "ib510", "ib516", "ib517"),
        host=_GODADDY,
    ),
    Rule(R.SPAMDETECTED, ("ib701", "ib702", "ib703", "ib704", "ib212"), host=_GODADDY),
    Rule(R.BADREPUTATION, ("ib705",), host=_GODADDY),
    Rule(R.MAILBOXFULL, ("account storage limit",), host=_GODADDY),
    Rule(R.USERUNKNOWN, ("account does not exist", "recipient not found"), host=_GODADDY),
    Rule(R.REJECTED, ("ib506", "ib507", "ib504")),
    # Yahoo and AOL name their policies in brackets.
    Rule(R.USERUNKNOWN, ("delivery error: dd",), none_of=("disabled", "quota", "full", "suspended", "not active")),
    Rule(R.SUSPEND, ("delivery error: dd",), all_of=("account",), none_of=("quota", "full")),
    Rule(R.BLOCKED, ("[bl21]", "[bl22]", "[bl23]", "[tss07]", "[tss04]", "[tss05]"), host=_YAHOO),
    Rule(R.SPEEDING, ("[ts01]", "[ts02]", "[ts03]", "[ts04]", "[ts05]", "[gl01]"), host=_YAHOO),
    Rule(R.AUTHFAILURE, ("for authentication reasons", "dmarc policy", "authentication checks"), host=_YAHOO),
    Rule(R.POLICYVIOLATION, ("for policy reasons",)),
    # Tencent.
    Rule(
        R.TOOMANYCONN, ("frequency limited", "connection frequency", "1000725", "too many connections"), host=_TENCENT
    ),
    Rule(R.AUTHFAILURE, ("dmarc check", "spf check"), host=_TENCENT),
    Rule(
        R.BLOCKED,
        ("1000726", "1000727", "suspected bounce attacks", "mail content denied"),
        host=_TENCENT,
        all_of=("ip",),
    ),
    Rule(R.SPAMDETECTED, ("suspected spam", "mail content denied", "1000719"), host=_TENCENT),
    Rule(R.USERUNKNOWN, ("mailbox not found", "mailbox unavailable", "no such user"), host=_TENCENT),
    # Cox and Charter/Spectrum: the code after AUP#.
    Rule(R.TOOMANYCONN, ("aup#in-1310", "aup#in-1300", "aup#cxcncm", "aup#cxconn", "aup#i-1310", "aup#i-1300")),
    Rule(
        R.SPEEDING,
        (
            "aup#cxmxrt",
            "aup#cxsndr",
            "aup#in-1080",
            "aup#in-1100",
            "aup#i-1100",
            "aup#out-1000",
            "aup#out-1500",
            "aup#out-1580",
        ),
    ),
    Rule(R.REQUIREPTR, ("aup#cxpt", "aup#pop", "aup#in-1001", "aup#in-1050")),
    Rule(R.SYSTEMERROR, ("aup#in-1010", "aup#in-1020", "aup#in-1070", "aup#in-1500", "aup#in-1720")),
    Rule(
        R.SPAMDETECTED,
        ("aup#in-1030", "aup#in-1040", "aup#in-1420", "aup#in-1430", "aup#in-1460", "aup#in-1800", "aup#in-1810"),
    ),
    Rule(R.MAILERERROR, ("aup#in-1090",)),
    Rule(
        R.BLOCKED,
        (
            "aup#cdrbl",
            "aup#cxbl",
            "aup#blk",
            "aup#rbl",
            "aup#bl",
            "aup#lbl",
            "aup#ivsbl",
            "aup#o-1520",
            "aup#in-15",
            "aup#in-14",
            "aup#in-16",
            "aup#in-11",
        ),
    ),
    Rule(R.BLOCKED, ("sender rejected",), host=_COX),
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
        ("administrative lockout", "restrictive rejection policy", "rejected by header based", "security policies"),
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
        ("user unknown", "unknown user", "no such user", "this user doesn't have", "mailbox unavailable"),
        reporter=("x1", "x2", "surfcontrol", "zoho"),
    ),
)

_NO_USER = (
    "user unknown", "unknown user", "no such user", "user not found", "user doesn't exist", "user does not exist",
    "unknown recipient", "recipient unknown", "no such recipient", "recipient not found", "invalid recipient",
    "recipient does not exist", "recipient no found", "unknown address", "address unknown", "no such address",
    "invalid address", "address does not exist", "address not found", "email address could not be found",
    "no such mailbox", "mailbox not found", "mailbox unknown", "unknown mailbox", "mailbox does not exist",
    "mailbox doesn't exist", "mailbox unavailable", "mailbox not present", "no mailbox here", "no mailbox by that name",
    "mailbox name not allowed", "invalid mailbox", "unknown or illegal alias", "unknown or illegal user", "unknown local part",
    "unknown local-part", "local part unknown", "unknown account", "no such account", "account not found",
    "account does not exist", "this account doesn't exist", "no account by that name", "no such person",
    "not a valid user", "not a valid mailbox", "not a known user", "not a local user", "is not a user", "is not known",
    "not our customer", "user invalid", "invalid user", "bad user", "illegal user", "bad destination mailbox address",
    "does not exist here", "no user here", "no such user here", "recipient name is not recognized", "recipnotfound",
    "user name not found", "username not found", "userid not found", "delivery userid", "cannot find your recipient",
    "can't find a user", "could not find the user", "there is no one at this address", "nobody by that name",
    "does not have an account", "doesn't have an account", "doesn't have a ", "hasn't an account", "no valid recipients",
    "unable to locate recipient", "not listed in", "user not known", "not in my database", "unrouteable mail domain user",
    "recipient address rejected: user", "no matching user", "user is unknown", "email address does not exist",
    "address wasn't found", "couldn't be found", "address couldn't be found", "wasn't found at", "address rejected",
    "no longer valid", "adresse destinataire invalide", "destinataire inconnu", "utilisateur inconnu",
    "unbekannter empf", "empfänger unbekannt", "adressat unbekannt", "usuario desconocido", "utente sconosciuto",
    "undeliverable address", "rejected address", "addressee unknown", "not find recipient", "recipient is not local",
    "unable to deliver message to", "isn't in our user", "invalid final delivery", "no recipient found",
    "not have any account", "recipient rejected", "account is unavailable", "access denied]", "user unkown",
    "not a member of this domain", "no such alias", "alias does not exist", "this email address is not registered",
    "name not found", "names not found", "not listed in domino directory", "not listed in public name", "recipient_not_found",
    "recipient's mailbox is not found", "this address does not receive mail", "this user does not exist", "verify the recipient",
)  # fmt: skip

TEXT_RULES: tuple[Rule, ...] = (
    # Full, too large.
    Rule(R.SYSTEMFULL, (
        "insufficient disk space", "insufficient system storage", "mail system full", "no space left", "out of disk",
        "mail system is full", "not enough disk space", "disk is full", "insufficient system resources",
        "not enough storage space on the server",
    )),
    Rule(R.MAILBOXFULL, (
        "mailbox full", "mailbox is full", "mailbox for user is full", "mailbox quota", "over quota", "overquota",
        "quota exceeded", "exceeded quota", "exceeds quota", "quota exceed", "exceeded storage", "exceeded its storage",
        "exceeded their storage", "over the maximum allowed quota", "disk quota", "quota limit", "quota is full",
        "inbox is full", "inbox is out of storage", "out of storage space", "mailfolder is full", "mail folder is full",
        "mailbox size limit exceeded", "mailbox has exceeded", "mailbox is over", "mailbox over", "not enough storage",
        "insufficient storage", "storage quota", "exceeds the local limit", "exceeded the local limit", "maildir over",
        "maildir delivery failed: error_code 422", "user has too many messages", "too many messages in", "boite pleine",
        "boîte pleine", "mailbox exceed", "account is full", "recipient's mailbox is full", "mbox full",
        "exceeded allowed storage", "postfach voll", "postfach ist voll", "buzón lleno", "casella piena", "user is full",
        "has insufficient quota", "no room in mailbox", "mailbox is exceed", "mailbox temporarily full", "box full",
        "exceed maximum allowed storage", "recipient reached disk quota", "quota violation", "over its disk quota",
        "recipient exceeded", "recipient is over", "user over", "full mailbox", "exceeds maximum storage",
    )),
    Rule(R.MESGTOOBIG, (
        "message too big for system", "exceeds maximum message size", "message size exceeds", "message file too big",
        "message too large", "message is too large", "message too big", "size limit exceeded", "exceeds maximum fixed size",
        "message length exceeds", "larger than the current system limit", "message size limit", "mail size limit",
        "too large for", "maximum message size", "exceeds size limit", "max message size exceeded", "is too big",
        "message exceeds", "exceeded maximum message size", "message header size", "mail too large", "over size limit",
        "exceeds the maximum", "size exceed", "sm_exceeded", "exceeds the size limit", "size of message exceeds",
    ), status=("5.3.4", "4.3.4")),
    Rule(R.EXCEEDLIMIT, (
        "message length exceeds", "message size exceeds", "message too large", "message is too large", "message too big",
        "message file too big", "exceeds maximum message size", "exceeds administrative limit", "exceeds limit set by",
        "size limit exceeded", "exceeds maximum fixed size", "size exceeds", "exceeded maximum message size",
        "larger than the current system limit", "message size limit", "mail size limit", "too large for",
        "exceeds size limit", "max message size exceeded", "exceeded the maximum message size", "mail too large",
        "message exceeds", "exceeds the size limit", "size of message exceeds", "exceeds the maximum message size",
    )),
    # The account.
    Rule(R.HASMOVED, (
        "has moved", "has been moved", "no longer on server", "address has changed", "has been replaced by",
        "new e-mail address", "please try <", "no longer here", "moved to another", "destination mailbox has moved",
        "not our user", "has left the", "no longer works", "no longer employed", "no longer with",
    )),
    Rule(R.SUSPEND, (
        "account disabled", "account is disabled", "account has been disabled", "mailbox disabled", "mailbox is disabled",
        "user disabled", "user is disabled", "account inactive", "account is inactive", "is inactive", "account suspended",
        "account is suspended", "account has been suspended", "is suspended", "been suspended", "mailbox is inactive",
        "mailbox is frozen", "mailbox frozen", "mailbox currently suspended", "account expired", "account has expired",
        "account is locked", "account locked", "user account is expired", "account is blocked", "account blocked", "is deactivated",
        "been deactivated", "account deactivated", "inactive account", "inactive user", "not active", "user not active",
        "account that you tried to reach is disabled", "recipient suspend", "recipient is suspended", "disabled or discontinued",
        "mailbox temporarily disabled", "temporarily disabled", "account is temporarily", "user suspended", "status expired",
        "domain is suspended", "compte du destinataire est bloque", "recipient account is blocked", "has been locked",
        "terminated account", "account has been terminated", "unavailable to take delivery", "this account is not allowed",
        "vdelivermail: account is locked", "email account that you tried to reach is over", "boite du destinataire archivee",
    )),
    # Relays, authentication of our mail.
    Rule(R.NORELAYING, (
        "relaying denied", "relay denied", "relay access denied", "relay not permitted", "relaying not allowed",
        "relaying is not allowed", "relay operation rejected", "not configured to relay", "unable to relay", "cannot relay",
        "as a relay", "no relaying", "not permitted to relay", "relay prohibited", "relaying blocked", "relaying not permitted",
        "mail relay denied", "open relay", "isn't in my list of allowed rcpthosts", "isn't in my list of rcpthosts",
        "not in my list of allowed", "not local host", "not a gateway", "user not local", "we do not relay",
        "relaying mail to", "email address is not verified", "that domain isn't in", "insecure mail relay",
        "not an open relay", "no relay", "sorry, that domain", "this mail server requires authentication before sending mail",
        "relay not allowed", "message refused: local recipients only", "specified domain is not allowed", "not accept mail for domain",
    ), none_of=("blacklist", "block list", "blocklist", "blocked", "daily relay quota", "listed in")),
    Rule(R.AUTHFAILURE, (
        "dmarc", "spf check", "failed spf", "spf fail", "spf record", "spf unauthorized", "spf validation", "spf: fail",
        "spf hard fail", "spf softfail", "spf hardfail", "fails spf", "not permitted by spf", "violates spf", "spf policy",
        "dkim", "multiple authentication checks", "unauthenticated email", "not designated permitted sender",
        "spf (sender policy framework)", "sender policy framework", "sender is unauthenticated", "failed authentication checks",
        "is not authorized to send mail from", "not authorized to send from this domain", "domain authentication",
        "does not pass spf", "authentication failed for sender domain", "sender id", "arc failed", "spf mismatch",
    ), none_of=("duplicate header",)),
    # Content: viruses and spam, before anything about hosts.
    Rule(R.VIRUSDETECTED, (
        "virus", "worm detected", "malware", "infected", "trojan", "phishing attack", "executable file", "dangerous attachment",
    ), none_of=("virus scanner failed", "anti-virus system unavailable", "anti-virus server")),
    Rule(R.REQUIREPTR, (
        "ptr record", "no ptr", "ptr resource record", "bad dns ptr", "reverse dns", "rdns", "reverse lookup",
        "ip name lookup failed", "ip name possibly forged", "unable to find ptr", "ptr lookup", "without a ptr",
        "unverifyable sending ip", "unverifiable sending ip", "mismatches client ip", "cannot find your reverse hostname",
        "cannot find your hostname", "client host name", "does not resolve", "no reverse", "unknown reverse", "valid ptr",
        "fix your reverse", "hostname lookup failed", "all mail servers must have a ptr", "reverse hostname", "reverse mapping",
        "name of your mail server", "lookup of client", "reverse validation failed", "dns validation failed", "forged hostname",
        "invalid reverse", "domain name does not match ip", "resolve your ip", "missing reverse",
    ), none_of=("missing reverse dns for",)),
    Rule(R.BADREPUTATION, (
        "low reputation", "bad reputation", "poor reputation", "ip reputation", "sender reputation", "reputation is too low",
        "poor domain reputation", "reputation score", "domain reputation", "reputation of the sending", "reputation",
        "temporarily rate limited due to ip", "senderbase", "sender score", "negative reputation",
    )),
    Rule(R.SPAMDETECTED, (
        "spam detected", "detected as spam", "identified as spam", "considered spam", "looks like spam", "appears to be spam",
        "scored as spam", "classified as spam", "marked as spam", "message content rejected", "content rejected, ube",
        "spam message", "spam mail", "is spam", "as spam", "- spam", "spam content", "spam-like", "spam like",
        "spam score", "high spam", "spam filter", "spam email", "probable spam", "possible spam", "suspected spam",
        "message is spam", "likely spam", "unsolicited bulk", "unsolicited mail", "unsolicited commercial", "considered unsolicited",
        "blocked by spam", "blocked by our bulk", "spamassassin", "spam rejected", "spam reject", "reject, id=", "ube, id=",
        "bulk email", "junk mail", "tagged as spam", "rejected by spam", "rejected as spam", "anti-spam", "antispam",
        "content rejected", "your message has been rejected because it appears to be", "spammy", "content filter",
        "message scored", "listed in multi.surbl", "surbl", "uribl", "cloudmark", "dcc", "razor", "mail content denied",
        "message contains spam", "contains spam", "this message contain", "no spam please", "spam not accepted", "spam.",
    ), none_of=("spam sent to", "spamhaus", "spamcop", "spam source", "spam sources", "protect our users from spam", "due to spam sent", "spam blocked")),
    # Rates.
    Rule(R.TOOMANYCONN, (
        "too many connections", "too many concurrent", "too many simultaneous", "connection rate limit", "concurrent connection",
        "too many smtp sessions", "too many sessions", "connection limit", "max connections", "maximum connections",
        "connections from your", "too many recipients", "frequency limited", "connection frequency", "exceeded the maximum number of connections",
        "simultaneous connections", "connection refused. your ip address is not", "unable to accept more connections", "too many tcp",
        "too many open connections", "trop de connexions", "host has too many", "maximum number of recipients",
    )),
    Rule(R.SPEEDING, (
        "rate limit", "too many messages", "too much mail", "too many emails", "too many mails", "sent to too many recipients this hour",
        "sending rate", "exceeded the rate", "too fast", "throttl", "slow down", "excessive message rate", "excessive rate",
        "message rate", "hourly limit", "daily limit", "per hour", "unusual rate", "ratelimit", "limit for sending",
        "mail rate exceeded", "too frequent", "submitted too quickly", "recipient rate", "try again in a few minutes, rate",
        "exceeds the rate", "sending limit", "message quota",
    )),
    # The host.
    Rule(R.BLOCKED, (
        "blacklist", "black list", "blocklist", "block list", "block-list", "blocked using", "blocked by", "blocked for",
        "is blocked", "been blocked", "address blocked", "host rejected", "access denied, banned", "banned sending ip", "banned",
        "listed in", "listed at", "is listed", "listed on", "dnsbl", "rbl", "spamhaus", "spamcop", "spam source",
        "please use the smtp server of your isp", "use your isp", "rejected for spam", "client host", "connection refused by",
        "your ip", "ip address", "sending mta", "not allowed to connect", "connections not accepted from", "(bl)", "(rblxx", "blocked -",
        "dynamic ip", "dialup", "dial-up", "dynamic address", "generic hostname", "residential", "your network is",
        "part of their network", "no access from mail server", "connection dropped", "esmtp not accepting", "bad sender ip",
        "message from your host", "mail from your", "abuse from", "blocked for abuse", "host is not allowed", "server blocked",
        "invalid ip for sending", "from this ip", "ip is not", "ip was", "host refused", "ip banned", "unresolvable relay host",
        "domain does not exist: ", "daily relay quota", "missing reverse dns for", "refused - see", "we have a policy against mail from",
        "refused mail service", "smtp error from remote mail server after initial connection: 550 access denied",
        "too many spam", "too much spam", "domain blocked", "bad ip", "rejected by rbl", "temporarily blocked", "permanently blocked", "deferred due to user complaints", "user complaints",
        "anonymous", "has been denied", "hosts with dynamic", "proxy", "your server", "your host",
    ), none_of=("user unknown", "unknown user", "recipient address rejected", "sender address", "mailbox", "content", "policy")),
    Rule(R.BLOCKED, ("access denied", "service unavailable", "service not available", "connection refused", "not allowed", "denied", "refused", "rejected"),
         command=(Command.CONNECT, Command.HELO), none_of=("try again", "timed out")),
    # The recipient.
    Rule(R.NOTCOMPLIANTRFC, (
        "rfc 5322", "rfc 2822", "rfc 822", "rfc5322", "rfc2822", "rfc822", "not rfc", "multiple addresses in from",
        "missing message-id", "duplicate 'from", "multiple 'from", "multiple from headers", "bare cr", "bare lf", "bare <lf>",
        "rfc 1035", "rfc 2821", "rfc compliant", "rfc violation", "missing required header", "no date header", "message not rfc",
        "invalid date header", "multiple subject", "invalid header found", "illegal mime", "rfc 5321",
    )),
    Rule(R.FILTERED, _NO_USER, status=("5.2.1", "4.2.1"), command=(Command.DATA,)),
    Rule(R.FILTERED, _NO_USER, command=(Command.DATA,), none_of=("rcpt", "end of data"), status=("5.0", "5.2", "5.7", "5.3")),
    Rule(R.FILTERED, ("unknown user", "no such user", "user unknown"), command=(Command.DATA,), status=("",), none_of=("rcpt",)),
    Rule(R.FILTERED, _NO_USER, status=("5.2.0", "4.2.0")),
    Rule(R.FILTERED, (
        "message filtered", "because the recipient is not accepting", "recipient is not accepting", "is not accepting mail from",
        "refused due to recipient", "recipient preferences", "account is protected by", "user refuses", "user reject",
        "due to extended inactivity", "recipient's filter", "rejected by user", "recipient's policy", "not accepting your messages",
        "we failed to deliver mail because the following address", "rejected by recipient", "recipient refused", "refused by recipient",
        "you have been blocked by the recipient", "rejected by the recipient's rules", "message rejected by recipient", "user filter",
        "has been refused by the recipient", "recipient does not wish", "doesn't accept mail from you", "white list",
        "whitelist", "mailbox restricted", "resolver.rst.notauthorized", "only accepts mail from", "not permitted to send to",
    )),
    # The sender's address.
    Rule(R.REJECTED, (
        "sender address rejected", "sender rejected", "sender verify failed", "sender verification", "sender domain",
        "sender address does not exist", "domain of sender address", "invalid sender", "sender denied", "bad sender",
        "sender is not", "sender invalid", "sender refused", "sender not", "from: domain is invalid", "valid from",
        "sender's address", "return path", "purported responsible address", "bad sender's", "envelope from", "envelope sender",
        "you are not a member", "not a member of", "members only", "not subscribed", "not allowed to post", "permission to post",
        "not authorized to post", "only subscribers", "not have permission", "address that has been blacklisted", "mail from not",
        "mail from command", "address not allowed", "your email address", "domain does not exist", "no mx for sender",
        "denied [bouncedeny]", "denied by mailpolicy", "bounces not accepted", "backscatter", "mail from:<>", "null sender",
        "empty envelope", "from address", "unroutable sender", "unrouteable sender", "not permitted as sender", "rule imposed as",
        "server does not accept mail from", "blocked sender", "you are not authorized", "access denied (mail from)", "mailer-daemon message",
        "source email address", "sending this from a different", "sender not pre-approved", "authentication-results of sender",
        "domain not found, unroutable", "recipient not accepted: relay", "backscatter protection", "not accepted from sender", "n'existe pas ou que vous", "group you tried to contact",
        "group may not be open", "posting to this group",
    ), none_of=("recipient address rejected", "domain does not exist. ", "recipient domain")),
    Rule(R.HOSTUNKNOWN, (
        "host unknown", "unknown host", "host not found", "no such host", "domain not found", "no such domain", "unknown domain",
        "domain does not exist", "domain doesn't exist", "invalid domain", "unrouteable address", "unrouteable mail domain", "unrouteable domain",
        "unroutable address", "unable to route to domain", "bad destination system", "host does not exist", "can't find a host",
        "could not find host", "cannot resolve", "name or service not known", "nullmx not", "can't resolve", "address family not supported",
        "recipient domain must exist", "domain is not reachable", "domain must resolve", "non-existent domain",
        "couldn't find any host", "couldn't find a mail exchanger", "all relevant mx records point to non-existent hosts",
        "dns lookup failure", "no route to domain", "mail domain mentioned in email address is unknown", "illegal host/domain name",
        "does not exist", "nxdomain not found permanently", "no dns record", "there is no such domain", "unknown host name",
        "cannot find the domain",
    ), none_of=("try again", "user", "account", "mailbox", "recipient", "dns error", "address does not exist", "type 'mx'")),
    Rule(R.USERUNKNOWN, ("access denied",), all_of=("recipient address rejected",)),
    Rule(R.USERUNKNOWN, _NO_USER, none_of=("sender", "no such user was", "timed out", "procmail", "command line usage"), program=False),
    Rule(R.MAILERERROR, (
        "mailer error", "command failed", "command died", "procmail", "maildrop", "vdelivermail", "exit status", "command output",
        "child status", "user-supplied mail filter", "x-unix; 255", "local delivery agent", "pipe to", "temporary failure",
        "permission denied", "broken pipe", "error running", "local mailer", "returned exit", "unknown mailer error", "mail filter exit",
        "address |", "delivery agent",
    ), program=True, none_of=("quota",)),
    Rule(R.USERUNKNOWN, _NO_USER),
    Rule(R.MAILERERROR, ("mailer error", "unknown mailer error", "command died with status", "vdelivermail: ", "procmail", "maildrop", "prescan()", "x-unix; 255")),
    # What is left: policies, security, systems, networks, time.
    Rule(R.NOTACCEPT, (
        "null mx", "nullmx", "does not accept mail", "does not accept any mail", "doesn't receive email", "not accept mail",
        "no mx record found", "smtp protocol returned permanent error: does not accept", "host/domain does not accept mail",
        "not accepting mail", "no mail accepted", "destination seem to reject all mails", "does not receive mail", "dns mx record of 0",
        "domain does not handle mail", "host does not accept mail", "server does not accept mail", "name server: .: host not found", "mail receiving disabled",
    )),
    Rule(R.POLICYVIOLATION, (
        "policy", "policies", "header error", "prohibited", "not allowed - dm", "attachment type", "banned attachment",
        "delivery not allowed", "local policy", "administrative prohibition", "message refused", "attachment is not allowed",
        "contains prohibited", "we do not accept", "denied by", "attachments of this type", "forbidden", "closed mailing list",
        "you have exceeded", "not accepted for", "disallowed", "illegal attachment", "rejected due to", "unacceptable",
        "file extension", "we don't accept", "blocked attachment", "executable", "not allowed to send", "betreff",
        "bad header", "suspicious", "administratively",
    ), none_of=("tls", "relay")),
    Rule(R.SYSTEMFULL, ("system full", "no disk space", "disk full", "insufficient", "not enough space")),
    Rule(R.SECURITYERROR, (
        "tls", "starttls", "ssl", "authentication failed", "authentication required", "smtp authentication", "auth required",
        "must authenticate", "not authenticated", "not authorized", "unauthorized", "authorization", "authentication", "encryption",
        "certificate", "security", "access denied", "must issue a starttls", "credentials", "login failed", "authenticate",
        "permission denied", "username and password", "sasl", "insufficient privilege",
    ), none_of=("does not support tls", "not accepting connections")),
    Rule(R.SYSTEMERROR, (
        "system error", "internal error", "local error", "server error", "system config error", "configuration error", "config error",
        "ldap", "server configuration", "can't create", "cannot create", "internal server", "internal software", "local configuration",
        "loops back to myself", "out of memory", "does not support tls", "timeout waiting for input", "temporarily unavailable due to",
        "timeout exceeded in", "database", "can't open", "cannot open", "aliasing/forwarding loop", "unable to lookup", "service currently unavailable", "temporary local problem",
        "not able to process", "mail forwarding loop", "queue file", "too many levels", "system failure", "proxy error", "service refuse", "processing error", "server busy", "resources temporarily unavailable", "temporary system problem", "unable to open", "mta's", "unexpected", "milter",
        "error in processing", "transaction failed", "mail system problem", "interrupted system call", "temporary lookup failure",
        "could not load drd", "operation not permitted", "pickup", "local problem", "recipient table", "mail server configuration", "hosts in the mx", "backend",
    )),
    Rule(R.NETWORKERROR, (
        "hop count", "too many hops", "maximum hop", "routing loop", "mail loop", "loop detected", "too many received", "network is unreachable",
        "no route to host", "host unreachable", "dns error", "dns lookup", "name service error", "lookup failure", "name server",
        "network error", "connection reset", "lost connection", "connection closed", "bad connection", "dns failure", "dns server",
        "could not connect and send", "protocol error", "connection was dropped", "unable to resolve", "mx record", "mail forwarding loop",
        "delivered-to:", "connection dropped", "host name lookup failure", "dns query", "network", "unreachable for too long", "malformed or unexpected name server",
    ), none_of=("retry timeout", "network is on", "too long", "timed out", "giving up")),
    Rule(R.EXPIRED, (
        "timed out", "time out", "timeout", "expired", "not delivered within", "too long", "retry time", "could not deliver for the last",
        "delivery time", "giving up", "multiple retries", "did not accept our requests to connect", "not responding", "unable to connect",
        "could not connect", "connect to", "connection refused", "still being retried", "not yet been delivered", "has been delayed",
        "is delayed", "delayed for more", "cannot be delivered within", "delivery attempts", "warning: could not send", "will be retried",
        "after 1 day", "for a long time", "couldn't reach", "not reachable", "unable to deliver this message after", "retry", "retries", "failing for",
        "message could not be delivered for", "will keep trying", "will continue", "delivery delayed", "delayed mail", "has not been delivered",
        "host not reachable", "no answer", "connect failed", "connection attempt", "after several", "attempts", "days", "hours on the queue",
    )),
    Rule(R.CONTENTERROR, ("duplicate header", "charset", "mime", "8-bit", "8bit", "improper use", "line too long", "line length", "malformed", "header line", "non-ascii", "null character", "invalid content", "conversion", "body contains", "illegal character", "content type", "contenterror", "content error", "unconverted", "transaction failed: ")),
    Rule(R.SYNTAXERROR, ("syntax error", "malformed address", "bad sequence", "improper sequence", "command not implemented", "command unrecognized", "unrecognized command", "command not recognized", "unimplemented", "invalid command", "bad address syntax", "address syntax", "syntax")),
    Rule(R.ONHOLD, ("try again later", "greylist", "graylist", "gray-list", "grey-list", "deferred", "temporarily rejected", "on hold", "come back later", "please retry later", "temporarily unavailable", "recipient error")),
)  # fmt: skip

# RFC 3463 and the IANA registry, the class left off.
STATUS_REASONS: dict[str, Reason] = {
    "1.0": R.USERUNKNOWN, "1.1": R.USERUNKNOWN, "1.2": R.HOSTUNKNOWN, "1.3": R.USERUNKNOWN, "1.4": R.FILTERED,
    "1.5": R.DELIVERED, "1.6": R.HASMOVED, "1.7": R.REJECTED, "1.8": R.REJECTED, "1.9": R.SYSTEMERROR,
    "1.10": R.NOTACCEPT,
    "2.0": R.FILTERED, "2.1": R.FILTERED, "2.2": R.MAILBOXFULL, "2.3": R.EXCEEDLIMIT, "2.4": R.FILTERED,
    "3.0": R.SYSTEMERROR, "3.1": R.SYSTEMFULL, "3.2": R.NOTACCEPT, "3.3": R.SYSTEMERROR, "3.4": R.MESGTOOBIG,
    "3.5": R.SYSTEMERROR,
    "4.0": R.NETWORKERROR, "4.1": R.EXPIRED, "4.2": R.NETWORKERROR, "4.3": R.SYSTEMERROR, "4.4": R.HOSTUNKNOWN,
    "4.5": R.NETWORKERROR, "4.6": R.NETWORKERROR, "4.7": R.EXPIRED, "4.8": R.NETWORKERROR,
    "5.0": R.MAILERERROR, "5.1": R.SYNTAXERROR, "5.2": R.SYNTAXERROR, "5.3": R.TOOMANYCONN, "5.4": R.SYNTAXERROR,
    "5.5": R.SYSTEMERROR, "5.6": R.SYNTAXERROR,
    "6.0": R.CONTENTERROR, "6.1": R.CONTENTERROR, "6.2": R.CONTENTERROR, "6.3": R.CONTENTERROR, "6.5": R.CONTENTERROR,
    "6.6": R.CONTENTERROR, "6.7": R.CONTENTERROR, "6.8": R.CONTENTERROR, "6.9": R.CONTENTERROR, "6.10": R.CONTENTERROR,
    "7.0": R.SECURITYERROR, "7.1": R.SECURITYERROR, "7.2": R.FILTERED, "7.3": R.SECURITYERROR, "7.4": R.SECURITYERROR,
    "7.5": R.SECURITYERROR, "7.6": R.SECURITYERROR, "7.7": R.SECURITYERROR, "7.8": R.SECURITYERROR, "7.9": R.SECURITYERROR,
    "7.10": R.SECURITYERROR, "7.11": R.SECURITYERROR, "7.12": R.SECURITYERROR, "7.13": R.SUSPEND, "7.14": R.SECURITYERROR,
    "7.15": R.SECURITYERROR, "7.16": R.SECURITYERROR, "7.17": R.HASMOVED, "7.18": R.HASMOVED, "7.19": R.SECURITYERROR,
    "7.20": R.AUTHFAILURE, "7.21": R.AUTHFAILURE, "7.22": R.AUTHFAILURE, "7.23": R.AUTHFAILURE, "7.24": R.AUTHFAILURE,
    "7.25": R.REQUIREPTR, "7.26": R.AUTHFAILURE, "7.27": R.NOTACCEPT, "7.28": R.SPEEDING, "7.29": R.AUTHFAILURE,
    "7.30": R.SECURITYERROR,
}  # fmt: skip

# The other way round: the status to report where the server gave none. Others are x.0.0.
REASON_STATUSES: dict[Reason, str] = {
    R.AUTHFAILURE: "7.26", R.BADREPUTATION: "7.1", R.BLOCKED: "7.1", R.CONTENTERROR: "6.0", R.EXCEEDLIMIT: "2.3",
    R.EXPIRED: "4.7", R.FILTERED: "2.1", R.HASMOVED: "1.6", R.HOSTUNKNOWN: "1.2", R.MAILBOXFULL: "2.2",
    R.MAILERERROR: "3.0", R.MESGTOOBIG: "3.4", R.NETWORKERROR: "4.0", R.NORELAYING: "7.1", R.NOTACCEPT: "1.10",
    R.NOTCOMPLIANTRFC: "6.0", R.POLICYVIOLATION: "7.1", R.REJECTED: "1.8", R.REQUIREPTR: "7.25", R.SECURITYERROR: "7.0",
    R.SPAMDETECTED: "7.1", R.SPEEDING: "7.28", R.SUSPEND: "2.1", R.SYNTAXERROR: "5.0", R.SYSTEMERROR: "3.0",
    R.SYSTEMFULL: "3.1", R.TOOMANYCONN: "5.3", R.USERUNKNOWN: "1.1", R.VIRUSDETECTED: "7.1",
}  # fmt: skip
