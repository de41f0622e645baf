"""Pictures that a clip of VACE passes through: on their own film frame exactly, on a model frame VACE obeys."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError
from wan_engine.families import FAMILIES, Lineup, ModelCard
from wan_engine.plan.build import build_plan
from wan_engine.plan.model import Plan, plan_from_json, plan_text
from wan_engine.settings import Settings

PICTURE = str(Path(__file__))  # a file that is there: planning reads no picture


def planned(frames: list[int], modes: str = "t2v i2v flf2v vace", **changes: Any) -> Plan:
    values: dict[str, Any] = {
        "prompts": {"0": "a boat"},
        "max_frames": 81,
        "seed": 1,
        "guided_images": {str(frame): PICTURE for frame in frames},
        "inner_images": "always",
    }
    family = FAMILIES["wan2.1-vace-14b"]
    cards: Any = {
        mode: ModelCard(mode, replace(family, modes=frozenset([mode])), frozenset([mode])) for mode in modes.split()
    }
    return build_plan(Settings(**{**values, **changes}), Lineup(cards))


def shape(plan: Plan) -> list[tuple[int, int, str, list[tuple[int, int]]]]:
    return [
        (clip.start, clip.end, clip.mode, [(each.frame, each.interval) for each in clip.pictures])
        for clip in plan.clips
    ]


def test_one_clip_passes_through_the_pictures_of_a_prompt() -> None:
    plan = planned([0, 20, 50, 80])
    assert shape(plan) == [(0, 81, "vace", [(20, 20), (50, 52)])]
    (clip,) = plan.clips
    assert (clip.intervals, clip.frames) == (80, 81)
    assert [clip.model_time(frame) for frame in (0, 20, 35, 50, 80)] == [0, 20, 36, 52, 80]
    assert clip.model_time(51) == 52 + Fraction(28, 30)
    assert (
        "Clips pass through the pictures at frames 20 and 50: each stands on its own frame, and ends no clip"
        in plan.notes
    )
    assert plan_from_json(json.loads(plan_text(plan))) == plan


def test_near_takes_those_that_would_make_short_clips() -> None:
    plan = planned([0, 10, 40, 80], inner_images="near")
    assert shape(plan) == [(0, 40, "vace", [(10, 12)]), (40, 81, "flf2v", [])]
    assert [len(clip.pictures) for clip in planned([0, 10, 40, 80], inner_images="never").clips] == [0, 0, 0]


def test_what_does_not_fit_into_a_clip_begins_another() -> None:
    plan = planned([0, 40, 80, 120], max_frames=160)
    assert [(start, end, inside) for start, end, _, inside in shape(plan)] == [
        (0, 80, [(40, 40)]),
        (80, 160, [(120, 40)]),
    ]


def test_a_new_prompt_ends_the_clip() -> None:
    plan = planned([0, 20, 40, 60], prompts={"0": "a boat", "40": "a ship"})
    assert [(start, inside) for start, _, _, inside in shape(plan)] == [(0, [(20, 20)]), (40, [(60, 20)])]


def test_a_clip_that_goes_on_keeps_its_overlap_in_front() -> None:
    plan = planned([20, 60], continuity="overlap", overlap_frames=9, prompts={"0": "a boat", "40": "a ship"})
    last = plan.clips[-1]
    assert (last.continuity, last.first, last.mode) == ("overlap", 8, "vace")
    assert [(each.frame, each.interval) for each in last.pictures] == [(60, 20)]
    assert last.model_time(60) == 28
    assert plan.clips[0].mode == "t2v", "a clip from its prompt alone has nothing to go from"


def test_without_vace_it_is_told() -> None:
    plan = planned([0, 20, 80], modes="t2v i2v flf2v")
    assert "inner_images is ignored: no model here does masked-video-to-video" in plan.notes
    assert not any(clip.pictures for clip in plan.clips)


@given(
    st.lists(st.integers(1, 150), min_size=1, max_size=6, unique=True),
    st.sampled_from(["12", "16", "24", "30000/1001"]),
    st.sampled_from(["near", "always"]),
    st.booleans(),
)
def test_every_picture_stands_on_its_own_frame(frames: list[int], fps: str, which: str, overlap: bool) -> None:
    frames = sorted({0, *frames})
    way = {"continuity": "overlap"} if overlap else {}
    plan = planned(frames, inner_images=which, fps=fps, max_frames=180, **way)
    assert [frame for clip in plan.clips for frame in range(clip.start, clip.end)] == list(range(180))
    shown = {clip.start for clip in plan.clips if clip.start_image}
    for clip in plan.clips:
        times = [clip.model_time(frame) for frame in range(clip.start, clip.arrives + 1)]
        assert times[0] == clip.first
        assert times[-1] == clip.last
        assert all(one < other for one, other in pairwise(times))
        for picture in clip.pictures:
            shown.add(picture.frame)
            place = clip.model_time(picture.frame)
            assert place == clip.first + picture.interval
            assert place % 4 == 0, "the last frame of a latent frame"
    assert shown == set(frames)


def test_a_plan_whose_pictures_lie_outside_is_refused() -> None:
    plan = planned([0, 20, 50, 80])
    values = json.loads(plan_text(plan))
    for place, value in (("frame", 90), ("interval", 0), ("image", 3)):
        broken = json.loads(json.dumps(values))
        broken["clips"][0]["pictures"][0][place] = value
        with pytest.raises(InputError, match="damaged"):
            plan_from_json(broken)
