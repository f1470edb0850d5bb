"""Deploys the built stack to an emulator, runs a command against it and holds each function to its rights.

usage: main.py [--partly] TOOLS WORK COMMAND...: with --partly a right that nothing used is no fault; TOOLS is the folder
that .ci/tools fills, WORK is where logs and the packaged template go; COMMAND runs with PORTICO_SITE set to the address of
the portal.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import boto3

import cutoff
import denied
import emulator
import invocations
import grants
from front import Front
from recorder import Recorder

_EMULATOR, _RECORDER, _FRONT = 4567, 4568, 4569
# Who runs the portal in tests/tests/journeys.
_OWNER = {
    "OwnerEmail": "owner@example.com",
    "OwnerFirstName": "Olivia",
    "OwnerLastName": "Owner",
    "Sender": "portal@example.com",
    "PortalName": "Developer portal",
}
_JOURNEYS = Path("tests/tests/journeys")
# The sweep runs every minute.
_SCHEDULE_PATIENCE = 100


def main(partly: bool, tools: Path, work: Path, command: list[str]) -> int:
    """Everything, in order. The result is that of the process."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    log = work / "calls.jsonl"
    built = Path(".aws-sam/build/template.yaml")
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as lines:
        recorder = Recorder(_RECORDER, _EMULATOR, lines)
        threading.Thread(target=recorder.serve_forever, daemon=True).start()
        process = emulator.start(tools / "emulators/bin/ministack", _EMULATOR, _RECORDER, work / "ministack.log")
        try:
            aws = emulator.session(_EMULATOR)
            template = emulator.package(tools / "sam/bin/sam", built, work / "packaged.yaml", _EMULATOR, aws)
            stack = emulator.deploy(template, _OWNER, _EMULATOR, aws)
            print(f"deployed {len(stack.functions)} functions in {time.monotonic() - began:.0f} s", flush=True)
            front = Front(_FRONT, stack, aws, recorder)
            threading.Thread(target=front.serve_forever, daemon=True).start()
            found = _invited(front)
            site = os.environ | {"PORTICO_SITE": f"http://127.0.0.1:{_FRONT}"}
            result = subprocess.run(command, env=site, check=False).returncode
            walked = front.resets
            print(f"{walked} portals were walked through", flush=True)
            found += cutoff.check(front)
            found += _invited_again(front, aws)
            recorder.contrived = True
            found += invocations.check(front, tools / "sam/bin/cargo-lambda", work)
            found += denied.check(front, template, aws)
            recorder.contrived = False
            fired = _schedule_fires(log)
        finally:
            # What functions still ask for finds nobody.
            recorder.shutdown()
            process.terminate()
            process.wait(30)
    print("the schedule fired" if fired else "the schedule did not fire")
    named = {stack.portal_table: "PortalTable", stack.mail_table: "MailTable", stack.user_pool: "UserPool"}
    print(*grants.summary(template, log, named), sep="\n")
    found += [one for one in grants.differences(template, log, named) if not (partly and grants.UNUSED in one)]
    if not partly and walked != (expected := _journeys()):
        found.append(f"there are {expected} journeys that a deployed portal can be walked through")
    print(*found, sep="\n")
    return result or int(bool(found) or not fired)


def _journeys() -> int:
    """How many journeys there are that do not look into a portal of their own."""
    files = [file.read_text("utf-8") for file in _JOURNEYS.glob("*.rs") if file.name != "site.rs"]
    return sum(text.count("#[tokio::test]") - text.count("Site::open_locally()") for text in files)


def _invited(front: Front) -> list[str]:
    """What is wrong with the first owner's invitation, which is sent because the stack was made."""
    mails = front.mails(_OWNER["OwnerEmail"])
    if [mail["event"] for mail in mails] == ["invitation"] and "#token=" in mails[0]["text"]:
        return []
    return [f"the stack was made, and its owner has the mails {mails}"]


def _invited_again(front: Front, aws: boto3.Session) -> list[str]:
    """What is wrong with the first owner's invitation: it expires, and another deployment sends a new one."""
    front.reset()
    # The first mail is sent before its link expires.
    front.mails(None)
    front.age(8 * 24 * 3600)
    emulator.update(_OWNER | {"OwnerFirstName": "Olga"}, _EMULATOR, aws)
    mails = front.mails(_OWNER["OwnerEmail"])
    return [] if len(mails) == 2 else [f"the owner whose invitation expired has {len(mails)} mails after an update"]


def _schedule_fires(log: Path) -> bool:
    """Whether the sweep works without being asked, from now on."""
    def sweeps() -> int:
        return sum('"function": "ExpireFunction"' in line for line in log.read_text("utf-8").splitlines())

    before, end = sweeps(), time.monotonic() + _SCHEDULE_PATIENCE
    while time.monotonic() < end:
        if sweeps() > before:
            return True
        time.sleep(1)
    return False


if __name__ == "__main__":
    given = [argument for argument in sys.argv[1:] if argument != "--partly"]
    sys.exit(main(len(given) < len(sys.argv) - 1, Path(given[0]), Path(given[1]), given[2:]))
