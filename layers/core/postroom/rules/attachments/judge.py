"""Decide which attachments are let in, by all names, all extensions, type and content (docs/threat-model.md 9, C11).

The installation's lists supersede the department's; what is blocked is quarantined or deleted, and the mail stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from postroom.mail.containers import KNOWN_EXTENSIONS, identify
from postroom.mail.reader import MAX_NAMES
from postroom.model import Decision
from postroom.model import DecisionRule as Rule
from postroom.rules.attachments.extensions import extensions, has_class_id, has_override, last_extension

# What programs of Windows, macOS and Linux run, or open so that it runs something. All that the big providers keep out
# is here: Gmail (support.google.com/mail/answer/6590), Outlook ("Blocked attachments in Outlook", Microsoft support),
# the common attachments filter of Exchange Online ("Configure anti-malware policies", learn.microsoft.com), as they
# were in 2025. Of the last, docm and ppam are left to the rule for macros, xz and z to what is in them.
DANGEROUS: frozenset[str] = frozenset(
    str.split(
        "ace ade adp ani apk app appcontent-ms application appref-ms appx appxbundle arj asp aspx asx bas bat bgi "
        "cab cdxml cer chm cmd cnt com command cpl crt csh deb der desktop dex diagcab diagcfg diagpkg dll dmg "
        "dylib elf ex ex_ exe fxp gadget grp hlp hpj hta htc img inf ins iso isp its jar jnlp job js jse kext ksh "
        "lha lib library library-ms lnk lzh macho mad maf mag mam maq mar mas mat mau mav maw mcf mda mdb mde mdt "
        "mdw mdz mjs msc msh msh1 msh1xml msh2 msh2xml mshxml msi msix msixbundle msp mst msu nsh ocx ops osd pcd "
        "pif pkg pl plg prf prg printerexport ps1 ps1xml ps2 ps2xml psc1 psc2 psd1 psdm1 psm1 pssc pst py pyc pyo "
        "pyw pyz pyzw reg rev run scf scpt scr sct search-ms settingcontent-ms sh shb shs sys theme tmp udl uif "
        "url vb vbe vbp vbs vhd vhdx vsmacros vsw vxd wasm webpnp website wim ws wsb wsc wsf wsh xbap xll xnk xpi"
    )
)

# Before the last extension these are always a disguise. Others may be part of a date or a site: "12.Mar.2024.pdf",
# "example.com.pdf"; they count unless the content is what the last extension says.
_ALWAYS_DISGUISE = frozenset(str.split("exe scr bat cmd pif vbs vbe jse wsf hta lnk msi ps1 jar dll cpl"))
_PLAIN_TEXT = frozenset(str.split("txt csv log md ics vcf json xml"))
# Media types that a client acts on without looking at the name.
_DECLARED: dict[str, tuple[str, ...]] = {
    "application/x-msdownload": ("exe", "dll"),
    "application/x-msdos-program": ("exe", "com", "bat"),
    "application/x-dosexec": ("exe",),
    "application/vnd.microsoft.portable-executable": ("exe", "dll"),
    "application/x-executable": ("elf", "exe"),
    "application/x-msi": ("msi",),
    "application/x-ms-installer": ("msi",),
    "application/hta": ("hta",),
    "application/x-ms-shortcut": ("lnk",),
    "application/x-javascript": ("js",),
    "application/javascript": ("js",),
    "text/javascript": ("js",),
    "text/vbscript": ("vbs",),
    "application/x-vbs": ("vbs",),
    "application/x-sh": ("sh",),
    "application/x-shellscript": ("sh",),
    "text/x-shellscript": ("sh",),
    "application/x-bat": ("bat",),
    "application/x-powershell": ("ps1",),
    "application/java-archive": ("jar",),
    "application/x-java-archive": ("jar",),
    "application/x-java-jnlp-file": ("jnlp",),
    "application/vnd.android.package-archive": ("apk",),
    "application/x-iso9660-image": ("iso",),
    "application/x-shockwave-flash": ("swf",),
    "application/x-zip-compressed": ("zip",),
    "application/zip": ("zip",),
    "application/vnd.rar": ("rar",),
    "application/x-rar-compressed": ("rar",),
    "application/x-7z-compressed": ("7z",),
    "text/html": ("html", "htm"),
    "application/xhtml+xml": ("xhtml",),
    "image/svg+xml": ("svg",),
    "application/x-mswinurl": ("url",),
    "application/vnd.ms-htmlhelp": ("chm",),
}
# A document that is a zip, or an OLE storage, is not one of the programs that are.
ZIP_DOCUMENTS = frozenset(
    str.split(
        "docx dotx xlsx xltx pptx ppsx potx odt ods odp odg epub docm xlsm pptm vsdx pages numbers key xps oxps 3mf kmz"
    )
)
OLE_DOCUMENTS = frozenset(str.split("doc dot xls xlt xla ppt pot pps msg vsd pub mpp one oft wps"))
_LONGEST_MEMBER = 300  # characters; file systems allow 255 bytes
_BUNDLES = frozenset({"app", "pkg", "workflow"})  # folders that macOS opens as a program
MACRO_MEMBERS = ("vbaproject.bin", "xl/macrosheets/")
_MACRO_EXTENSIONS = frozenset({"docm", "dotm", "xlsm", "xltm", "xlam", "xlsb", "pptm", "potm", "ppam", "ppsm", "sldm"})

_MEDIA = frozenset({"image", "audio", "video"})  # of each other, files of these differ harmlessly
_PDF = "application/pdf"
# Names that say nothing of the content, or whose content is told by its text only.
_ANY_CONTENT = frozenset(str.split("bin dat tmp bak txt text log csv eml msg mht mhtml p7m p7s asc pgp gpg sig"))


class Action(StrEnum):
    """What becomes of a blocked attachment."""

    QUARANTINE = "quarantine"  # kept apart; people with the permission can restore it
    DELETE = "delete"  # not kept; the raw mail keeps its own right and retention


@dataclass(frozen=True, slots=True)
class Candidate:
    """An attachment: all its names, declared types, first bytes (`sniff.HEAD_BYTES`), size, and what is in it."""

    names: tuple[str, ...]
    content_type: str
    head: bytes = field(repr=False)
    size: int
    members: tuple[str, ...] = ()  # names in an archive
    more_types: tuple[str, ...] = ()  # declared beside `content_type`
    enclosed: tuple[Candidate, ...] = ()  # the attachments of a mail
    looked_through: bool = True  # False: more is enclosed than is looked at
    encrypted: bool = False  # what is in an archive cannot be read without a password


@dataclass(frozen=True, slots=True)
class AttachmentRules:
    """Lists of extensions, lower case and without the dot; `block` and `allow` are the installation's."""

    block: frozenset[str] = DANGEROUS
    allow: frozenset[str] = frozenset()
    department_block: frozenset[str] = frozenset()
    department_allow: frozenset[str] = frozenset()
    block_all: bool = False
    block_mismatch: bool = False  # what is of another type than its names or its declared type say
    scan_outbound: bool = False
    action: Action = Action.QUARANTINE

    def blocks(self, extension: str) -> str | None:
        """Return whose list blocks `extension` (`installation`, `department`), or None.

        The installation's lists decide first; on one level what is allowed is let in although it is blocked.
        """
        if extension in self.allow:
            return None
        if extension in self.block:
            return "installation"
        if extension in self.department_block and extension not in self.department_allow:
            return "department"
        return None

    def allows(self, extension: str) -> bool:
        """Say whether `extension` is on a list of what is let in."""
        return extension in self.allow or (extension in self.department_allow and extension not in self.block)


def judge(candidate: Candidate, policy: AttachmentRules, *, outbound: bool = False) -> Decision | None:
    """Return why an attachment is blocked (the outcome is the action), or None when it is let in."""
    if outbound and not policy.scan_outbound:
        return None
    return next(_reasons(candidate, policy), None)


def _reasons(candidate: Candidate, policy: AttachmentRules) -> Iterator[Decision]:
    outcome = policy.action
    if policy.block_all:
        yield Decision(Rule.ATTACHMENT_ALL, outcome, "every attachment is blocked")
        return
    if not policy.block and not policy.department_block:
        return
    if has_override(candidate.names):
        yield Decision(Rule.ATTACHMENT_DIRECTION, outcome, "the name turns its reading direction round")
    if has_class_id(candidate.names):
        yield Decision(Rule.ATTACHMENT_CLASS_ID, outcome, "the name ends in a class id, which chooses the program")
    if len(candidate.names) > MAX_NAMES:
        yield Decision(Rule.ATTACHMENT_NAMES, outcome, "it has more names than any program would give it")
    yield from _by_name(candidate, policy)
    for declared in (candidate.content_type, *candidate.more_types):
        kind = declared.partition(";")[0].strip().lower()
        for extension in _DECLARED.get(kind, ()):
            if by := policy.blocks(extension):
                yield Decision(Rule.ATTACHMENT_TYPE, outcome, f"declared as {kind} ({extension}, {by})")
    yield from _by_content(candidate, policy)
    yield from _by_contradiction(candidate, policy)
    yield from _by_members(candidate, policy)
    for inner in candidate.enclosed:
        for reason in _reasons(inner, policy):
            inside = (
                reason.detail
                if reason.rule is Rule.ATTACHMENT_ENCLOSED
                else f"in a mail that it holds: {reason.detail}"
            )
            yield Decision(Rule.ATTACHMENT_ENCLOSED, outcome, inside)
    if not candidate.looked_through:
        yield Decision(Rule.ATTACHMENT_ENCLOSED, outcome, "it holds more than is looked through")


def _by_name(candidate: Candidate, policy: AttachmentRules) -> Iterator[Decision]:
    last = {last_extension(name) for name in candidate.names}
    for extension in extensions(candidate.names):
        by = policy.blocks(extension)
        if by is None:
            continue
        if extension not in last and extension not in _ALWAYS_DISGUISE and _is_what_it_says(candidate):
            continue
        yield Decision(Rule.ATTACHMENT_EXTENSION, policy.action, f".{extension} is blocked ({by})")


def _is_what_it_says(candidate: Candidate) -> bool:
    """Say whether the content is of the type of every name's last extension."""
    signature = identify(candidate.head)
    if signature is None:
        return b"\0" not in candidate.head and all(last_extension(name) in _PLAIN_TEXT for name in candidate.names)
    return all(last_extension(name) in signature.extensions for name in candidate.names)


def _by_content(candidate: Candidate, policy: AttachmentRules) -> Iterator[Decision]:
    signature = identify(candidate.head)
    if signature is None:
        return
    last = {last_extension(name) for name in candidate.names}
    if last and all(policy.allows(extension) for extension in last):
        return
    if signature.media_type == "application/zip" and last and last <= ZIP_DOCUMENTS:
        return
    if signature.media_type == "application/x-ole-storage" and last and last <= OLE_DOCUMENTS:
        return
    for extension in signature.extensions:
        if by := policy.blocks(extension):
            yield Decision(
                Rule.ATTACHMENT_CONTENT,
                policy.action,
                f"the content is {signature.media_type} (.{extension}, {by})",
            )


def _by_members(candidate: Candidate, policy: AttachmentRules) -> Iterator[Decision]:
    for member in candidate.members:
        path = member.replace("\\", "/")
        name = path.rstrip("/").rpartition("/")[2][-_LONGEST_MEMBER:]
        last = last_extension(name)
        if path.endswith("/") and last not in _BUNDLES:
            continue  # a folder runs nothing, as "www.example.com/"
        if has_override((name,)) or has_class_id((name,)):
            yield Decision(Rule.ATTACHMENT_ARCHIVE, policy.action, "a name in the archive hides its type")
        for extension in extensions((name,)):
            by = policy.blocks(extension)
            if by and (extension == last or extension in _ALWAYS_DISGUISE):
                yield Decision(Rule.ATTACHMENT_ARCHIVE, policy.action, f".{extension} in the archive is blocked ({by})")
        if member.lower().endswith(MACRO_MEMBERS[0]) or member.lower().startswith(MACRO_MEMBERS[1]):
            for extension in sorted(_MACRO_EXTENSIONS):
                if by := policy.blocks(extension):
                    yield Decision(Rule.ATTACHMENT_MACRO, policy.action, f"it has macros (.{extension}, {by})")


def contradiction(candidate: Candidate) -> str | None:
    """Return the type of the content, where the names say another one that is known."""
    signature = identify(candidate.head)
    last = {extension for name in candidate.names if (extension := last_extension(name))}
    if signature is None or not last or last & _ANY_CONTENT or last & set(signature.extensions):
        return None
    if signature.media_type.startswith("text/") or signature.media_type == "message/rfc822":
        return None  # told by a few words: not surely enough to accuse anybody
    if signature.media_type.startswith("application/") and "zip" in signature.media_type and last <= ZIP_DOCUMENTS:
        return None
    if signature.media_type == "application/x-ole-storage" and last <= OLE_DOCUMENTS:
        return None
    if not last & KNOWN_EXTENSIONS:
        return None  # a type of which we do not know what it looks like
    return signature.media_type


def _declared_otherwise(candidate: Candidate) -> str | None:
    """Return the type of the content, where a declared type says that it is a picture, a sound, a film or a PDF."""
    signature = identify(candidate.head)
    if signature is None or signature.media_type.startswith("text/") or signature.media_type == "message/rfc822":
        return None
    for declared in (candidate.content_type, *candidate.more_types):
        kind = declared.partition(";")[0].strip().lower()
        main = kind.partition("/")[0]
        if main in _MEDIA and signature.media_type.partition("/")[0] not in _MEDIA:
            return signature.media_type
        if kind == _PDF and signature.media_type != _PDF:
            return signature.media_type
    return None


def _by_contradiction(candidate: Candidate, policy: AttachmentRules) -> Iterator[Decision]:
    last = {last_extension(name) for name in candidate.names}
    if not policy.block_mismatch or (last and all(policy.allows(extension) for extension in last)):
        return
    if other := contradiction(candidate):
        yield Decision(Rule.ATTACHMENT_MISMATCH, policy.action, f"its name says another type than {other}")
    elif other := _declared_otherwise(candidate):
        yield Decision(Rule.ATTACHMENT_MISMATCH, policy.action, f"it is declared as another type than {other}")
