"""The verbs `storyboard` and `keyframes`, and `render` with a storyboard: what they make, keep and refuse."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llm_server import LlmServer, Reply, llm_server
from story_samples import ANSWER, TEXT
from wan_engine.schedule.project import load_project
from wan_engine.schedule.storyboard import Storyboard

Run = Callable[..., "subprocess.CompletedProcess[str]"]
KEY = "sk-secret"
QUICK = ("--backend", "dry_run", "--fps", "16", "--encoder", "software", "--preset", "ultrafast", "--seed", "3")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No services but those of the test."""
    monkeypatch.setenv("WAN_HOME", str(tmp_path / "home"))


def story_of(file: Path) -> Storyboard:
    story = load_project(file).storyboard
    assert story is not None
    return story


def test_a_text_becomes_a_storyboard(call: Run, tmp_path: Path) -> None:
    made = call("storyboard", TEXT, "-o", "story.yaml", "--seconds", "1", *QUICK, "--plain")
    assert made.returncode == 0, made.stderr
    assert "Keyframe 1, at 0.5 s, no picture yet: A blue square moves down." in made.stdout
    assert story_of(tmp_path / "story.yaml").film["backend"] == "dry_run"
    again = call("storyboard", TEXT, "-o", "story.yaml")
    assert again.returncode == 2
    assert "it is there already" in again.stderr


@pytest.mark.slow
def test_a_text_becomes_a_film_in_steps(call: Run, tmp_path: Path) -> None:
    assert call("storyboard", TEXT, "--seconds", "1", *QUICK).returncode == 0
    file = tmp_path / "story.yaml"
    drawn = call("keyframes", "story.yaml", "--steps", "1", "--seed", "7", "--json")
    assert drawn.returncode == 0, drawn.stderr
    story = story_of(file)
    assert story.missing() == ()
    assert (story.pictures.steps, story.pictures.seed) == (1, 7)
    assert json.loads(drawn.stdout)["storyboard"]["opening"]["image"] == story.opening.image
    assert Path(story.opening.image).parent == tmp_path / "story_pictures"
    film = call("render", "story.yaml", "--json")
    assert film.returncode == 0, film.stderr
    first = json.loads(film.stdout)
    assert Path(first["film"]).is_file()
    # The same film is found again; with a picture made anew it is another one.
    assert json.loads(call("render", "story.yaml", "--json").stdout)["folder"] == first["folder"]
    assert call("keyframes", "story.yaml", "--redo", "1").returncode == 0
    assert story_of(file).keyframes[1].image != story.keyframes[1].image
    assert story_of(file).opening == story.opening
    assert json.loads(call("render", "story.yaml", "--json").stdout)["folder"] != first["folder"]
    exported = call("export", "story.yaml", "film.json")
    assert exported.returncode == 0
    assert load_project(tmp_path / "film.json").settings.guided_images["0"] == story.opening.image


@pytest.fixture
def planner(tmp_path: Path, own_home: None) -> Iterator[LlmServer]:
    """A language model's server, which the services of the test name."""
    with llm_server(Reply(json.dumps(ANSWER))) as server:
        services = tmp_path / "home" / "services.yaml"
        services.parent.mkdir()
        named = f"url: {server.address}, model: small, key: {KEY}, mode: json_schema, price_in: 1, price_out: 2"
        services.write_text(f"planner: {{{named}}}\n", encoding="utf-8")
        if os.name != "nt":
            services.chmod(0o600)
        yield server


def test_a_language_model_plans_and_its_price_is_told(call: Run, tmp_path: Path, planner: LlmServer) -> None:
    (tmp_path / "long.txt").write_text(TEXT, encoding="utf-8")
    told = call("storyboard", "long.txt", "--planner", "llm", "--estimate", "--json")
    assert json.loads(told.stdout)["dollars"] > 0
    assert planner.requests == []
    made = call("storyboard", "long.txt", "--planner", "llm", "--json")
    usage = json.loads(made.stdout)["usage"]
    assert (usage["tokens_in"], usage["tokens_out"]) == (100, len(json.dumps(ANSWER)) // 4)
    assert usage["dollars"] == pytest.approx((usage["tokens_in"] + 2 * usage["tokens_out"]) / 1e6)
    assert usage["words"] in made.stderr
    assert KEY not in made.stdout + made.stderr + (tmp_path / "story.yaml").read_text(encoding="utf-8")
    assert planner.requests[0]["response_format"]["type"] == "json_schema"
    story = story_of(tmp_path / "story.yaml")
    assert [segment.seconds for segment in story.segments] == [2, 1.5]
    assert story.text == TEXT
    planner.replies = [Reply("no quota", status=429, headers={"retry-after": "0"})]
    failed = call("storyboard", "long.txt", "-o", "b.yaml", "--planner", "llm")
    assert (failed.returncode, (tmp_path / "b.yaml").exists()) == (5, False)
    assert "its quota is used up" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("storyboard", "..."), 2, "there is no sentence in it"),
        (("storyboard", "gone.txt"), 2, "there is no such file"),
        (("storyboard", "A fox.", "--planner", "oracle"), 2, "not one of its values"),
        (("storyboard", "A fox.", "--planner", "llm"), 2, "no language model is configured"),
        (("storyboard", "A fox.", "--provider", "nobody"), 2, "not one of its values"),
        (("storyboard", "A fox.", "--seconds", "-1"), 2, "out of range"),
        (("storyboard", "A fox.", "--enhance"), 2, "WAN_PLANNER_MODEL"),
        (("keyframes", "other.yaml"), 2, "it is no storyboard"),
        (("keyframes", "shapes.yaml", "--redo", "1"), 2, "locked"),
        (("keyframes", "shapes.yaml", "--provider", "openai"), 2, "there is no key for openai"),
        (("keyframes", "shapes.yaml", "--strength", "0.5"), 2, "words alone"),
        (("render", "-"), 2, "Save it first"),
    ],
)
def test_what_is_refused(call: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    story = "segments: [{prompt: x, seconds: 1, last: {description: y, locked: true}}]\nopening: z\n"
    (tmp_path / "shapes.yaml").write_text(story, encoding="utf-8")
    (tmp_path / "other.yaml").write_text("prompts: {0: a fox}\n", encoding="utf-8")
    answer = call(*arguments, stdin=story)
    assert answer.returncode == code, answer.stderr
    assert words in answer.stderr
    assert (tmp_path / "shapes.yaml").read_text(encoding="utf-8") == story
