"""Small mail servers in this process: for the demo, and for tests that need a server to misbehave.

They speak IMAP4rev1, POP3, SMTP, Exchange Web Services and Microsoft Graph on 127.0.0.1 with free ports and a
certificate of their own, keep everything in memory, and stop cleanly. They are simulators, not servers to put mail in.
"""

from postroom_cli.mailservers.certificates import Authority
from postroom_cli.mailservers.ews import EwsServer
from postroom_cli.mailservers.imap import ImapServer
from postroom_cli.mailservers.pop3 import Pop3Server
from postroom_cli.mailservers.smtp import ReceivedMail, SmtpSink
from postroom_cli.mailservers.store import Folder, Message, Store

__all__ = [
    "Authority",
    "EwsServer",
    "Folder",
    "ImapServer",
    "Message",
    "Pop3Server",
    "ReceivedMail",
    "SmtpSink",
    "Store",
]
