"""Settings changed in a film that was begun: exactly the clips are rendered again that they touch, and it is as if the
film had been made with them from the start.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wan_engine.film import make_film, plan_film, resume_film
from wan_engine.media.pictures import write_png
from wan_engine.plan.model import plan_text, read_plan
from wan_engine.render.events import Event
from wan_engine.schedule.project import project_to_text
from wan_engine.settings import Settings

CLIPS = frozenset(range(4))
PROMPTS = {"0": "one", "16": "three", "24": "four"}
"""The first one is rendered as two clips of eight frames, as long as each other prompt."""
GOES_ON = ("overlap", "last_frame")
"""Ways in which a clip is made from the one before, so that its pictures follow from that one's."""


@dataclass(frozen=True)
class Change:
    """Settings in place of others. touches: the clips they are for, given how clips follow each other.

    spreads: their pictures come out others, so that the clips that go on from them do too.
    """

    values: dict[str, Any]
    touches: Callable[[str], frozenset[int]]
    spreads: bool = True

    def redone(self, continuity: str) -> frozenset[int]:
        touched = self.touches(continuity)
        if not self.spreads or continuity not in GOES_ON:
            return touched
        # No further: a drawn clip shows its own prompt, whatever it begins with.
        return touched | {clip + 1 for clip in touched} & CLIPS


def always(*clips: int) -> Callable[[str], frozenset[int]]:
    return lambda _continuity: frozenset(clips)


def of_overlaps(continuity: str) -> frozenset[int]:
    return CLIPS - {0} if continuity == "overlap" else frozenset()


def of_all_with_known_frames(continuity: str) -> frozenset[int]:
    """The first clip starts from a picture."""
    return CLIPS if continuity in GOES_ON else frozenset({0})


CHANGES = {
    "prompt of the last clip": Change({"prompts": {**PROMPTS, "24": "another"}}, always(3)),
    "prompt of the third clip": Change({"prompts": {**PROMPTS, "16": "another"}}, always(2)),
    "prompt of the first two": Change({"prompts": {**PROMPTS, "0": "another"}}, always(0, 1)),
    "negative prompt of the third": Change({"prompts": {**PROMPTS, "16": "three --neg fog"}}, always(2), spreads=False),
    "negative prompt": Change({"negative_prompt": "fog"}, always(*CLIPS)),
    "seed": Change({"seed": 8}, always(*CLIPS)),
    "steps from the third clip on": Change({"steps": "0: (2), 15: (2), 16: (3)"}, always(2, 3)),
    "guidance of the last clip": Change({"guidance_scale": "0: (5), 23: (5), 24: (4)"}, always(3)),
    "size": Change({"width": 96}, always(*CLIPS)),
    "overlap noise": Change({"overlap_noise": 40}, of_overlaps),
    "overlap": Change({"overlap_frames": 5}, of_overlaps),
    "colours held": Change({"hold_colour": True}, of_all_with_known_frames),
    "start image": Change({"init_image": "other.png"}, always(0), spreads=False),
    "the same start image elsewhere": Change({"init_image": "same.png"}, always()),
    "resampling": Change({"resample": "nearest"}, always()),
    "smoothing": Change({"smoothing": "temporal_filter"}, always()),
    "what is written": Change({"make_gif": True, "subtitles": False, "crf": 30}, always()),
}
EVERYWHERE = ("prompt of the third clip", "colours held", "overlap noise", "start image")
"""Changes that touch other clips for another way of continuity."""


def picture(path: Path, level: int) -> str:
    write_png(path, np.full((64, 64, 3), level, np.uint8))
    return str(path)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Settings, Path]]:
    """A finished film for each way of continuity: its settings and folder."""
    films: dict[str, tuple[Settings, Path]] = {}
    folder = tmp_path_factory.mktemp("begun")
    for name, level in (("start", 60), ("same", 60), ("other", 200)):
        picture(folder / f"{name}.png", level)

    def film(continuity: str) -> tuple[Settings, Path]:
        if continuity not in films:
            wanted = Settings(
                prompts=PROMPTS,
                max_frames=32,
                clip_duration=0.5,
                width=64,
                height=64,
                steps="2",
                guidance_scale="5",
                seed=7,
                init_image=str(folder / "start.png"),
                continuity=continuity,
                backend="dry_run",
                codec="png",
                keep_clips=True,
                output_dir=str(folder / continuity),
            )
            films[continuity] = (wanted, make_film(wanted, lambda _event: None, lambda: False).folder)
        return films[continuity]

    return film


def pictures(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*_0*.png"))]


def changed(wanted: Settings, changes: list[Change]) -> Settings:
    values = {name: value for change in changes for name, value in change.values.items()}
    if "init_image" in values:
        values["init_image"] = str(Path(wanted.init_image).with_name(values["init_image"]))
    return replace(wanted, **values)


def gone_on_with(film: Path, wanted: Settings, folder: Path) -> tuple[Path, set[int]]:
    """A copy of the film, gone on with by other settings: its folder and the clips that were rendered."""
    copy = folder / film.name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(film, copy)
    (plan_file,), (settings_file,) = copy.glob("*_plan.json"), copy.glob("*_settings.json")
    resolved = {name: value for name, value in read_plan(plan_file).resolved.items() if name != "finished"}
    plan_file.write_text(plan_text(replace(plan_film(wanted), resolved=resolved)), encoding="utf-8")
    settings_file.write_text(project_to_text(wanted), encoding="utf-8")
    events: list[Event] = []
    resume_film(copy, events.append, lambda: False)
    return copy, {event.clip for event in events if event.kind == "clip_started"}


def check(begun: Callable[[str], tuple[Settings, Path]], continuity: str, names: list[str], folder: Path) -> None:
    wanted, film = begun(continuity)
    changes = [CHANGES[name] for name in names]
    after = changed(wanted, changes)
    copy, rendered = gone_on_with(film, after, folder)
    assert rendered == frozenset().union(*(change.redone(continuity) for change in changes))
    anew = make_film(replace(after, output_dir=str(folder / "anew")), lambda _event: None, lambda: False)
    assert pictures(copy) == pictures(anew.folder)


@pytest.mark.parametrize("name", CHANGES)
def test_exactly_the_clips_that_a_change_touches_are_rendered_again(
    begun: Callable[[str], tuple[Settings, Path]], tmp_path: Path, name: str
) -> None:
    check(begun, "overlap", [name], tmp_path)


@pytest.mark.parametrize("continuity", ["last_frame", "cut"])
@pytest.mark.parametrize("name", EVERYWHERE)
def test_other_ways_of_continuity_touch_other_clips(
    begun: Callable[[str], tuple[Settings, Path]], tmp_path: Path, name: str, continuity: str
) -> None:
    check(begun, continuity, [name], tmp_path)


@pytest.mark.slow
@given(
    st.sampled_from(["overlap", "last_frame", "cut"]),
    st.lists(
        st.sampled_from(sorted(CHANGES)), min_size=2, max_size=4, unique_by=lambda name: tuple(CHANGES[name].values)
    ),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_changes_add_up(
    begun: Callable[[str], tuple[Settings, Path]], tmp_path: Path, continuity: str, names: list[str]
) -> None:
    check(begun, continuity, names, tmp_path)
