"""From a long prompt to a film, with the small model's pictures and its first-last-frame clips; by both planners."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from llm_server import Reply, llm_server
from story_samples import ANSWER, TEXT
from wan_engine.errors import InputError
from wan_engine.media.pictures import read_picture
from wan_engine.media.probe import last_frame, probe
from wan_engine.plan.model import read_plan
from wan_engine.settings_pictures import PictureSettings
from wan_engine.storyboard.planner import Ask, PlanningFailed
from wan_engine.storyboard.services import Service, load_services
from wan_engine.storyboard.story import Desk, estimate_story, make_story_film, plan_story
from wan_engine.tiny.judge import look

FILM = {"steps": "4", "fps": 16, "seed": 3, "encoder": "software", "preset": "ultrafast", "crf": 4, "device": "cpu"}


def ask(folder: Path, **values: object) -> Ask:
    film = {**FILM, "output_dir": str(folder)}
    return replace(Ask(TEXT, seconds=2, film=film, pictures=PictureSettings(seed=8)), **values)  # type: ignore[arg-type]


@contextmanager
def desk_with(folder: Path, *replies: Reply) -> Iterator[Desk]:
    """A desk whose language model gives these answers."""
    services = load_services(folder, {})
    if not replies:
        yield Desk(folder / "story.yaml", services)
        return
    with llm_server(*replies) as server:
        yield Desk(folder / "story.yaml", {**services, "planner": Service(server.address, "k", "small", timeout=5.0)})


@pytest.mark.slow
@pytest.mark.parametrize("planner", ["splitter", "llm"])
def test_a_long_prompt_becomes_a_film(tmp_path: Path, planner: str) -> None:
    replies = (Reply(json.dumps({**ANSWER, "style": "", "characters": [], "continuity": ""})),)
    with desk_with(tmp_path, *(replies if planner == "llm" else ())) as desk:
        planned = plan_story(ask(tmp_path), planner, desk).storyboard
        made = make_story_film(desk)
    story = desk.load().storyboard
    assert story is not None
    assert [segment.prompt for segment in story.segments] == [segment.prompt for segment in planned.segments]
    plan = read_plan(made.plan)
    assert [clip.mode for clip in plan.clips] == ["flf2v", "flf2v"]
    assert plan.frames == round(story.seconds * 16) + 1 == probe(made.film or Path()).frames
    # The film ends on the last keyframe, and that shows what it was asked for.
    last = read_picture(Path(story.keyframes[2].image), 64, 64, "cover")
    assert abs(last_frame(made.film or Path()).astype(int) - last.astype(int)).mean() < 12
    assert look(last).shape == "square"
    # Asked for again, it is found whole.
    assert make_story_film(desk).folder == made.folder


def test_what_came_before_a_failure_is_kept(tmp_path: Path) -> None:
    with (
        desk_with(tmp_path, Reply(json.dumps(ANSWER)[:600], finish="length")) as desk,
        pytest.raises(PlanningFailed, match=r"the segments that came whole \(2\) are kept in") as caught,
    ):
        plan_story(ask(tmp_path), "llm", desk)
    assert str(desk.part) in str(caught.value)
    part = replace(desk, file=desk.part).load().storyboard
    assert part is not None
    assert part.segments[0].prompt == "Dot moves right"
    assert not desk.file.exists()


def test_the_films_settings_are_checked_before_anything_is_asked(tmp_path: Path) -> None:
    with desk_with(tmp_path, Reply("")) as desk:
        for film in ({"widht": 5}, {"fps": 0}, {"prompts": {"0": "x"}}):
            with pytest.raises(InputError):
                plan_story(ask(tmp_path, film=film), "llm", desk)
            with pytest.raises(InputError):
                estimate_story(ask(tmp_path, film=film), "splitter", desk.services)
    assert not desk.file.exists()
