"""The verb `flf`: flags, the project file under them, and what it leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from wan_engine.cli.app import main
from wan_engine.cli.stop import StopSignals
from wan_engine.errors import Cancelled

PROJECT = """
keyframes: [[a.png, 0.0], [b.png, 0.5], [c.png, 1.0]]
prompt: a harbour
backend: dry_run
base_seed: 3
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a project in it; the current folder is another."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in "abc":
        Image.new("RGB", (64, 64), (90, 20, 20)).save(folder / f"{name}.png")
    (folder / "config.yaml").write_text(PROJECT, encoding="utf-8")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return folder


def test_a_config_becomes_a_film(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(place / "config.yaml")
    assert main(["flf", "--config", config, "--fps", "16", "--output", "mine/film.mp4", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert Path("mine/film.mp4").read_bytes() == Path(answer["film"]).read_bytes()
    plan = json.loads(Path(answer["plan"]).read_text(encoding="utf-8"))
    assert (plan["frames"], [clip["seed"] for clip in plan["clips"]]) == (17, [3, 4])
    assert plan["clips"][0]["start_image"] == str(place / "a.png")
    assert (Path(answer["folder"]) / "clips" / "clip_0001.mkv").is_file()


def test_a_config_may_say_all_that_flags_do(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every name of a keyframe project; its paths count from its folder."""
    more = """
sub_prompts: [ships leave, the sun sets]
ckpt_dir: ""
size: "128*128"
fps: 24
sample_steps: 50
sample_shift: 16.0
sample_guide_scale: 5.0
num_gpus: 1
gpu_ids: [0]
offload_model: true
t5_cpu: true
enable_smoothing: true
smoothing_method: temporal_filter
output: mine/film.mp4
output_dir: films
keep_intermediates: false
force_regenerate: false
"""
    config = place / "config.yaml"
    config.write_text(PROJECT + more, encoding="utf-8")
    assert main(["flf", "--config", str(config), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (place / "mine" / "film.mp4").read_bytes() == Path(answer["film"]).read_bytes()
    folder = Path(answer["folder"])
    assert folder.parent == place / "films" / "keyframes"
    assert not (folder / "clips").exists()
    values = json.loads(Path(answer["settings"]).read_text(encoding="utf-8"))
    wanted = {"steps": "50", "flow_shift": 16.0, "guidance_scale": "5.0", "width": 128, "memory_profile": "minimal"}
    assert {name: values[name] for name in wanted} == wanted
    config.write_text(PROJECT + more.replace("force_regenerate: false", "force_regenerate: perhaps"), encoding="utf-8")
    assert main(["flf", "--config", str(config)]) == 2
    assert "'perhaps' is no switch" in capsys.readouterr().err


def test_flags_alone_are_enough_and_win(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = f"{place / 'a.png'}:0.0,{place / 'b.png'}:0.5"
    flags = ["--keyframes", pairs, "--sub_prompts", "sea", "--size", "64*64", "--sample-steps", "2", "--no_smoothing"]
    assert main(["flf", "--config", str(place / "config.yaml"), *flags]) == 0
    out = capsys.readouterr().out
    assert f"Keyframe film: {Path('output_final.mp4').absolute()}" in out
    (settings,) = Path("outputs", "keyframes").rglob("*_settings.json")
    values = json.loads(settings.read_text(encoding="utf-8"))
    assert (values["prompts"], values["steps"], values["smoothing"]) == ({"0": "a harbour, sea"}, "2", "none")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "there are no keyframes"),
        (["--keyframes", "a.png:0,b.png:1", "--prompt", "x"], 'there is no file "'),
        (["--keyframes", "a.png:x,b.png:1", "--prompt", "x"], "is no number of seconds"),
        (["--resume_from", "0"], "'0' is no number of a segment"),
        (["--resume_from", "two"], "'two' is no number of a segment"),
        (["--config", "nothing.yaml"], "nothing.yaml"),
        (["--size", "large"], "size: 'large' is no size"),
    ],
)
def test_bad_input_ends_in_words(place: Path, flags: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flf", *flags]) == 2
    assert words in capsys.readouterr().err
    assert not Path("outputs").exists()
    assert not Path("output_final.mp4").exists()


def test_problems_name_the_file_or_the_command_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = place / "config.yaml"
    config.write_text(PROJECT.replace("b.png", "none.png") + "sample_steps: 0\n", encoding="utf-8")
    assert main(["flf", "--config", str(config), "--size", "big"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert "command line, size: 'big' is no size. Write width*height, such as 1280*720" in told
    assert any(line.startswith(f"{config}, sample_steps: ") for line in told)
    assert main(["flf", "--config", str(config), "--sample_steps", "2"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[-1].startswith(f'{config}, keyframes, key "2": there is no file "{place / "none.png"}"')
    config.write_text(PROJECT.replace("c.png", "none.png"), encoding="utf-8")
    assert main(["flf", "--config", str(config)]) == 2
    assert f'{config}, keyframes, key "3": there is no file' in capsys.readouterr().err


def test_where_the_film_goes_is_looked_at_first(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ["flf", "--config", str(place / "config.yaml")]
    for output, words in ((".", f'"{Path.cwd()}" is a folder'), ("film.webm", 'film.webm" does not end in .mp4')):
        assert main([*config, "--output", output]) == 2
        assert words in capsys.readouterr().err
    assert not Path("outputs").exists()


@pytest.mark.parametrize(("codec", "copies"), [("gif", ["output_final.gif"]), ("png", [])])
def test_films_of_other_kinds_are_not_called_mp4(
    place: Path, codec: str, copies: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    config = place / "config.yaml"
    config.write_text(f"{PROJECT}codec: {codec}\n", encoding="utf-8")
    assert main(["flf", "--config", str(config), "--plain"]) == 0
    assert [path.name for path in Path().glob("output_final*")] == copies
    assert ("Keyframe film: " in capsys.readouterr().out) == bool(copies)


def test_a_stopped_film_is_gone_on_with_by_the_same_command(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ["flf", "--config", str(place / "config.yaml"), "--plain"]
    with monkeypatch.context() as stopping:
        stopping.setattr(StopSignals, "wanted", lambda _signals: True)
        assert main(config) == Cancelled.exit_code
    assert ": run the same command again, " in capsys.readouterr().err
    assert main(config) == 0
    assert len(list(Path("outputs", "keyframes").iterdir())) == 1
    assert Path("output_final.mp4").is_file()


def test_segments_can_be_made_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ["flf", "--config", str(place / "config.yaml"), "--plain"]
    assert main(config) == 0
    assert main([*config, "--resume_from", "2"]) == 0
    told = capsys.readouterr().err
    assert "Clip 1 of 2 kept from before" in told or "kept from before" in told
    assert len(list(Path("outputs", "keyframes").iterdir())) == 1
    assert main([*config, "--force_regenerate"]) == 0
    assert len(list(Path("outputs", "keyframes").iterdir())) == 2
