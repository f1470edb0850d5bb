"""One address for the deployed portal: what the local portal has beside its API, made of what the emulator offers.

Everything is passed on to the emulated API Gateway but:

- `GET /_local/mail?to=`: mails out of the emulator's store, as the local mailbox shows them;
- `POST /2015-03-31/functions/{name}/invocations`: Lambda's own, by the names of the template;
- `POST /_local/mail/{id}/bounce?kind=`: what SES would tell of it, published and waited for;
- `POST /_local/run/expire`: the sweep, invoked and waited for;
- `POST /_local/clock`: everything in the tables made older, and then the sweep;
- `POST /_local/reset`: empty tables, an empty pool, and what a stack begins with, written by the function that CloudFormation asks.
"""

import http.client
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3

import ageing
import fate
from answering import Answering
from recorder import Recorder

# Seconds after which a mail that is still unsent will not be sent in this run.
_PATIENCE = 10.0
_INVOKE = "/2015-03-31/functions/"
_FEEDBACK = "MailFeedbackFunction"


@dataclass(frozen=True)
class Stack:
    """What the front has to know of a stack that runs."""

    emulator: int
    api: str
    portal_table: str
    mail_table: str
    user_pool: str
    feedback: str
    functions: dict[str, str]
    roles: dict[str, str]
    owner: dict[str, str]


class Front(ThreadingHTTPServer):
    """Listens for the journeys."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, stack: Stack, session: boto3.Session, recorder: Recorder) -> None:
        super().__init__(("127.0.0.1", port), _Request)
        self.stack, self.recorder = stack, recorder
        self.topics = session.client("sns")
        self.dynamodb = session.resource("dynamodb")
        self.cognito = session.client("cognito-idp")
        self.invoker = session.client("lambda")
        # Mails of an earlier portal are not shown.
        self.mails_before = 0
        # How many portals have begun.
        self.resets = 0

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, bytes]:
        """Asks the emulator."""
        upstream = http.client.HTTPConnection("127.0.0.1", self.stack.emulator, timeout=90)
        upstream.request(method, path, body, headers)
        response = upstream.getresponse()
        answer = response.read()
        upstream.close()
        return response.status, response.getheaders(), answer

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, bytes]:
        """Asks the portal."""
        host = f"{self.stack.api}.execute-api.localhost:{self.stack.emulator}"
        return self.ask(method, path, headers | {"host": host}, body)

    def items(self) -> list[dict[str, Any]]:
        """Everything that stands in the tables."""
        names = (self.stack.portal_table, self.stack.mail_table)
        return [item for name in names for item in _items(self.dynamodb.Table(name))]

    def sent(self) -> list[dict[str, Any]]:
        """Every mail that the emulator took, the oldest first."""
        _, _, answer = self.ask("GET", "/_ministack/ses/messages", {}, b"")
        accounts = json.loads(answer)["messages"].values()
        return [mail for account in accounts for mail in account]

    def mails(self, to: str | None) -> list[dict[str, Any]]:
        """The mails to somebody since the portal began, the newest first, once nothing is on its way any more."""
        self._settle()
        shown = [
            {
                "id": mail["MessageId"],
                "to": ", ".join(mail["To"]),
                "subject": mail["Subject"],
                "text": mail["BodyText"],
                "html": mail["BodyHtml"],
                "event": self.recorder.tags[mail["MessageId"]]["event"],
                "sent_at": mail["Timestamp"],
            }
            for mail in self.sent()[self.mails_before :]
        ]
        return [mail for mail in reversed(shown) if to is None or to.lower() in mail["to"].lower().split(", ")]

    def _settle(self) -> None:
        """Waits until no mail is queued."""
        table = self.dynamodb.Table(self.stack.mail_table)
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and any("unsent_pk" in item for item in _items(table)):
            time.sleep(0.05)

    def meet(self, id: str, kind: str) -> None:
        """Publishes what a mail met, and waits until the portal has taken it in."""
        [mail] = [mail for mail in self.sent() if mail["MessageId"] == id]
        before = self.recorder.calls[_FEEDBACK]
        event = fate.news(mail, self.recorder.tags[id], kind)
        self.topics.publish(TopicArn=self.stack.feedback, Message=json.dumps(event))
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self.recorder.calls[_FEEDBACK] == before:
            time.sleep(0.05)
        # Its calls follow each other without a pause.
        while (calls := self.recorder.calls[_FEEDBACK]) and not time.sleep(0.3) and self.recorder.calls[_FEEDBACK] != calls:
            pass

    def advance(self, seconds: int) -> None:
        """Lets time pass, as far as the tables know of it, and runs the sweep."""
        self.age(seconds)
        self.sweep()

    def age(self, seconds: int) -> None:
        """Makes everything in the tables older."""
        for name in (self.stack.portal_table, self.stack.mail_table):
            table = self.dynamodb.Table(name)
            for item in _items(table):
                older = ageing.aged(item, seconds)
                if older["sk"] != item["sk"]:
                    table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
                if older != item:
                    table.put_item(Item=older)

    def sweep(self) -> None:
        """Runs the sweep."""
        self._invoke("ExpireFunction", {"source": "aws.scheduler"})

    def reset(self) -> None:
        """Begins anew: nobody, and what the stack writes at its creation."""
        self.resets += 1
        for name in (self.stack.portal_table, self.stack.mail_table):
            table = self.dynamodb.Table(name)
            with table.batch_writer() as batch:
                for item in _items(table):
                    batch.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
        pages = self.cognito.get_paginator("list_users").paginate(UserPoolId=self.stack.user_pool)
        for user in [user for page in pages for user in page["Users"]]:
            self.cognito.admin_delete_user(UserPoolId=self.stack.user_pool, Username=user["Username"])
        self.mails_before = len(self.sent())
        event = {
            "RequestType": "Create",
            "ServiceToken": "arn:aws:lambda:eu-west-1:000000000000:function:bootstrap",
            "ResponseURL": f"http://127.0.0.1:{self.server_address[1]}/_local/written",
            "StackId": "arn:aws:cloudformation:eu-west-1:000000000000:stack/portico/1",
            "RequestId": f"reset-{self.mails_before}",
            "LogicalResourceId": "Bootstrap",
            "ResourceType": "Custom::PortalBootstrap",
            "ResourceProperties": self.stack.owner,
        }
        self._invoke("BootstrapFunction", event)

    def _invoke(self, function: str, event: dict[str, Any]) -> None:
        status, _, body = self.invoke(function, json.dumps(event).encode())
        if status != 200:
            raise RuntimeError(f"{function} failed: {body.decode()}")

    def invoke(self, function: str, event: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Starts a function by its logical id, and waits for it; a failure is a 502 here, so that nobody overlooks it."""
        answer = self.invoker.invoke(FunctionName=self.stack.functions[function], Payload=event)
        headers = [("content-type", "application/json")]
        return 502 if "FunctionError" in answer else 200, headers, answer["Payload"].read()


def _items(table: Any) -> list[dict[str, Any]]:
    page = table.scan(ConsistentRead=True)
    items = page["Items"]
    while "LastEvaluatedKey" in page:
        page = table.scan(ConsistentRead=True, ExclusiveStartKey=page["LastEvaluatedKey"])
        items += page["Items"]
    return items


class _Request(Answering):
    server: Front

    def _serve(self) -> None:
        body = self.body()
        target = urlsplit(self.path)
        match (self.command, target.path):
            case ("GET", "/_local/mail"):
                to = parse_qs(target.query).get("to", [None])[0]
                self._say({"items": self.server.mails(to)})
            case ("POST", path) if path.startswith("/_local/mail/"):
                kind = parse_qs(target.query).get("kind", ["bounce"])[0]
                self.server.meet(path.split("/")[3], kind)
                self._say({})
            case ("POST", "/_local/clock"):
                self.server.advance(json.loads(body)["advance_seconds"])
                self._say({"now": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}"})
            case ("POST", path) if path.startswith(_INVOKE):
                self.answer(*self.server.invoke(path.split("/")[3], body))
            case ("POST", "/_local/run/expire"):
                self.server.sweep()
                self._say({})
            case ("POST", "/_local/reset"):
                self.server.reset()
                self._say({})
            case ("PUT", "/_local/written"):
                self._say({})
            case _:
                headers = {n: v for n, v in self.headers.items() if n.lower() not in ("host", "connection")}
                self.answer(*self.server.pass_on(self.command, self.path, headers, body))

    def _say(self, body: Any) -> None:
        self.answer(200, [("content-type", "application/json")], json.dumps(body).encode())

    do_DELETE = do_GET = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = _serve
