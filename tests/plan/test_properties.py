"""Laws every plan keeps, over random schedules, pictures, models and frame rates."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from wan_engine.errors import CapabilityError, InputError
from wan_engine.families import Lineup
from wan_engine.plan.build import build_plan
from wan_engine.plan.model import Clip, Plan, plan_from_json, plan_text
from wan_engine.schedule.film_schedule import FilmSchedule, read_schedule
from wan_engine.schedule.seeds import part_seed
from wan_engine.settings_check import settings_from_mapping

LINE_UPS = ("all", "a14b", "tiny", "t2v+i2v", "5b", "t2v", "t2v+flf2v", "i2v+flf2v", "vace", "t2v+vace", "tiny+vace")
FPS = ["1", "8", "12.5", "15", "16", "23.976", "24000/1001", "24", "25", "29.97", "30", "50", "59.94", "60", "240"]
COMMON = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@st.composite
def films(draw: st.DrawFn) -> dict[str, Any]:
    """A line-up's name and settings; `P` stands for a picture's path."""
    frames = draw(st.one_of(st.integers(1, 40), st.integers(1, 3000)))
    keys = draw(st.lists(st.integers(0, frames - 1), min_size=1, max_size=12, unique=True))
    pictures = draw(st.lists(st.integers(0, frames - 1), max_size=4, unique=True))
    seed = draw(st.integers(0, 2**32 - 1))
    return {
        "models": draw(st.sampled_from([*LINE_UPS])),
        "prompts": {str(key): f"prompt {key} --neg bad {key}" for key in keys},
        "max_frames": frames,
        "fps": draw(st.sampled_from(FPS)),
        "model_fps": draw(st.sampled_from(["0", "0", "0", *FPS])),
        "clip_duration": draw(st.sampled_from([0, 0, 0.3, 1, 2.5, 5, 12])),
        "continuity": draw(st.sampled_from(["auto", "auto", "last_frame", "overlap", "overlap", "cut"])),
        "overlap_frames": draw(st.sampled_from([5, 9, 13, 17])),
        "spare_frames": draw(st.sampled_from([0, 0, 4, 8])),
        "loop": draw(st.booleans()),
        "guided_images": dict.fromkeys(map(str, pictures), "P"),
        "init_image": draw(st.sampled_from(["", "P"])) if 0 not in pictures else "",
        "end_image": draw(st.sampled_from(["", "P"])),
        "seed": seed,
        "seed_behavior": draw(st.sampled_from(["iter", "ladder", "alternate", "fixed", "random"])),
    }


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("pictures") / "picture.png"
    path.write_bytes(b"")
    return str(path)


Made = tuple[Plan, FilmSchedule, Lineup]


@pytest.fixture(scope="module")
def make(lineup, picture: str) -> Callable[[dict[str, Any]], Made]:
    """Plans a film; films that the models or settings rule out are not examples."""

    def plan(film: dict[str, Any]) -> Made:
        values = {**film, "guided_images": dict.fromkeys(film["guided_images"], picture)}
        models = lineup(values.pop("models"))
        values |= {name: picture for name in ("init_image", "end_image") if film[name]}
        checked = settings_from_mapping(values)
        try:
            return build_plan(checked, models), read_schedule(checked), models
        except (CapabilityError, InputError):
            assume(False)
            raise

    return plan


@COMMON
@given(film=films())
def test_clips_partition_the_film(make, film) -> None:
    plan, schedule, _ = make(film)
    assert plan.clips[0].start == 0
    assert plan.clips[-1].end == plan.frames == film["max_frames"]
    assert all(before.end == after.start for before, after in pairwise(plan.clips))
    assert all(clip.length >= 1 for clip in plan.clips)
    assert [clip.index for clip in plan.clips] == list(range(len(plan.clips)))
    starts = {clip.start for clip in plan.clips}
    assert {span.start for span in schedule.prompts.spans} <= starts


@COMMON
@given(film=films())
def test_frames_asked_are_what_the_family_can_make(make, film) -> None:
    plan, _, models = make(film)
    for clip in plan.clips:
        native = models.card(clip.mode).family.native_frames
        assert clip.frames % 4 == 1
        assert 5 <= clip.frames <= native
        assert 1 <= clip.intervals <= native - 1
        assert clip.last + 1 <= clip.frames
        follows = plan.clips[clip.index + 1 : clip.index + 2]
        hands_over = bool(follows) and follows[0].continuity != "cut" and not clip.end_image
        spare = film["spare_frames"] if hands_over else 0
        assert clip.frames == 5 or clip.frames - 4 < clip.last + spare + 1 <= clip.frames
        if film["clip_duration"]:
            one_frame = Fraction(plan.model_fps / plan.fps) + Fraction(1, 2)
            assert clip.intervals <= max(film["clip_duration"] * plan.model_fps, 4, one_frame)


def _most(clip: Clip, models: Lineup) -> int:
    """The most intervals that its family could make beside the frames it repeats."""
    return models.card(clip.mode).family.native_frames - 1 - clip.first


@COMMON
@given(film=films())
def test_time_runs_at_the_models_rate_and_never_back(make, film) -> None:
    plan, _, models = make(film)
    rate = plan.model_fps / plan.fps
    for clip in plan.clips:
        times = [clip.model_time(frame) for frame in range(clip.start, clip.end)]
        assert times[0] == clip.first
        assert all(later > earlier for earlier, later in pairwise(times))
        assert times[-1] <= clip.last
        assert clip.model_time(clip.arrives) == clip.last
        off = abs(clip.intervals - (clip.arrives - clip.start) * rate)
        if not (clip.end_image or clip.loops):
            assert off <= Fraction(1, 2) or clip.intervals == 1
        elif 4 < clip.intervals < _most(clip, models) - 4 and not film["clip_duration"]:
            assert off <= 2


@COMMON
@given(film=films())
def test_the_frame_handed_over_is_the_next_clips_first(make, film) -> None:
    plan, _, models = make(film)
    assert (plan.clips[0].chain, plan.clips[0].continuity) == (0, "cut")
    for before, after in pairwise(plan.clips):
        assert before.arrives == before.end
        if after.continuity != "cut":
            assert (after.chain, after.mode) in {(before.chain, mode) for mode in ("i2v", "flf2v", "vace")}
            assert before.model_time(after.start) == before.last
            assert after.start_image == after.init_video == ""
        else:
            assert (after.continuity, after.chain) == ("cut", before.chain + 1)
            assert bool(after.start_image) == (after.mode != "t2v") or after.mode == "vace"
        wanted = film["overlap_frames"] if after.continuity == "overlap" else 0
        longest = before.last + 1
        assert after.overlap == min(wanted, longest - (longest - 1) % 4)
        # What it repeats is what the clip before shows up to the frame it hands over, which is its own first.
        assert after.model_time(after.start) == after.first == max(0, after.overlap - 1)
    assert film["continuity"] != "cut" or all(clip.continuity == "cut" for clip in plan.clips)
    assert all(models.can(clip.mode) for clip in plan.clips)


@COMMON
@given(film=films())
def test_prompts_and_seeds_are_the_schedules(make, film) -> None:
    plan, schedule, _ = make(film)
    spans = [(start, end, clip.key) for start, end, clip in plan.prompt_spans()]
    assert spans == [(span.start, span.end, span.key) for span in schedule.prompts.spans]
    numbers = {span.key: number for number, span in enumerate(schedule.prompts.spans)}
    following: Clip | None = None
    for clip in plan.clips:
        assert (clip.prompt, clip.negative) == (f"prompt {clip.key}", f"bad {clip.key}")
        assert clip.seed == part_seed(schedule.seeds[numbers[clip.key]], clip.part)
        assert clip.part == (following.part + 1 if following and following.key == clip.key else 0)
        following = clip


@COMMON
@given(film=films())
def test_given_pictures_stand_on_their_own_frames(make, film) -> None:
    plan, _, _ = make(film)
    wanted = {int(frame) for frame in film["guided_images"]}
    wanted |= {0} if film["init_image"] else set()
    wanted |= {plan.frames - 1} if film["end_image"] else set()
    assert plan.clips[-1].loops == film["loop"]
    assert not any(clip.loops for clip in plan.clips[:-1])
    started = {clip.start for clip in plan.clips if clip.start_image}
    reached = {clip.arrives for clip in plan.clips if clip.end_image}
    assert wanted <= started | reached
    assert started | reached <= wanted
    assert reached <= started | {plan.frames - 1}
    for clip in plan.clips:
        if clip.end_image or clip.loops:
            assert clip.mode in ("flf2v", "vace")
            assert clip.intervals % 4 == 0
            assert clip.frames == clip.last + 1
            assert clip.start_image or clip.continuity != "cut"
        else:
            assert clip.mode != "flf2v"
            assert clip.arrives == clip.end


@COMMON
@given(film=films())
def test_the_plan_reads_back_and_is_the_same_again(make, film) -> None:
    plan, _, _ = make(film)
    text = plan_text(plan)
    assert plan_from_json(json.loads(text)) == plan
    again, _, _ = make(film)
    assert plan_text(again) == text
