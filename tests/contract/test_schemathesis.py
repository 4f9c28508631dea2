"""Both documents are true: schemathesis makes requests of them, valid and not, and looks at the answers.

All its checks run: no server error, no undocumented status, content type, header or body, bad input refused, good input
taken, tokens asked for where the document says so, no method that it doesn't name.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.shop import ADMIN

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
PHASES, EXAMPLES = ("coverage,fuzzing", "20") if LONG else ("fuzzing", "2")
PATIENCE_S = "30"


@pytest.mark.parametrize("name", ["flask-gthread", "fastapi-uvicorn"])
def test_every_answer_is_as_documented(name: str, url_of: Callable[[str], str], tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url_of(name)}/openapi.json"),
        *("--header", f"Authorization: {ADMIN['Authorization']}"),
        *("--checks", "all", "--phases", PHASES, "--max-examples", EXAMPLES, "--seed", "1"),
        *("--exclude-path", "/api/events/stock"),  # a stream without an end
        *("--max-response-time", PATIENCE_S, "--request-timeout", PATIENCE_S, "--no-color"),
    ]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    [operations] = re.findall(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", done.stdout)
    selected, documented, tested = map(int, operations)
    assert selected == tested == documented - 1
    [(generated, passed)] = re.findall(r"(\d+) generated, (\d+) passed", done.stdout)
    assert int(generated) == int(passed) >= tested
