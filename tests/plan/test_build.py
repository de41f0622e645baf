"""Values of clips, worked timings, model mixes, and how long planning takes."""

from __future__ import annotations

import time

import pytest

from wan_engine.errors import CapabilityError, InputError
from wan_engine.plan.build import build_plan
from wan_engine.schedule.seeds import part_seed
from wan_engine.settings import Settings
from wan_engine.settings_check import settings_from_mapping
from yardstick import slowness


@pytest.mark.parametrize(
    ("keys", "fps", "frames", "asked"),
    [
        ((0, 60, 120), "30", 180, [33, 33, 33]),
        ((0, 60, 120), "60", 180, [17, 17, 17]),
        ((0, 30, 60, 90), "15", 120, [33, 33, 33, 33]),
        ((0, 90, 180), "30", 270, [49, 49, 49]),
        ((0, 43, 106, 210, 324), "60", 400, [13, 21, 29, 33, 21]),
        ((0, 3), "16", 80, [5, 81]),
        ((0, 80), "16", 160, [81, 81]),
        ((0, 81), "16", 160, [45, 41, 81]),
        ((0, 300), "60", 360, [81, 17]),
    ],
)
def test_every_prompt_starts_on_its_own_frame(planned, keys, fps: str, frames: int, asked: list[int]) -> None:
    """Schedules on which rounding clip lengths to 4k+1 drifts by up to four frames and makes another length."""
    plan = planned("t2v+i2v", {str(key): f"prompt {key}" for key in keys}, fps=fps, max_frames=frames)
    assert [start for start, _, _ in plan.prompt_spans()] == list(keys)
    assert plan.clips[-1].end == plan.frames == frames
    assert [clip.frames for clip in plan.clips] == asked


@pytest.mark.parametrize(
    ("gap", "intervals"), [(5, [4]), (10, [12]), (18, [20]), (20, [20]), (43, [44]), (60, [60]), (80, [80])]
)
def test_between_two_pictures_each_stands_once_on_its_frame(planned, tmp_path, gap: int, intervals: list[int]) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"")
    plan = planned("all", guided_images={"0": str(path), str(gap): str(path)}, max_frames=gap + 1)
    (clip,) = plan.clips
    assert ([clip.intervals], clip.frames) == (intervals, clip.intervals + 1)
    assert (clip.model_time(0), clip.model_time(gap)) == (0, clip.intervals)


def test_values_are_the_schedules_at_the_clips_first_frame(planned) -> None:
    plan = planned(
        "a14b",
        {"0": "a", "40": "b"},
        max_frames=200,
        steps="0:(10.9), 100:(20)",
        guidance_scale="0:(2), 199:(4)",
        sampler='0: ("unipc"), 40: ("euler")',
        flow_shift=7,
    )
    assert [clip.start for clip in plan.clips] == [0, 40, 120]
    assert [clip.steps for clip in plan.clips] == [10, 14, 20]
    assert [clip.guidance_scale for clip in plan.clips] == pytest.approx([2, 2 + 2 * 40 / 199, 2 + 2 * 120 / 199])
    assert [clip.sampler for clip in plan.clips] == ["unipc", "euler", "euler"]
    assert [clip.guidance_scale_2 for clip in plan.clips] == [3.0, 3.5, 3.5]
    assert {clip.flow_shift for clip in plan.clips} == {7}
    assert [clip.seed for clip in plan.clips] == [100, 101, part_seed(101, 1)]
    assert plan.seed == 100
    assert plan.models == {"t2v": "wan2.2-t2v-a14b", "i2v": "wan2.2-i2v-a14b"}


def test_empty_settings_take_each_familys_own(planned) -> None:
    text, image = planned("t2v+i2v", {"0": "a", "40": "b"}, max_frames=80).clips
    assert (text.steps, image.steps) == (50, 40)
    assert (text.guidance_scale, text.guidance_scale_2, text.flow_shift) == (5.0, None, 3.0)
    large = planned("t2v+i2v", max_frames=40, width=1280, height=720).clips[0]
    assert large.flow_shift == 5.0
    text, image = planned("a14b", {"0": "a", "40": "b"}, max_frames=80).clips
    assert (text.flow_shift, image.flow_shift) == (12.0, 5.0)
    assert (text.guidance_scale_2, image.guidance_scale_2) == (3.0, 3.5)


def test_math_in_prompts_is_that_of_the_parts_first_frame(planned) -> None:
    plan = planned("t2v+i2v", {"0": "(cat:`t`)"}, max_frames=160)
    assert [clip.prompt for clip in plan.clips] == ["(cat:0)", "(cat:80)"]


def test_models_of_different_rates_mix_only_at_a_rate_the_user_sets(planned) -> None:
    prompts = {"0": "a", "40": "b"}
    with pytest.raises(CapabilityError) as caught:
        planned("5b+a14b", prompts)
    assert str(caught.value) == (
        "the models of this film make different numbers of frames a second (Wan 2.2 TI2V 5B 24, Wan 2.2 I2V A14B 16). "
        "Use models of one rate, or set model_fps to the rate at which all are played"
    )
    plan = planned("5b+a14b", prompts, model_fps="20", max_frames=80)
    assert [clip.mode for clip in plan.clips] == ["t2v", "i2v"]
    assert (plan.model_fps, plan.width, plan.height) == (20, 1280, 704)


def test_models_that_no_clip_uses_do_not_count(planned, tmp_path) -> None:
    plan = planned("5b+a14b", {"0": "a"}, max_frames=40, width=1280, height=720)
    assert (plan.model_fps, plan.height) == (24, 704)
    path = tmp_path / "picture.png"
    path.write_bytes(b"")
    plan = planned("5b+a14b", {"0": "a"}, max_frames=40, width=1280, height=720, init_image=str(path))
    assert (plan.model_fps, plan.height, [clip.mode for clip in plan.clips]) == (16, 720, ["i2v"])


def test_the_seed_must_be_drawn_first(lineup) -> None:
    with pytest.raises(ValueError, match="seed must be fixed"):
        build_plan(Settings(prompts={"0": "a"}), lineup("all"))


def test_all_problems_of_the_settings_come_before_what_models_cannot_do(planned) -> None:
    with pytest.raises(InputError) as caught:
        planned("nothing", {"x": "a"}, init_image="gone.png", steps="0:(", guidance_scale="0:(foo)")
    assert [problem.field for problem in caught.value.problems] == ["init_image", "prompts", "steps", "guidance_scale"]


@pytest.mark.parametrize("models", ["t2v", "tiny"])
def test_a_thousand_prompts_plan_in_under_a_fifth_of_a_second(lineup, models: str) -> None:
    prompts = {str(frame): f"a long prompt number {frame} --neg blurry" for frame in range(0, 10_000, 10)}
    settings = settings_from_mapping({"prompts": prompts, "max_frames": 10_000, "fps": "30", "seed": 1})
    taken = []
    for _ in range(3):
        before = time.process_time()  # of this process alone: other work on the machine does not count
        plan = build_plan(settings, lineup(models))
        taken.append(time.process_time() - before)
    assert len(plan.clips) == 1000
    assert min(taken) < 0.2 * slowness()
