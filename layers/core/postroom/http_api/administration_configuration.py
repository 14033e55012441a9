"""Routes about the configuration: whole, by object, its history, and roll-back."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BaseModel, ConfigDict, Field

from postroom.http_api.foundation import SIGNED_IN, Cursor, Limit, Name, Needs, Routes
from postroom.model.access import Block, Level
from postroom.model.configuration import SETTINGS
from postroom.services.api import (
    Administration,
    ChangeDone,
    ConfiguredObject,
    ConfiguredObjects,
    OptionExplained,
    Recorded,
    VersionPage,
    WholeConfiguration,
)

Why = Annotated[str, Query(max_length=500, description="Why; kept in the history.")]
Document = Annotated[dict[str, Any], Body(description="As in a configuration file; secrets by name.")]

_TAG = "configuration"
_EVERYTHING = Needs(Block.SETTINGS, Level.VIEW)
_ALL_OF_IT = Needs(Block.SETTINGS, Level.MANAGE)


class RollBackRequest(BaseModel):
    """What is to be returned to an earlier version."""

    model_config = ConfigDict(extra="forbid")

    objects: tuple[Annotated[str, Field(max_length=200)], ...] = Field(
        default=(), max_length=100, description="Objects, as `mailboxes/support`; none: the whole configuration."
    )
    disable: bool = Field(default=False, description="Disable first the enabled mailboxes that it removes.")


def add_routes(api: Routes[Administration]) -> None:
    """Declare them; which right an object's section needs, the service judges."""
    _add_whole(api)
    _add_history(api)
    _add_settings(api)
    _add_objects(api)


def _add_whole(api: Routes[Administration]) -> None:
    @api.get("/config", _TAG, SIGNED_IN)
    def whole() -> WholeConfiguration:
        """Show the configuration in force, as far as the caller may see it."""
        found = api.behind().configuration.whole(principal=api.asked.principal)
        api.asked.tag(found.version)
        return found

    @api.put("/config", _TAG, _ALL_OF_IT)
    def put(document: Document, why: Why = "") -> ChangeDone:
        """Put a whole configuration in force: what it does not hold is removed."""
        asked = api.asked
        done = api.behind().configuration.put(document, principal=asked.principal, expected=asked.version, why=why)
        asked.tag(done.version)
        return done

    @api.post("/config/plan", _TAG, _ALL_OF_IT)
    def plan(document: Document) -> ChangeDone:
        """Say what putting a whole configuration in force would change; nothing is changed."""
        return api.behind().configuration.plan(document, principal=api.asked.principal)

    @api.get("/config/explain/<path>", _TAG, SIGNED_IN)
    def explain(path: Name) -> OptionExplained:
        """Say what an option means, as mailboxes.cycle_time."""
        return api.behind().configuration.explain(path)


def _add_history(api: Routes[Administration]) -> None:
    @api.get("/config/history", _TAG, _EVERYTHING)
    def versions(limit: Limit = 100, cursor: Cursor = "") -> VersionPage:
        """List the configurations that were put in force, newest first."""
        asked = api.asked
        before = asked.resume(cursor)
        page = api.behind().configuration.versions(
            principal=asked.principal, before=int(before) if before else None, most=limit
        )
        return page.model_copy(update={"next": asked.cursor(page.next)})

    @api.get("/config/history/<version>", _TAG, _EVERYTHING)
    def changes(version: int) -> Recorded:
        """Show what a version changed: who, which object, each option before and after, why."""
        return api.behind().configuration.changes(version, principal=api.asked.principal)

    @api.post("/config/rollback/<version>", _TAG, SIGNED_IN)
    def roll_back(version: int, wanted: RollBackRequest, why: Why = "") -> ChangeDone:
        """Return to an earlier version, or return objects to what they were in it, as a new version."""
        return api.behind().configuration.roll_back(
            version, wanted.objects, disable=wanted.disable, principal=api.asked.principal, why=why
        )


def _add_settings(api: Routes[Administration]) -> None:
    @api.get("/config/settings", _TAG, _EVERYTHING)
    def settings() -> ConfiguredObject:
        """Show the settings of the installation."""
        return _tagged(api, api.behind().configuration.show(SETTINGS, "", principal=api.asked.principal))

    @api.patch("/config/settings", _TAG, Needs(Block.SETTINGS, Level.MODIFY))
    def change_settings(values: Document, why: Why = "") -> ChangeDone:
        """Change settings of the installation by a merge patch."""
        asked = api.asked
        return _done(
            api,
            api.behind().configuration.change(
                SETTINGS, "", values, principal=asked.principal, expected=asked.version, why=why
            ),
        )


def _add_objects(api: Routes[Administration]) -> None:
    @api.get("/config/<section>", _TAG, SIGNED_IN)
    def page(section: Name, limit: Limit = 100, cursor: Cursor = "") -> ConfiguredObjects:
        """List the objects of a section that the caller may see."""
        asked = api.asked
        after = str(asked.resume(cursor) or "")
        found = api.behind().configuration.page(section, principal=asked.principal, after=after, most=limit)
        return found.model_copy(update={"next": asked.cursor(found.next)})

    @api.post("/config/<section>", _TAG, SIGNED_IN, status=201)
    def add(section: Name, given: Document, why: Why = "") -> ChangeDone:
        """Add an object; a mailbox is added disabled."""
        return _done(api, api.behind().configuration.add(section, given, principal=api.asked.principal, why=why))

    @api.get("/config/<section>/<name>", _TAG, SIGNED_IN)
    def show(section: Name, name: Name) -> ConfiguredObject:
        """Show an object, with its version as ETag."""
        return _tagged(api, api.behind().configuration.show(section, name, principal=api.asked.principal))

    @api.put("/config/<section>/<name>", _TAG, SIGNED_IN)
    def replace(section: Name, name: Name, given: Document, why: Why = "") -> ChangeDone:
        """Give an object all of its options anew."""
        asked = api.asked
        return _done(
            api,
            api.behind().configuration.replace(
                section, name, given, principal=asked.principal, expected=asked.version, why=why
            ),
        )

    @api.patch("/config/<section>/<name>", _TAG, SIGNED_IN)
    def change(section: Name, name: Name, values: Document, why: Why = "") -> ChangeDone:
        """Change options of an object by a merge patch; null takes one back to its default."""
        asked = api.asked
        return _done(
            api,
            api.behind().configuration.change(
                section, name, values, principal=asked.principal, expected=asked.version, why=why
            ),
        )

    @api.delete("/config/<section>/<name>", _TAG, SIGNED_IN)
    def remove(section: Name, name: Name, why: Why = "") -> None:
        """Remove an object; refused, with what uses it, while anything does."""
        asked = api.asked
        api.behind().configuration.remove(section, name, principal=asked.principal, expected=asked.version, why=why)

    @api.get("/config/<section>/<name>/history", _TAG, SIGNED_IN)
    def object_history(section: Name, name: Name, limit: Limit = 100) -> Recorded:
        """Show the changes of one object, newest first."""
        return api.behind().configuration.object_history(section, name, principal=api.asked.principal, most=limit)


def _tagged(api: Routes[Administration], found: ConfiguredObject) -> ConfiguredObject:
    api.asked.tag(found.version)
    return found


def _done(api: Routes[Administration], done: ChangeDone) -> ChangeDone:
    if done.object is not None:
        api.asked.tag(done.object.version)
    return done
