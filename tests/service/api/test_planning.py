"""Planning over HTTP: what would be made, told like the command line does, with every problem at its place."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api_samples import FOX, ROOT
from wan_engine.schedule.project import project_from_text
from wan_engine.service.config import ServiceConfig
from wan_engine.settings import Settings, settings_to_mapping


def post(client: TestClient, route: str, **body: Any) -> Any:
    return client.post(f"{ROOT}/{route}", json=body)


def test_a_plan_of_settings(client: TestClient, config: ServiceConfig) -> None:
    answer = post(client, "plans", settings=FOX)
    assert answer.status_code == 200
    values = answer.json()
    assert [clip["prompt"] for clip in values["plan"]["clips"]] == ["a red fox", "the fox runs"]
    assert [(row["start"], row["end"]) for row in values["prompts"]] == [(0, 8), (8, 16)]
    assert values["settings"]["output_dir"] == str(config.outputs)
    assert values["settings"].keys() == settings_to_mapping(Settings()).keys()


def test_a_drawn_seed_is_told(client: TestClient) -> None:
    values = post(client, "plans", settings={**FOX, "seed": -1}).json()
    assert values["plan"]["seed"] == values["settings"]["seed"] >= 0


def test_a_plan_of_a_project_file(client: TestClient) -> None:
    text = "kind: schedule\nprompts:\n  0: a cat\n  1s: a dog\nmax_frames: 32\nbackend: dry_run\n"
    values = post(client, "plans", project=text, name="cat.yaml").json()
    assert [row["prompt"] for row in values["prompts"]] == ["a cat", "a dog"]
    answer = post(client, "plans", project=text.replace("max_frames", "max_framse"), name="cat.yaml")
    assert answer.status_code == 422
    (problem,) = answer.json()["problems"]
    assert (problem["file"], problem["field"]) == ("cat.yaml", "max_framse")
    assert "max_frames" in problem["remedy"]


def test_all_problems_come_with_field_key_and_column(client: TestClient) -> None:
    wrong = {**FOX, "fps": "x", "steps": "0:(1/0)", "prompts": {"0": "a", "zz(": "b"}}
    answer = post(client, "plans", settings=wrong)
    assert answer.status_code == 422
    assert answer.json()["error"] == "InputError"
    found = {(each["field"], each["key"], each["column"]) for each in answer.json()["problems"]}
    assert {("fps", "", None), ("steps", "0", 5), ("prompts", "zz(", 1)} <= found


@pytest.mark.parametrize("route", ["plans", "prompts"])
def test_a_path_outside_names_field_and_roots(client: TestClient, config: ServiceConfig, route: str) -> None:
    answer = post(client, route, settings={**FOX, "init_image": "/etc/passwd", "output_dir": "/"})
    assert answer.status_code == 403
    assert answer.json()["error"] == "OutsideError"
    assert {each["field"] for each in answer.json()["problems"]} == {"init_image", "output_dir"}
    assert str(config.outputs) in answer.json()["problems"][0]["remedy"]


def test_an_import_with_a_path_outside_is_refused(client: TestClient) -> None:
    project = json.dumps({"kind": "schedule", "prompts": {"0": "a"}, "soundtrack": "/etc/passwd"})
    assert post(client, "imports", project=project).status_code == 403


def test_a_keyframe_project_keeps_its_own_words(client: TestClient) -> None:
    text = "keyframes: [[a.png, 0], [b.png, 2]]\nprompt: a fox\nfps: 8\n"
    answer = post(client, "imports", project=text, name="config.yaml").json()
    assert answer["kind"] == "keyframes"
    words = {"keyframes": [["a.png", 0.0], ["b.png", 2.0]], "prompt": "a fox", "sub_prompts": [""]}
    assert answer["parts"] == words
    assert answer["settings"]["guided_images"] == {"0": "a.png"}
    assert post(client, "imports", project=text + "soundtrack: /etc/passwd\n", name="config.yaml").status_code == 403
    assert post(client, "plans", project=text, name="config.yaml").status_code == 403


def test_a_missing_picture_inside_is_wrong_input(client: TestClient, config: ServiceConfig) -> None:
    answer = post(client, "plans", settings={**FOX, "init_image": str(config.uploads / "none.png")})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["field"] == "init_image"


def test_a_damaged_model_is_told(client: TestClient, config: ServiceConfig) -> None:
    broken = config.model_roots[0] / "broken"
    broken.mkdir()
    (broken / "model_index.json").write_text("{")
    answer = post(client, "plans", settings={**FOX, "model": str(broken)})
    assert (answer.status_code, answer.json()["error"]) == (422, "ModelError")


def test_values_and_prompts(client: TestClient) -> None:
    values = post(client, "values", schedule="0:(0), 4:(8)", max_frames=5).json()
    assert values["values"] == [0, 2, 4, 6, 8]
    answer = post(client, "values", schedule="0:(1/0)")
    assert (answer.status_code, answer.json()["problems"][0]["key"]) == (422, "0")
    assert post(client, "values", schedule="0:(1)", max_frames=10**9).status_code == 422
    assert post(client, "values", schedule="0:(1)", seed=False).status_code == 422
    rows = post(client, "prompts", settings={**FOX, "positive_prompt": "film"}).json()
    assert rows["prompts"][0]["prompt"] == "film a red fox"
    assert (rows["frames"], rows["fps"]) == (16, 16.0)


def test_a_project_file_goes_in_and_out(client: TestClient, tmp_path: Path) -> None:
    imported = post(client, "imports", project="0: a cat\n20: a dog --neg blur\n", name="a.txt").json()
    assert imported["settings"]["prompts"] == {"0": "a cat", "20": "a dog --neg blur"}
    text = post(client, "exports", settings=imported["settings"]).json()["text"]
    assert settings_to_mapping(project_from_text(text, "a.json").settings) == imported["settings"]
    assert post(client, "exports", settings={"nope": 1}).status_code == 422
    deforum = post(client, "exports", settings={**imported["settings"], "crf": 3}, form="deforum").json()
    assert json.loads(deforum["text"])["prompts"] == {"0": "a cat", "20": "a dog --neg blur"}
    assert "crf" in deforum["notes"][0]
    again = post(client, "imports", project=deforum["text"], name="film_settings.txt").json()
    plain = {"kind": "schedule", "parts": {}, "notes": []}
    assert again == {"settings": {**imported["settings"], "crf": 3}, **plain}
    assert post(client, "exports", settings={}, form="yaml").status_code == 422


def test_a_normal_schedule_is_planned_at_once(client: TestClient) -> None:
    settings = {**FOX, "prompts": {str(frame): f"scene {frame}" for frame in range(0, 400, 40)}, "max_frames": 400}
    post(client, "plans", settings=settings)
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        assert post(client, "plans", settings=settings).status_code == 200
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.1
