"""The verb jobs: lists, shows, stops and waits for jobs of an engine that runs."""

from __future__ import annotations

import gc
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from api_samples import FOX, LONG
from engine_process import running_engine
from wan_engine.cli.engine_client import error_from
from wan_engine.cli.jobs import job_line
from wan_engine.errors import InputError, RenderError
from wan_engine.home import EngineInfo
from wan_engine.service.life import write_info

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_without_an_engine_it_says_how_to_start_one(call: Run, tmp_path: Path) -> None:
    answer = call("jobs", "--home", str(tmp_path))
    assert answer.returncode == 2
    assert "no engine runs" in answer.stderr
    assert "wan-engine serve" in answer.stderr
    write_info(tmp_path, EngineInfo(1, "token", 1, "0"))  # as a killed engine leaves it; nothing listens there
    answer = call("jobs", "--home", str(tmp_path), "--json")
    assert answer.returncode == 2
    assert "no engine answers" in json.loads(answer.stdout)["problems"][0]["message"]


@pytest.mark.parametrize("words", [("show",), ("cancel",), ("wait",), ("list", "some-id")])
def test_an_id_is_needed_or_not(call: Run, words: tuple[str, ...]) -> None:
    assert call("jobs", *words).returncode == 2


def test_errors_of_jobs_keep_their_exit_codes() -> None:
    error = error_from({"error": "OutOfMemoryError", "message": "full", "remedy": "smaller"})
    assert isinstance(error, RenderError)
    assert (error.exit_code, error.message, error.remedy) == (5, "full", "smaller")
    assert error_from({"error": "UnexpectedError", "message": "x", "remedy": ""}).exit_code == 1
    assert error_from({"error": "RequestError", "message": "x", "remedy": ""}).exit_code == 2
    problems = [{"message": "m", "remedy": "", "field": "fps", "key": "", "column": 2, "line": None, "file": ""}]
    told = error_from({"error": "OutsideError", "message": "x", "problems": problems})
    assert isinstance(told, InputError)
    assert (told.problems[0].field, told.problems[0].column) == ("fps", 2)


def test_a_line_tells_how_far_a_job_is() -> None:
    progress = {"steps_total": 90, "steps_done": 30, "seconds_left": 61.0}
    job = {
        "id": "a-1",
        "state": "running",
        "title": "fox\x1b",
        "progress": progress,
        "cancel_requested": False,
        "error": None,
    }
    assert job_line(job) == "a-1: running, 33%, about 1 min 01 s left: fox\\x1b"
    assert (
        job_line({**job, "state": "failed", "error": {"message": "no memory"}}) == "a-1: failed: fox\\x1b (no memory)"
    )


@pytest.mark.slow
def test_jobs_of_a_running_engine(call: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_engine(home) as engine:
        job_id = engine.queue({**FOX, "batch_name": "fox"})
        followed = call("jobs", "follow", job_id, "--home", str(home))
        assert followed.returncode == 0, followed.stderr
        assert "Clip 2 of 2 saved" in followed.stderr
        assert "Film:" in followed.stdout
        listed = call("jobs", "--home", str(home), "--json")
        assert [job["id"] for job in json.loads(listed.stdout)["jobs"]] == [job_id]
        assert f"{job_id}: done" in call("jobs", "show", job_id, "--home", str(home)).stdout
        long = engine.queue(LONG)
        assert call("jobs", "cancel", long, "--home", str(home)).returncode == 0
        assert call("jobs", "wait", long, "--home", str(home)).returncode == 130
        assert call("jobs", "resume", job_id, "--home", str(home)).returncode == 2
        assert call("jobs", "show", "none", "--home", str(home)).returncode == 2
        gc.collect()  # a connection left open would be told in another test
