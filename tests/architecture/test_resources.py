"""What template.yaml promises of its resources: queues, buckets, table, keys, schedules, logs, alarms, API."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from postroom.bootstrap.inbound import LEAST_SECONDS
from postroom.observe import METRICS
from postroom.services.inbound.ingest import TRIAL_SECONDS

from tests.architecture.sources import functions, resources, template

QUEUES = {name: queue["Properties"] for name, queue in resources("AWS::SQS::Queue").items()}
WORK_QUEUES = {name: queue for name, queue in QUEUES.items() if name.endswith("Queue")}
BUCKETS = {name: bucket["Properties"] for name, bucket in resources("AWS::S3::Bucket").items()}


def sources() -> dict[str, tuple[str, dict[str, Any]]]:
    """Queue → the function that it feeds, and the event source."""
    found = {}
    for name, function in functions().items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                found[logical(event["Properties"]["Queue"])] = (name, event["Properties"])
    return found


def logical(reference: Any) -> str:
    """Name the resource that `!Ref X` or `!GetAtt X.Arn` means."""
    if "Ref" in reference:
        return str(reference["Ref"])
    attribute = reference["Fn::GetAtt"]
    return str(attribute[0] if isinstance(attribute, list) else attribute.split(".")[0])


def test_there_are_the_nine_functions_of_the_design() -> None:
    assert {function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] for function in functions().values()} == {
        "schedule_polls", "fetch_mailboxes", "fetch_ews", "process_inbound", "send_outbound", "track_delivery", "sweep",
        "admin_api", "desk_api",
    }  # fmt: skip


@pytest.mark.parametrize("name", functions())
def test_functions_run_python_3_13_and_on_arm64_by_default(name: str) -> None:
    assert functions()[name]["Runtime"] == "python3.13"
    assert functions()[name]["Architectures"] == [{"Ref": "Architecture"}]
    assert template()["Parameters"]["Architecture"]["Default"] == "arm64"


@pytest.mark.parametrize("name", sorted(WORK_QUEUES.keys() - {"InboundQueue"}))
def test_a_message_stays_hidden_for_six_time_outs_of_its_function(name: str) -> None:
    function, _source = sources()[name]
    assert WORK_QUEUES[name]["VisibilityTimeout"] >= 6 * functions()[function]["Timeout"]


@pytest.mark.fault(111)
def test_what_lay_beside_a_mail_that_killed_its_process_comes_back_within_two_minutes() -> None:
    seconds = functions()["ProcessInbound"]["Timeout"]
    assert seconds + 30 == WORK_QUEUES["InboundQueue"]["VisibilityTimeout"] < 120
    assert seconds >= LEAST_SECONDS + 2 * TRIAL_SECONDS


@pytest.mark.parametrize("name", WORK_QUEUES)
def test_a_function_answers_for_each_message_of_a_batch(name: str) -> None:
    _function, source = sources()[name]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("name", WORK_QUEUES)
@pytest.mark.fault(48)
def test_what_fails_five_times_goes_to_a_dead_letter_queue_with_an_alarm(name: str) -> None:
    redrive = WORK_QUEUES[name]["RedrivePolicy"]
    dead_letters = logical(redrive["deadLetterTargetArn"])
    assert redrive["maxReceiveCount"] == 5
    assert dead_letters == name.removesuffix("Queue") + "DeadLetters"
    assert QUEUES[dead_letters]["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert dead_letters in watched("ApproximateNumberOfMessagesVisible")


@pytest.mark.parametrize("name", WORK_QUEUES)
@pytest.mark.feature("O05")
def test_a_queue_has_a_parameter_for_how_much_of_it_is_worked_on_at_the_same_time(name: str) -> None:
    _function, source = sources()[name]
    parameter = source["ScalingConfig"]["MaximumConcurrency"]["Ref"]
    assert template()["Parameters"][parameter]["MinValue"] == 2  # of SQS event sources
    others = {one: source["ScalingConfig"]["MaximumConcurrency"]["Ref"] for one, (_f, source) in sources().items()}
    assert list(others.values()).count(parameter) == 1


@pytest.mark.feature("O05")
def test_the_defaults_leave_room_in_a_new_account() -> None:
    """New accounts have 10 concurrent executions; EWS is idle where no mailbox uses it."""
    defaults = {
        name: template()["Parameters"][source["ScalingConfig"]["MaximumConcurrency"]["Ref"]]["Default"]
        for name, (_function, source) in sources().items()
    }
    assert sum(defaults.values()) - defaults["EwsPollQueue"] <= 10


@pytest.mark.fault(88)
def test_a_function_that_queues_to_its_own_queue_is_not_stopped_for_it() -> None:
    for function, source in ((name, source) for name, source in sources().values()):
        queue = logical(source["Queue"])
        urls = functions()[function]["Environment"]["Variables"].values()
        own = any(url == {"Ref": queue} for url in urls)
        assert functions()[function].get("RecursiveLoop") == ("Allow" if own else None), function


CONNECTING = {"FetchMailboxes", "FetchEws", "SendOutbound"}


@pytest.mark.feature("O04")
@pytest.mark.parametrize("name", functions())
def test_functions_that_open_connections_can_be_put_into_a_network(name: str) -> None:
    given = functions()[name].get("VpcConfig")
    assert (given is not None) == (name in CONNECTING)
    assert (name in CONNECTING) == ("PRIVATE_MAIL_NETWORKS" in functions()[name]["Environment"]["Variables"])
    if given is not None:
        condition, inside, outside = given["Fn::If"]
        assert (condition, outside) == ("InVpc", {"Ref": "AWS::NoValue"})
        assert set(inside) == {"SubnetIds", "SecurityGroupIds"}
        assert template()["Resources"][name]["DependsOn"] == "NetworkAccess"


@pytest.mark.feature("O04")
def test_what_lambda_does_for_a_network_is_allowed_to_it_alone_and_only_there() -> None:
    access = template()["Resources"]["NetworkAccess"]
    assert access["Condition"] == "InVpc"
    assert {logical(role) for role in access["Properties"]["Roles"]} == {f"{name}Role" for name in CONNECTING}
    allow, deny = access["Properties"]["PolicyDocument"]["Statement"]
    assert (allow["Effect"], deny["Effect"], allow["Action"]) == ("Allow", "Deny", deny["Action"])
    assert "lambda:SourceFunctionArn" in deny["Condition"]["ArnLike"]


@pytest.mark.feature("O04")
def test_a_network_is_given_whole_and_private_servers_need_one() -> None:
    told = [one["AssertDescription"] for one in template()["Rules"]["Network"]["Assertions"]]
    assert any("VpcSubnetIds and VpcSecurityGroupIds" in one for one in told)
    assert any("PrivateMailNetworks needs VpcSubnetIds" in one for one in told)


@pytest.mark.fault(89)
def test_the_tick_carries_the_time_that_it_was_scheduled_for() -> None:
    (event,) = functions()["SchedulePolls"]["Events"].values()
    assert json.loads(event["Properties"]["Input"]) == {"scheduled": "<aws.scheduler.scheduled-time>"}


@pytest.mark.parametrize("name", WORK_QUEUES)
def test_the_age_of_the_oldest_message_has_an_alarm(name: str) -> None:
    assert name in watched("ApproximateAgeOfOldestMessage")


@pytest.mark.parametrize("name", functions())
def test_a_functions_errors_have_an_alarm(name: str) -> None:
    assert name in watched("Errors")


def test_what_the_api_answers_with_5xx_has_an_alarm() -> None:
    assert "HttpApi" in watched("5xx")  # an answer is no error of the function, whatever it says


def watched(metric: str) -> set[str]:
    """The resources that an alarm with an action watches by this metric."""
    found = set()
    for alarm in resources("AWS::CloudWatch::Alarm").values():
        properties = alarm["Properties"]
        if properties["MetricName"] == metric and properties["AlarmActions"]:
            found |= {logical(dimension["Value"]) for dimension in properties["Dimensions"]}
    return found


def test_our_own_metrics_have_alarms_and_are_ones_that_functions_log() -> None:
    namespace = template()["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"]
    own = {
        (alarm["Properties"]["MetricName"], alarm["Properties"]["Dimensions"][0]["Value"])
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["Namespace"] == namespace
    }
    assert own == {
        ("mailboxes_not_polled", "sweep"),
        ("mailboxes_failing", "sweep"),
        ("mails_not_fetched", "sweep"),
        ("imbalances", "fetch_mailboxes"),
        ("imbalances", "fetch_ews"),
        ("mails_held_now", "sweep"),
        ("mails_uncertain_now", "sweep"),
        ("mails_unarrived_now", "sweep"),
        ("processing_fails", "sweep"),
        ("records_failed", "fetch_mailboxes"),
        ("records_failed", "fetch_ews"),
        ("records_failed", "process_inbound"),
        ("records_failed", "send_outbound"),
        ("records_failed", "track_delivery"),
    }
    assert {metric for metric, _service in own} <= METRICS.keys()


def test_the_dashboard_shows_every_alarm() -> None:
    (dashboard,) = resources("AWS::CloudWatch::Dashboard").values()
    body = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
    shown = set(re.findall(r"\$\{(\w+)\.Arn\}", body))
    assert resources("AWS::CloudWatch::Alarm").keys() == shown


@pytest.mark.parametrize("name", QUEUES)
def test_queues_are_encrypted(name: str) -> None:
    assert QUEUES[name]["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize("name", BUCKETS)
def test_buckets_are_private_encrypted_versioned_and_tidied(name: str) -> None:
    bucket = BUCKETS[name]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms")
    assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
    tidy = bucket["LifecycleConfiguration"]["Rules"][0]
    assert tidy["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
    assert tidy["NoncurrentVersionExpiration"]["NoncurrentDays"] == {"Ref": "OldVersionDays"}


@pytest.mark.parametrize("name", BUCKETS)
def test_buckets_refuse_connections_without_tls(name: str) -> None:
    (policy,) = [
        policy["Properties"]["PolicyDocument"]
        for policy in resources("AWS::S3::BucketPolicy").values()
        if logical(policy["Properties"]["Bucket"]) == name
    ]
    (statement,) = policy["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2


def test_raw_mail_is_announced_to_the_inbound_queue() -> None:
    (notification,) = BUCKETS["RawBucket"]["NotificationConfiguration"]["QueueConfigurations"]
    assert logical(notification["Queue"]) == "InboundQueue"
    assert notification["Event"] == "s3:ObjectCreated:*"
    assert notification["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "raw/"}]


def test_the_table_is_on_demand_recoverable_encrypted_and_forgets() -> None:
    table = template()["Resources"]["Table"]["Properties"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}


def test_the_tables_keys_are_those_of_the_key_module() -> None:
    from postroom.adapters.dynamo import keys

    table = template()["Resources"]["Table"]["Properties"]
    schema = {index["IndexName"]: index["KeySchema"] for index in table["GlobalSecondaryIndexes"]}
    named = {name: [part["AttributeName"] for part in parts] for name, parts in schema.items()}
    assert [part["AttributeName"] for part in table["KeySchema"]] == [keys.PK, keys.SK]
    assert named == {
        keys.BY_MESSAGE_ID: [keys.MESSAGE_ID_PK],
        keys.BY_LIST: [keys.LIST_PK, keys.LIST_SK],
        keys.BY_THREAD: [keys.THREAD_PK, keys.THREAD_SK],
        keys.BY_DUE: [keys.DUE_PK, keys.DUE_SK],
        keys.BY_CUSTOMER: [keys.CUSTOMER_PK, keys.CUSTOMER_SK],
    }


@pytest.mark.parametrize("name", ["Table", "RawBucket", "ContentBucket", "CredentialsKey", "ThreadKeySecret"])
def test_what_cannot_be_made_again_outlives_the_stack(name: str) -> None:
    resource = template()["Resources"][name]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_key_of_credentials_rotates() -> None:
    assert template()["Resources"]["CredentialsKey"]["Properties"]["EnableKeyRotation"] is True


def test_the_thread_key_is_made_by_secrets_manager() -> None:
    assert template()["Resources"]["ThreadKeySecret"]["Properties"]["GenerateSecretString"]["PasswordLength"] >= 32


def test_schedules_tick() -> None:
    ticks = {
        name: event["Properties"]["ScheduleExpression"]
        for name, function in functions().items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "ScheduleV2"
    }
    assert ticks == {"SchedulePolls": "rate(1 minute)", "Sweep": "rate(5 minutes)"}


@pytest.mark.parametrize("name", functions())
def test_logs_are_kept_for_a_limited_time(name: str) -> None:
    group = logical(functions()[name]["LoggingConfig"]["LogGroup"])
    assert template()["Resources"][group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_every_route_of_the_api_asks_who_calls() -> None:
    for name, route in resources("AWS::ApiGatewayV2::Route").items():
        for_machines = route["Properties"]["ApiId"] == {"Ref": "MachineApi"}
        expected: Any = "AWS_IAM" if for_machines else {"Fn::If": ["HasJwt", "JWT", "AWS_IAM"]}
        assert route["Properties"]["AuthorizationType"] == expected, name
    assert resources("AWS::ApiGatewayV2::Route")


def test_machines_reach_every_route_that_people_do() -> None:
    keys: dict[str, set[str]] = {"HttpApi": set(), "MachineApi": set()}
    for route in resources("AWS::ApiGatewayV2::Route").values():
        keys[route["Properties"]["ApiId"]["Ref"]].add(route["Properties"]["RouteKey"])
    assert keys["HttpApi"] == keys["MachineApi"]
    assert len(keys["HttpApi"]) > 1


def test_nobody_makes_a_user_of_his_own_and_an_address_counts_once_it_is_verified() -> None:
    (pool,) = resources("AWS::Cognito::UserPool").values()
    (client,) = resources("AWS::Cognito::UserPoolClient").values()
    assert pool["Properties"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert pool["Properties"]["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    assert (client["Properties"]["AllowedOAuthFlows"], client["Properties"]["GenerateSecret"]) == (["code"], False)


def test_only_the_ews_function_carries_the_ews_layer() -> None:
    carriers = [name for name, function in functions().items() if {"Ref": "EwsLayer"} in function["Layers"]]
    assert carriers == ["FetchEws"]
