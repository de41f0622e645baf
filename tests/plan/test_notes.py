"""What a plan says about itself: every note when it should be there, and none when nothing is odd."""

from __future__ import annotations

import pytest

from wan_engine.errors import CapabilityError
from wan_engine.plan.build import build_plan
from wan_engine.settings_check import settings_from_mapping


def test_a_plain_film_has_no_notes(planned) -> None:
    assert planned("all", {"0": "a", "40": "b"}, max_frames=80).notes == ()


def test_random_weights_are_said_first(lineup) -> None:
    settings = settings_from_mapping({"prompts": {"0": "a"}, "max_frames": 20, "seed": 1, "fps": 24})
    notes = build_plan(settings, lineup("tiny", noise=True)).notes
    assert notes[0] == "The pictures are noise: the model's weights are random"
    assert len(notes) == 2


def test_split_prompts_are_listed_and_then_counted(planned) -> None:
    assert planned("t2v+i2v", {"0": "a", "100": "b"}, max_frames=300).notes == (
        'Prompts rendered as several clips: "0" into 2 and "100" into 3',
    )
    many = planned("tiny", {str(key): "a" for key in range(0, 2000, 40)}, max_frames=2000).notes
    assert many == (
        'Prompts rendered as several clips: "0" into 2, "40" into 2, "80" into 2, "120" into 2, "160" into 2, '
        '"200" into 2, "240" into 2, "280" into 2 and 42 more',
    )


def test_rates_that_differ(planned) -> None:
    assert planned("t2v", fps="60", max_frames=60).notes == (
        "The film shows 60 frames a second and the model makes 16: 3.75 film frames to a model frame, blended",
    )
    assert planned("t2v", fps="8", max_frames=40, resample="nearest").notes == (
        "The film shows 8 frames a second and the model makes 16: 0.5 film frames to a model frame, taken from the "
        "nearest one",
    )
    assert planned("t2v", fps="24", model_fps="24", max_frames=40).notes == (
        "Wan 2.1 T2V 1.3B was trained at 16 frames a second and is played at 24: things move 1.5 times as fast",
    )


def test_math_is_held_for_a_clip(planned) -> None:
    assert planned("t2v", {"0": "(cat:`t/10`)"}, max_frames=40).notes == (
        "Math in backticks is worked out at a clip's first frame and held for the clip",
    )


def test_settings_that_do_nothing_are_named(planned) -> None:
    plan = planned(
        "all",
        {"0": "a --neg b"},
        max_frames=40,
        guidance_scale="1",
        guidance_scale_2="3",
        i2v_model="x",
        flf2v_model="y",
        clip_duration=10,
    )
    assert plan.notes == (
        "guidance_scale_2 is ignored: only the two-expert models of Wan 2.2 A14B have it",
        "i2v_model is ignored: no clip needs it",
        "flf2v_model is ignored: no clip goes between two pictures",
        "Negative prompts are ignored where guidance_scale is 1 or less",
        "clip_duration is longer than the model's clips, which last 5 s at most",
    )


def test_the_schedules_notes_are_there(planned) -> None:
    plan = planned("t2v", {"0": "a", "500": "b"}, max_frames=40)
    assert any('"500"' in note for note in plan.notes)


def test_what_mending_seams_may_cost_is_told(planned) -> None:
    plan = planned("tiny+vace", {"0": "a"}, max_frames=64, seam_repair="vace")
    (note,) = [note for note in plan.notes if "mended" in note]
    assert note == "Of 1 seam those that can be seen are mended by VACE, up to 33 model frames in 8 steps each"
    plan = planned("tiny+vace", {"0": "a", "30": "b", "34": "c"}, max_frames=64, seam_repair="vace")
    assert any(note.startswith("Seams are not mended at frames 30 and 34: ") for note in plan.notes)
    plan = planned("tiny+vace", {"0": "a"}, max_frames=64, continuity="cut", seam_repair="vace", seam_retries=3)
    assert [note.split(" is ")[0] for note in plan.notes if "wanted cuts" in note] == ["seam_retries", "seam_repair"]


def test_mending_by_vace_needs_vace(planned) -> None:
    with pytest.raises(CapabilityError, match="seam_repair vace needs masked-video-to-video"):
        planned("t2v+i2v", {"0": "a"}, max_frames=200, seam_repair="vace")
