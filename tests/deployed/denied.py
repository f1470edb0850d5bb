"""Functions that are denied something that they need: they say so cleanly, and leave nothing half done."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

from cutoff import LATER, OWNER, PASSWORD, Portal
from expand import Template, role_of
from front import Front

_ADDRESS = "denied@example.com"
_PERSON = {"email": _ADDRESS, "first_name": "Dana", "last_name": "Denied"}
# Every portal has it.
_TEAM = "team_00000000000000000000000000"
_CODE = "DENIED-1"


def _code(portal: Portal) -> str:
    portal.ask("POST", "/v1/invite-codes", {"team_id": _TEAM, "code": _CODE}, 201)
    return "/v1/invite-codes/redeem"


def _inactive(portal: Portal) -> str:
    return f"/v1/users/{portal.person('denied', active=False)}/activate"


@dataclass(frozen=True)
class Denial:
    """A request, and the statement of the role without which it cannot be done."""

    function: str
    statement: str
    # Where it is posted to, or what makes the portal ready for it and says where.
    path: str | Callable[[Portal], str]
    body: dict[str, Any] | None
    # How it is answered with all rights.
    allowed: int
    # Whether something is written before the denied call, which the sweep takes back.
    is_late: bool = False


# One for each function with a route.
DENIALS = (
    Denial("ApproveFunction", "Mail", _inactive, None, 200),
    Denial("InviteCodesFunction", "Portal", "/v1/invite-codes", {"team_id": _TEAM, "code": _CODE}, 201),
    Denial("InviteFunction", "Mail", "/v1/invitations", _PERSON, 201),
    Denial("LoginFunction", "Pool", "/v1/auth/login", {"email": OWNER, "password": PASSWORD}, 200),
    Denial("MeFunction", "Pool", "/v1/me/password", {"current_password": PASSWORD, "new_password": f"{PASSWORD}!"}, 200),
    Denial("OrganisationsFunction", "Portal", "/v1/organisations", {"name": "Denied"}, 201),
    Denial("RedeemCodeFunction", "Mail", _code, _PERSON | {"code": _CODE}, 202),
    Denial("RegisterFunction", "Mail", "/v1/registrations", _PERSON, 202),
    Denial("SettingsFunction", "Portal", "/v1/user-attributes", {"name": "denied", "label": "D", "type": "string"}, 201),
    Denial("UsersFunction", "Pool", "/v1/users", _PERSON | {"password": PASSWORD, "active": True}, 201, is_late=True),
)


def check(front: Front, template: Template, aws: boto3.Session) -> list[str]:
    """What is wrong with the answers to requests that a function lacks a right for, and with what is left of them."""
    found = []
    for denial in DENIALS:
        role = front.stack.roles[role_of(denial.function, template)]
        about = f"{denial.function} without {denial.statement}"
        found += [f"{about}: {fault}" for fault in _faults(Portal(front), denial, role, aws)]
    return found


def _faults(portal: Portal, denial: Denial, role: str, aws: boto3.Session) -> Iterator[str]:
    path = denial.path if isinstance(denial.path, str) else denial.path(portal)
    # What was asked for before is done.
    portal.front.mails(None)
    before = _state(portal)
    with _without(denial.statement, role, aws):
        status, headers, body = portal.send("POST", path, denial.body)
    media = next((value for name, value in headers if name.lower() == "content-type"), "")
    if status != 500 or media != "application/problem+json" or json.loads(body)["type"] != "/problems/internal":
        yield f"answered {status} as {media}: {body.decode()}"
    if b"AccessDenied" in body or b"arn:" in body:
        yield f"tells why: {body.decode()}"
    if denial.is_late:
        portal.front.advance(LATER)
        if left := [key for key, item in _state(portal).items() if _ADDRESS in item]:
            yield f"leaves {left}"
    elif left := sorted(key for key, item in _state(portal).items() ^ before.items()):
        yield f"leaves {left}"
    status, _, body = portal.send("POST", path, denial.body)
    if status != denial.allowed:
        yield f"once allowed again, answered {status}: {body.decode()}"


def _state(portal: Portal) -> dict[str, str]:
    """Everything that is kept, as text by its key: the items of both tables and the users of the pool."""
    items = {f"{item['pk']} {item['sk']}": json.dumps(item, default=str, sort_keys=True) for item in portal.front.items()}
    return items | portal.pool()


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
