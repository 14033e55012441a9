"""The template's functions give what CloudFormation gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from postroom_cli.local.intrinsics import NO_VALUE, TemplateProblem, load_document, resolve
from postroom_cli.local.template import read_template


class Names:
    def ref(self, name: str) -> Any:
        return {"Table": "the-table", "AWS::Region": "eu-central-1", "Zones": ["a", "b"]}[name]

    def attribute(self, name: str, attribute: str) -> Any:
        return f"arn:{name}:{attribute}"

    def condition(self, name: str) -> bool:
        return name == "HasIt"

    def mapping(self, name: str) -> Mapping[str, Any]:
        return {"eu-central-1": {"size": 3}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("!Ref Table", "the-table", id="ref"),
        pytest.param("!GetAtt Queue.Arn", "arn:Queue:Arn", id="get-att in short"),
        pytest.param("Fn::GetAtt: [Queue, Arn]", "arn:Queue:Arn", id="get-att in full"),
        pytest.param("!Sub '${Table}/${Queue.Arn}/${!Table}'", "the-table/arn:Queue:Arn/${Table}", id="sub"),
        pytest.param("!Sub ['${a}-${Table}', {a: !Select [1, [x, y]]}]", "y-the-table", id="sub with own names"),
        pytest.param("!If [HasIt, !Ref Table, other]", "the-table", id="if"),
        pytest.param("!If [Lacks, !Ref Missing, other]", "other", id="the other branch is never looked at"),
        pytest.param("!Join [':', [a, !Ref Table]]", "a:the-table", id="join"),
        pytest.param("!Join ['', !Ref Zones]", "ab", id="join of a list parameter"),
        pytest.param("!Select [0, !Split [',', 'a,b']]", "a", id="select and split"),
        pytest.param("!FindInMap [M, !Ref AWS::Region, size]", 3, id="find in map"),
        pytest.param("!Not [!Equals [!Ref Table, '']]", True, id="not equals"),
        pytest.param("!And [!Condition HasIt, !Equals [1, '1']]", True, id="and: numbers compare as text"),
        pytest.param("!Or [!Condition Lacks, !Equals [a, b]]", False, id="or"),
        pytest.param("!Base64 abc", "YWJj", id="base64"),
        pytest.param("{a: !Ref AWS::NoValue, b: [!Ref AWS::NoValue, 1]}", {"b": [1]}, id="no value is left out"),
        pytest.param("Version: 2012-10-17", {"Version": "2012-10-17"}, id="a policy's version is no date"),
    ],
)  # fmt: skip
def test_a_function_gives_its_value(text: str, value: Any) -> None:
    document = load_document(f"Resources:\n  X:\n    {text}\n" if ": " in text[:12] else f"Resources:\n  X: {text}\n")
    assert resolve(document["Resources"]["X"], Names()) == value


def test_a_function_nobody_knows_stops_with_its_name() -> None:
    with pytest.raises(TemplateProblem, match="Fn::Cidr"):
        resolve({"Fn::Cidr": ["10.0.0.0/8", 1, 8]}, Names())


def test_a_lone_no_value_is_told_from_none() -> None:
    assert resolve({"Ref": "AWS::NoValue"}, Names()) is NO_VALUE


def test_a_document_without_resources_is_refused() -> None:
    with pytest.raises(TemplateProblem, match="Resources"):
        load_document("Parameters: {}")


@pytest.mark.parametrize(
    ("declaration", "overrides", "problem"),
    [
        pytest.param("{Type: String}", {}, "Name has no default", id="no value"),
        pytest.param("{Type: String, Default: a}", {"Nmae": "b"}, "no parameter Nmae", id="override of nothing"),
        pytest.param("{Type: AWS::SSM::Parameter::Value<String>, Default: a}", {}, "only AWS", id="only AWS knows"),
    ],
)
def test_a_parameter_that_cannot_be_filled_in_is_named(
    tmp_path: Path, declaration: str, overrides: dict[str, str], problem: str
) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(f"Parameters:\n  Name: {declaration}\nResources: {{}}\n")
    with pytest.raises(TemplateProblem, match=problem):
        read_template(path, stack="s", overrides=overrides)


def test_globals_are_merged_into_functions_as_sam_merges_them(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(
        """
Globals:
  Function: {Timeout: 60, Layers: [a], Environment: {Variables: {A: one, B: two}}}
Resources:
  F: {Type: AWS::Serverless::Function, Properties: {Timeout: 90, Layers: [b], Environment: {Variables: {B: three}}}}
  Q: {Type: AWS::SQS::Queue}
"""
    )
    template = read_template(path, stack="s", overrides={})
    assert template.resources["F"].properties == {
        "Timeout": 90,
        "Layers": ["a", "b"],
        "Environment": {"Variables": {"A": "one", "B": "three"}},
    }
    assert template.resources["Q"].properties == {}
