"""Prices and quantities: one table, in the documentation and in the command alike; and what they come to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from postroom.model.configuration.document import Configuration
from postroom.model.prices import AS_OF, MONTH, PRICES, REGION, USES, Resource, Step
from postroom.model.traffic import Traffic
from postroom.services.mailboxes.costs import Shares, assumed, counted, estimate

from tests.unit.services.polling.fakes import a_mailbox

COSTS = (Path(__file__).parents[2] / "docs" / "costs.md").read_text("utf-8")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def written(number: float) -> str:
    """Write a number without an exponent."""
    return f"{number:.10f}".rstrip("0").rstrip(".")


def price_rows() -> list[str]:
    """Write the table of prices as the documentation has it."""
    return [f"| {one.value} | {written(price.dollars)} | {price.per:,} |" for one, price in PRICES.items()]


def use_rows() -> list[str]:
    """Write the table of quantities as the documentation has it."""
    return [
        f"| {step.value} | {', '.join(f'{written(quantity)} {one.value}' for one, quantity in uses.items())} |"
        for step, uses in USES.items()
    ]


def heading() -> str:
    """Say where and when the prices hold."""
    return f"Prices of {REGION} as of {AS_OF}."


@pytest.mark.parametrize("row", [*price_rows(), *use_rows(), heading()])
def test_the_documentation_has_the_prices_and_quantities_that_the_command_uses(row: str) -> None:
    assert f"\n{row}\n" in COSTS


def test_everything_that_is_billed_has_a_price_and_every_step_its_quantities() -> None:
    assert set(PRICES) == set(Resource)
    assert set(USES) == set(Step)


def configuration(count: int, **options: object) -> Configuration:
    """So many enabled mailboxes, of one cycle time."""
    return Configuration(mailboxes=tuple(a_mailbox(f"box{number}", **options) for number in range(count)))


@pytest.mark.feature("X14")
def test_an_idle_mailbox_costs_its_looks_and_its_share_of_the_poll_requests() -> None:
    alone = configuration(1, cycle_time="00:01:00")
    found = estimate(alone.mailboxes[0], alone, counted([], now=NOW))
    steps = {line.what: line.quantity for line in found.steps}
    assert (steps[Step.LOOK], steps[Step.POLL], steps[Step.MAIL]) == (MONTH / 60, MONTH / 60, 0)
    assert found.dollars == pytest.approx(sum(line.dollars for line in found.calls))
    assert found.dollars == pytest.approx(
        MONTH / 60 * (3 * 0.4e-6 + 0.625e-6 + 1 * 0.125e-6 + 0.2e-6 + 0.654 * 0.0000133334 + 600 * 0.5e-9), rel=1e-6
    )
    many = configuration(250, cycle_time="00:01:00")
    assert Shares.of(many).part(many.mailboxes[0]) == 3 / 250
    among = estimate(many.mailboxes[0], many, counted([], now=NOW))
    assert among.dollars < found.dollars / 20
    assert {line.what: line.quantity for line in among.calls}[Resource.WRITE_UNITS] == pytest.approx(
        MONTH / 60 * 3 / 250
    )


@pytest.mark.feature("X14")
def test_mail_is_what_was_counted_projected_to_a_month() -> None:
    traffic = [Traffic(NOW - timedelta(hours=73), fetches=10, mails=100, size=5_000_000)]
    monthly = counted(traffic, now=NOW)
    assert (monthly.fetches, monthly.mails, monthly.size, monthly.since) == (100, 1000, 50_000_000, traffic[0].since)
    mailbox = a_mailbox()
    found = estimate(mailbox, Configuration(mailboxes=(mailbox,)), monthly)
    calls = {line.what: line.quantity for line in found.calls}
    steps = {line.what: line.quantity for line in found.steps}
    assert (calls[Resource.S3_PUT], calls[Resource.WRITE_UNITS]) == (1000, 1000 * 7 + 100 * 2 + steps[Step.POLL])
    assert calls[Resource.SES] == 0
    assert assumed(2000, monthly).size == 100_000_000


def test_what_was_counted_in_a_moment_is_not_taken_for_a_flood() -> None:
    burst = [Traffic(NOW - timedelta(seconds=1), fetches=1, mails=10, size=10)]
    assert counted(burst, now=NOW).mails == 10 * 730


def test_acknowledgements_are_counted_where_the_endpoint_has_one_and_a_disabled_mailbox_is_not_looked_at() -> None:
    mailbox = a_mailbox(endpoint="main", enabled=False)
    configured = Configuration.model_validate(
        {
            "queues": [{"name": "general"}],
            "endpoints": [{"name": "main", "queue": "general", "acknowledgement": "thanks"}],
            "mailboxes": [mailbox.model_dump(mode="json")],
        }
    )
    found = estimate(mailbox, configured, assumed(100, counted([], now=NOW)))
    steps = {line.what: line.quantity for line in found.steps}
    assert (steps[Step.ACKNOWLEDGEMENT], steps[Step.LOOK], steps[Step.POLL], steps[Step.FETCH]) == (100, 0, 0, 100)
