"""A function that is denied something that it needs: it says so cleanly, and leaves nothing half done."""

import json
from typing import Any

import boto3

from front import Front

_FUNCTION, _STATEMENT = "RegisterFunction", "Mail"
_PERSON = {"email": "denied@example.com", "first_name": "Dana", "last_name": "Denied"}


def check(front: Front, role: str, aws: boto3.Session) -> list[str]:
    """What is wrong with the answer to a registration while the function must not write mail, and with what is left of it."""
    front.reset()
    iam = aws.client("iam")
    [policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    less = document | {"Statement": [one for one in document["Statement"] if one["Sid"] != _STATEMENT]}
    if less["Statement"] == document["Statement"]:
        return [f"{_FUNCTION} has no statement {_STATEMENT} to be denied"]
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(less))
    try:
        status, headers, body = _register(front)
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
    found = []
    media = next((value for name, value in headers if name.lower() == "content-type"), "")
    if status < 500 or media != "application/problem+json":
        found.append(f"a denied registration is answered {status} as {media}: {body.decode()}")
    if b"AccessDenied" in body or b"arn:" in body:
        found.append(f"a denied registration tells why: {body.decode()}")
    if left := [item["pk"] for item in front.items() if _PERSON["email"] in json.dumps(item, default=str)]:
        found.append(f"a denied registration leaves {left}")
    status, _, body = _register(front)
    if status != 202:
        found.append(f"the registration that is allowed again is answered {status}: {body.decode()}")
    return found


def _register(front: Front) -> tuple[int, Any, bytes]:
    headers = {"content-type": "application/json"}
    return front.pass_on("POST", "/v1/registrations", headers, json.dumps(_PERSON).encode())
