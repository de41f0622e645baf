"""Settings as Deforum files: what Deforum reads in them, and that they read back to equal settings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError
from wan_engine.schedule.deforum_export import MOST_POINTS, OWN_KEY, DeforumFile, deforum_file
from wan_engine.schedule.film_schedule import read_schedule
from wan_engine.schedule.project import Project, load_project, project_from_text, settings_from_values
from wan_engine.settings import Settings

SHIPPED = Path(__file__).resolve().parents[3] / "shared" / "data" / "deforum"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "shapes.json"


def written(**values: Any) -> tuple[dict[str, Any], DeforumFile]:
    """What the file holds for these settings, and the file."""
    file = deforum_file(settings_from_values({"prompts": {"0": "a cat"}, "width": 64, **values}))
    return json.loads(file.text), file


def read(file: DeforumFile | dict[str, Any]) -> Project:
    text = file.text if isinstance(file, DeforumFile) else json.dumps(file)
    return project_from_text(text, "film_settings.txt")


def test_a_plain_film_needs_deforums_words_alone() -> None:
    film = {"height": 48, "max_frames": 60, "fps": "12", "seed": 9, "seed_behavior": "ladder", "seed_iter_n": 2}
    more = {"steps": "20", "guidance_scale": "0: (3), 30: (5)", "positive_prompt": "best", "negative_prompt": "worst"}
    values, file = written(prompts={"0": "a cat --neg blur", "30": "a dog"}, sampler="euler", **film, **more)
    assert file.notes == ()
    assert OWN_KEY not in values
    assert values["prompts"] == {"0": "a cat --neg blur", "30": "a dog"}
    expected = {"W": 64, "H": 48, "max_frames": 60, "fps": 12, "seed": 9, "seed_behavior": "ladder", "seed_iter_N": 2}
    expected |= {"steps": 20, "enable_steps_scheduling": False, "cfg_scale_schedule": "0: (3), 30: (5)"}
    expected |= {"sampler": "Euler", "animation_prompts_positive": "best", "animation_prompts_negative": "worst"}
    assert {name: values[name] for name in expected} == expected
    assert read(file).settings.guidance_scale == "0: (3), 30: (5)"


@pytest.mark.parametrize(
    ("schedule", "theirs"),
    [
        ("5", "0: (5)"),
        ("0: (3), 30: (5)", "0: (3), 30: (5)"),
        ('0:(2), "max_f":(4+sin(t))', '0:(2), "max_f":(4+sin(t))'),
        ("10: (3), 20: (5),", "0: (3), 10: (3), 20: (5)"),
        ("0: (3), 1s: (5)", "0: (3), 16: (5)"),
        ("0: (where(t>15, 1, 3))", "0: (3), 15: (3), 16: (1)"),
    ],
)
def test_a_schedule_is_said_so_that_deforum_reads_it(schedule: str, theirs: str) -> None:
    values, file = written(guidance_scale=schedule)
    assert values["cfg_scale_schedule"] == theirs
    assert read(file).settings.guidance_scale == schedule
    ours, said = (
        read_schedule(replace(read(each).settings, seed=0)).guidance_scale
        for each in (file, {name: value for name, value in values.items() if name != OWN_KEY})
    )
    assert ours is not None
    assert said is not None
    assert said.values() == pytest.approx(ours.values(), abs=1e-4)


def test_a_schedule_of_too_many_numbers_is_left_out() -> None:
    values, file = written(guidance_scale="where(t>0, 2+sin(t), 1)", max_frames=MOST_POINTS * 2)
    assert "cfg_scale_schedule" not in values
    assert any("cfg_scale_schedule is left out" in note for note in file.notes)
    assert read(file).settings.guidance_scale.startswith("where")


def test_steps_and_sampler_by_prompt_are_schedules() -> None:
    prompts = {"0": "a cat", "30": "a dog"}
    values, file = written(prompts=prompts, steps="0: (10), 30: (20)", sampler="0: (unipc), 30: (distilled)")
    assert (values["steps"], values["enable_steps_scheduling"]) == (10, True)
    assert values["steps_schedule"] == "0: (10), 30: (20)"
    assert values["sampler_schedule"] == '0: ("UniPC"), 30: ("Euler")'
    assert file.notes == ("the sampler distilled is Euler in Deforum",)
    assert read(file).settings.sampler == "0: (unipc), 30: (distilled)"


def test_keys_are_frame_numbers() -> None:
    values, file = written(prompts={"1s": "a dog", "0": "a cat", "max_f/2+30": "a hare"}, fps="10")
    assert values["prompts"] == {"0": "a cat", "10": "a dog", "89": "a hare"}
    assert "frame numbers" in file.notes[0]
    assert list(read(file).settings.prompts) == ["1s", "0", "max_f/2+30"]


def test_pictures_and_sound_have_switches() -> None:
    values, _ = written(init_image="a.png", soundtrack="b.mp3", codec="png", save_frames=True)
    assert (values["use_init"], values["init_image"], values["use_looper"]) == (True, "a.png", False)
    assert (values["add_soundtrack"], values["soundtrack_path"]) == ("File", "b.mp3")
    assert values["skip_video_creation"] is True
    values, _ = written()
    assert (values["use_init"], values["add_soundtrack"], values["skip_video_creation"]) == (False, "None", False)
    values, file = written(guided_images={"2s": "a.png", "max_f": "b.png"})
    assert json.loads(values["init_images"]) == {"32": "a.png", "max_f": "b.png"}
    assert "guided images set it so" in file.notes[0]
    assert (values["seed_behavior"], read(file).settings.seed_behavior) == ("schedule", "iter")


def test_what_deforum_has_no_word_for_is_told_and_kept() -> None:
    values, file = written(crf=3, end_image="/e.png", model="/m", fps="30000/1001")
    assert values["fps"] == 29.97
    assert set(values[OWN_KEY]["settings"]) == {"crf", "end_image", "model", "fps"}
    assert file.notes[-1].startswith("Deforum has no word for: ")
    assert "fps" not in file.notes[-1]


def test_what_was_changed_since_counts() -> None:
    values, _ = written(guidance_scale="5", crf=3)
    values["cfg_scale_schedule"] = "0: (7)"
    project = read(values)
    assert (project.settings.guidance_scale, project.settings.crf) == ("0: (7)", 3)
    assert project.notes == ('changed since the file was written, so "wan_engine" does not count: cfg_scale_schedule',)


@pytest.mark.parametrize("own", [5, {}, {"settings": {}}, {"settings": [], "written": {}}, {"written": {}}])
def test_a_key_that_this_engine_did_not_write_is_refused(own: Any) -> None:
    with pytest.raises(InputError, match="not what this engine writes"):
        read({"W": 64, "prompts": {"0": "a cat"}, OWN_KEY: own})


def test_wrong_settings_of_ours_are_named() -> None:
    own = {"version": 1, "settings": {"crf": 99, "nonsense": 1}, "written": {}}
    with pytest.raises(InputError) as caught:
        read({"W": 64, "prompts": {"0": "a cat"}, OWN_KEY: own})
    assert {problem.field for problem in caught.value.problems} == {"crf", "nonsense"}
    with pytest.raises(InputError, match="version"):
        read({"W": 64, "prompts": {"0": "a cat"}, OWN_KEY: {**own, "settings": {}, "version": 2}})


def round_trip(settings: Settings) -> None:
    file = deforum_file(settings)
    assert read(file).settings == settings
    # A second time nothing changes.
    assert deforum_file(read(file).settings) == file


KEYS = st.one_of(st.integers(0, 200).map(str), st.sampled_from(["max_f", "max_f/2", "1.5s", "2+2", " 7 "]))
TEXTS = st.text(st.characters(exclude_characters="`<\x00", exclude_categories=["Cs"]), max_size=12)
SCHEDULES = st.sampled_from(
    ["", "5", "0: (3)", "0: (2), 30: (4)", "2: (3)", "where(t>3,1,2)", "0:(1), 1s:(2)", "0: (1+t/10),"]
)
FILMS = st.fixed_dictionaries(
    {"prompts": st.dictionaries(KEYS, TEXTS.map(lambda text: text.replace("--neg", "")), min_size=1, max_size=4)},
    optional={
        "width": st.sampled_from([0, 64, 832]),
        "max_frames": st.integers(1, 300),
        "fps": st.sampled_from(["16", "12.5", "30000/1001", "29.97", "7/3"]),
        "steps": SCHEDULES,
        "guidance_scale": SCHEDULES,
        "guidance_scale_2": SCHEDULES,
        "sampler": st.sampled_from(["unipc", "euler", "distilled", "0: (euler), 20: (unipc)", "EULER"]),
        "seed": st.integers(-1, 2**32 - 1),
        "seed_behavior": st.sampled_from(["iter", "ladder", "alternate", "fixed", "random", "schedule"]),
        "seed_schedule": st.sampled_from(["0: (s)", "5", "0: (5), 1s: (7)"]),
        "init_image": st.sampled_from(["", "a.png", "https://x.org/a.png"]),
        "guided_images": st.dictionaries(KEYS, st.sampled_from(["a.png", "https://x.org/b.png"]), max_size=2),
        "end_image": st.sampled_from(["", "e.png"]),
        "soundtrack": st.sampled_from(["", "a.mp3", "https://x.org/a.mp3"]),
        "codec": st.sampled_from(["h264", "png", "gif"]),
        "save_frames": st.booleans(),
        "make_gif": st.booleans(),
        "negative_prompt": TEXTS.map(lambda text: text.replace("--neg", "")),
    },
)


@given(FILMS)
def test_any_film_reads_back_equal(film: dict[str, Any]) -> None:
    round_trip(settings_from_values(film))


def test_every_setting_reads_back_equal() -> None:
    round_trip(Settings())
    round_trip(load_project(EXAMPLE).settings)


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="Deforum's own settings files are not at hand")
@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.txt")), ids=lambda path: path.stem)
def test_files_that_deforum_ships_keep_their_values(path: Path) -> None:
    theirs = json.loads(path.read_text(encoding="utf-8"))
    project = load_project(path)
    file = deforum_file(project.settings)
    ours = json.loads(file.text)
    told = ("sampler", "init_images", "soundtrack_path", "animation_mode", "init_image", "add_soundtrack")
    same = {name for name in ours if name in theirs and name not in told}
    assert {"prompts", "W", "H", "max_frames", "fps", "seed", "cfg_scale_schedule", "seed_schedule"} <= same
    expected = {name: "" if theirs[name] is None else theirs[name] for name in same}
    assert {name: ours[name] for name in same} == expected
    assert read(file).settings == project.settings
