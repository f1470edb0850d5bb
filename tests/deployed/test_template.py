"""What AWS's translator makes of the template beyond what stands in it: who may call a function, and SAM's own role."""

import json
import re
import unittest
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from denied import DENIALS
from expand import Template, expand, statements

_SOURCE = Path(__file__).parents[2] / "template.yaml"
_ARN = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/${__Stage__}/"


class Translated(unittest.TestCase):
    """The stack as CloudFormation gets it."""

    source: dict[str, Any]
    template: Template

    @classmethod
    def setUpClass(cls) -> None:
        text = _SOURCE.read_text("utf-8")
        cls.source = yaml_parse(text)
        # Translation is of a packaged template.
        cls.template = expand(re.sub(r"CodeUri: .*", "CodeUri: s3://artifacts/code", text))

    def of_kind(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of the resources of a kind, by their name."""
        return {name: one["Properties"] for name, one in self.template["Resources"].items() if one["Type"] == kind}

    def permissions(self, principal: str) -> list[tuple[str, Any]]:
        """Functions that a service may call, each with what it may call it from."""
        found = [one for one in self.of_kind("AWS::Lambda::Permission").values() if one["Principal"] == principal]
        self.assertEqual({one["Action"] for one in found}, {"lambda:InvokeFunction"})
        return [(one["FunctionName"]["Ref"], one["SourceArn"]) for one in found]

    def events(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """Events of a kind, each with its function, as the template declares them."""
        functions = {n: r for n, r in self.source["Resources"].items() if r["Type"] == "AWS::Serverless::Function"}
        return [
            (name, event["Properties"])
            for name, function in functions.items()
            for event in function["Properties"].get("Events", {}).values()
            if event["Type"] == kind
        ]

    def test_api_gateway_may_call_the_function_of_each_route_for_that_route(self) -> None:
        found = self.permissions("apigateway.amazonaws.com")
        expected = [
            (function, f"{_ARN}{route['Method'].upper()}{re.sub(r'{[^}]*}', '*', route['Path'])}")
            for function, route in self.events("HttpApi")
        ]
        self.assertEqual(len(self.of_kind("AWS::ApiGatewayV2::Route")), len(expected))
        self.assertEqual(sorted((function, arn["Fn::Sub"][0]) for function, arn in found), sorted(expected))
        self.assertTrue(all(arn["Fn::Sub"][1] == {"__ApiId__": {"Ref": "Api"}, "__Stage__": "*"} for _, arn in found))

    def test_every_function_with_a_route_is_denied_something(self) -> None:
        self.assertEqual({denial.function for denial in DENIALS}, {function for function, _ in self.events("HttpApi")})

    def test_the_topic_may_call_the_function_that_it_starts(self) -> None:
        expected = [(function, event["Topic"]) for function, event in self.events("SNS")]
        self.assertEqual(len(expected), 1)
        self.assertEqual(self.permissions("sns.amazonaws.com"), expected)

    def test_nothing_else_may_call_a_function(self) -> None:
        principals = {one["Principal"] for one in self.of_kind("AWS::Lambda::Permission").values()}
        self.assertEqual(principals, {"apigateway.amazonaws.com", "sns.amazonaws.com"})

    def test_the_schedule_may_start_the_sweep_and_keep_what_failed(self) -> None:
        [(function, _)] = self.events("ScheduleV2")
        [schedule] = self.of_kind("AWS::Scheduler::Schedule").values()
        role, _ = schedule["Target"]["RoleArn"]["Fn::GetAtt"]
        properties = self.of_kind("AWS::IAM::Role")[role]
        allowed = {(one["Action"], json.dumps(one["Resource"])) for one in statements(properties)}
        expected = {
            ("lambda:InvokeFunction", json.dumps({"Fn::GetAtt": [function, "Arn"]})),
            ("sqs:SendMessage", json.dumps({"Fn::GetAtt": ["FailureQueue", "Arn"]})),
        }
        self.assertEqual(allowed, expected)
        self.assertNotIn("ManagedPolicyArns", properties)

    def test_no_role_has_a_policy_of_awss_own(self) -> None:
        managed = {name: role.get("ManagedPolicyArns", []) for name, role in self.of_kind("AWS::IAM::Role").items()}
        self.assertEqual(len(managed), len(self.of_kind("AWS::Lambda::Function")) + len(self.events("ScheduleV2")))
        ours = {"Ref": "TracePolicy"}
        self.assertEqual({name: arns for name, arns in managed.items() if any(arn != ours for arn in arns)}, {})


if __name__ == "__main__":
    unittest.main()
