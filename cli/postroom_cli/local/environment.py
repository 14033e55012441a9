"""The process's environment while handlers run in it: theirs, the local AWS's credentials, and nobody else's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import boto3
from postroom import bootstrap

from postroom_cli.local.template import REGION


def local_environment(variables: Mapping[str, str], *, endpoint_url: str, key: str = "local") -> dict[str, str]:
    """Return what handlers and commands need to talk to the local AWS, and only to it; `key`: of its run."""
    return {
        **variables,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint_url,
        # Neither a profile nor an instance's role of whoever runs this may leak in.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        # Embedded metrics are for CloudWatch; here they would only clutter the log.
        "POWERTOOLS_METRICS_DISABLED": "true",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set the variables, forget what the process made with others, and put everything back at the end."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(values)
    forget()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        forget()


def forget() -> None:
    """Drop handlers, cached services and clients, so that the next import reads the environment again."""
    boto3.DEFAULT_SESSION = None
    for name in [name for name in sys.modules if name.startswith("functions.")]:
        del sys.modules[name]
        package, _dot, module = name.rpartition(".")
        if package in sys.modules and hasattr(sys.modules[package], module):
            delattr(sys.modules[package], module)
    bootstrap.forget()
