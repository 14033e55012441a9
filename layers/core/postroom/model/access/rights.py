"""Rights: what may be done, with how much of it; the words of roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much may be done in a block: each level holds those before it."""

    VIEW = "view"
    MODIFY = "modify"
    MANAGE = "manage"

    def covers(self, wanted: Level) -> bool:
        """Tell whether this level holds the wanted one."""
        return _RANK[self] >= _RANK[wanted]


_RANK = {level: rank for rank, level in enumerate(Level)}


class Block(StrEnum):
    """What rights are given for. The comment says what the levels mean where it is not view, change, add and remove."""

    # --- administration ---
    SETTINGS = "settings"  # of the installation: retention, keys, services
    DEPARTMENTS = "departments"  # departments, calendars, service levels
    USERS = "users"  # users and roles; view: who is there; manage: give and take roles
    MAILBOXES = "mailboxes"  # mailboxes, accounts, OAuth applications; modify: settings, tests, polls
    MAILBOX_HEALTH = "mailbox_health"  # view: state and lag of mailboxes, without their settings
    SECRETS = "secrets"  # view: names and dates; modify: enter. No level reads one
    ALIASES = "aliases"  # aliases, endpoints, outbound servers, templates; manage: also `send_mail_to`
    ALIAS_NAMES = "alias_names"  # view: from whom one may write
    QUEUES = "queues"  # queues and their skills
    QUEUE_MEMBERS = "queue_members"  # who works in a queue, in which languages, how much
    WORKFLOWS = "workflows"  # modify: save; manage: activate
    WORKFLOW_TRIALS = "workflow_trials"  # modify: try a workflow over stored mail
    POLICIES = "policies"  # masking, blocked extensions, delivery exceptions
    AUDIT = "audit"  # view: list and filter
    AUDIT_EXPORTS = "audit_exports"  # view: export
    # --- the desk ---
    CASES = "cases"  # view: list, read, search
    CASE_WORK = "case_work"  # modify: claim, note, tag, pending, close
    REPLIES = "replies"  # modify: answer, write new mail
    TRANSFERS = "transfers"  # modify: transfer
    MERGES = "merges"  # modify: merge, split, link
    PICKS = "picks"  # modify: take a case from a colleague
    FORCE = "force"  # modify: take it even while it is written in or pinned
    BULK = "bulk"  # modify: one act on up to 100 cases
    REVIEWS = "reviews"  # modify: release or return another's reply
    DRAFTS = "drafts"  # view: other people's
    OWN_MAIL = "own_mail"  # modify: cancel what one has sent oneself
    OUTBOX = "outbox"  # view: see; modify: send again, mark as sent; manage: cancel anybody's
    EXCEPTIONS = "exceptions"  # modify: reprocess the exception queue
    REPLAYS = "replays"  # manage: replay, redrive
    CANNED_REPLIES = "canned_replies"  # canned replies and signatures
    SUPPRESSIONS = "suppressions"  # addresses that get no mail, senders that are blocked
    CUSTOMERS = "customers"  # view: history; modify: fields; manage: erase
    # --- what is shown to few, and recorded each time ---
    RAW_MESSAGES = "raw_messages"  # view
    UNMASKED_TEXT = "unmasked_text"  # view
    BLOCKED_FILES = "blocked_files"  # view; modify: restore; manage: delete
    BLOCKED_FILE_NAMES = "blocked_file_names"  # view
    # --- figures ---
    BOARD = "board"  # view
    REPORTS = "reports"  # view: with export
    OWN_FIGURES = "own_figures"  # view


class Reach(StrEnum):
    """Which objects of the department (or of the installation) a right is for."""

    ALL = "all"
    QUEUES = "queues"  # what lies in queues that the principal is a member of, and what is in his own hands
    OWN = "own"  # what is the principal's own
    ALIASES = "aliases"  # what leaves as an alias that the principal was named


@dataclass(frozen=True, slots=True)
class Right:
    """A level within a block, for the objects within reach."""

    level: Level
    reach: Reach = Reach.ALL


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of rights. A block that is not named is denied."""

    name: str
    title: str  # as people read it
    rights: Mapping[Block, Right]
    built_in: bool = False
