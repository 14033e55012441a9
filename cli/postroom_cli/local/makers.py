"""How each resource type is made in the local AWS: one table, type → maker.

Types that change nothing on one machine (permissions, logs, alarms) are in the table too, with what `Ref` and `GetAtt`
of them give, so that a type nobody thought of stops the runner by its name instead of being left out in silence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from postroom_cli.local.stack import Aws, Declared, Made, Maker
from postroom_cli.local.template import ACCOUNT, REGION


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _queue(aws: Aws, declared: Declared) -> Made:
    name = declared.properties.get("QueueName", declared.physical_name)
    attributes = {
        key: json.dumps(value) if isinstance(value, dict) else _text(value)
        for key, value in declared.properties.items()
        if key in _QUEUE_ATTRIBUTES
    }
    url = aws("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return Made(url, {"Arn": _arn("sqs", name), "QueueName": name, "QueueUrl": url})


# KmsMasterKeyId and its like are left out: moto stores what it is given in the clear either way.
_QUEUE_ATTRIBUTES = frozenset(
    {
        "DelaySeconds",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "VisibilityTimeout",
    }
)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bucket(aws: Aws, declared: Declared) -> Made:
    name = declared.properties.get("BucketName", declared.physical_name).lower()
    s3 = aws("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    if status := declared.properties.get("VersioningConfiguration", {}).get("Status"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    if notifications := declared.properties.get("NotificationConfiguration"):
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration=_notifications(notifications), SkipDestinationValidation=True
        )
    return Made(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{REGION}.amazonaws.com",
        },
    )


def _notifications(properties: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if queues := properties.get("QueueConfigurations"):
        made["QueueConfigurations"] = [
            {
                "QueueArn": item["Queue"],
                "Events": [item["Event"]],
                **({"Filter": _key_filter(item["Filter"])} if "Filter" in item else {}),
            }
            for item in queues
        ]
    if "EventBridgeConfiguration" in properties:
        made["EventBridgeConfiguration"] = {}
    return made


def _key_filter(properties: Mapping[str, Any]) -> dict[str, Any]:
    rules = properties["S3Key"]["Rules"]
    return {"Key": {"FilterRules": [{"Name": rule["Name"], "Value": rule["Value"]} for rule in rules]}}


def _table(aws: Aws, declared: Declared) -> Made:
    properties = declared.properties
    name = properties.get("TableName", declared.physical_name)
    dynamodb = aws("dynamodb")
    passed = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    dynamodb.create_table(TableName=name, **{key: properties[key] for key in passed if key in properties})
    if ttl := properties.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
    return Made(name, {"Arn": _arn("dynamodb", f"table/{name}")})


def _key(aws: Aws, declared: Declared) -> Made:
    made = aws("kms").create_key(Description=declared.properties.get("Description", ""))["KeyMetadata"]
    return Made(made["KeyId"], {"Arn": made["Arn"], "KeyId": made["KeyId"]})


def _key_alias(aws: Aws, declared: Declared) -> Made:
    name = declared.properties["AliasName"]
    aws("kms").create_alias(AliasName=name, TargetKeyId=declared.properties["TargetKeyId"])
    return Made(name)


_GENERATED = ("ExcludeCharacters", "ExcludeLowercase", "ExcludeNumbers", "ExcludePunctuation", "ExcludeUppercase")


def _secret(aws: Aws, declared: Declared) -> Made:
    properties = declared.properties
    secrets = aws("secretsmanager")
    text = properties.get("SecretString")
    if text is None:
        wanted = properties.get("GenerateSecretString", {})
        text = secrets.get_random_password(
            PasswordLength=int(wanted.get("PasswordLength", 32)),
            **{key: wanted[key] for key in (*_GENERATED, "IncludeSpace", "RequireEachIncludedType") if key in wanted},
        )["RandomPassword"]
        if "GenerateStringKey" in wanted:
            template = json.loads(wanted.get("SecretStringTemplate", "{}"))
            text = json.dumps({**template, wanted["GenerateStringKey"]: text})
    arn = secrets.create_secret(Name=properties.get("Name", declared.physical_name), SecretString=text)["ARN"]
    return Made(arn, {"Id": arn})


def _event_rule(aws: Aws, declared: Declared) -> Made:
    properties = declared.properties
    name = properties.get("Name", declared.physical_name)
    events = aws("events")
    wanted = {key: properties[key] for key in ("ScheduleExpression", "State", "EventBusName") if key in properties}
    if "EventPattern" in properties:
        wanted["EventPattern"] = json.dumps(properties["EventPattern"])
    arn = events.put_rule(Name=name, **wanted)["RuleArn"]
    passed = ("Id", "Arn", "Input", "InputPath")
    if targets := properties.get("Targets"):
        events.put_targets(Rule=name, Targets=[{key: item[key] for key in passed if key in item} for item in targets])
    return Made(name, {"Arn": arn})


def _configuration_set(aws: Aws, declared: Declared) -> Made:
    name = declared.properties.get("Name", declared.physical_name)
    aws("sesv2").create_configuration_set(ConfigurationSetName=name)
    return Made(name)


def _event_destination(aws: Aws, declared: Declared) -> Made:
    # moto has event destinations in the first version of the SES API only, and only remembers them: what becomes of
    # a sent mail is told by aws_server.py, for the event types given here.
    wanted = declared.properties["EventDestination"]
    name = wanted.get("Name", declared.physical_name)
    aws("ses").create_configuration_set_event_destination(
        ConfigurationSetName=declared.properties["ConfigurationSetName"],
        EventDestination={
            "Name": name,
            "Enabled": wanted.get("Enabled", True),
            "MatchingEventTypes": [_first_lower(word) for word in wanted["MatchingEventTypes"]],
        },
    )
    return Made(name)


def _first_lower(word: str) -> str:
    joined = "".join(part.capitalize() for part in word.split("_")) if word.isupper() else word
    return joined[:1].lower() + joined[1:]


def _schedule(_aws: Aws, declared: Declared) -> Made:
    # EventBridge Scheduler: the runner keeps the time itself (schedules.py), since moto's never fires.
    name = declared.properties.get("Name", declared.physical_name)
    return Made(name, {"Arn": _arn("scheduler", f"schedule/default/{name}")})


def _named(service: str, *, kind: str, key: str = "Name") -> Maker:
    """Return the maker of a type that does nothing on one machine, but that others refer to."""

    def make(_aws: Aws, declared: Declared) -> Made:
        name = declared.properties.get(key, declared.physical_name)
        arn = f"arn:aws:iam::{ACCOUNT}:{kind}{name}" if service == "iam" else _arn(service, f"{kind}{name}")
        # `Ref` of a topic gives its ARN, of all the others their name.
        return Made(arn if service == "sns" else name, {"Arn": arn, "TopicArn": arn, "TopicName": name, "RoleId": name})

    return make


def _nothing(_aws: Aws, declared: Declared) -> Made:
    return Made(declared.physical_name)


_PERMISSIONS: dict[str, Maker] = {
    "AWS::IAM::Role": _named("iam", kind="role/", key="RoleName"),
    "AWS::IAM::ManagedPolicy": _named("iam", kind="policy/", key="ManagedPolicyName"),
    "AWS::IAM::Policy": _nothing,
    "AWS::Lambda::Permission": _nothing,
    "AWS::S3::BucketPolicy": _nothing,
    "AWS::SQS::QueuePolicy": _nothing,
    "AWS::SNS::TopicPolicy": _nothing,
}
"""Permissions: moto enforces none; `make deploy-local` and AWS do."""

_OBSERVATION: dict[str, Maker] = {
    "AWS::Logs::LogGroup": _named("logs", kind="log-group:", key="LogGroupName"),
    "AWS::Logs::MetricFilter": _nothing,
    "AWS::CloudWatch::Alarm": _named("cloudwatch", kind="alarm:", key="AlarmName"),
    "AWS::CloudWatch::CompositeAlarm": _named("cloudwatch", kind="alarm:", key="AlarmName"),
    "AWS::CloudWatch::Dashboard": _nothing,
    "AWS::SNS::Topic": _named("sns", kind="", key="TopicName"),
    "AWS::SNS::Subscription": _nothing,
}
"""Logs, alarms and who is told of them: locally the log goes to the terminal."""

_SIGN_IN: dict[str, Maker] = {
    "AWS::Cognito::ManagedLoginBranding": _nothing,
    "AWS::Cognito::UserPool": _nothing,
    "AWS::Cognito::UserPoolClient": _nothing,
    "AWS::Cognito::UserPoolDomain": _nothing,
    "AWS::Cognito::UserPoolUser": _nothing,
}
"""Sign-in: locally who brings the key of the run is signed in."""

_CODE: dict[str, Maker] = {
    "AWS::ApiGatewayV2::Authorizer": _nothing,
    "AWS::ApiGatewayV2::Integration": _nothing,
    "AWS::ApiGatewayV2::Route": _nothing,
    "AWS::ApiGatewayV2::Stage": _nothing,
    "AWS::Serverless::LayerVersion": _nothing,
    "AWS::Scheduler::ScheduleGroup": _nothing,
    "AWS::Lambda::EventSourceMapping": _nothing,
}
"""Code and triggers: the functions run from this process's own import path; triggers.py reads the rest."""

MAKERS: dict[str, Maker] = {
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::Rule": _event_rule,
    "AWS::KMS::Alias": _key_alias,
    "AWS::KMS::Key": _key,
    "AWS::S3::Bucket": _bucket,
    "AWS::SES::ConfigurationSet": _configuration_set,
    "AWS::SES::ConfigurationSetEventDestination": _event_destination,
    "AWS::SQS::Queue": _queue,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::SecretsManager::Secret": _secret,
    **_PERMISSIONS,
    **_OBSERVATION,
    **_SIGN_IN,
    **_CODE,
}
"""Every resource type that the local runner knows."""
