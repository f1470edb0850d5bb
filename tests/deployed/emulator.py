"""The emulator, and a stack deployed to it."""

import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import boto3

from expand import REGION, Template, derive, expand
from front import Stack

NAME = "portico"
_ROOT_KEY = "test"
# Seconds that the emulator and the stack may take to come up.
_START, _DEPLOYMENT = 60, 300


def environment(port: int) -> dict[str, str]:
    """What AWS's tools and SDKs need to find the emulator at a port."""
    return os.environ | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": _ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": _ROOT_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "SAM_CLI_TELEMETRY": "0",
    }


def session(port: int) -> boto3.Session:
    """A session with the emulator."""
    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
    return boto3.Session(_ROOT_KEY, _ROOT_KEY, region_name=REGION)


def start(ministack: Path, port: int, recorder: int, log: Path) -> subprocess.Popen[bytes]:
    """Starts the emulator; its functions find it behind the recorder."""
    settings = environment(recorder) | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "IOT_MTLS_PORT": "0",
        "AUTH": "true",
    }
    with log.open("wb") as output:
        process = subprocess.Popen([ministack], env=settings, stdout=output, stderr=subprocess.STDOUT)
    end = time.monotonic() + _START
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the emulator ended at its start: see {log}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=5)
        except OSError:
            time.sleep(0.2)
        else:
            return process
    process.kill()
    raise RuntimeError(f"the emulator did not come up within {_START} s: see {log}")


def package(sam: Path, built: Path, packaged: Path, port: int, aws: boto3.Session) -> Template:
    """Uploads the built functions; the template that is deployed."""
    aws.client("s3").create_bucket(
        Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    command = [sam, "package", "--template-file", built, "--s3-bucket", "artifacts", "--region", REGION, "--no-progressbar"]
    subprocess.run([*command, "--output-template-file", packaged], env=environment(port), check=True, stdout=subprocess.DEVNULL)
    return derive(expand(packaged.read_text("utf-8")))


def deploy(template: Template, owner: dict[str, str], port: int, aws: boto3.Session) -> Stack:
    """Makes the stack."""
    aws.client("sesv2").create_email_identity(EmailIdentity=owner["Sender"])
    aws.client("s3").put_object(Bucket="artifacts", Key="template.json", Body=json.dumps(template))
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(**_described(owner, port))
    _wait(cloudformation, "CREATE_COMPLETE")
    resources = cloudformation.describe_stack_resources(StackName=NAME)["StackResources"]
    named = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}

    def of_type(kind: str) -> dict[str, str]:
        return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources if r["ResourceType"] == kind}

    return Stack(
        emulator=port,
        api=named["Api"],
        portal_table=named["PortalTable"],
        mail_table=named["MailTable"],
        user_pool=named["UserPool"],
        feedback=named["MailFeedbackTopic"],
        functions=of_type("AWS::Lambda::Function"),
        roles=of_type("AWS::IAM::Role"),
        owner=owner,
    )


def update(owner: dict[str, str], port: int, aws: boto3.Session) -> None:
    """Changes parameters of the stack."""
    cloudformation = aws.client("cloudformation")
    cloudformation.update_stack(**_described(owner, port))
    _wait(cloudformation, "UPDATE_COMPLETE")


def _described(owner: dict[str, str], port: int) -> dict[str, Any]:
    parameters = owner | {"Architecture": "x86_64"}
    return {
        "StackName": NAME,
        "TemplateURL": f"http://127.0.0.1:{port}/artifacts/template.json",
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }


def _wait(cloudformation: Any, expected: str) -> None:
    end = time.monotonic() + _DEPLOYMENT
    while (status := cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"]).endswith("IN_PROGRESS"):
        if time.monotonic() > end:
            raise RuntimeError(f"the stack is still {status} after {_DEPLOYMENT} s")
        time.sleep(0.5)
    if status != expected:
        raise RuntimeError(f"{status}: {_reasons(cloudformation)}")


def _reasons(cloudformation: Any) -> str:
    events = cloudformation.describe_stack_events(StackName=NAME)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
    return "; ".join(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed)
