"""Whatever a user hands in: project files, prompts alone, and what is no film at all."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from wan_engine.errors import InputError
from wan_engine.schedule.film_schedule import read_schedule
from wan_engine.schedule.project import load_project, project_from_text, project_to_text
from wan_engine.schedule.seeds import fixed_seed
from wan_engine.settings import SETTINGS, Settings

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def problems(text: str, name: str = "") -> list[str]:
    began = time.perf_counter()
    with pytest.raises(InputError) as caught:
        project_from_text(text, name)
    assert time.perf_counter() - began < 2
    assert all(problem.remedy for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


YAML = """
kind: schedule
version: 1
fps: 24
make_gif: yes
guidance_scale: "0: (3), 48: (5)"
prompts:
  0: a cat
  2s: a dog
"""


@pytest.mark.parametrize("name", ["film.yaml", "film.yml", "film.txt", ""])
def test_a_yaml_project(name: str) -> None:
    settings = project_from_text(YAML, name).settings
    assert settings.prompts == {"0": "a cat", "2s": "a dog"}
    assert (settings.fps, settings.make_gif, settings.guidance_scale) == ("24", True, "0: (3), 48: (5)")


def test_a_json_project() -> None:
    text = '\ufeff {"kind": "schedule", "version": 1, "prompts": {"0": "a"}, "crf": 20, "steps": 6}'
    settings = project_from_text(text).settings
    assert (settings.prompts, settings.crf, settings.steps) == ({"0": "a"}, 20, "6")


@pytest.mark.parametrize(
    "text",
    [
        '{"0": "a cat", "max_f/2": "a dog"}',
        "0: a cat\nmax_f/2: a dog\n",
        "# film\n\n0: a cat\nmax_f/2: a dog",
        "max_f/2: a dog\n0: a cat",
        '{"prompts": {"0": "a cat", "max_f/2": "a dog"}}',
        '{"prompts": "0: a cat\\nmax_f/2: a dog"}',
        "prompts: |\n  0: a cat\n  # later\n  max_f/2: a dog\n",
        "kind: schedule\nprompts: {0: a cat, max_f/2: a dog}",
    ],
)
def test_prompts_alone_in_every_form(text: str) -> None:
    project = project_from_text(text)
    assert project.settings == Settings(prompts={"0": "a cat", "max_f/2": "a dog"})
    assert project.notes == ()


@pytest.mark.parametrize("name", ["prompts.yaml", "prompts.json"])
def test_the_ending_decides(name: str) -> None:
    text = "0: a cat" if name.endswith("yaml") else '{"0": "a cat"}'
    assert project_from_text(text, name).settings.prompts == {"0": "a cat"}


def test_paths_count_from_the_files_folder(tmp_path: Path) -> None:
    path = tmp_path / "films" / "a.json"
    path.parent.mkdir()
    values = {
        "init_image": "a.png",
        "soundtrack": "../music/b.mp3",
        "end_image": str(tmp_path / "c.png"),
        "guided_images": {"5": "d.png", "9": "https://x.org/e.png"},
    }
    path.write_text(json.dumps({"kind": "schedule", "prompts": {"0": "a"}, **values}), encoding="utf-8")
    settings = load_project(path).settings
    assert settings.init_image == str(path.parent / "a.png")
    assert Path(settings.soundtrack).resolve() == (tmp_path / "music" / "b.mp3").resolve()
    assert settings.end_image == str(tmp_path / "c.png")
    assert settings.guided_images == {"5": str(path.parent / "d.png"), "9": "https://x.org/e.png"}
    assert settings.model == ""


def test_paths_are_absolute_from_a_relative_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text('{"prompts": {"0": "a"}, "init_image": "b.png"}', encoding="utf-8")
    project = load_project(Path("a.json"))
    assert project.settings.init_image == str(tmp_path / "b.png")
    assert project.file == "a.json"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("[]", "it is a list"),
        ('["a", "b"]', "it is a list"),
        ('{"prompts": ["a", "b"]}', "prompts: it is not an object"),
        ("a cat", "prompts, line 1, column 1: there is no key"),
        ('{"kind": "outpaint", "film": "a.mp4"}', "Give it to wan-engine outpaint"),
        ('{"kind": "storyboard"}', "there are no segments"),
        ('{"kind": "keyframes", "keyframes": []}', "at least two keyframes"),
        ('{"kind": "shedule"}', "not a kind of project"),
        ('{"kind": ["schedule"]}', "not a kind of project"),
        ('{"kind": "schedule", "version": 2}', "version: version '2' cannot be read"),
        ('{"kind": "schedule", "version": true}', "cannot be read"),
        ('{"version": 1, "promts": {}}', 'promts: it is not a setting. Did you mean "prompts"?'),
        ('{"promts": {"0": "a"}}', 'Did you mean "prompts"?'),
        ('{"kind": "schedule", "W": 512}', 'write "width"'),
        ('{"kind": "schedule", "zoom": "0: (1)"}', "leave out kind and version"),
        ('{"0": "a", "30": 5}', 'prompts, key "30": its value is int, not text'),
        ('{"kind": "schedule", "prompts": null}', "prompts: it has no value"),
        ('{"kind": "schedule", "prompts": {"0": "a\\u0000b"}}', "NUL"),
        ('{"prompts": {"0": "a"}, "width": NaN}', "line 1, column 34: NaN"),
        ('{"prompts": {"0": "a"}, "width": 1e999}', "width: inf is not a number"),
        ('{"0": "a",}', "line 1, column 11"),
        ("prompts:\n  0: a: b", "line 2, column 7"),
        ("kind: schedule\nprompts: |\n  0: a\n  b\n", "prompts, line 2"),
        ('"0": "a",\n"30": "b"', "JSON without its brackets"),
    ],
)
def test_what_is_wrong_is_said_plainly(text: str, told: str) -> None:
    assert told in problems(text)[0]


def test_all_problems_of_a_file_come_together_with_its_name() -> None:
    values = {
        "kind": "schedule",
        "promts": {},
        "width": "wide",
        "fps": 0,
        "seed": -7,
        "prompts": {"0": "a `1+`", "x": "b --neg c --neg d"},
        "guidance_scale": "0: (foo)",
        "sampler": "heun",
    }
    found = problems(json.dumps(values), "film.json")
    assert len(found) == 9
    assert all(problem.startswith("film.json, ") for problem in found)
    for field in ("promts", "width", "fps", "seed", "guidance_scale", "sampler"):
        assert any(f", {field}" in problem for problem in found)


def test_long_values_make_short_messages() -> None:
    text = json.dumps({"kind": "schedule", "width": "x" * 100_000, "codec": "y" * 100_000, "z" * 100_000: 1})
    assert max(map(len, problems(text))) < 1500


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"kind": "schedule", ' + ", ".join(f'"name{n}": 1' for n in range(20_000)) + "}",
        "{" + ", ".join(f'"k{n}x": "a", "0{n}y": "b"' for n in range(20_000)) + "}",
        "prompts: " + "[" * 10_000,
        "no colon here\n" * 50_000,
        json.dumps({"0": "`" + "(" * 100_000 + "`"}),
        json.dumps({"0": "`" + "t+" * 50_000 + "t`"}),
        json.dumps({"0": "`9**9**9**9`"}),
        json.dumps({"0": "`().__class__.__bases__`", "__import__('os').system('ls')": "b"}),
    ],
    ids=range(10),
)
def test_hostile_files_are_refused_quickly(text: str) -> None:
    assert len("".join(problems(text))) < 100_000


def test_prompts_may_come_from_elsewhere() -> None:
    assert project_from_text('{"kind": "schedule", "fps": 24}').settings.prompts == {}


def test_doubled_keys_are_noted() -> None:
    assert "twice" in project_from_text('{"0": "a", "0": "b"}').notes[0]
    assert "twice" in project_from_text("0: a\n0: b").notes[0]
    assert "twice" in project_from_text("prompts: {0: a, 0: b}").notes[0]


def test_settings_come_back_from_their_text() -> None:
    other = Settings(
        prompts={"0": 'ä "☃"\n', "max_f/2": "b"},
        guided_images={"3": "/a/b.png"},
        fps="30000/1001",
        seed=2**32 - 1,
        steps="0: (5)",
        clip_duration=2.5,
        make_gif=True,
    )
    for settings in (Settings(prompts={"0": "a"}), other):
        text = project_to_text(settings)
        assert project_from_text(text, "a.json").settings == settings
        assert json.loads(text)["kind"] == "schedule"
    assert set(json.loads(text)) == {"kind", "version", *SETTINGS}


@pytest.mark.parametrize("name", ["shapes.json", "shapes.yaml", "prompts.txt"])
def test_the_examples_are_films(name: str) -> None:
    project = load_project(EXAMPLES / name)
    film = read_schedule(replace(fixed_seed(project.settings), output_dir=""))
    assert project.notes == ()
    assert film.notes == ()
    assert len(film.prompts.spans) >= 4
    assert all(span.end - span.start >= 16 for span in film.prompts.spans)
    assert any(film.prompts.at(span.start).negative for span in film.prompts.spans)


def test_the_first_example_shows_the_schedule_language() -> None:
    film = read_schedule(load_project(EXAMPLES / "shapes.json").settings)
    assert film.guidance_scale is not None
    assert film.guidance_scale.at(0) < film.guidance_scale.at(24) < film.guidance_scale.at(48)
    assert any("max_f" in span.key for span in film.prompts.spans)
