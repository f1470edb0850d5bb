"""The packaged SAM template as the emulator can deploy it.

AWS's own translator turns the template into CloudFormation, in which the HTTP API is one OpenAPI body. The emulator does
not read bodies, so that each path of it becomes the route, integration and authorizer resources that it stands for.
"""

import json
import os
import re
from types import SimpleNamespace
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

Template = dict[str, Any]

REGION = "eu-west-1"
_METHOD = "x-amazon-apigateway-integration"


def expand(source: str) -> Template:
    """Translates SAM and takes the bodies of HTTP APIs apart."""
    os.environ["AWS_DEFAULT_REGION"] = REGION
    template = transform(yaml_parse(source), {}, SimpleNamespace(load=dict))
    resources = template["Resources"]
    for name, resource in list(resources.items()):
        if resource["Type"] == "AWS::ApiGatewayV2::Api" and "Body" in resource["Properties"]:
            resources.update(_taken_apart(name, resource["Properties"]))
    return template


def _taken_apart(api: str, properties: dict[str, Any]) -> dict[str, Any]:
    body = properties.pop("Body")
    properties.pop("FailOnWarnings", None)
    properties.update(Name=api, ProtocolType="HTTP")
    made: dict[str, Any] = {}
    schemes = body.get("components", {}).get("securitySchemes", {})
    authorizers = {name: f"{api}{name}Authorizer" for name in schemes}
    for name, scheme in schemes.items():
        given = scheme["x-amazon-apigateway-authorizer"]
        token, source = given["jwtConfiguration"], given["identitySource"]
        made[authorizers[name]] = {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            "Properties": {
                "ApiId": {"Ref": api},
                "Name": name,
                "AuthorizerType": "JWT",
                "IdentitySource": source if isinstance(source, list) else [source],
                "JwtConfiguration": {"Issuer": token["issuer"], "Audience": token["audience"]},
            },
        }
    for path, item in body["paths"].items():
        for method, operation in item.items():
            if not isinstance(operation, dict) or _METHOD not in operation:
                raise ValueError(f"{method} {path} of {api} leads to no function")
            made.update(_route(api, authorizers, f"{method.upper()} {path}", operation))
    return made


def _route(api: str, authorizers: dict[str, str], key: str, operation: dict[str, Any]) -> dict[str, Any]:
    given = operation[_METHOD]
    function = re.search(r"functions/\$\{(\w+)\.Arn\}", json.dumps(given["uri"]))
    if function is None:
        raise ValueError(f"{key} of {api} leads to no function")
    name = api + "".join(word.capitalize() for word in re.split(r"\W+", key))
    route: dict[str, Any] = {
        "ApiId": {"Ref": api},
        "RouteKey": key,
        "Target": {"Fn::Sub": f"integrations/${{{name}Integration}}"},
    }
    asked = [scheme for requirement in operation.get("security", []) for scheme in requirement]
    if asked not in ([], ["NONE"]):
        [scheme] = asked
        route.update(AuthorizationType="JWT", AuthorizerId={"Ref": authorizers[scheme]})
    return {
        f"{name}Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": api},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": {"Fn::GetAtt": [function.group(1), "Arn"]},
                "PayloadFormatVersion": given["payloadFormatVersion"],
            },
        },
        f"{name}Route": {"Type": "AWS::ApiGatewayV2::Route", "Properties": route},
    }


def derive(template: Template) -> Template:
    """The copy that is deployed to the emulator: only what it cannot do otherwise, and what a test must not wait for.

    1. Each function names itself to the SDK, so that the recorder can tell whose call it is.
    2. Sending mail is allowed for whatever sender: the emulator asks for a right to everything. tests/tests/permissions.rs
       holds the original.
    3. The sweep runs every minute.
    4. Alarms over several metrics are left out: the emulator has none. tests/tests/deployment.rs holds them.
    """
    derived: Template = json.loads(json.dumps(template, default=str))
    for name, resource in list(derived["Resources"].items()):
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Function":
            properties.setdefault("Environment", {}).setdefault("Variables", {})["AWS_SDK_UA_APP_ID"] = name
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            del derived["Resources"][name]
        if resource["Type"] == "AWS::Scheduler::Schedule":
            properties["ScheduleExpression"] = "rate(1 minute)"
        if resource["Type"] == "AWS::IAM::Role":
            for statement in statements(properties):
                if statement["Action"] == ["ses:SendEmail"]:
                    statement["Resource"] = "*"
    return derived


def role_of(function: str, template: Template) -> str:
    """The logical id of the role that a function runs as."""
    role: str = template["Resources"][function]["Properties"]["Role"]["Fn::GetAtt"][0]
    return role


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    """What a role's own policies say."""
    policies = [policy["PolicyDocument"]["Statement"] for policy in role.get("Policies", [])]
    return [statement for policy in policies for statement in (policy if isinstance(policy, list) else [policy])]
