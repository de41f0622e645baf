"""LoRAs in the plan: names become files, weights go by clip, prompts overrule the setting, old plans are read."""

from __future__ import annotations

from typing import Any

import pytest

from wan_engine.errors import InputError
from wan_engine.families import FAMILIES, Lineup, ModelCard
from wan_engine.plan.build import build_plan
from wan_engine.plan.loras import guessed_expert
from wan_engine.plan.model import ClipLora, Plan, plan_from_json, plan_text, plan_to_json, read_plan
from wan_engine.settings_check import settings_from_mapping

LIBRARY = {
    name: f"/loras/{name}.safetensors"
    for name in (
        "ink",
        "styles/Wash",
        "a/twice",
        "b/twice",
        "boat_high_noise",
        "boat-LOW",
        "slow_motion",
        "Ünïcode v1.2",
    )
}
PROMPTS = {"0": "a", "30": "b <lora:ink:0.5>", "60": "c"}


def planned(prompts: dict[str, str] | None = None, **settings: Any) -> Plan:
    family = FAMILIES["wan-tiny"]
    card = ModelCard("tiny", family, family.modes)
    values = {"prompts": prompts or PROMPTS, "max_frames": 90, "seed": 1, **settings}
    return build_plan(settings_from_mapping(values), Lineup({"t2v": card, "i2v": card}), LIBRARY)


def used(plan: Plan) -> list[list[tuple[str, float, str]]]:
    """Name, weight and expert of the LoRAs of each prompt's first clip."""
    return [[(lora.name, lora.weight, lora.expert) for lora in clip.loras] for *_, clip in plan.prompt_spans()]


def test_the_weight_is_the_schedules_at_the_first_frame_of_each_clip() -> None:
    plan = planned({"0": "a", "45": "b"}, loras="ink: 0: (0), 80: (0.8)", clip_duration=1)
    assert len(plan.clips) > 2
    assert [[lora.weight for lora in clip.loras] for clip in plan.clips] == [
        [pytest.approx(clip.start / 100)] if clip.start else [] for clip in plan.clips
    ]


def test_a_tag_holds_for_its_prompt_and_overrules_the_setting() -> None:
    assert used(planned()) == [[], [("ink", 0.5, "both")], []]
    assert used(planned(loras="ink: 1 low\nwash: 2")) == [
        [("ink", 1.0, "low"), ("styles/Wash", 2.0, "both")],
        [("styles/Wash", 2.0, "both"), ("ink", 0.5, "both")],
        [("ink", 1.0, "low"), ("styles/Wash", 2.0, "both")],
    ]
    switched_off = {"0": "a", "30": "b <lora:ink:0>"}
    assert used(planned(switched_off, loras="ink: 1")) == [[("ink", 1.0, "both")], []]


def test_the_prompts_stay_without_their_tags() -> None:
    plan = planned(positive_prompt="oil <lora:wash:1>")
    assert [clip.prompt for *_, clip in plan.prompt_spans()] == ["oil  a", "oil  b", "oil  c"]
    assert used(plan)[1] == [("styles/Wash", 1.0, "both"), ("ink", 0.5, "both")]


@pytest.mark.parametrize(
    "name", ["styles/Wash", "wash", "WASH", "styles\\wash", "styles/wash.safetensors", "Wash.SafeTensors"]
)
def test_names_may_leave_out_what_is_clear(name: str) -> None:
    assert planned(loras=name).clips[0].loras == (
        ClipLora("styles/Wash", "/loras/styles/Wash.safetensors", 1.0, "both"),
    )


@pytest.mark.parametrize(
    ("loras", "message", "remedy"),
    [
        ("imk: 1", 'there is no LoRA "imk"', 'Did you mean "ink"?'),
        ("  wahs: 1", 'there is no LoRA "wahs"', 'Did you mean "styles/Wash"?'),
        ("qqqqqq", 'there is no LoRA "qqqqqq"', "There are 8, such as"),
        ("twice", '"twice" may be one of 2 LoRAs: a/twice, b/twice', "Write its folder too"),
        ("../ink", 'there is no LoRA "../ink"', "ink"),
        ("/loras/ink.safetensors", "there is no LoRA", "ink"),
    ],
)
def test_a_name_that_is_not_clear_is_a_problem_with_its_place(loras: str, message: str, remedy: str) -> None:
    with pytest.raises(InputError) as caught:
        planned({"0": "a"}, loras=f"# comment\n{loras}")
    (problem,) = caught.value.problems
    assert message in problem.message
    assert remedy in problem.remedy
    assert (problem.field, problem.line) == ("loras", 2)
    assert problem.column == len(loras) - len(loras.lstrip()) + 1


def test_unknown_tags_are_told_with_their_columns_and_all_together() -> None:
    prompts = {"0": "a <lora:imk:1>", "30": "b", "60": "<lora:other:1> c"}
    with pytest.raises(InputError) as caught:
        planned(prompts, loras="none", positive_prompt="x <lora:boat:1>")
    places = [(problem.field, problem.key, problem.column) for problem in caught.value.problems]
    assert sorted(places) == [
        ("loras", "none", 1),
        ("positive_prompt", "", 3),
        ("prompts", "0", 3),
        ("prompts", "60", 1),
    ]


def test_without_any_lora_the_folder_is_named() -> None:
    family = FAMILIES["wan-tiny"]
    lineup = Lineup({"t2v": ModelCard("tiny", family, family.modes)})
    settings = settings_from_mapping({"prompts": {"0": "a <lora:ink:1>"}, "seed": 1})
    with pytest.raises(InputError, match="No LoRA was found at all: set lora_dir"):
        build_plan(settings, lineup)


@pytest.mark.parametrize(
    ("name", "expert"),
    [
        ("boat_high_noise", "high"),
        ("boat-LOW", "low"),
        ("wan2.2_t2v_lightx2v_4steps_lora_v1.1_high_noise", "high"),
        ("Wan22_HighNoise_v2", "high"),
        ("x (low)", "low"),
        ("low/boat", ""),
        ("slow_motion", ""),
        ("highlands", ""),
        ("flowers", ""),
        ("high_and_low", ""),
    ],
)
def test_what_a_name_says_of_the_expert(name: str, expert: str) -> None:
    assert guessed_expert(name) == expert


def test_what_the_user_says_wins_over_the_name() -> None:
    plan = planned({"0": "a <lora:boat_high_noise> <lora:boat-low:1:both>"}, loras="slow_motion: 1 high")
    assert used(plan) == [[("slow_motion", 1.0, "high"), ("boat_high_noise", 1.0, "high"), ("boat-LOW", 1.0, "both")]]


def test_a_plan_on_disk_keeps_its_loras(tmp_path: Any) -> None:
    plan = planned(loras="wash: 0.25 high")
    path = tmp_path / "plan.json"
    path.write_text(plan_text(plan), encoding="utf-8")
    assert read_plan(path) == plan
    assert plan.clips[0].loras


def test_a_plan_from_before_there_were_loras_is_read() -> None:
    plan = planned({"0": "a"})
    old = {**plan_to_json(plan), "version": 1}
    for clip in old["clips"]:
        del clip["loras"]
    assert plan_from_json(old) == plan


@pytest.mark.parametrize(
    ("change", "words"),
    [({"expert": "third"}, "expert is 'third'"), ({"weight": "much"}, "weight is 'much'"), ({"extra": 1}, "extra")],
)
def test_damaged_loras(change: dict[str, Any], words: str) -> None:
    values = plan_to_json(planned(loras="ink"))
    values["clips"][0]["loras"] = [{**values["clips"][0]["loras"][0], **change}]
    with pytest.raises(InputError, match=words):
        plan_from_json(values)


def test_a_weight_out_of_range_at_a_clip_is_told() -> None:
    with pytest.raises(InputError, match=r'loras, key "ink", line 1, column \d+: its value at frame 45 is 45'):
        planned({"0": "a", "45": "b"}, loras="ink: t")
