"""What each function was allowed, held to what it did: both ways."""

import json
from pathlib import Path
from typing import Any, Iterable

from expand import Template, role_of, statements

Grant = tuple[str, str]

# What Lambda does in a function's name: no call of the function. tests/tests/deployment.rs says who is allowed it.
FOR_LAMBDA = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:SendMessage",
}
# How a right is reported that nothing asked for.
UNUSED = "never used"
# What IAM has no say in: whoever holds the token may revoke it.
_FOR_EVERYBODY = {"cognito-idp:RevokeToken"}


def allowed(template: Template) -> dict[str, set[Grant]]:
    """What the role of each function allows: actions, each with the logical id of what it is done to."""
    resources = template["Resources"]
    found: dict[str, set[Grant]] = {}
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            found[name] = {
                (action, target)
                for statement in statements(resources[role_of(name, template)]["Properties"])
                for action in statement["Action"]
                if action not in FOR_LAMBDA
                for target in _targets(statement["Resource"])
            }
    return found


def _targets(resource: Any) -> set[str]:
    """The tables, indexes, pool and senders that a statement is about."""
    given = resource if isinstance(resource, list) else [resource]
    return {target for one in given for target in _target(json.dumps(one))}


def _target(text: str) -> Iterable[str]:
    if ":identity/*" in text or text == '"*"':
        yield "identity"
    if ":configuration-set/" in text or text == '"*"':
        yield "configuration-set"
    if ":userpool/" in text:
        yield "UserPool"
    for table in ("PortalTable", "MailTable"):
        if table in text:
            index = text.partition("/index/")[2].strip('"}')
            yield f"{table}/index/{index}" if index else table


def used(lines: Iterable[str], named: dict[str, str]) -> tuple[dict[str, set[Grant]], dict[str, set[Grant]]]:
    """What each function did, and what it was denied; `named` has the logical ids of tables and pool by their names."""
    done: dict[str, set[Grant]] = {}
    denied: dict[str, set[Grant]] = {}
    for call in map(json.loads, lines):
        if call["contrived"]:
            continue
        found = denied if call["error"].startswith("AccessDenied") else done
        for action, target in call["actions"]:
            if action in _FOR_EVERYBODY:
                continue
            name, slash, rest = target.partition("/")
            found.setdefault(call["function"], set()).add((action, named.get(name, name) + slash + rest))
    return done, denied


def differences(template: Template, log: Path, named: dict[str, str]) -> list[str]:
    """One line for each right that is missing, and for each that nothing used."""
    done, denied = used(log.read_text("utf-8").splitlines(), named)
    found = []
    for function, grants in sorted(allowed(template).items()):
        needed = done.get(function, set()) | denied.get(function, set())
        found += [f"{function} lacks {action} on {target}" for action, target in sorted(needed - grants)]
        found += [f"{function} was denied {action} on {target}" for action, target in sorted(denied.get(function, set()))]
        found += [f"{function} {UNUSED} {action} on {target}" for action, target in sorted(grants - needed)]
    return found


def summary(template: Template, log: Path, named: dict[str, str]) -> list[str]:
    """One line per function: how many rights it has, and how many calls it made."""
    lines = log.read_text("utf-8").splitlines()
    calls: dict[str, int] = {}
    for call in map(json.loads, lines):
        calls[call["function"]] = calls.get(call["function"], 0) + 1
    done, _ = used(lines, named)
    return [
        f"{function}: {len(grants)} actions allowed, {len(done.get(function, set()))} used, {calls.get(function, 0)} calls"
        for function, grants in sorted(allowed(template).items())
    ]
