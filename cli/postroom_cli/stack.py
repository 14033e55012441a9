"""Find the installation that a command is about: a deployed stack by name, or the one that runs on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from postroom.bootstrap import Stores, client_of
from postroom.environment import SETTINGS, Environment, read_environment
from postroom.errors import NotFound, PostroomError

from postroom_cli.output import note

if TYPE_CHECKING:
    import boto3
    from postroom.services.api import Queries


@dataclass
class Options:
    """What stands before the command's name."""

    stack: str | None = None
    region: str | None = None
    state: Path = field(default_factory=lambda: Path(".postroom"))


def output_name(setting: str) -> str:
    """Return the name of the output that holds a setting: raw_bucket → RawBucket."""
    return "".join(word.capitalize() for word in setting.split("_"))


class Stack(Stores):
    """One installation: its resources' names, and the stores that they hold."""

    def __init__(
        self,
        name: str,
        environment: Mapping[str, str],
        session: boto3.Session,
        endpoint_url: str | None,
        outputs: Mapping[str, str] | None = None,
    ):
        super().__init__(self.setting, self.client)
        self.name = name
        # Of CloudFormation; None: the stack that runs on this machine, which has an AWS of its own.
        self.outputs = outputs
        self.environment = environment
        self._session = session
        self._endpoint_url = endpoint_url

    def clock(self) -> datetime:
        """Return now, in UTC."""
        return datetime.now(UTC)

    def setting(self, name: str) -> str:
        """Return the value of a setting of environment.py; NotFound when the stack does not say it."""
        setting = SETTINGS[name]
        value = self.environment.get(setting.variable, setting.default)
        if value is None:
            raise NotFound(
                f"The stack does not say {setting.purpose} ({output_name(name)})",
                on=self.name,
                remedy="Deploy the present template.",
            )
        return value

    def read(self, *names: str) -> Environment:
        """Read settings of functions as functions do."""
        return read_environment(self.environment, *names)

    def client(self, service: str, *, connections: int = 10, read_timeout: float = 10.0) -> Any:
        """Return a client of an AWS service, for this stack."""
        return client_of(
            self._session,
            service,
            endpoint_url=self._endpoint_url,
            connections=connections,
            read_timeout=read_timeout,
        )

    @cached_property
    def queries(self) -> Queries:
        """Return what the API answers too: the same services."""
        from postroom.services.api import queries

        return queries(
            interactions=self.interactions,
            outbox=self.outbox,
            configurations=self.configurations,
            states=self.states,
            outbound_queue=self.queue("outbound_queue"),
            clock=self.clock,
            secret_dates=self.secret_dates,
            arrivals=self.arrivals,
            looks=self.looks,
            contents=self.contents,
        )


def thread_keys(stack: Stack) -> Callable[[], tuple[bytes, ...]]:
    """Return what reads the keys that prove thread tokens; none, which is told, for who may not read them."""

    def read() -> tuple[bytes, ...]:
        try:
            return stack.thread_keys()
        except PostroomError as error:
            note(f"The thread key cannot be read, so that thread tokens prove nothing: {error}")
            return ()

    return cache(read)


def options_of(context: typer.Context) -> Options:
    """Return what was said before the command."""
    found = context.find_root().obj
    return found if isinstance(found, Options) else Options()


def find_stack(context: typer.Context) -> Stack:
    """Find the stack; raises NotFound with what to do when there is none."""
    options = options_of(context)
    return deployed_stack(options.stack, options.region) if options.stack else local_stack(options.state)


def local_stack(directory: Path) -> Stack:
    """Find the stack that runs on this machine."""
    import boto3

    from postroom_cli.local.state import read_state

    state = read_state(directory)
    if state is None:
        raise NotFound(
            "No stack runs on this machine",
            on=str(directory),
            remedy="Start one with `postroom local`, or name a deployed one: `postroom --stack NAME …`.",
        )
    session = boto3.Session(
        aws_access_key_id=state.environment.get("AWS_ACCESS_KEY_ID", "local"),
        aws_secret_access_key=state.environment.get("AWS_SECRET_ACCESS_KEY", "local"),
        region_name=state.region,
    )
    return Stack("local", state.environment, session, state.endpoint_url or None)


def deployed_stack(name: str, region: str | None) -> Stack:
    """Find a deployed stack by its name in CloudFormation."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    try:
        session = boto3.Session(region_name=region)
        answer = session.client("cloudformation").describe_stacks(StackName=name)
    except NoRegionError as error:
        raise PostroomError("No AWS region is set", remedy="Give --region, or set AWS_REGION.") from error
    except NoCredentialsError as error:
        raise PostroomError(
            "No AWS credentials were found", code="no_credentials", remedy="Log in: `aws sso login`, or set a profile."
        ) from error
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "ValidationError":
            raise NotFound(
                f"There is no stack {name}", on=session.region_name, remedy="Check name and region."
            ) from error
        raise PostroomError(
            f"AWS refused to describe the stack: {code}",
            on=name,
            code="aws_denied",
            remedy="Log in with enough rights.",
        ) from error
    except BotoCoreError as error:
        raise PostroomError(f"AWS could not be asked: {error}", on=name, remedy="Check network and profile.") from error
    outputs = {one["OutputKey"]: one["OutputValue"] for one in answer["Stacks"][0].get("Outputs", [])}
    environment = {
        setting.variable: outputs[output_name(name)]
        for name, setting in SETTINGS.items()
        if output_name(name) in outputs
    }
    return Stack(name, environment, session, None, outputs)
