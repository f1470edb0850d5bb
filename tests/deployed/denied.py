"""Functions that are denied something that they need: they say so cleanly, and leave nothing half done."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

from cutoff import LATER, PASSWORD, Portal
from expand import Template, role_of
from front import Front

_ADDRESS = "denied@example.com"
_PERSON = {"email": _ADDRESS, "first_name": "Dana", "last_name": "Denied"}


@dataclass(frozen=True)
class _Denial:
    """A request, and the statement of the role without which it cannot be done."""

    function: str
    statement: str
    path: str
    body: dict[str, Any]
    # How it is answered with all rights.
    allowed: int
    # Whether something was written before the denied call, which the sweep then takes back.
    is_late: bool


_DENIALS = (
    _Denial("RegisterFunction", "Mail", "/v1/registrations", _PERSON, 202, is_late=False),
    _Denial("UsersFunction", "Pool", "/v1/users", _PERSON | {"password": PASSWORD, "active": True}, 201, is_late=True),
)


def check(front: Front, template: Template, aws: boto3.Session) -> list[str]:
    """What is wrong with the answers to requests that a function lacks a right for, and with what is left of them."""
    found = []
    for denial in _DENIALS:
        role = front.stack.roles[role_of(denial.function, template)]
        about = f"{denial.function} without {denial.statement}"
        found += [f"{about}: {fault}" for fault in _faults(Portal(front), denial, role, aws)]
    return found


def _faults(portal: Portal, denial: _Denial, role: str, aws: boto3.Session) -> Iterator[str]:
    with _without(denial.statement, role, aws):
        status, headers, body = portal.send("POST", denial.path, denial.body)
    media = next((value for name, value in headers if name.lower() == "content-type"), "")
    if status < 500 or media != "application/problem+json":
        yield f"answered {status} as {media}: {body.decode()}"
    if b"AccessDenied" in body or b"arn:" in body:
        yield f"tells why: {body.decode()}"
    if denial.is_late:
        portal.front.advance(LATER)
    if left := [item["pk"] for item in portal.front.items() if _ADDRESS in json.dumps(item, default=str)]:
        yield f"leaves {left}"
    if _ADDRESS in portal.pool().values():
        yield "leaves a user of the pool"
    status, _, body = portal.send("POST", denial.path, denial.body)
    if status != denial.allowed:
        yield f"once allowed again, answered {status}: {body.decode()}"


@contextmanager
def _without(sid: str, role: str, aws: boto3.Session) -> Iterator[None]:
    """Takes a statement out of a role's policy for a while."""
    iam = aws.client("iam")
    [policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    less = document | {"Statement": [one for one in document["Statement"] if one["Sid"] != sid]}
    if less["Statement"] == document["Statement"]:
        raise ValueError(f"{role} has no statement {sid}")
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(less))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
