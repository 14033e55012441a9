"""The outbox: writing, sending, following and settling mail."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.outbound import retry_held, view, write_reply
    from postroom.services.outbound.dead_addresses import suppress
    from postroom.services.outbound.prepare import Prepared, Shelf, prepare_new, prepare_reply
    from postroom.services.outbound.record_attempt import Result
    from postroom.services.outbound.send_mail import CLAIM_LASTS, send
    from postroom.services.outbound.ses_events import Tracked, track
    from postroom.services.outbound.settle import acknowledge, died_on_the_wire, left_as_reported, mark_sent, resend
    from postroom.services.outbound.uploads import UploadBegun, begin_upload, keep_upload
    from postroom.services.outbound.view import held_for_person, missed, needs_attention, state_in_words, why_unsettled
    from postroom.services.outbound.wanted import FileWanted, Mode, NewMail, Reply
    from postroom.services.outbound.write_reply import Replied, preview_new, preview_reply, reply, write_new
else:
    __getattr__ = lazily(
        __name__,
        {
            "dead_addresses": ["suppress"],
            "prepare": ["Prepared", "Shelf", "prepare_new", "prepare_reply"],
            "record_attempt": ["Result"],
            "send_mail": ["CLAIM_LASTS", "send"],
            "ses_events": ["Tracked", "track"],
            "settle": ["acknowledge", "died_on_the_wire", "left_as_reported", "mark_sent", "resend"],
            "uploads": ["UploadBegun", "begin_upload", "keep_upload"],
            "view": ["held_for_person", "missed", "needs_attention", "state_in_words", "why_unsettled"],
            "wanted": ["FileWanted", "Mode", "NewMail", "Reply"],
            "write_reply": ["Replied", "preview_new", "preview_reply", "reply", "write_new"],
        },
    )

__all__ = [
    "CLAIM_LASTS",
    "FileWanted",
    "Mode",
    "NewMail",
    "Prepared",
    "Replied",
    "Reply",
    "Result",
    "Shelf",
    "Tracked",
    "UploadBegun",
    "acknowledge",
    "begin_upload",
    "died_on_the_wire",
    "held_for_person",
    "keep_upload",
    "left_as_reported",
    "mark_sent",
    "missed",
    "needs_attention",
    "prepare_new",
    "prepare_reply",
    "preview_new",
    "preview_reply",
    "reply",
    "resend",
    "retry_held",
    "send",
    "state_in_words",
    "suppress",
    "track",
    "view",
    "why_unsettled",
    "write_new",
    "write_reply",
]
