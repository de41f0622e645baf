"""Generated requests against a real engine: no answer is a 500, none hangs, all are as the description says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from api_samples import FOX, ROOT
from engine_process import running_engine
from wan_engine.home import TOKEN_HEADER

EXAMPLES = 40
"""Generated requests for each operation beside those of its limits, in all some thousands.

A number and no time: a quicker machine would ask what was never asked before, and find what is not the change's.
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_generated_requests_get_described_answers(tmp_path: Path) -> None:
    """What an object of settings may hold, the description leaves open; so valid ones are not known to be accepted."""
    with running_engine(tmp_path / "home", "--models", str(tmp_path / "models")) as engine:
        job_id = engine.queue({**FOX, "keep_clips": True})
        engine.until(job_id, "done")
        command = [
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"),
            *(f"{engine.info.address}{ROOT}/openapi.json", "--header", f"{TOKEN_HEADER}: {engine.info.token}"),
            # The same requests on every run, so that a failure is the change's.
            *(
                "--seed",
                "1",
                "--generation-deterministic",
                "--max-examples",
                str(EXAMPLES),
                "--workers",
                "1",
                "--request-timeout",
                "20",
                "--no-color",
            ),
            *("--exclude-checks", "positive_data_acceptance", "--exclude-path", f"{ROOT}/system/stop"),
        ]
        answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1000, check=False)
        assert answer.returncode == 0, answer.stdout[-8000:] + answer.stderr[-2000:]
        assert engine.process.poll() is None
        assert engine.http.get("/system").status_code == 200
    log = (tmp_path / "home" / "logs" / "engine.log").read_text(encoding="utf-8")
    assert " ERROR " not in log, log[-4000:]
