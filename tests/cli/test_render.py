"""`render` as a process: files, paths, JSON purity, batches, stopping and going on. The dry run draws the pictures."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = {
    "kind": "schedule",
    "version": 1,
    "prompts": {"0": "a [red]fox[/red]", "10": "a goose"},
    "max_frames": 20,
    "width": 64,
    "height": 64,
    "steps": 2,
    "seed": 3,
    "backend": "dry_run",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    file = tmp_path / "fox.json"
    file.write_text(json.dumps(PROJECT), encoding="utf-8")
    return file


def slow_project(folder: Path) -> Path:
    """A film of so many steps that it is stopped long before its end."""
    file = folder / "slow.json"
    file.write_text(json.dumps({**PROJECT, "max_frames": 800, "steps": 1000}), encoding="utf-8")
    return file


def test_a_film_is_made_and_its_paths_are_printed(call: Any, project: Path, tmp_path: Path) -> None:
    answer = call("render", str(project))
    assert answer.returncode == 0, answer.stderr
    (folder,) = (tmp_path / "outputs" / "film").iterdir()
    assert answer.stdout.splitlines() == [
        f"Film: {folder / folder.name}.mp4",
        f"Contact sheet: {folder / folder.name}_sheet.png",
        f"Subtitles: {folder / folder.name}.srt",
        f"Settings: {folder / folder.name}_settings.json",
        f"Plan: {folder / folder.name}_plan.json",
    ]
    assert all(Path(line.partition(": ")[2]).stat().st_size for line in answer.stdout.splitlines())


def test_the_report_comes_in_its_order(call: Any, project: Path) -> None:
    lines = call("render", str(project)).stderr.splitlines()
    begins = [
        "Arguments checked: ",
        "Output directory: ",
        "Model for text-to-video: ",
        "Resolution: 64x64",
        "Film: 20 frames, 1.25 s at 16 fps",
        "Clip 1 of 2: frames 0 to 9 (10 frames, 0.62 s)",
        "Clip 2 of 2: frames 10 to 19 (10 frames, 0.62 s)",
        "Loading the model",
        "Clip 1 of 2 begins",
        "Clip 1 of 2 saved",
        "Clip 2 of 2 begins",
        "Clip 2 of 2 saved",
        "Writing the film",
        "Finished: ",
    ]
    places = [next(index for index, line in enumerate(lines) if line.startswith(begin)) for begin in begins]
    assert places == sorted(places)
    assert "a [red]fox[/red]" in "\n".join(lines)
    assert all(line.isprintable() and line for line in lines)


def test_json_is_one_document_with_the_paths(engine: Any, project: Path, tmp_path: Path) -> None:
    flags = ("--save-frames", "--make-gif", "--no-subtitles", "--output-dir", "films", "--batch-name", "b", "--json")
    answer = engine("render", str(project), *flags)
    result = json.loads(answer.stdout)
    (folder,) = (tmp_path / "films" / "b").iterdir()
    assert (result["file"], result["folder"], result["subtitles"]) == (str(project), str(folder), None)
    assert result["frames"] == str(folder)
    assert len(list(folder.glob("*_0*.png"))) == 20
    for name in ("film", "gif", "plan", "settings"):
        assert Path(result[name]).is_file()
    assert json.loads(Path(result["plan"]).read_text(encoding="utf-8"))["notes"] == result["notes"]


def test_an_error_in_json_is_one_document(call: Any, project: Path) -> None:
    answer = call("render", str(project), "--fps", "0", "--crf", "99", "--json")
    document = json.loads(answer.stdout)
    assert (answer.returncode, document["error"]) == (2, "InputError")
    assert [(each["file"], each["field"]) for each in document["problems"]] == [
        ("command line", "fps"),
        ("command line", "crf"),
    ]
    assert answer.stderr.splitlines() == [
        "command line, fps: 0 is out of range. Give 1 to 240 frames/s",
        "command line, crf: 99 is out of range. Give 0 to 51",
    ]


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--model", "/nowhere"), 3),
        (("--init-image", "missing.png"), 2),
        (("--init-image", "fox.json"), 4),
        (("--output-dir", "fox.json/sub"), 4),
        (("--codec", "vhs"), 2),
        (("--guidance-scale", "0:(foo)"), 2),
    ],
)
def test_errors_have_their_exit_codes(call: Any, project: Path, tmp_path: Path, flags: Any, code: int) -> None:
    answer = call("render", str(project), *flags)
    assert (answer.returncode, answer.stdout) == (code, ""), answer.stderr
    assert answer.stderr.strip()
    assert "Traceback" not in answer.stderr
    assert not list(tmp_path.rglob("*.mp4"))


def test_a_batch_goes_on_after_a_failure(call: Any, project: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"prompts": {"0": "a"}, "crf": 99, "fps": "x"}', encoding="utf-8")
    answer = call("render", str(broken), str(project), "gone.json", "-", "--json", stdin=project.read_text())
    films = json.loads(answer.stdout)["films"]
    assert answer.returncode == 2
    assert [each.get("error") for each in films] == ["InputError", None, "InputError", None]
    assert [each["file"] for each in films] == [str(broken), str(project), "gone.json", "-"]
    assert len(films[0]["problems"]) == 2
    assert len(list(tmp_path.rglob("*.mp4"))) == 2


def test_a_batch_ends_with_a_summary_and_the_first_failure(call: Any, project: Path) -> None:
    answer = call("render", str(project), "gone.json", "--model", "/nowhere")
    assert answer.returncode == 3
    first, second = answer.stdout.splitlines()
    assert first.startswith(f"{project}: failed with exit code 3: ")
    assert second.startswith("gone.json: failed with exit code 2: ")
    assert "File 2 of 2: gone.json" in answer.stderr.splitlines()


def test_a_batch_without_failures_is_0(call: Any, project: Path) -> None:
    answer = call("render", str(project), str(project))
    assert answer.returncode == 0
    assert [line.endswith(".mp4") for line in answer.stdout.splitlines()] == [True, True]


def start(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command line as a process that has finished its first clip."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wan_engine", *arguments],
        cwd=folder,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Clip 1 of ") and " saved" in line:
            break
    return process


@pytest.mark.skipif(os.name == "nt", reason="signals of a process are POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_keeps_what_is_finished_and_says_how_to_go_on(
    engine: Any, environment: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    process = start(environment, tmp_path, "render", str(slow_project(tmp_path)))
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    (folder,) = (tmp_path / "outputs" / "film").iterdir()
    command = err.splitlines()[-1].partition(": wan-engine ")[2]
    assert command == f"render --resume {folder}"
    plan = json.loads(next(folder.glob("*_plan.json")).read_text(encoding="utf-8"))
    assert list((folder / "clips").iterdir())
    answer = engine(*command.split(), "--json")
    assert answer.returncode == 0, answer.stderr
    result = json.loads(answer.stdout)
    assert Path(result["film"]).is_file()
    again = json.loads(Path(result["plan"]).read_text(encoding="utf-8"))
    assert again["clips"] == plan["clips"]
    assert not (folder / "clips").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals of a process are POSIX")
def test_stopping_a_batch_leaves_out_the_rest(environment: dict[str, str], tmp_path: Path, project: Path) -> None:
    process = start(environment, tmp_path, "render", str(slow_project(tmp_path)), str(project), "--json")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    (film,) = json.loads(out)["films"]
    assert film["error"] == "Cancelled"
    assert "--resume" in film["remedy"]


@pytest.mark.parametrize(
    "arguments", [["render"], ["render", "--resume", ".", "a.json"], ["render", "--resume", ".", "--crf", "3"]]
)
def test_calls_that_mean_nothing(call: Any, arguments: list[str]) -> None:
    answer = call(*arguments, "--json")
    assert answer.returncode == 2
    assert json.loads(answer.stdout)["problems"][0]["remedy"]


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_a_folder_without_a_film(call: Any, folder: str) -> None:
    answer = call("render", "--resume", folder)
    assert answer.returncode in (2, 4)
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_a_terminal_sees_a_table_and_bars(environment: dict[str, str], project: Path, tmp_path: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "wan_engine", "render", str(project), "--width", "96"],
        cwd=tmp_path,
        env={**environment, "TERM": "xterm", "COLUMNS": "150"},
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    text = ""
    while process.poll() is None or select.select([leader], [], [], 0)[0]:
        try:
            text += os.read(leader, 65536).decode("utf-8", "replace")
        except OSError:  # Linux says so when the other side is closed
            break
    os.close(leader)
    assert process.wait(timeout=20) == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    for words in ("Output directory: ", "prompt", "[red]fox[/red]", "0 s |1", "step 2 of 2", "Finished: ", "Film: "):
        assert words in plain
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "the cursor is seen again"
