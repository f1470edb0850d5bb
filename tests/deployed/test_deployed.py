"""What the deployed test relies on, tested without an emulator. Run from this folder: python -m unittest."""

import json
import unittest
from decimal import Decimal

from ageing import aged
from expand import derive, expand
from grants import allowed, used
from recorder import actions

_TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Table:
    Type: AWS::DynamoDB::Table
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Tokens
        Authorizers:
          Tokens:
            IdentitySource: $request.header.Authorization
            JwtConfiguration: { issuer: "https://issuer", audience: [client] }
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: s3://artifacts/code
      Policies:
        - Statement:
            - { Effect: Allow, Action: [dynamodb:PutItem], Resource: !GetAtt PortalTable.Arn }
            - { Effect: Allow, Action: [dynamodb:Query], Resource: [!Sub "${PortalTable.Arn}/index/Lists"] }
            - { Effect: Allow, Action: [ses:SendEmail], Resource: ["arn:x:identity/*", "arn:x:configuration-set/y"] }
      Events:
        Public: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: POST, Path: /v1/open, Auth: { Authorizer: NONE } } }
        Closed: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: "/v1/things/{id}" } }
        Sweep: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(5 minutes) } }
"""


class Expansion(unittest.TestCase):
    """The template that the emulator gets."""

    def setUp(self) -> None:
        self.resources = derive(expand(_TEMPLATE))["Resources"]

    def routes(self) -> dict[str, dict[str, object]]:
        """Routes by their key."""
        found = [one["Properties"] for one in self.resources.values() if one["Type"] == "AWS::ApiGatewayV2::Route"]
        return {route["RouteKey"]: route for route in found}

    def test_each_path_becomes_a_route_with_the_authorizer_that_it_asks_for(self) -> None:
        routes = self.routes()
        self.assertEqual(set(routes), {"POST /v1/open", "GET /v1/things/{id}"})
        self.assertNotIn("AuthorizationType", routes["POST /v1/open"])
        self.assertEqual(routes["GET /v1/things/{id}"]["AuthorizerId"], {"Ref": "ApiTokensAuthorizer"})
        self.assertNotIn("Body", self.resources["Api"]["Properties"])

    def test_functions_name_themselves_and_the_sweep_runs_every_minute(self) -> None:
        variables = self.resources["Function"]["Properties"]["Environment"]["Variables"]
        self.assertEqual(variables["AWS_SDK_UA_APP_ID"], "Function")
        schedule = self.resources["FunctionSweep"]["Properties"]
        self.assertEqual(schedule["ScheduleExpression"], "rate(1 minute)")

    def test_rights_are_read_with_what_they_are_for(self) -> None:
        expected = {
            ("dynamodb:PutItem", "PortalTable"),
            ("dynamodb:Query", "PortalTable/index/Lists"),
            ("ses:SendEmail", "identity"),
            ("ses:SendEmail", "configuration-set"),
        }
        self.assertEqual(allowed({"Resources": self.resources})["Function"], expected)


class Recording(unittest.TestCase):
    """What a call needs."""

    def test_a_transaction_needs_each_of_its_parts(self) -> None:
        body = {"TransactItems": [
            {"Put": {"TableName": "a"}}, {"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}},
        ]}
        expected = [("dynamodb:ConditionCheckItem", "b"), ("dynamodb:PutItem", "a")]
        self.assertEqual(actions("POST", "/", "DynamoDB_20120810.TransactWriteItems", body), expected)

    def test_an_index_is_something_of_its_own(self) -> None:
        body = {"TableName": "a", "IndexName": "Lists"}
        self.assertEqual(actions("POST", "/", "DynamoDB_20120810.Query", body), [("dynamodb:Query", "a/index/Lists")])

    def test_what_was_denied_is_told_apart_and_what_was_injected_left_out(self) -> None:
        call = {"function": "F", "actions": [["dynamodb:PutItem", "a/index/Lists"]], "error": "", "contrived": False}
        lines = [call, call | {"error": "AccessDeniedException"}, call | {"contrived": True, "function": "G"}]
        done, denied = used(map(json.dumps, lines), {"a": "PortalTable"})
        self.assertEqual((done, denied), ({"F": {("dynamodb:PutItem", "PortalTable/index/Lists")}},) * 2)


class Ageing(unittest.TestCase):
    """Time that passes."""

    def test_instants_get_older_and_nothing_else_does(self) -> None:
        at = Decimal(1_764_000_000_000)
        item = {
            "pk": "000001764000000000#a", "sk": "A", "queue_sk": "001764000000000#usr_1", "name": "1764000000000",
            "version": Decimal(3), "sessions": {"one": {"at": at}}, "list": [at],
        }
        older = at - 60_000
        expected = item | {
            "queue_sk": "001763999940000#usr_1", "sessions": {"one": {"at": older}}, "list": [older],
        }
        self.assertEqual(aged(item, 60), expected)


if __name__ == "__main__":
    unittest.main()
