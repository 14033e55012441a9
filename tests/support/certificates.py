"""Certificates that clients must refuse, and one they must take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from postroom_cli.mailservers import Authority
from postroom_cli.mailservers.certificates import Certificate


@cache
def authority() -> Authority:
    """The authority that tests trust."""
    return Authority("Authority of the tests")


@cache
def good() -> Certificate:
    """For localhost and 127.0.0.1."""
    return authority().issue()


@cache
def expired() -> Certificate:
    """Ran out yesterday."""
    now = datetime.now(UTC)
    return authority().issue(not_before=now - timedelta(days=60), not_after=now - timedelta(days=1))


@cache
def not_yet_valid() -> Certificate:
    """Begins tomorrow."""
    now = datetime.now(UTC)
    return authority().issue(not_before=now + timedelta(days=1), not_after=now + timedelta(days=60))


@cache
def self_signed() -> Certificate:
    """Signed by nobody else."""
    return authority().issue(self_signed=True)


@cache
def wrong_host() -> Certificate:
    """For another name."""
    return authority().issue("mail.example.net")


@cache
def unknown_authority() -> Certificate:
    """Good in itself, from an authority that nobody trusts."""
    return Authority("Somebody else").issue()
