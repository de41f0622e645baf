"""The command line as a whole: usage errors, help, version, exit codes, streams."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wan_engine import __version__
from wan_engine.cli import app
from wan_engine.cli.screen import Screen
from wan_engine.errors import ModelError

VERBS = ("plan", "render", "values", "prompts", "doctor")


def test_version(engine: Any) -> None:
    answer = engine("--version")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, f"wan-engine {__version__}\n", "")


def test_nothing_shows_the_verbs(engine: Any) -> None:
    answer = engine()
    assert answer.returncode == 2
    assert all(verb in answer.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_without_control_characters(call: Any, verb: str) -> None:
    answer = call(verb, "--help")
    assert answer.returncode == 0
    assert "--json" in answer.stdout
    assert "\x1b" not in answer.stdout


@pytest.mark.parametrize(
    "arguments", [["nope"], ["plan"], ["plan", "a.json", "--nope"], ["plan", "a", "b"], ["values"]]
)
def test_usage_errors(call: Any, arguments: list[str]) -> None:
    plain = call(*arguments)
    assert (plain.returncode, plain.stdout, len(plain.stderr.splitlines())) == (2, "", 1)
    assert "--help" in plain.stderr
    document = call(*arguments, "--json")
    assert document.returncode == 2
    assert json.loads(document.stdout)["error"] == "UsageError"


def test_errors_of_the_engine_reach_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(wanted: bool) -> None:
        raise ModelError("the model is gone", "Fetch it")

    monkeypatch.setattr(Screen, "start_logging", fail)
    assert app.main(["doctor", "--json"]) == 3
    out, err = capsys.readouterr()
    assert json.loads(out) == {"error": "ModelError", "message": "the model is gone", "remedy": "Fetch it"}
    assert err == "the model is gone. Fetch it\n"


def test_an_unexpected_error_is_one_line_and_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(screen: Screen) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(Screen, "start_logging", fail)
    assert app.main(["doctor"]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert app.main(["doctor", "--verbose"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_doctor_tells_the_same_in_both_forms(call: Any) -> None:
    document, lines = call("doctor", "--json"), call("doctor")
    report = json.loads(document.stdout)
    assert (document.returncode, lines.returncode) == (0, 0)
    assert report["engine"] == __version__
    assert f"wan-engine {__version__}" in lines.stdout
    for encoder in report["encoders"]:
        assert encoder["name"] in lines.stdout
    assert all(line.isprintable() for line in lines.stdout.splitlines())


def test_a_reader_that_goes_away_is_no_error_to_see(environment: dict[str, str]) -> None:
    environment.pop("PYTHONUNBUFFERED", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "wan_engine", "values", "0:(t)", "--frames", "100000"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)
    process.stdout.close()
    err = process.stderr.read()
    assert (process.wait(timeout=20), err) == (1, b"")


def test_streams_take_any_text_whatever_the_locale(engine: Any, environment: dict[str, str]) -> None:
    environment["PYTHONIOENCODING"] = "ascii"
    answer = engine("values", "0:(雨)")
    assert "雨" in answer.stderr
    assert answer.returncode == 2


@pytest.mark.parametrize("verb", ["values", "plan", "prompts"])
def test_planning_verbs_load_nothing_heavy(call: Any, environment: dict[str, str], tmp_path: Path, verb: str) -> None:
    file = tmp_path / "a.txt"
    file.write_text("0: a fox", encoding="utf-8")
    argument = "0:(1)" if verb == "values" else str(file)
    assert call(verb, argument).returncode == 0, "the embedded model is there from here on"
    code = (
        "import sys\nfrom wan_engine.cli.app import main\n"
        f"code = main([{verb!r}, {argument!r}])\n"
        "print(code, sorted({'torch', 'diffusers', 'transformers', 'av', 'cv2'} & set(sys.modules)), file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert answer.stderr.splitlines()[-1] == "0 []"
