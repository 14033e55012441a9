"""Find the installation that a command is about: a deployed stack by name, or the one that runs on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from postroom.environment import SETTINGS, Environment, read_environment
from postroom.errors import NotFound, PostroomError

if TYPE_CHECKING:
    import boto3
    from postroom.adapters.aws import S3Contents, S3RawMessages, SqsQueue
    from postroom.adapters.dynamo import (
        ConfigurationStore,
        DynamoInteractions,
        DynamoMailboxStates,
        DynamoNotices,
        DynamoOutbox,
        SecretWriter,
        StoredSecretDates,
        StoredSecrets,
    )
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


class Stack:
    """One installation: its resources' names, and adapters made when first asked for."""

    def __init__(
        self,
        name: str,
        environment: Mapping[str, str],
        session: boto3.Session,
        endpoint_url: str | None,
        outputs: Mapping[str, str] | None = None,
    ):
        self.name = name
        self.outputs = (
            outputs  # of CloudFormation; None: the stack that runs on this machine, which has an AWS of its own
        )
        self.environment = environment
        self._session = session
        self._endpoint_url = endpoint_url

    def clock(self) -> datetime:
        """Return now, in UTC."""
        return datetime.now(UTC)

    def setting(self, name: str) -> str:
        """Return the value of a setting of config.py; NotFound when the stack does not say it."""
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

    def client(self, service: str) -> Any:
        """Return a client of an AWS service, for this stack."""
        from postroom.adapters.aws import config
        from postroom.adapters.dynamo import repeat_conflicts

        made: Any = self._session.client(service, endpoint_url=self._endpoint_url, config=config())  # type: ignore[call-overload]
        return repeat_conflicts(made) if service == "dynamodb" else made

    @cached_property
    def _dynamodb(self) -> Any:
        return self.client("dynamodb")

    @cached_property
    def _s3(self) -> Any:
        return self.client("s3")

    @cached_property
    def contents(self) -> S3Contents:
        """Return the content bucket."""
        from postroom.adapters.aws import S3Contents

        return S3Contents(self._s3, self.setting("content_bucket"))

    @cached_property
    def raw(self) -> S3RawMessages:
        """Return the raw bucket."""
        from postroom.adapters.aws import S3RawMessages

        return S3RawMessages(self._s3, self.setting("raw_bucket"))

    @cached_property
    def configurations(self) -> ConfigurationStore:
        """Return the configurations."""
        from postroom.adapters.dynamo import ConfigurationStore

        return ConfigurationStore(self._dynamodb, self.setting("table"), self.contents)

    @cached_property
    def interactions(self) -> DynamoInteractions:
        """Return the interactions."""
        from postroom.adapters.dynamo import DynamoInteractions

        return DynamoInteractions(self._dynamodb, self.setting("table"), self.contents)

    @cached_property
    def outbox(self) -> DynamoOutbox:
        """Return the outbound mails."""
        from postroom.adapters.dynamo import DynamoOutbox

        return DynamoOutbox(self._dynamodb, self.setting("table"))

    @cached_property
    def notices(self) -> DynamoNotices:
        """Return what was noted for administrators and belongs to no mail."""
        from postroom.adapters.dynamo import DynamoNotices

        return DynamoNotices(self._dynamodb, self.setting("table"))

    @cached_property
    def states(self) -> DynamoMailboxStates:
        """Return the mailboxes' states."""
        from postroom.adapters.dynamo import DynamoMailboxStates

        return DynamoMailboxStates(self._dynamodb, self.setting("table"), self.contents)

    @cached_property
    def secrets(self) -> SecretWriter:
        """Return where secrets are entered; nothing here can read them back."""
        from postroom.adapters.dynamo import SecretWriter

        return SecretWriter(
            table=self.setting("table"),
            dynamo=self._dynamodb,
            kms=self.client("kms"),
            key_id=self.setting("credentials_key"),
        )

    @cached_property
    def stored_secrets(self) -> StoredSecrets:
        """Stored secrets, for those who may decrypt: a connection test logs in as the fetching function does."""
        from postroom.adapters.dynamo import StoredSecrets

        return StoredSecrets(
            table=self.setting("table"),
            dynamo=self._dynamodb,
            kms=self.client("kms"),
            key_id=self.setting("credentials_key"),
            secrets_manager=self.client("secretsmanager"),
        )

    @cached_property
    def secret_dates(self) -> StoredSecretDates:
        """List which secrets are there, and until when; not what they are."""
        from postroom.adapters.dynamo import StoredSecretDates

        return StoredSecretDates(table=self.setting("table"), dynamo=self._dynamodb)

    def queue(self, setting: str) -> SqsQueue:
        """Return a queue by the name of its setting."""
        from postroom.adapters.aws import SqsQueue

        return SqsQueue(self.client("sqs"), self.setting(setting))

    @cached_property
    def queries(self) -> Queries:
        """Return what the API answers too: the same services."""
        from postroom.adapters.dynamo import DynamoArrivals
        from postroom.services.api import queries

        return queries(
            interactions=self.interactions,
            outbox=self.outbox,
            configurations=self.configurations,
            states=self.states,
            outbound_queue=self.queue("outbound_queue"),
            clock=self.clock,
            secret_dates=self.secret_dates,
            arrivals=DynamoArrivals(self._dynamodb, self.setting("table")),
        )


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
