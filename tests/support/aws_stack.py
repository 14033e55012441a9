"""The stack that template.yaml declares, in this process (moto), for tests that run the real handlers."""

from __future__ import annotations

import copy
import copyreg
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from moto import mock_aws
from moto.core.base_backend import BackendDict, BaseBackend
from moto.dynamodb.responses import DynamoHandler
from moto.kms import models as kms_models
from moto.kms import utils as kms_utils
from postroom.adapters.aws.s3 import S3Contents
from postroom.adapters.clock import utc_now
from postroom.adapters.configuration.store import ConfigurationStore
from postroom.adapters.dynamo.access.users import DynamoUsers
from postroom.adapters.dynamo.interactions import DynamoInteractions
from postroom.adapters.dynamo.secrets import SecretWriter
from postroom.adapters.outbox.store import DynamoOutbox
from postroom.model.access.audit import AuditAction
from postroom.model.access.principal import PrincipalKind
from postroom.model.access.user import User, UserState, user_id
from postroom.model.configuration.document import Configuration
from postroom.model.identity import interaction_id, raw_key
from postroom.model.messages import stored_event
from postroom.ports.people import Written
from postroom.rules.access.judge import operator
from postroom.services.people.audit import entry
from postroom_cli.local.environment import environment
from postroom_cli.local.functions import Function, import_handler, read_functions, shared_environment
from postroom_cli.local.http_api import find_route
from postroom_cli.local.makers import MAKERS
from postroom_cli.local.stack import Aws, Stack
from postroom_cli.local.template import REGION, read_template
from postroom_cli.local.triggers import RouteTrigger, read_triggers

from tests.support import quick_moto
from tests.support.aws_clients import kept_clients
from tests.support.role_check import RoleCheck, role_check

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
_SQS = {"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue", "awsRegion": REGION}


quick_moto.hurry()

# moto mocks clients of any age, and making one takes longer than most of what is asked of it.
_AWS = Aws()


@dataclass(frozen=True, slots=True)
class AwsStack:
    """Handles of everything a test asks of the stack."""

    environment: Mapping[str, str]
    functions: Mapping[str, Function]
    roles: RoleCheck
    routes: tuple[RouteTrigger, ...]

    def client(self, service: str) -> Any:
        """A boto3 client of the mocked AWS."""
        return _AWS(service)

    @property
    def table(self) -> str:
        return self.environment["TABLE_NAME"]

    @property
    def contents(self) -> S3Contents:
        return S3Contents(self.client("s3"), self.environment["CONTENT_BUCKET"])

    @property
    def interactions(self) -> DynamoInteractions:
        return DynamoInteractions(self.client("dynamodb"), self.table, self.contents)

    @property
    def outbox(self) -> DynamoOutbox:
        return DynamoOutbox(self.client("dynamodb"), self.table)

    @property
    def configurations(self) -> ConfigurationStore:
        return ConfigurationStore(self.client("dynamodb"), self.table, self.contents)

    def configure(self, **content: Any) -> Configuration:
        """Put a configuration in force."""
        configuration = Configuration.model_validate(content)
        store = self.configurations
        store.put(configuration, expected_version=store.version(), author="test", note="", now=utc_now())
        return configuration

    def appoint(
        self,
        issuer: str,
        subject: str,
        name: str,
        roles: Mapping[str, tuple[str, ...]],
        *,
        queues: tuple[str, ...] = (),
        aliases: tuple[str, ...] = (),
        kind: PrincipalKind = PrincipalKind.PERSON,
        address: str = "",
    ) -> User:
        """Make a user with roles by department, as if an administrator had."""
        user = User(
            id=user_id(issuer, subject),
            issuer=issuer,
            subject=subject,
            kind=kind,
            name=name,
            address=address,
            state=UserState.ACTIVE,
            created=utc_now(),
            roles=roles,
            queues=dict.fromkeys(queues, ()),
            aliases=frozenset(aliases),
            version=1,
        )
        told = entry(operator("test"), AuditAction.USER_INVITED, f"user/{user.id}", now=utc_now())
        assert DynamoUsers(self.client("dynamodb"), self.table).put(user, replaces=None, entry=told) is Written.DONE
        return user

    def function_of(self, event: Mapping[str, Any]) -> str:
        """Name the function that the template's routes lead a request of the HTTP API to."""
        route = find_route(self.routes, event["requestContext"]["http"]["method"], event["rawPath"])
        assert route is not None, event["rawPath"]
        return route.function.name

    def enter_secret(self, name: str, value: str) -> None:
        """Enter a secret as an administrator does."""
        SecretWriter(
            table=self.table,
            dynamo=self.client("dynamodb"),
            kms=self.client("kms"),
            key_id=self.environment["CREDENTIALS_KEY_ID"],
        ).put(name, value, now=datetime.now(UTC))

    def store_raw(self, content: bytes, *, mailbox: str = "support", metadata: Mapping[str, str] | None = None) -> str:
        """Put a raw message where the fetcher would, and return its key."""
        key = raw_key(mailbox, datetime.now(UTC), f"1/{sha256(content).hexdigest()[:6]}", sha256(content).hexdigest())
        given = {"server-date": datetime.now(UTC).isoformat(), **(metadata or {})}
        self.client("s3").put_object(Bucket=self.environment["RAW_BUCKET"], Key=key, Body=content, Metadata=given)
        return key

    def invoke(self, function: str, event: Any, *, seconds: float = 60) -> Any:
        """Call a function's real handler, named as in the template (`ProcessInbound`)."""
        context: Any = SimpleNamespace(
            get_remaining_time_in_millis=lambda: int(seconds * 1000),
            function_name=function,
            memory_limit_in_mb=512,
            invoked_function_arn=f"arn:aws:lambda:{REGION}:123456789012:function:{function}",
            aws_request_id="test",
        )
        handler = import_handler(self.functions[function])
        for record in event.get("Records", ()):
            # The queue that the function has in the template: what fails goes back to it.
            if record.get("eventSourceARN") == _SQS["eventSourceARN"]:
                record["eventSourceARN"] = _queue_of(self.functions[function])
        self.roles.running = function
        try:
            return handler(event, context)
        finally:
            self.roles.running = ""

    def process(self, content: bytes, *, mailbox: str = "support", metadata: Mapping[str, str] | None = None) -> str:
        """Store a mail and run process_inbound on its event; return the interaction's id."""
        key = self.store_raw(content, mailbox=mailbox, metadata=metadata)
        answer = self.invoke("ProcessInbound", sqs_event(stored_event(self.environment["RAW_BUCKET"], key)))
        assert answer == {"batchItemFailures": []}
        return interaction_id(mailbox, sha256(content).hexdigest())

    def queued(self, variable: str) -> list[dict[str, Any]]:
        """Take all messages that wait in the queue named by an environment variable."""
        sqs, found = self.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=self.environment[variable], MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.environment[variable], ReceiptHandle=message["ReceiptHandle"])
        return found


def _queue_of(function: Function) -> str:
    return next(str(one["Properties"]["Queue"]) for one in function.events.values() if one["Type"] == "SQS")


def sqs_event(*bodies: Mapping[str, Any]) -> dict[str, Any]:
    """The event by which Lambda hands SQS messages to a function."""
    return {
        "Records": [
            {"messageId": str(number), "receiptHandle": str(number), "body": json.dumps(body), "attributes": {}, **_SQS}
            for number, body in enumerate(bodies)
        ]
    }


def _make_atomic(handler: type[DynamoHandler]) -> None:
    """DynamoDB answers one request to an item after the other; moto, among threads, only nearly so."""
    call_action, lock = handler.call_action, threading.RLock()

    def one_at_a_time(self: DynamoHandler) -> Any:
        with lock:
            return call_action(self)

    handler.call_action = one_at_a_time  # type: ignore[method-assign]  # no hook of moto is around the whole request


_make_atomic(DynamoHandler)

# moto makes an RSA key of its own for each KMS key, which a symmetric one never uses: a third of a stack's time.
vars(kms_models)["generate_private_key"] = cache(kms_utils.generate_private_key)


@dataclass(frozen=True, slots=True)
class _Made:
    """A stack as it was when it had just been made, and moto's state of that moment."""

    stack: Stack
    functions: Mapping[str, Function]
    variables: Mapping[str, str]
    state: Mapping[_Place, Any]
    routes: tuple[RouteTrigger, ...]


_Place = tuple[BackendDict[Any], str, str]
"""Where moto keeps one service's state: its backends, the account, the region."""

# Queues hold locks and conditions, and a restored queue needs its own.
copyreg.pickle(type(threading.RLock()), lambda _lock: (threading.RLock, ()))
copyreg.pickle(threading.Condition, lambda _condition: (threading.Condition, ()))


def _backends() -> Iterator[tuple[_Place, Any]]:
    instances: list[BackendDict[Any]] = BackendDict._instances  # type: ignore[misc]  # moto has no public list of them
    for backends in instances:
        for account, regions in dict.items(backends):
            for region, backend in dict.items(regions):
                yield (backends, account, region), backend


@cache
def _made(overrides: tuple[tuple[str, str], ...]) -> _Made:
    """Make the template's resources once; tests begin with copies of what moto then holds, thirty times sooner."""
    given = {"PrivateMailNetworks": "127.0.0.0/8,::1/128", **dict(overrides)}
    with mock_aws():
        template = read_template(TEMPLATE, stack="test", overrides=given)
        stack = Stack(template, _AWS, makers=MAKERS, api_url="http://127.0.0.1")
        stack.make()
        functions = read_functions(stack)
        variables = {
            **shared_environment(functions),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "POWERTOOLS_METRICS_DISABLED": "true",
        }
        state = copy.deepcopy({place: _contents(backend) for place, backend in _backends()}, _themselves())
        routes = tuple(one for one in read_triggers(stack, functions) if isinstance(one, RouteTrigger))
    return _Made(stack, {function.name: function for function in functions}, variables, state, routes)


def _contents(backend: Any) -> dict[str, Any]:
    """Return what a backend holds, apart from other backends: SES v2 works on the one of SES that is there now."""
    return {name: value for name, value in vars(backend).items() if not isinstance(value, BaseBackend)}


def _themselves() -> dict[int, Any]:
    """Return a memo for deepcopy that leaves moto's backends what they are: only their contents are copied."""
    return {id(one): one for (place, backend) in _backends() for one in (place[0], backend)}


def _restore(state: Mapping[_Place, Any]) -> None:
    for (backends, account, region), contents in copy.deepcopy(state, {id(one[0]): one[0] for one in state}).items():
        backends[account][region].__dict__.update(contents)


@contextmanager
def aws_stack(**overrides: str) -> Iterator[AwsStack]:
    """Give the template's resources in moto, as just made, and point the process's environment at them."""
    made = _made(tuple(overrides.items()))
    with mock_aws(), kept_clients():
        _restore(made.state)
        with environment(made.variables):
            roles = role_check(made.stack)
            yield AwsStack(made.variables, made.functions, roles, made.routes)
            assert not roles.refused, f"asked for and not allowed by template.yaml: {sorted(roles.refused)}"
