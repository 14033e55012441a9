"""template.yaml gives each function exactly the settings that its part of bootstrap reads."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
from postroom import bootstrap
from postroom.bootstrap import clients
from postroom.environment import SETTINGS, Environment, read_environment

from tests.architecture.sources import ROOT, functions, template

POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE"}


class AnyClient:
    """Stands in for a client: services are wired, never called."""

    def __getattr__(self, name: str) -> Any:
        return self


@pytest.mark.parametrize("name", functions())
def test_a_function_is_given_what_it_reads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = functions()[name]["Environment"]["Variables"]
    read: set[str] = set()

    def recording(_environ: Mapping[str, str], *names: str) -> Environment:
        read.update(names)
        defaults = {one: SETTINGS[one].default for one in names}
        return Environment({one: "example" if default is None else default for one, default in defaults.items()})

    monkeypatch.setattr(clients, "read_environment", recording)
    monkeypatch.setattr(clients, "client", lambda *_args, **_kwargs: AnyClient())
    wire = getattr(bootstrap, variables["POWERTOOLS_SERVICE_NAME"])
    bootstrap.forget()
    wire()
    bootstrap.forget()
    assert {SETTINGS[one].variable for one in read} == set(variables) - POWERTOOLS


def test_every_setting_is_used_by_a_function() -> None:
    given = {variable for function in functions().values() for variable in function["Environment"]["Variables"]}
    assert {setting.variable for setting in SETTINGS.values()} == given - POWERTOOLS


def test_the_defaults_of_the_template_are_settings_that_are_accepted() -> None:
    parameters = template()["Parameters"]
    environ = {
        "ALLOW_PLAINTEXT_CREDENTIALS": parameters["AllowPlaintextCredentials"]["Default"],
        "PRIVATE_MAIL_NETWORKS": parameters["PrivateMailNetworks"]["Default"],
    }
    settings = read_environment(environ, "allow_plaintext_credentials", "private_mail_networks")
    assert settings.allow_plaintext_credentials is False
    assert settings.private_mail_networks == ()


def test_outputs_are_named_for_the_settings() -> None:
    """The command line finds the stack's resources by these names."""
    outputs = set(template()["Outputs"])
    resources = set(SETTINGS) - {"allow_plaintext_credentials", "private_mail_networks", "first_administrator"}
    assert {"".join(word.title() for word in name.split("_")) for name in resources} <= outputs


def test_all_parameters_have_defaults_so_that_pressing_enter_deploys() -> None:
    assert [name for name, declared in template()["Parameters"].items() if "Default" not in declared] == []


def test_the_last_question_of_a_guided_deployment_is_not_answered_no_by_enter() -> None:
    """`sam deploy --guided` asks "Deploy this changeset? [y/N]" where changes are to be confirmed."""
    saved = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))["default"]["deploy"]["parameters"]
    assert saved["confirm_changeset"] is False
    assert saved["capabilities"] == "CAPABILITY_IAM"
