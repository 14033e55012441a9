"""What the words mean that many servers use: our mail, our host, recipients and senders.

What speaks of none of these is in `system`; the rows of this module are asked before,
and those about mailboxes (`mailbox`) first.
"""

from __future__ import annotations

from postroom.mail import phrases
from postroom.mail.reports.reasons.mailbox import MAILBOX_RULES
from postroom.mail.reports.reasons.rule import Rule
from postroom.mail.reports.reasons.vocabulary import Command, Reason

R = Reason

_NO_USER = phrases(
    """
    user unknown | unknown user | no such user | user not found | user doesn't exist | user does not exist |
    unknown recipient | recipient unknown | no such recipient | recipient not found | invalid recipient |
    recipient does not exist | recipient no found | unknown address | address unknown | no such address |
    invalid address | address does not exist | address not found | email address could not be found |
    no such mailbox | mailbox not found | mailbox unknown | unknown mailbox | mailbox does not exist |
    mailbox doesn't exist | mailbox unavailable | mailbox not present | no mailbox here | no mailbox by that name |
    mailbox name not allowed | invalid mailbox | unknown or illegal alias | unknown or illegal user |
    unknown local part | unknown local-part | local part unknown | unknown account | no such account |
    account not found | account does not exist | this account doesn't exist | no account by that name |
    no such person | not a valid user | not a valid mailbox | not a known user | not a local user | is not a user |
    is not known | not our customer | user invalid | invalid user | bad user | illegal user |
    bad destination mailbox address | does not exist here | no user here | no such user here |
    recipient name is not recognized | recipnotfound | user name not found | username not found | userid not found |
    delivery userid | cannot find your recipient | can't find a user | could not find the user |
    there is no one at this address | nobody by that name | does not have an account | doesn't have an account |
    doesn't have a | hasn't an account | no valid recipients | unable to locate recipient | not listed in |
    user not known | not in my database | unrouteable mail domain user | recipient address rejected: user |
    no matching user | user is unknown | email address does not exist | address wasn't found | couldn't be found |
    address couldn't be found | wasn't found at | address rejected | no longer valid | adresse destinataire invalide |
    destinataire inconnu | utilisateur inconnu | unbekannter empf | empfänger unbekannt | adressat unbekannt |
    usuario desconocido | utente sconosciuto | undeliverable address | rejected address | addressee unknown |
    not find recipient | recipient is not local | unable to deliver message to | isn't in our user |
    invalid final delivery | no recipient found | not have any account | recipient rejected | account is unavailable |
    access denied] | user unkown | user not exist | not a member of this domain | no such alias |
    alias does not exist | this email address is not registered | name not found | names not found |
    not listed in domino directory | not listed in public name | recipient_not_found |
    recipient's mailbox is not found | this address does not receive mail | this user does not exist |
    verify the recipient | cannot deliver mail for | recipient is not allowed | no such id |
    recipient verification problem | not user of this | can't accept user | does not have a final |
    no matches to nameserver
            """
)

FIRST_RULES: tuple[Rule, ...] = (
    *MAILBOX_RULES,
    # Relays, authentication of our mail.
    Rule(
        R.NORELAYING,
        phrases(
            """
            relaying denied | relay denied | relay access denied | relay not permitted | relaying not allowed |
            relaying is not allowed | relay operation rejected | not configured to relay | unable to relay |
            cannot relay | as a relay | no relaying | not permitted to relay | relay prohibited | relaying blocked |
            relaying not permitted | mail relay denied | open relay | isn't in my list of allowed rcpthosts |
            isn't in my list of rcpthosts | not in my list of allowed | not local host | not a gateway |
            user not local | we do not relay | relaying mail to | email address is not verified |
            that domain isn't in | insecure mail relay | not an open relay | no relay | sorry, that domain |
            this mail server requires authentication before sending mail | relay not allowed | host denies relay |
            message refused: local recipients only | specified domain is not allowed | not accept mail for domain
            """
        ),
        none_of=("blacklist", "block list", "blocklist", "blocked", "daily relay quota", "listed in"),
    ),
    Rule(
        R.AUTHFAILURE,
        phrases(
            """
            dmarc | spf: | spf check | failed spf | spf fail | spf record | spf unauthorized | spf validation |
            spf: fail | spf hard fail | spf softfail | spf hardfail | fails spf | not permitted by spf |
            violates spf | spf policy | dkim | multiple authentication checks | unauthenticated email |
            not designated permitted sender | spf (sender policy framework) | sender policy framework |
            sender is unauthenticated | failed authentication checks | fails to pass authentication checks |
            authentication information or fails | is not authorized to send mail from |
            not authorized to send from this domain | domain authentication | does not pass spf |
            authentication failed for sender domain | sender id | arc failed | spf | unauthenticated mail |
            spf mismatch
            """
        ),
        none_of=("duplicate header",),
    ),
    # Content: viruses and spam, before anything about hosts.
    Rule(
        R.VIRUSDETECTED,
        phrases(
            """
            virus | worm detected | malware | infected | trojan | phishing attack | executable file |
            dangerous attachment
            """
        ),
        none_of=("virus scanner failed", "anti-virus system unavailable", "anti-virus server"),
    ),
    Rule(
        R.REQUIREPTR,
        phrases(
            """
            ptr record | no ptr | ptr resource record | bad dns ptr | reverse dns | rdns | reverse lookup |
            ip name lookup failed | ip name possibly forged | unable to find ptr | ptr lookup | without a ptr |
            unverifyable sending ip | unverifiable sending ip | mismatches client ip |
            cannot find your reverse hostname | cannot find your hostname | client host name | does not resolve |
            no reverse | unknown reverse | valid ptr | fix your reverse | hostname lookup failed |
            all mail servers must have a ptr | reverse hostname | reverse mapping | name of your mail server |
            lookup of client | reverse validation failed | dns validation failed | forged hostname | invalid reverse |
            domain name does not match ip | resolve your ip | resolve your hostname | fix your dns | missing reverse
            """
        ),
        none_of=("missing reverse dns for",),
    ),
    Rule(
        R.BADREPUTATION,
        phrases(
            """
            low reputation | bad reputation | poor reputation | ip reputation | sender reputation |
            reputation is too low | poor domain reputation | reputation score | domain reputation |
            reputation of the sending | reputation | temporarily rate limited due to ip | senderbase | sender score |
            negative reputation
            """
        ),
    ),
    Rule(
        R.SPAMDETECTED,
        phrases(
            """
            probability of spam | consider spam | unacceptable content | spam detected | detected as spam |
            identified as spam | considered spam | looks like spam | appears to be spam | scored as spam |
            classified as spam | marked as spam | message content rejected | content rejected, ube | spam message |
            spam abuse | spam mail | is spam | as spam | - spam | spam content | spam-like | spam like | spam score |
            high spam | spam filter | spam email | probable spam | possible spam | suspected spam | message is spam |
            likely spam | unsolicited bulk | unsolicited mail | unsolicited commercial | considered unsolicited |
            blocked by spam | blocked by our bulk | spamassassin | spam rejected | spam reject | reject, id= |
            ube, id= | bulk email | junk mail | tagged as spam | rejected by spam | rejected as spam | anti-spam |
            antispam | content rejected | your message has been rejected because it appears to be | spammy |
            content filter | message scored | listed in multi.surbl | surbl | uribl | cloudmark |
            mail content denied | message contains spam | contains spam | no spam please | spam not accepted |
            as uce | spam.
            """
        ),
        none_of=phrases(
            """
            blocked for spam | spam sent to | spamhaus | spamcop | spam source | spam sources |
            protect our users from spam | due to spam sent | spam blocked
            """
        ),
    ),
    # Rates.
    Rule(
        R.TOOMANYCONN,
        phrases(
            """
            too many connections | too many concurrent | too many simultaneous | connection rate limit |
            concurrent connection | too many smtp sessions | too many sessions | connection limit | max connections |
            maximum connections | connections from your | too many recipients | frequency limited |
            connection frequency | exceeded the maximum number of connections | simultaneous connections |
            connection refused. your ip address is not | unable to accept more connections | too many tcp |
            too many open connections | trop de connexions | maximum concurrent | host has too many |
            maximum number of recipients
            """
        ),
    ),
    Rule(
        R.SPEEDING,
        phrases(
            """
            rate limit | too many messages | too much mail | too many emails | too many mails |
            sent to too many recipients this hour | sending rate | exceeded the rate | too fast | throttl |
            slow down | excessive message rate | excessive rate | message rate | hourly limit | daily limit |
            per hour | unusual rate | ratelimit | limit for sending | mail rate exceeded | too frequent |
            submitted too quickly | recipient rate | flood | try again in a few minutes, rate | exceeds the rate |
            sending limit | message quota | excessive volume | exceeded threshold | unexpected volume
            """
        ),
    ),
    # Two words that belong together, as below; before "blocked" and "banned", which are said of hosts, too.
    Rule(
        R.POLICYVIOLATION,
        ("attachment", "file name", "filename", "file type", "file extension", "the file is", "archives"),
        longest=250,
        with_any=("block", "not allowed", "not permitted", "not accept", "forbid", "prohibit", "banned", "disallow"),
    ),
    # The line, not the host: RFC 3463 §3.5.
    Rule(R.NETWORKERROR, ("connection dropped", "connection lost", "socket"), status=("4.4.", "5.4.")),
    # The host.
    Rule(
        R.BLOCKED,
        phrases(
            """
            blacklist | black list | blocklist | block list | block-list | blocked using | blocked by | blocked for |
            is blocked | been blocked | address blocked | host rejected | access denied, banned | banned sending ip |
            banned | listed in | listed at | is listed | listed on | dnsbl | spamhaus | spamcop | spam source |
            please use the smtp server of your isp | use your isp | rejected for spam | client host |
            connection refused by | your ip | ip address | sending mta | not allowed to connect |
            connections not accepted from | (bl) | (rblxx | blocked - | dynamic ip | dialup | dial-up |
            dynamic address | generic hostname | residential | your network is | part of their network |
            no access from mail server | connection dropped | esmtp not accepting | bad sender ip |
            message from your host | mail from your | abuse from | blocked for abuse | host is not allowed |
            server blocked | invalid ip for sending | from this ip | ip is not | ip was | host refused | ip banned |
            unresolvable relay host | domain does not exist: | daily relay quota | missing reverse dns for |
            refused - see | we have a policy against mail from | refused mail service |
            smtp error from remote mail server after initial connection: 550 access denied | too many spam |
            too much spam | domain blocked | bad ip | rejected by rbl | temporarily blocked | permanently blocked |
            deferred due to user complaints | user complaints | blackhole | helo command rejected | has been denied |
            hosts with dynamic | your host
            """
        ),
        none_of=phrases(
            """
            attachment | not listed in | user unknown | unknown user | recipient address rejected | sender address |
            mailbox | content | policy | exchanger or ip address | executable
            """
        ),
    ),
    Rule(
        R.BLOCKED,
        phrases(
            """
            access denied | service unavailable | service not available | connection refused | not allowed | denied |
            refused | rejected
            """
        ),
        command=(Command.CONNECT, Command.HELO),
        none_of=("try again", "timed out"),
    ),
    # The recipient.
    Rule(
        R.NOTCOMPLIANTRFC,
        phrases(
            """
            rfc 5322 | rfc 2822 | rfc5322 | rfc2822 | not rfc | multiple addresses in from | missing message-id |
            message-id header | duplicate 'from | multiple 'from | multiple from headers | bare cr | bare lf |
            bare <lf> | rfc 1035 | rfc 2821 | rfc compliant | rfc violation | missing required header |
            no date header | message not rfc | invalid date header | multiple subject | invalid header found |
            illegal mime | rfc 5321
            """
        ),
    ),
    # RFC 3463 §3.2: the address itself cannot be one, whatever else its syntax is called.
    Rule(R.USERUNKNOWN, ("syntax", "malformed", "invalid"), status=("5.1.3",), none_of=("sender", "mail from")),
    # "User unknown" in answer to the content: the recipient exists, and something about the mail was not wanted.
    Rule(R.FILTERED, _NO_USER, command=(Command.DATA,), status=("5.0.0", "5.2", "4.2", "5.3", "5.7")),
    Rule(R.FILTERED, _NO_USER, command=(Command.DATA,), without_status=True),
    Rule(R.FILTERED, _NO_USER, status=("5.2.0", "4.2.0")),
    # A code of policy (RFC 3463 §3.8) that was not given for the recipient: a filter that says less than it knows.
    Rule(R.FILTERED, _NO_USER, status=("5.7.", "4.7."), unless_command=(Command.RCPT,)),
    Rule(
        R.FILTERED,
        phrases(
            """
            message filtered | because the recipient is not accepting | recipient is not accepting |
            is not accepting mail from | refused due to recipient | recipient preferences | account is protected by |
            user refuses | user reject | due to extended inactivity | recipient's filter | rejected by user |
            recipient's policy | not accepting your messages |
            we failed to deliver mail because the following address | rejected by recipient | recipient refused |
            refused by recipient | you have been blocked by the recipient | rejected by the recipient's rules |
            message rejected by recipient | user filter | has been refused by the recipient |
            recipient does not wish | recipient does not want | not accepted by this recipient |
            doesn't accept mail from you |
            rejected your message | refused your message |
            white list | whitelist | mailbox restricted | resolver.rst.notauthorized |
            only accepts mail from | not permitted to send to
            """
        ),
    ),
    # The sender's address.
    Rule(
        R.REJECTED,
        phrases(
            """
            sender address rejected | sender rejected | sender verify failed | sender verification | sender domain |
            sender address does not exist | domain of sender address | invalid sender | sender denied | bad sender |
            sender is not | sender invalid | sender refused | sender not | from: domain is invalid | valid from |
            sender's address | return path | purported responsible address | bad sender's | envelope from |
            envelope sender | you are not a member | not a member of | members only | not subscribed |
            not allowed to post | permission to post | not authorized to post | only subscribers |
            not have permission | address that has been blacklisted | mail from not | mail from command |
            address not allowed | your email address | no mx for sender | denied [bouncedeny] | denied by mailpolicy |
            bounces not accepted | backscatter | mail from:<> | null sender | empty envelope | from address |
            unroutable sender | unrouteable sender | not permitted as sender | rule imposed as |
            server does not accept mail from | blocked sender | you are not authorized | access denied (mail from) |
            mailer-daemon message | source email address | sending this from a different | sender not pre-approved |
            authentication-results of sender | domain not found, unroutable | recipient not accepted: relay |
            backscatter protection | not accepted from sender | n'existe pas ou que vous |
            group you tried to contact | group may not be open | posting to this group | sender address blocked |
            not accept mail from | not accept bounces | denies the sender | black mail address |
            domain may not exist | has no a, aaaa
            """
        ),
        none_of=("recipient address rejected", "domain does not exist. ", "recipient domain"),
    ),
    Rule(
        R.HOSTUNKNOWN,
        phrases(
            """
            no mx and no a | host unknown | unknown host | host not found | no such host | domain not found |
            no such domain | unknown domain | domain does not exist | domain doesn't exist | invalid domain |
            unrouteable address | unrouteable mail domain | unrouteable domain | unroutable address |
            unable to route to domain | bad destination system | host does not exist | can't find a host |
            could not find host | cannot resolve | name or service not known | nullmx not | can't resolve |
            address family not supported | recipient domain must exist | domain is not reachable |
            domain must resolve | non-existent domain | couldn't find any host | domain name not found |
            couldn't find a mail exchanger | all relevant mx records point to non-existent hosts |
            dns lookup failure | no route to domain | mail domain mentioned in email address is unknown |
            illegal host/domain name | does not exist | nxdomain not found permanently | no dns record |
            there is no such domain | unknown host name | cannot find the domain |
            no address associated with hostname | unable to look up host
            """
        ),
        none_of=phrases(
            """
            sender | try again | user | account | mailbox | recipient | dns error | address does not exist | type 'mx'
            """
        ),
    ),
    Rule(
        R.USERUNKNOWN,
        _NO_USER,
        none_of=(
            "sender",
            "no such user was",
            "timed out",
            "procmail",
            "command line usage",
            "domain name not found",
        ),
        program=False,
    ),
    Rule(
        R.MAILERERROR,
        phrases(
            """
            mailer error | command failed | command died | procmail | maildrop | vdelivermail | exit status |
            command output | child status | user-supplied mail filter | x-unix; 255 | local delivery agent | pipe to |
            temporary failure | permission denied | broken pipe | error running | local mailer | returned exit |
            unknown mailer error | mail filter exit | delivery agent
            """
        ),
        program=True,
        none_of=("quota",),
    ),
    Rule(R.USERUNKNOWN, _NO_USER, none_of=("domain name not found",)),
    Rule(
        R.MAILERERROR,
        phrases(
            """
            mailer error | unknown mailer error | command died with status | vdelivermail: | procmail | maildrop |
            prescan() | x-unix; 255 | local delivery failed | child process of
            """
        ),
    ),
)
