"""What the API answers and does about the configuration: the same commands as the command line's, as their caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from postroom.errors import Invalid, Moved, MovedObject, NotFound, Problem, no_such
from postroom.model.access import Block, Level, Principal
from postroom.model.configuration import (
    SETTINGS,
    Configuration,
    ObjectChange,
    RecordedChange,
    Version,
    object_version,
    reference,
)
from postroom.rules.access import require, require_somewhere, visible
from postroom.services.administration import (
    BLOCKS,
    SECTIONS,
    Add,
    Apply,
    Command,
    Installation,
    Modify,
    Performed,
    Remove,
    Replace,
    RollBack,
    Switch,
    enabled_and_gone,
    history_of,
    noun_of,
    perform,
    poll_now,
    propose,
    scope_of,
)
from postroom.services.api.answers import ApiAnswer, Moment, ProblemPart
from postroom.services.configuration import find_object, format_path, load, validate

MOST_VERSIONS = 100


class ConfiguredObject(ApiAnswer):
    """One object of the configuration, as a file writes it; secrets are names."""

    section: str
    name: str
    version: str = Field(description="Of this object, for If-Match; it changes when the object does.")
    settings: dict[str, Any] = Field(description="What differs from the defaults.")


class ConfiguredObjects(ApiAnswer):
    """A page of the objects of a section."""

    items: tuple[ConfiguredObject, ...]
    next: str | None = Field(None, description="Cursor of the next page; none at the end.")
    as_of: Moment


class ChangeShown(ApiAnswer):
    """What became, or would become, of one object: its options before and after."""

    object: str
    kind: str
    fields: tuple[FieldShown, ...]


class FieldShown(ApiAnswer):
    """One option before and after; null where it is left at its default."""

    field: str
    before: Any
    after: Any


class ChangeDone(ApiAnswer):
    """What came of a change."""

    version: int = Field(description="Of the configuration that it is in; the one in force when nothing had to change.")
    changed: bool
    tally: str = Field(description="3 to add, 1 to change, 0 to remove.")
    changes: tuple[ChangeShown, ...]
    warnings: tuple[ProblemPart, ...]
    object: ConfiguredObject | None = None


class WholeConfiguration(ApiAnswer):
    """The configuration in force, as far as the caller may see it."""

    version: int
    configuration: dict[str, Any]


class VersionShown(ApiAnswer):
    """One configuration that was put in force."""

    version: int
    at: Moment
    author: str
    note: str
    added: int
    changed: int
    removed: int
    objects: tuple[str, ...]
    complete: bool = Field(description="Whether `objects` are all that changed.")


class VersionPage(ApiAnswer):
    """A page of versions, newest first."""

    items: tuple[VersionShown, ...]
    next: str | None = None
    as_of: Moment


class RecordedShown(ChangeShown):
    """A change that was made, by whom, when and why."""

    version: int
    who: str
    at: Moment
    why: str


class Recorded(ApiAnswer):
    """Changes that were made, newest first."""

    items: tuple[RecordedShown, ...]


class OptionExplained(ApiAnswer):
    """What an option of the configuration means."""

    path: str
    description: str
    required: bool
    default: Any
    values: dict[str, Any] = Field(description="JSON Schema of its values.")


ChangeShown.model_rebuild()
ChangeDone.model_rebuild()
RecordedShown.model_rebuild()


@dataclass(frozen=True, slots=True)
class ConfigurationDesk:
    """Questions and commands about the configuration; who asks sees and changes what his roles reach."""

    installation: Installation

    def whole(self, *, principal: Principal) -> WholeConfiguration:
        """Return what the caller may see of the configuration in force."""
        version, configuration = self.installation.configurations.in_force()
        written = configuration.model_dump(mode="json", exclude_defaults=True)
        shown = {
            section: [
                one
                for one, found in zip(written[section], _objects(configuration, section), strict=True)
                if _admitted(configuration, section, found, principal)
            ]
            for section in SECTIONS
            if section in written and section != SETTINGS
        }
        if SETTINGS in written and _admitted(configuration, SETTINGS, configuration.settings, principal):
            shown[SETTINGS] = written[SETTINGS]
        shown = {section: found for section, found in shown.items() if found}
        return WholeConfiguration(version=version, configuration=shown)

    def page(self, section: str, *, principal: Principal, after: str, most: int) -> ConfiguredObjects:
        """List the objects of a section that the caller may see, in the order of the configuration."""
        block = _block(section)
        require_somewhere(principal, block, Level.VIEW, on=section)
        configuration = self.installation.configurations.current()
        seen = visible(principal, block)
        found = [one for one in _objects(configuration, section) if seen.admits(scope_of(configuration, section, one))]
        names = [one.name for one in found]
        if after and after not in names:
            raise NotFound("There is no object of this cursor any more", on=after, remedy="Begin without `cursor`.")
        start = names.index(after) + 1 if after else 0
        some = found[start : start + most]
        more = start + len(some) < len(found)
        return ConfiguredObjects(
            items=tuple(_shown(section, one) for one in some),
            next=some[-1].name if more and some else None,
            as_of=self.installation.clock(),
        )

    def show(self, section: str, name: str, *, principal: Principal) -> ConfiguredObject:
        """Show one object; raises NotFound also for one that the caller may not see."""
        configuration = self.installation.configurations.current()
        return _shown(section, self._visible(configuration, section, name, principal))

    def add(self, section: str, given: Mapping[str, Any], *, principal: Principal, why: str) -> ChangeDone:
        """Add an object."""
        _block(section)
        return self._done(Add(section, given), section, str(given.get("name", "")), principal, None, why)

    def replace(
        self, section: str, name: str, given: Mapping[str, Any], *, principal: Principal, expected: str, why: str
    ) -> ChangeDone:
        """Give an object that is there all of its options anew."""
        self._visible(self.installation.configurations.current(), section, name, principal)
        return self._done(Replace(section, name, given), section, name, principal, expected, why)

    def change(
        self, section: str, name: str, values: Mapping[str, Any], *, principal: Principal, expected: str, why: str
    ) -> ChangeDone:
        """Change options of an object by a merge patch."""
        self._visible(self.installation.configurations.current(), section, name, principal)
        return self._done(Modify(section, (name,), values), section, name, principal, expected, why)

    def remove(self, section: str, name: str, *, principal: Principal, expected: str, why: str) -> None:
        """Remove an object that nothing uses."""
        self._visible(self.installation.configurations.current(), section, name, principal)
        perform(Remove(section, (name,)), self.installation, principal=principal, expected=expected, why=why)

    def switch(self, name: str, *, on: bool, principal: Principal, why: str = "") -> ChangeDone:
        """Enable or disable a mailbox."""
        self._visible(self.installation.configurations.current(), "mailboxes", name, principal)
        return self._done(Switch("mailboxes", (name,), on=on), "mailboxes", name, principal, None, why)

    def poll(self, name: str, *, principal: Principal, queue: Any, ews_queue: Any) -> None:
        """Look at a mailbox now instead of at its next cycle."""
        configuration = self.installation.configurations.current()
        found = self._visible(configuration, "mailboxes", name, principal)
        scope = scope_of(configuration, "mailboxes", found)
        view, change = (Block.MAILBOXES, Level.VIEW), (Block.MAILBOXES, Level.MODIFY)
        require(principal, scope, view, change, on=name, noun="mailbox")
        poll_now((name,), configuration, queue=queue, ews_queue=ews_queue)

    def plan(self, document: Mapping[str, Any], *, principal: Principal) -> ChangeDone:
        """Say what putting a whole configuration in force would change; nothing is changed."""
        version, configuration = self.installation.configurations.in_force()
        prepared = propose(Apply(_read(document), configuration), self.installation, principal=principal)
        return _told(prepared.plan, version=version, changed=False)

    def put(self, document: Mapping[str, Any], *, principal: Principal, expected: str, why: str) -> ChangeDone:
        """Put a whole configuration in force; raises Moved when another version is in force than was seen."""
        version, configuration = self.installation.configurations.in_force()
        if expected != str(version):
            raise Moved([MovedObject("config", str(version), None, None)])
        command = Apply(_read(document), configuration)
        return _of(perform(command, self.installation, principal=principal, why=why))

    def roll_back(
        self, version: int, objects: tuple[str, ...], *, disable: bool, principal: Principal, why: str
    ) -> ChangeDone:
        """Return to an earlier version, or return objects to what they were in it.

        `disable`: enabled mailboxes that it removes are disabled first, by a version of their own.
        """
        store = self.installation.configurations
        command = RollBack(version, load(store, version), objects)
        if disable and (ends := enabled_and_gone(store.current(), command)):
            first = Switch("mailboxes", ends, on=False)
            perform(first, self.installation, principal=principal, why=why or "disabled to be removed by a roll-back")
        return _of(perform(command, self.installation, principal=principal, why=why))

    def versions(self, *, principal: Principal, before: int | None, most: int) -> VersionPage:
        """List what was put in force, newest first; for those who may see everything."""
        require_somewhere(principal, Block.SETTINGS, Level.VIEW, on="history")
        found = [one for one in self.installation.configurations.history() if before is None or one.version < before]
        some = found[:most]
        return VersionPage(
            items=tuple(map(_version, some)),
            next=str(some[-1].version) if len(found) > most else None,
            as_of=self.installation.clock(),
        )

    def changes(self, version: int, *, principal: Principal) -> Recorded:
        """Show what a version changed; for those who may see everything."""
        require_somewhere(principal, Block.SETTINGS, Level.VIEW, on="history")
        made = self.installation.configurations.changes(version)
        return Recorded(items=tuple(_recorded(version, one) for one in made))

    def object_history(self, section: str, name: str, *, principal: Principal, most: int) -> Recorded:
        """Show every change of an object that is there, newest first."""
        self._visible(self.installation.configurations.current(), section, name, principal)
        made = history_of(reference(section, name), store=self.installation.configurations)
        return Recorded(
            items=tuple(_recorded(version, one) for (version, one), _ in zip(made, range(most), strict=False))
        )

    def explain(self, path: str) -> OptionExplained:
        """Say what an option means: `mailboxes.cycle_time`."""
        section, _, rest = path.partition(".")
        model: Any = SECTIONS.get(section)
        field = model.model_fields.get(rest) if model is not None else None
        if field is None:
            raise NotFound("There is no such option", on=path, remedy="Write SECTION.OPTION, as mailboxes.cycle_time.")
        schema = model.model_json_schema()
        values = schema["properties"][rest]
        return OptionExplained(
            path=path,
            description=field.description or "",
            required=field.is_required(),
            default=values.get("default"),
            values={**values, **({"$defs": schema["$defs"]} if "$ref" in str(values) else {})},
        )

    def _visible(self, configuration: Configuration, section: str, name: str, principal: Principal) -> Any:
        block = _block(section)
        found = find_object(configuration, section, name)
        if found is None:
            require_somewhere(principal, block, Level.VIEW, on=section)
            raise no_such(noun_of(section), on=name)
        scope = scope_of(configuration, section, found)
        require(principal, scope, (block, Level.VIEW), on=name or section, noun=noun_of(section))
        return found

    def _done(
        self, command: Command, section: str, name: str, principal: Principal, expected: str | None, why: str
    ) -> ChangeDone:
        require_somewhere(principal, _block(section), Level.MODIFY, on=section)
        done = perform(command, self.installation, principal=principal, expected=expected, why=why)
        return _of(done, _shown(section, find_object(done.prepared.new, section, name)))


def _block(section: str) -> Block:
    block = BLOCKS.get(section)
    if block is None:
        known = ", ".join(BLOCKS)
        raise NotFound("There is no such section", on=section[:60], remedy=f"Name one of: {known}.")
    return block


def _objects(configuration: Configuration, section: str) -> Any:
    return (configuration.settings,) if section == SETTINGS else getattr(configuration, section)


def _admitted(configuration: Configuration, section: str, found: Any, principal: Principal) -> bool:
    return visible(principal, BLOCKS[section]).admits(scope_of(configuration, section, found))


def _shown(section: str, found: Any) -> ConfiguredObject:
    return ConfiguredObject(
        section=section,
        name=getattr(found, "name", ""),
        version=object_version(found) or "",
        settings=found.model_dump(mode="json", exclude_defaults=True),
    )


def _of(done: Performed, shown: ConfiguredObject | None = None) -> ChangeDone:
    return _told(done.prepared.plan, version=done.version, changed=done.changed, shown=shown)


def _told(plan: Any, *, version: int, changed: bool, shown: ConfiguredObject | None = None) -> ChangeDone:
    return ChangeDone(
        version=version,
        changed=changed,
        tally=plan.tally,
        changes=tuple(map(_change, plan.changes)),
        warnings=tuple(ProblemPart.model_validate(one) for one in plan.warnings) if shown is None else (),
        object=shown,
    )


def _change(change: ObjectChange) -> ChangeShown:
    fields = tuple(FieldShown(field=one.field, before=one.before, after=one.after) for one in change.fields)
    return ChangeShown(object=change.object, kind=change.kind.value, fields=fields)


def _recorded(version: int, one: RecordedChange) -> RecordedShown:
    change = _change(one.change)
    return RecordedShown(
        version=version,
        who=one.who,
        at=one.at,
        why=one.why,
        object=change.object,
        kind=change.kind,
        fields=change.fields,
    )


def _version(one: Version) -> VersionShown:
    at: datetime = one.at
    return VersionShown(
        version=one.version,
        at=at,
        author=one.author,
        note=one.note,
        added=one.added,
        changed=one.changed,
        removed=one.removed,
        objects=one.objects,
        complete=one.complete,
    )


def _read(document: Mapping[str, Any]) -> Configuration:
    found = validate(Configuration, document)
    if found.findings or not isinstance(found.value, Configuration):
        raise Invalid([Problem(format_path(one.path), one.problem, one.remedy) for one in found.findings])
    return found.value
