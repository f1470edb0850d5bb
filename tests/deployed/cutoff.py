"""Requests that are cut off at a call of theirs: what they leave is undone at once or finished by the sweep.

Only so do functions use the rights that they have for the way back.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from front import Front

OWNER, PASSWORD = "owner@example.com", "violet tractor 42!"
# Longer than anything that was cut off is left alone by the sweep.
LATER = 3600


def _fault(function: str, operation: str, skipped: int = 0) -> dict[str, Any]:
    """The fault that a call of a function meets, one that nobody tries again, after so many that go through."""
    refusal = {"__type": "ValidationException", "message": "cut off"}
    return {"operation": operation, "function": function, "skipped": skipped, "status": 400, "body": refusal}


class Portal:
    """The portal through its API, as the owner sees it."""

    def __init__(self, front: Front) -> None:
        front.reset()
        self.front = front
        [mail] = front.mails(OWNER)
        token = mail["text"].split("#token=")[1].split()[0]
        self.ask("POST", "/v1/invitations/accept", {"token": token, "password": PASSWORD}, 200)
        tokens = self.ask("POST", "/v1/auth/login", {"email": OWNER, "password": PASSWORD}, 200)
        self.token = tokens["access_token"]

    def ask(self, method: str, path: str, body: Any, expected: int) -> Any:
        """Asks as the owner; another status than expected is a failure."""
        status, _, answer = self.send(method, path, body)
        if status != expected:
            raise AssertionError(f"{method} {path} is answered {status}, and not {expected}: {answer.decode()}")
        return json.loads(answer) if answer else None

    def send(self, method: str, path: str, body: Any) -> tuple[int, Any, bytes]:
        """Asks as the owner, whatever the answer is: its status, headers and content."""
        headers = {"content-type": "application/json"} if body is not None else {}
        if hasattr(self, "token"):
            headers["authorization"] = f"Bearer {self.token}"
        content = b"" if body is None else json.dumps(body).encode()
        return self.front.pass_on(method, path, headers, content)

    @contextmanager
    def cut_off(self, function: str, operation: str, skipped: int = 0) -> Iterator[None]:
        """Has a call of a function fail for good, after so many that do not."""
        fault = _fault(function, operation, skipped)
        self.front.recorder.faults.append(fault)
        yield
        if fault in self.front.recorder.faults:
            raise AssertionError(f"{function} never made the call {operation} that was to be cut off")

    def person(self, name: str, **more: Any) -> str:
        """Creates somebody with a password; returns their id."""
        body = {"email": f"{name}@example.com", "first_name": name, "last_name": "Hopper", "password": PASSWORD, "active": True}
        return self.ask("POST", "/v1/users", body | more, 201)["id"]

    def emails(self) -> list[str]:
        """The addresses of everybody."""
        return [person["email"] for person in self.ask("GET", "/v1/users?limit=100", None, 200)["items"]]

    def pool(self) -> dict[str, str]:
        """The addresses of the pool's users, by their names."""
        users = self.front.cognito.list_users(UserPoolId=self.front.stack.user_pool)["Users"]
        return {
            user["Username"]: next(one["Value"] for one in user["Attributes"] if one["Name"] == "email") for user in users
        }


def check(front: Front) -> list[str]:
    """Cuts requests off; what is wrong with what is left of them in the end."""
    portal = Portal(front)
    found = []
    for what in (_redemption, _change_of_address, _deletion, _team, _unsent_mail):
        try:
            what(portal)
        except AssertionError as failure:
            found.append(f"cut off,{what.__name__.replace('_', ' ')}: {failure}")
        front.recorder.faults.clear()
    return found


def _redemption(portal: Portal) -> None:
    team = portal.ask("GET", "/v1/organisations", None, 200)["items"][0]["id"]
    [team] = portal.ask("GET", f"/v1/organisations/{team}/teams", None, 200)["items"]
    portal.ask("PATCH", "/v1/settings", {"email_confirmation": False}, 200)
    portal.ask("POST", "/v1/invite-codes", {"team_id": team["id"], "code": "CUT-OFF-1", "quota": 1}, 201)
    body = {"code": "CUT-OFF-1", "email": "ada@example.com", "first_name": "Ada", "last_name": "L", "password": PASSWORD}
    with portal.cut_off("RedeemCodeFunction", "AdminCreateUser"):
        portal.ask("POST", "/v1/invite-codes/redeem", body, 500)
    assert "ada@example.com" not in portal.emails(), "somebody without a password is there"
    portal.ask("POST", "/v1/invite-codes/redeem", body, 202)
    portal.ask("PATCH", "/v1/settings", {"email_confirmation": True}, 200)


def _change_of_address(portal: Portal) -> None:
    mary = portal.person("mary")
    with portal.cut_off("UsersFunction", "AdminUpdateUserAttributes"):
        portal.ask("PATCH", f"/v1/users/{mary}", {"email": "mary@example.org"}, 200)
    assert portal.pool()[mary] == "mary@example.com", "the pool was told"
    portal.front.advance(LATER)
    assert portal.pool()[mary] == "mary@example.org", "the pool is never told"


def _deletion(portal: Portal) -> None:
    joan = portal.person("joan")
    portal.front.mails(None)
    with portal.cut_off("UsersFunction", "AdminDeleteUser"), portal.cut_off("UsersFunction", "Query"):
        portal.ask("DELETE", f"/v1/users/{joan}", None, 204)
    assert "joan@example.com" not in portal.emails(), "who was deleted is listed"
    portal.front.advance(LATER)
    assert joan not in portal.pool(), "who was deleted stays in the pool"
    left = [item["pk"] for item in portal.front.items() if "joan@" in json.dumps(item, default=str)]
    assert not left, f"of who was deleted {left} is left"


def _team(portal: Portal) -> None:
    acme = portal.ask("POST", "/v1/organisations", {"name": "Acme"}, 201)["id"]
    team = portal.ask("POST", f"/v1/organisations/{acme}/teams", {"name": "Mobile"}, 201)["id"]
    eve = portal.person("eve", organisation_id=acme, team_ids=[team])
    with portal.cut_off("OrganisationsFunction", "TransactWriteItems", skipped=1):
        portal.ask("DELETE", f"/v1/organisations/{acme}/teams/{team}", None, 500)
    portal.front.advance(LATER)
    teams = portal.ask("GET", f"/v1/users/{eve}", None, 200)["teams"]
    assert [one["name"] for one in teams] != ["Mobile"] and len(teams) == 1, f"somebody is in {teams}"


def _unsent_mail(portal: Portal) -> None:
    # The stream's function fails at its first write, however often it is tried again; the sweep's does not.
    faults = [_fault("DeliverMailFunction", "UpdateItem") for _ in range(1000)]
    portal.front.recorder.faults += faults
    portal.person("late")
    # A failure puts a mail off for a while.
    portal.front.advance(LATER)
    assert len(portal.front.recorder.faults) < len(faults), "the stream's function has met no fault"
    events = [mail["event"] for mail in portal.front.mails("late@example.com")]
    assert events == ["welcome"], f"of mail that the stream has not sent, the sweep has sent {events}"
