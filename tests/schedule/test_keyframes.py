"""Keyframe projects: pictures with times become a schedule with guided images, or errors at their place."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError
from wan_engine.schedule.keyframes import draft_from_keyframes
from wan_engine.schedule.project import load_project, project_from_text

PROJECT = """
keyframes:
  - [a.png, 0.0]
  - [b.png, 2.0]
  - [sub/c.png, 5.5]
prompt: oil painting
sub_prompts: [the sun rises, ships leave]
ckpt_dir: models/flf
size: "1280*720"
sample_steps: 40
sample_shift: 16.0
sample_guide_scale: 5.0
base_seed: 42
negative_prompt: blurry
"""


def test_a_project_becomes_a_schedule(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(PROJECT, encoding="utf-8")
    project = load_project(path)
    settings = project.settings
    assert settings.prompts == {"0": "oil painting, the sun rises", "48": "oil painting, ships leave"}
    assert settings.guided_images == {"0": str(tmp_path / "a.png"), "48": str(tmp_path / "b.png")}
    assert settings.end_image == str(tmp_path / "sub/c.png")
    assert (settings.max_frames, settings.fps) == (133, "24")
    assert (settings.width, settings.height, settings.model) == (1280, 720, str(tmp_path / "models/flf"))
    assert (settings.steps, settings.flow_shift, settings.guidance_scale) == ("40", 16, "5.0")
    assert (settings.seed, settings.seed_behavior) == (42, "iter")
    assert (settings.negative_prompt, settings.smoothing) == ("blurry", "temporal_filter")
    assert project.notes == ()


def test_words_of_the_command_line_are_read_too() -> None:
    draft = draft_from_keyframes({"keyframes": r"C:\a.png:0.0, b.png:3", "prompt": "x", "sub_prompts": "a"})
    assert draft.values["guided_images"] == {"0": r"C:\a.png"}
    assert draft.values["end_image"] == "b.png"
    assert draft.values["prompts"] == {"0": "x, a"}
    two = draft_from_keyframes({"keyframes": "a.png:0,b.png:3,c.png:6", "sub_prompts": "a| b"})
    assert two.values["prompts"] == {"0": "a", "72": "b"}


@pytest.mark.parametrize(
    ("change", "smoothing"),
    [
        ({}, "temporal_filter"),
        ({"smoothing_method": "optical_flow"}, "optical_flow"),
        ({"enable_smoothing": False}, "none"),
        ({"enable_smoothing": "false", "smoothing_method": "optical_flow"}, "none"),
        ({"smoothing": "none"}, "none"),
    ],
)
def test_smoothing_is_on_unless_it_is_off(change: dict[str, Any], smoothing: str) -> None:
    draft = draft_from_keyframes({"keyframes": [["a.png", 0], ["b.png", 3]], "prompt": "x", **change})
    assert draft.values["smoothing"] == smoothing


@pytest.mark.parametrize(
    ("change", "profile"),
    [
        ({"offload_model": True}, "balanced"),
        ({"offload_model": True, "t5_cpu": "true"}, "minimal"),
        ({"offload_model": True, "memory_profile": "fast"}, "fast"),
        ({"offload_model": False}, None),
    ],
)
def test_offloading_is_a_memory_profile(change: dict[str, Any], profile: str | None) -> None:
    draft = draft_from_keyframes({"keyframes": [["a.png", 0], ["b.png", 3]], "prompt": "x", **change})
    assert draft.values.get("memory_profile") == profile


@pytest.mark.parametrize(
    ("change", "devices", "device"),
    [
        ({"num_gpus": 1, "gpu_ids": [0]}, None, None),
        ({"num_gpus": 2}, "cuda:0, cuda:1", None),
        ({"gpu_ids": "1,3"}, "cuda:1, cuda:3", None),
        ({"num_gpus": "2", "gpu_ids": [4, 5, 6]}, "cuda:4, cuda:5", None),
        ({"gpu_ids": [3]}, None, "cuda:3"),
        ({"num_gpus": 2, "devices": "cpu, cpu"}, "cpu, cpu", None),
    ],
)
def test_gpus_are_devices(change: dict[str, Any], devices: str | None, device: str | None) -> None:
    draft = draft_from_keyframes({"keyframes": [["a.png", 0], ["b.png", 3]], "prompt": "x", **change})
    assert not draft.problems
    assert (draft.values.get("devices"), draft.values.get("device")) == (devices, device)


def test_keyframes_of_one_prompt_may_lie_inside_a_clip() -> None:
    values = {"keyframes": [["a", 0], ["b", 2], ["c", 3]], "prompt": "x", "inner_images": "near"}
    assert draft_from_keyframes(values).values["prompts"] == {"0": "x"}
    assert len(draft_from_keyframes({**values, "sub_prompts": ["y", "z"]}).values["prompts"]) == 2


def test_users_are_told_of_lengths() -> None:
    values = {"keyframes": [["a", 1], ["b", 2], ["c", 9]], "prompt": "x"}
    notes = " / ".join(draft_from_keyframes(values).notes)
    assert "The film begins with the first keyframe: 1 s are taken" in notes
    assert "Segment 1 has 24 frames: under 32" in notes
    assert "Segment 2 has 168 frames: above 100" in notes
    (note,) = draft_from_keyframes({"keyframes": [["a", 0], ["b", 0.04]], "prompt": "x"}).notes
    assert note.startswith("Segment 1 has 1 frame:")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_gpus": "all"}, "num_gpus: 'all' is no number of GPUs"),
        ({"num_gpus": 0}, "num_gpus: '0' is no number of GPUs"),
        ({"gpu_ids": "0,x"}, "gpu_ids: '0, x' are no numbers of GPUs"),
        ({"num_gpus": 3, "gpu_ids": [0, 1]}, "gpu_ids: it names 2 of the 3 GPUs"),
        ({"keyframes": [["a", 3], ["b", 2]]}, 'keyframes, key "2": it comes at 2 s, not after the one before'),
        ({"keyframes": [["a", 0]]}, "at least two keyframes"),
        ({"keyframes": None}, "there are no keyframes"),
        ({"keyframes": [["a", 0], ["b", "x"]]}, "'x' is no number of seconds"),
        ({"keyframes": [["a", 0], ["b", -1]]}, "-1 s lies outside a film"),
        ({"keyframes": [["a", 0], ["b", "1/0"]]}, "is no number of seconds"),
        ({"keyframes": [["a", 0], ["b", "1e400"]]}, "1e400 s lies outside a film"),
        ({"keyframes": [["a", 0], ["b", "1e20000000"]]}, "'1e20000000' is no number of seconds"),
        ({"keyframes": [["a", 0], {"image": "b", "time": 3, "tim": 2}]}, '"tim" is no part of a keyframe'),
        ({"keyframes": [["a", 0], 7]}, "it is no pair of picture and seconds"),
        ({"keyframes": [["a", 0], ["", 1]]}, "it is no pair of picture and seconds"),
        ({"keyframes": [["a", 0], ["b", 0.01]]}, "it falls on the same film frame, 0"),
        ({"size": "big"}, "size: 'big' is no size"),
        ({"sub_prompts": ["a", "b"]}, "there are 2 for 1 segment."),
        ({"sub_prompts": {"a": "b"}}, "sub_prompts: it is no list of texts"),
        ({"sub_prompts": [5]}, "sub_prompts: it is no list of texts"),
        ({"offload_model": "perhaps"}, "offload_model: 'perhaps' is neither true nor false"),
        ({"enable_smoothing": "nope"}, "enable_smoothing: 'nope' is neither true nor false"),
        ({"prompt": ""}, "there is no prompt"),
        ({"prompt": 3}, "there is no prompt"),
        ({"base_sed": 3}, 'Did you mean "base_seed"'),
        ({"prompts": {"0": "a"}}, "it does not belong into a keyframe project"),
        ({"sample_steps": "many"}, "sample_steps"),
        ({"smoothing_method": "deflicker"}, "smoothing_method"),
        ({"fps": "fast"}, "fps: 'fast' is not a frame rate"),
        ({"kind": "keyframes", "version": 9}, "version '9' cannot be read"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(change: dict[str, Any], words: str) -> None:
    import json

    values = {"keyframes": [["a.png", 0], ["b.png", 3]], "prompt": "x", **change}
    with pytest.raises(InputError) as caught:
        project_from_text(json.dumps(values), "film.json")
    assert words in str(caught.value)
    assert "film.json" in str(caught.value)


@given(
    st.lists(st.fractions(Fraction(1, 10), 20), min_size=1, max_size=12),
    st.sampled_from(["16", "23.976", "24", "30000/1001", "60"]),
)
def test_each_keyframe_stands_on_its_own_frame(gaps: list[Fraction], fps: str) -> None:
    from wan_engine.settings import parse_fps

    times = [Fraction(0)]
    for gap in gaps:
        times.append(times[-1] + gap)
    values = {"keyframes": [[f"{n}.png", str(time)] for n, time in enumerate(times)], "prompt": "x", "fps": fps}
    draft = draft_from_keyframes(values)
    if draft.problems:
        return
    frames = [*map(int, draft.values["guided_images"]), draft.values["max_frames"] - 1]
    assert frames == sorted(set(frames))
    for frame, time in zip(frames, times, strict=True):
        assert abs(frame - time * parse_fps(fps)) <= Fraction(1, 2)
