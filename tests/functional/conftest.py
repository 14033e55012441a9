"""Fixtures of the tests that run real handlers against a mocked AWS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.aws_stack import AwsStack, aws_stack


@pytest.fixture
def stack() -> Iterator[AwsStack]:
    """A fresh stack of template.yaml."""
    with aws_stack() as made:
        yield made
