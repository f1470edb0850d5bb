"""Every sample of `events/`, put through the deployed functions by `cargo lambda invoke`."""

import json
import subprocess
from pathlib import Path
from typing import Any

from front import Front


def function(sample: str, functions: dict[str, str]) -> str:
    """The logical id of the function that a sample is for: its name begins with the function's folder."""
    words = sample.split("-")
    names = ["".join(word.capitalize() for word in words[:count]) + "Function" for count in range(len(words), 0, -1)]
    return next(name for name in names if name in functions)


def check(front: Front, cargo_lambda: Path, work: Path) -> list[str]:
    """What is wrong with the answers. Nobody of the samples is in the tables: many are refused, and none fails."""
    front.reset()
    port = front.server_address[1]
    found, samples = [], sorted(Path("events").glob("*.json"))
    for sample in samples:
        event = json.loads(sample.read_text("utf-8"))
        if "ResponseURL" in event:
            event["ResponseURL"] = f"http://127.0.0.1:{port}/_local/written"
        data = work / sample.name
        data.write_text(json.dumps(event), "utf-8")
        name = function(sample.stem, front.stack.functions)
        command = [cargo_lambda, "lambda", "invoke", name, "--data-file", data, "--invoke-address", "127.0.0.1"]
        answer = subprocess.run([*command, "--invoke-port", str(port)], capture_output=True, text=True, check=False)
        reason = ""
        if answer.returncode or (reason := _fault(event, answer.stdout)):
            found.append(f"{sample.name} through {name}: {answer.stderr.strip() or reason}")
    print(f"invoked {len(samples)} samples, {len(found)} of them failed")
    return found


def _fault(event: dict[str, Any], answer: str) -> str:
    if "routeKey" not in event:
        return ""
    status = json.loads(answer)["statusCode"]
    return "" if status < 500 else f"answered {status}"
