"""What functions call, taken down between them and the emulator.

Headers, path and host go through unchanged, so that signatures stay valid. One line of JSON per call: the function
(the application id that it gives the SDK), the actions that IAM checks with what each is done to, and the answer.
A call can be made to fail: `faults` says which.
"""

import http.client
import json
import re
import sys
import threading
from collections import Counter
from http.server import ThreadingHTTPServer
from typing import Any, TextIO

from answering import Answering

_SERVICES = {"DynamoDB": "dynamodb", "AWSCognitoIdentityProviderService": "cognito-idp"}
_PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


def actions(method: str, path: str, target: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    """The actions that a call needs, each with the table, index, pool or sender that it is done to."""
    if not target:
        if (method, path) == ("POST", "/v2/email/outbound-emails"):
            return [("ses:SendEmail", "identity"), ("ses:SendEmail", "configuration-set")]
        return [(f"{method} {path}", "")]
    service, operation = re.split(r"[_.]", target)[0], target.split(".")[-1]
    service = _SERVICES.get(service, service)
    match operation:
        case "TransactWriteItems":
            parts = [part for item in body["TransactItems"] for part in item.items()]
            return sorted({(f"{service}:{_PARTS[kind]}", part["TableName"]) for kind, part in parts})
        case "BatchGetItem" | "BatchWriteItem":
            return sorted((f"{service}:{operation}", table) for table in body["RequestItems"])
        case _:
            table = body.get("TableName", "") + (f"/index/{body['IndexName']}" if "IndexName" in body else "")
            return [(f"{service}:{operation}", table or body.get("UserPoolId", ""))]


class Recorder(ThreadingHTTPServer):
    """Listens for functions, asks the emulator and takes down both."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, upstream: int, log: TextIO) -> None:
        super().__init__(("127.0.0.1", port), _Call)
        self.upstream, self.log = upstream, log
        # Each: the operation, the function, how many such calls go through before, and the status and body of the answer.
        self.faults: list[dict[str, Any]] = []
        # Whether what happens now is brought about by a test, and tells nothing about rights.
        self.contrived = False
        # The tags of each mail, by the id that SES gave it.
        self.tags: dict[str, dict[str, str]] = {}
        # How many calls each function has made.
        self.calls: Counter[str] = Counter()
        self.lock = threading.Lock()

    def fault(self, operation: str, function: str | None) -> dict[str, Any] | None:
        """The fault that this call meets."""
        with self.lock:
            for fault in self.faults:
                if (fault["operation"], fault["function"]) == (operation, function):
                    if fault["skipped"] == 0:
                        self.faults.remove(fault)
                        return fault
                    fault["skipped"] -= 1
        return None

    def note(self, line: dict[str, Any]) -> None:
        """Takes down one call."""
        with self.lock:
            self.calls[line["function"]] += 1
            self.log.write(json.dumps(line) + "\n")
            self.log.flush()


class _Call(Answering):
    server: Recorder

    def _pass_on(self) -> None:
        body = self.body()
        target = self.headers.get("x-amz-target", "")
        agent = " ".join(self.headers.get_all("user-agent", []) + self.headers.get_all("x-amz-user-agent", []))
        named = re.search(r"app/(\S+)", agent)
        function = named and named.group(1)
        fault = self.server.fault(target.split(".")[-1], function) if target else None
        if fault:
            status, headers = fault["status"], [("content-type", "application/x-amz-json-1.0")]
            answer = json.dumps(fault["body"]).encode()
        else:
            status, headers, answer = self._asked(body)
        if self.path == "/v2/email/outbound-emails" and status == 200:
            tags = {tag["Name"]: tag["Value"] for tag in _parsed(body)["EmailTags"]}
            self.server.tags[_parsed(answer)["MessageId"]] = tags
        if function:
            self.server.note({
                "function": function,
                "operation": target.split(".")[-1] or f"{self.command} {self.path}",
                "actions": actions(self.command, self.path, target, _parsed(body)),
                "status": status,
                "error": _error(status, headers, answer),
                "contrived": self.server.contrived or fault is not None,
            })
        self.answer(status, headers, answer)

    def _asked(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=90)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body)
        response = upstream.getresponse()
        answer = response.read()
        upstream.close()
        return response.status, response.getheaders(), answer

    do_DELETE = do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = _pass_on


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        return json.loads(body or b"{}")
    except ValueError:
        return {}


def _error(status: int, headers: list[tuple[str, str]], body: bytes) -> str:
    if status < 400:
        return ""
    told = _parsed(body).get("__type", "") or next((v for n, v in headers if n.lower() == "x-amzn-errortype"), "")
    return re.split(r"[#.:]", told)[-1] if told else str(status)


if __name__ == "__main__":
    with open(sys.argv[3], "w", encoding="utf-8") as log_file:
        Recorder(int(sys.argv[1]), int(sys.argv[2]), log_file).serve_forever()
