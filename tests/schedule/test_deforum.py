"""Deforum's settings files: what is used, under which name errors come, and what the notes say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wan_engine.errors import InputError
from wan_engine.schedule.deforum import draft_from_deforum, is_deforum
from wan_engine.schedule.deforum_names import SAME, is_deforum_name
from wan_engine.schedule.project import Project, load_project, project_from_text
from wan_engine.settings import SETTINGS

SHIPPED = Path(__file__).resolve().parents[3] / "shared" / "data" / "deforum"
PROMPTS = {"0": "a cat"}


def read(**values: Any) -> Project:
    return project_from_text(json.dumps({"W": 512, "H": 512, "prompts": PROMPTS, **values}))


def notes(**values: Any) -> str:
    return "\n".join(read(**values).notes)


def test_plain_values_go_over() -> None:
    settings = read(
        max_frames=90,
        fps=12.5,
        seed=42,
        seed_behavior="ladder",
        seed_iter_N=3,
        seed_schedule="0: (5)",
        cfg_scale_schedule="0: (3), 48: (5)",
        steps=25,
        batch_name="A_{timestring}",
        make_gif=True,
        animation_prompts_positive="best",
        animation_prompts_negative="worst",
    ).settings
    assert (settings.width, settings.height, settings.max_frames, settings.fps) == (512, 512, 90, "12.5")
    assert (settings.seed, settings.seed_behavior, settings.seed_iter_n) == (42, "ladder", 3)
    assert (settings.guidance_scale, settings.steps, settings.seed_schedule) == ("0: (3), 48: (5)", "25", "0: (5)")
    assert (settings.positive_prompt, settings.negative_prompt) == ("best", "worst")
    assert settings.make_gif
    assert settings.batch_name == "A_{timestring}"


def test_null_is_not_given() -> None:
    assert read(init_image=None, seed=None, cfg_scale_schedule=None).settings.seed == -1


def test_our_own_names_may_stand_beside_and_win() -> None:
    project = read(width=64, guidance_scale="4", cfg_scale_schedule="0: (7)", image_fit="contain")
    assert (project.settings.width, project.settings.height) == (64, 512)
    assert (project.settings.guidance_scale, project.settings.image_fit) == ("4", "contain")
    assert '"W" is not used: the file gives "width" too' in project.notes


@pytest.mark.parametrize(
    ("values", "steps"),
    [
        ({"steps": 20, "steps_schedule": "0: (30)", "enable_steps_scheduling": True}, "0: (30)"),
        ({"steps": 20, "steps_schedule": "0: (30)", "enable_steps_scheduling": False}, "20"),
        ({"steps": 20, "steps_schedule": "0: (30)"}, "20"),
        ({"steps_schedule": "0: (30)"}, "0: (30)"),
        ({"steps_schedule": "0: (30)", "enable_steps_scheduling": False}, ""),
    ],
)
def test_steps_schedule_has_a_switch(values: dict[str, Any], steps: str) -> None:
    project = read(**values)
    assert project.settings.steps == steps
    assert project.notes == ()


@pytest.mark.parametrize(
    ("sampler", "ours", "noted"),
    [
        ("UniPC", "unipc", False),
        ("Euler", "euler", False),
        ("Euler a", "unipc", True),
        ("DPM++ 2M SDE", "unipc", True),
        (1, "euler", False),
        (0, "unipc", True),
        (17, "unipc", True),
        ("0: (euler)", "0: (euler)", False),
    ],
)
def test_samplers_that_wan_has(sampler: str | int, ours: str, noted: bool) -> None:
    project = read(sampler=sampler)
    assert project.settings.sampler == ours
    assert bool(project.notes) == noted


def test_a_sampler_schedule_is_translated_word_by_word() -> None:
    words = '0: ("Euler a"), 10: ("UniPC"), "max_f-5": (Euler)'
    project = read(sampler="DDIM", sampler_schedule=words, enable_sampler_scheduling=True)
    assert project.settings.sampler == '0: (unipc), 10: (unipc), "max_f-5": (euler)'
    assert project.notes == ('sampler "Euler a" is not one Wan has; unipc is used',)


@pytest.mark.parametrize("name", ["prompts", "animation_prompts"])
@pytest.mark.parametrize("as_text", [dict, json.dumps, lambda prompts: "0: a cat\n"])
def test_prompts_in_every_form(name: str, as_text: Any) -> None:
    project = project_from_text(json.dumps({"W": 64, name: as_text(PROMPTS)}))
    assert project.settings.prompts == PROMPTS


def test_a_file_written_by_a_run_is_not_composed_again() -> None:
    project = read(prompts={"0": "best a cat --neg nsfw"}, positive_prompts="best", negative_prompts="nsfw")
    assert (project.settings.positive_prompt, project.settings.negative_prompt) == ("", "")
    assert project.notes == ()
    assert "negative_prompts is not added" in notes(prompts={"0": "edited"}, negative_prompts="nsfw")


def test_the_start_image_has_a_switch() -> None:
    assert read(use_init=True, init_image="a.png").settings.init_image == "a.png"
    assert read(use_init=False, init_image="a.png").settings.init_image == ""
    assert read(init_image="a.png").settings.init_image == "a.png"
    assert read(use_init=False, init_image="https://x.org/a.png").settings.init_image == ""
    with pytest.raises(InputError, match="web address"):
        read(use_init=True, init_image="https://x.org/a.png")


def test_guided_images_come_from_the_looper() -> None:
    images = {"max_f-20": "b.png", "5": "http://x.org/c.png"}
    for given in (images, json.dumps(images)):
        project = read(use_looper=True, init_images=given, seed_behavior="iter")
        assert project.settings.guided_images == {"max_f-20": "b.png"}
        assert project.settings.seed_behavior == "schedule"  # as in Deforum
        assert [note.split(":")[0] for note in project.notes] == ["init_images", "seed_behavior is schedule"]
    assert read(use_looper=False, init_images=images).settings.guided_images == {}


def test_the_first_guided_image_takes_the_place_of_the_start_image() -> None:
    project = read(use_looper=True, init_images={"0": "b.png"}, use_init=True, init_image="a.png")
    assert project.settings.init_image == ""
    assert "init_image is not used" in project.notes[0]


@pytest.mark.parametrize(
    ("values", "soundtrack"),
    [
        ({"add_soundtrack": "File", "soundtrack_path": "a.mp3"}, "a.mp3"),
        ({"add_soundtrack": True, "soundtrack_path": "a.mp3"}, "a.mp3"),
        ({"add_soundtrack": "None", "soundtrack_path": "a.mp3"}, ""),
        ({"add_soundtrack": False, "soundtrack_path": "a.mp3"}, ""),
        ({"soundtrack_path": "a.mp3"}, "a.mp3"),
        ({"add_soundtrack": "Init Video", "soundtrack_path": "a.mp3", "video_init_path": "b.mp4"}, "b.mp4"),
        ({"add_soundtrack": "File", "soundtrack_path": "https://x.org/a.mp3"}, ""),
    ],
)
def test_the_soundtrack(values: dict[str, Any], soundtrack: str) -> None:
    project = read(**values)
    assert project.settings.soundtrack == soundtrack
    assert ("web address" in "".join(project.notes)) == ("https" in str(values))


@pytest.mark.parametrize("name", ["skip_video_creation", "skip_video_for_run_all"])
def test_no_video_means_pictures(name: str) -> None:
    settings = read(**{name: True}).settings
    assert (settings.codec, settings.save_frames) == ("png", True)
    assert read(**{name: False}).settings.codec == "h264"


def test_the_wan_tab_counts_in_its_mode() -> None:
    tab = {
        "wan_enhanced_prompts": '{"0": "a hare"}',
        "wan_resolution": "480x864 (Portrait)",
        "wan_inference_steps": 12,
        "wan_guidance_scale": 7.5,
        "wan_seed": 5,
        "wan_negative_prompt": "dull",
        "steps": 20,
        "cfg_scale_schedule": "0: (1)",
        "seed": 3,
        "animation_prompts_positive": "best",
    }
    wan = read(animation_mode="Wan Video", **tab).settings
    assert wan.prompts == {"0": "a hare"}
    assert (wan.width, wan.height, wan.steps, wan.guidance_scale) == (480, 864, "12", "7.5")
    assert (wan.seed, wan.negative_prompt, wan.positive_prompt) == (5, "dull", "")
    other = read(animation_mode="3D", **tab).settings
    assert other.prompts == PROMPTS
    assert (other.width, other.steps, other.guidance_scale, other.seed) == (512, "20", "0: (1)", 3)


def test_an_empty_wan_tab_leaves_the_rest() -> None:
    tab = {"wan_enhanced_prompts": "", "wan_seed": -1, "wan_guidance_override": False, "wan_guidance_scale": 7.5}
    settings = read(animation_mode="Wan Video", seed=3, cfg_scale_schedule="0: (2)", **tab).settings
    assert (settings.prompts, settings.seed, settings.guidance_scale) == (PROMPTS, 3, "0: (2)")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"animation_mode": "3D", "translation_z": "0: (1.75)"}, "camera movement (translation_z)"),
        ({"animation_mode": "3D", "zoom": "0: (1.02)"}, ""),  # of the 2D mode only
        ({"animation_mode": "2D", "zoom": "0: (1.0)", "angle": "0:(0), 10:(0.0)"}, ""),
        ({"animation_mode": "2D", "zoom": "0: (1+sin(t))", "angle": "0: (0)"}, "camera movement (zoom)"),
        ({"cn_3_enabled": True}, "ControlNet"),
        ({"cn_3_enabled": False, "cn_3_module": "depth"}, ""),
        ({"hybrid_composite": "None", "hybrid_motion": "None"}, ""),
        ({"hybrid_composite": True}, "hybrid video"),
        ({"parseq_manifest": '{"a": 1}'}, "Parseq"),
        ({"use_mask": True}, "masks"),
        ({"frame_interpolation_engine": "RIFE v4.6"}, "frame interpolation"),
        ({"r_upscale_video": True}, "upscaling"),
        ({"enable_checkpoint_scheduling": True}, "checkpoint schedule"),
        ({"animation_mode": "Interpolation"}, "prompts blended"),
        ({"strength_schedule": "0: (0.65)"}, ""),
        ({"strength_schedule": "0: (0.65), 30: (0.2)"}, "strength_schedule"),
    ],
)
def test_what_wan_cannot_do_is_named_when_it_is_on(values: dict[str, Any], named: str) -> None:
    found = notes(**values)
    assert named in found
    assert bool(found) == bool(named)


def test_unknown_names_are_one_note() -> None:
    assert read(foo=1, bar=2, cn_9_new=3).notes == (
        'not used, known neither to Deforum nor to this engine: "foo", "bar"',
    )


def test_errors_come_under_the_names_of_the_file() -> None:
    with pytest.raises(InputError) as caught:
        read(
            W="wide",
            seed_iter_N=0,
            cfg_scale_schedule="0: (foo)",
            steps_schedule="0:(1+",
            animation_prompts_negative="`",
        )
    places = [(problem.field, problem.key) for problem in caught.value.problems]
    assert places == [
        ("W", ""),
        ("seed_iter_N", ""),
        ("animation_prompts_negative", ""),
        ("steps_schedule", "0"),
        ("cfg_scale_schedule", "0"),
    ]
    with pytest.raises(InputError) as caught:
        project_from_text('{"W": 64, "animation_prompts": {"x": "a"}, "init_images": "{", "wan_resolution": "big"}')
    assert [problem.field for problem in caught.value.problems] == ["init_images", "animation_prompts"]
    with pytest.raises(InputError) as caught:
        read(animation_mode="Wan Video", wan_resolution="big", wan_inference_steps="x")
    assert [problem.field for problem in caught.value.problems] == ["wan_resolution", "wan_inference_steps"]


def test_names_that_both_have_do_not_make_a_file_deforum() -> None:
    assert not is_deforum({"prompts": {}, "seed": 1, "fps": 3, "max_frames": 4, "make_gif": False})
    assert is_deforum({"prompts": {}, "W": 1})
    assert all(is_deforum_name(name) for name in SAME)
    assert not set(SAME) & set(SETTINGS)


@pytest.mark.parametrize("value", [None, True, 5, 1e300, "", "x", [], ["x"], {}, {"x": 1}, {"0": None}])
@pytest.mark.parametrize(
    "name",
    [
        *("W", "fps", "prompts", "steps", "steps_schedule", "sampler", "sampler_schedule", "init_image", "init_images"),
        *("soundtrack_path", "add_soundtrack", "wan_resolution", "wan_seed", "wan_enhanced_prompts", "zoom"),
        *("positive_prompts", "animation_mode", "use_looper", "batch_name", "cn_1_enabled", "skip_video_creation"),
    ],
)
def test_values_of_any_type_are_read_or_refused(name: str, value: Any) -> None:
    switches = {"use_init": True, "enable_sampler_scheduling": True, "animation_mode": "Wan Video", "use_looper": True}
    try:
        read(**{**switches, name: value})
    except InputError as error:
        problems = error.problems
    else:
        problems = ()
    assert all(problem.field and problem.remedy for problem in problems)


def shipped() -> list[Path]:
    return sorted(SHIPPED.glob("*.txt"))


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="Deforum's own settings files are not at hand")
def test_the_files_deforum_ships_load() -> None:
    assert shipped()
    for path in shipped():
        given = json.loads(path.read_text(encoding="utf-8"))
        project = load_project(path)
        assert project.settings.prompts == given["prompts"]
        assert (project.settings.width, project.settings.max_frames) == (given["W"], given["max_frames"])
        assert project.settings.guidance_scale == given["cfg_scale_schedule"]
        assert not any("known neither" in note for note in project.notes), project.notes
        assert all(is_deforum_name(name) or name in SETTINGS for name in given)


def test_a_draft_keeps_problems_and_values_apart() -> None:
    draft = draft_from_deforum({"W": 64, "prompts": "no key", "seed": 4})
    assert draft.values == {"width": 64, "seed": 4}
    assert [problem.field for problem in draft.problems] == ["prompts"]
