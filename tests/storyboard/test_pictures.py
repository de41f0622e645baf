"""Making a storyboard's pictures: asked again, refused, locked, cached, and gone on with after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from picture_server import Fault, PictureServer, picture_bytes, picture_server
from wan_engine.errors import Cancelled, InputError
from wan_engine.render.events import Event
from wan_engine.schedule.project import load_project
from wan_engine.schedule.storyboard import Storyboard
from wan_engine.storyboard.keyframes import ProviderError
from wan_engine.storyboard.pictures import to_be_redone
from wan_engine.storyboard.services import Service, load_services
from wan_engine.storyboard.story import Desk, make_story_pictures

STORY = """
opening: a fox
segments:
- {prompt: it runs, seconds: 2, last: a running fox}
- {prompt: it sleeps, seconds: 2, last: {description: a sleeping fox, seed: 9}}
pictures: {provider: webui, seed: 5, width: 64, height: 64, attempts: 2}
film: {width: 128, height: 64}
"""
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with picture_server() as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, server: PictureServer) -> Desk:
    file = tmp_path / "story.yaml"
    file.write_text(STORY, encoding="utf-8")
    services = {**load_services(tmp_path, {}), "webui": Service(server.address, timeout=5.0)}
    services["stability"] = Service(server.address, "sk-secret", "sd3.5-large", timeout=5.0)
    services["openai"] = Service(f"{server.address}/v1", "sk-secret", "gpt-image-1", timeout=5.0)
    return Desk(file, services)


def story_of(desk: Desk) -> Storyboard:
    story = desk.load().storyboard
    assert story is not None
    return story


def change(desk: Desk, old: str, new: str) -> None:
    desk.file.write_text(desk.file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_each_picture_is_named_in_the_file_as_soon_as_it_is_there(desk: Desk, server: PictureServer) -> None:
    seen: list[tuple[str, int]] = []

    def report(event: Event) -> None:
        if event.kind == "keyframe_done":
            seen.append((event.message.split()[-1], len(story_of(desk).missing())))
            assert event.preview is not None

    made = make_story_pictures(replace(desk, report=report))
    assert [left for _, left in seen] == [2, 1, 0]
    assert story_of(desk) == made
    assert [Path(keyframe.image).name for keyframe in made.keyframes] == [name for name, _ in seen]
    assert [asked["fields"]["seed"] for asked in server.asked] == [5, 6, 9]
    assert "story_pictures/keyframe_00_" in desk.file.read_text(encoding="utf-8")


def test_nothing_is_made_twice(desk: Desk, server: PictureServer) -> None:
    first = make_story_pictures(desk)
    assert make_story_pictures(desk) == first
    change(desk, "kind: storyboard", "kind: storyboard\ntitle: other")
    text = desk.file.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "image:" not in line]
    desk.file.write_text("\n".join(lines), encoding="utf-8")
    assert make_story_pictures(desk).keyframes == first.keyframes
    assert len(server.asked) == 3
    # Another word is another picture; the old one stays for when the word comes back.
    desk.file.write_text("\n".join(lines).replace("a running fox", "a jumping fox"), encoding="utf-8")
    other = make_story_pictures(desk)
    assert [one.image == two.image for one, two in zip(other.keyframes, first.keyframes, strict=True)] == [
        True,
        False,
        True,
    ]
    assert len(server.asked) == 4


def test_a_drawn_seed_is_written_before_the_first_picture(desk: Desk, server: PictureServer) -> None:
    change(desk, "seed: 5", "seed: -1")
    server.faults = [Fault(400, "no")] * 3
    with pytest.raises(ProviderError):
        make_story_pictures(desk)
    seed = story_of(desk).pictures.seed
    assert seed >= 0
    assert make_story_pictures(desk).pictures.seed == seed
    assert [asked["fields"]["seed"] for asked in server.asked[:2]] == [seed, seed + 1]


def test_a_busy_service_is_asked_again_in_its_time(desk: Desk, server: PictureServer) -> None:
    notes: list[str] = []
    server.faults = [Fault(429, "slow down", {"retry-after": "0.2"}), Fault(broken=True)]
    change(desk, "attempts: 2", "attempts: 3")
    started = time.monotonic()
    make_story_pictures(replace(desk, report=lambda event: notes.append(event.message)))
    assert time.monotonic() - started > 1.2  # what it named, then twice the usual wait's start
    assert any("asked again in 0.2 s" in note for note in notes)
    assert any("no whole picture" in note for note in notes)
    assert len(server.asked) == 5


def test_one_that_is_refused_does_not_stop_the_others(desk: Desk, server: PictureServer) -> None:
    server.faults = [Fault(), Fault(400, {"detail": "unsafe"})]
    with pytest.raises(ProviderError, match=r"keyframe 1: .*1 of 3 keyframes left without a picture"):
        make_story_pictures(desk)
    assert story_of(desk).missing() == (1,)
    make_story_pictures(desk)
    assert len(server.asked) == 4


def test_a_wrong_password_stops_at_once(desk: Desk, server: PictureServer) -> None:
    change(desk, "provider: webui", "provider: stability")
    server.faults = [Fault(401, {"errors": ["sk-secret is wrong"]})]
    with pytest.raises(ProviderError, match="refuses the key") as caught:
        make_story_pictures(desk)
    assert len(server.asked) == 1
    assert "sk-secret" not in str(caught.value)


def test_each_is_made_out_of_the_one_before(desk: Desk, server: PictureServer) -> None:
    change(desk, "seed: 5,", "seed: 5, strength: 0.4,")
    make_story_pictures(desk)
    assert [asked["path"].rpartition("/")[2] for asked in server.asked] == ["txt2img", "img2img", "img2img"]
    server.asked.clear()
    server.faults = [Fault(), Fault(400, "no")]
    change(desk, "a fox", "a wolf")
    text = [line for line in desk.file.read_text(encoding="utf-8").splitlines() if "image:" not in line]
    desk.file.write_text("\n".join(text), encoding="utf-8")
    with pytest.raises(ProviderError, match="2 of 3 keyframes left without a picture"):
        make_story_pictures(desk)
    assert len(server.asked) == 2  # the last would have been made out of the one that failed


def test_locked_ones_are_not_made_again(desk: Desk) -> None:
    story = make_story_pictures(desk)
    locked = story.with_keyframe(1, replace(story.keyframes[1], locked=True))
    redone = to_be_redone(locked, [0])
    assert (redone.opening.image, redone.keyframes[1].image) == ("", story.keyframes[1].image)
    assert redone.opening.seed != 5
    with pytest.raises(InputError, match="the keyframe is locked"):
        to_be_redone(locked, [1])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("a fox\n", '""\n', "opening.description: there is nothing to make a picture of"),
        ("last: a running fox", "last: {image: gone.png}", 'segments.last.image, key "1": there is no file'),
        ("last: a running fox", "last: {description: x, mask: gone.png}", "there is no file"),
        ("last: a running fox", "last: {description: x, mask: story.yaml}", "a mask keeps a part"),
        ("provider: webui", "provider: files", "the provider files makes none"),
        ("provider: webui", "provider: tiny, strength: 0.5", "tiny makes pictures from words alone"),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_asked(
    desk: Desk, server: PictureServer, old: str, new: str, words: str
) -> None:
    change(desk, old, new)
    before = desk.file.read_text(encoding="utf-8")
    with pytest.raises(InputError, match=words):
        make_story_pictures(desk)
    assert server.asked == []
    assert desk.file.read_text(encoding="utf-8") == before


def test_given_pictures_need_no_provider(desk: Desk, server: PictureServer) -> None:
    for name in "abc":
        (desk.file.parent / f"{name}.png").write_bytes(picture_bytes(40, 30))
    keyframes = [f"{{image: {name}.png}}" for name in "abc"]
    text = f"opening: {keyframes[0]}\nsegments:\n"
    text += "".join(f"- {{prompt: x, seconds: 1, last: {each}}}\n" for each in keyframes[1:])
    desk.file.write_text(text + "pictures: {provider: files}\n", encoding="utf-8")
    assert make_story_pictures(desk).missing() == ()
    assert server.asked == []


def test_the_wish_to_stop_is_heard_while_waiting(desk: Desk, server: PictureServer) -> None:
    server.faults = [Fault(429, "slow down", {"retry-after": "60"})]
    started = time.monotonic()
    with pytest.raises(Cancelled):
        make_story_pictures(replace(desk, cancelled=lambda: len(server.asked) > 0))
    assert time.monotonic() - started < 10


@pytest.mark.skipif(os.name == "nt", reason="Windows kills otherwise")
def test_a_killed_work_goes_on_and_asks_for_nothing_twice(desk: Desk, server: PictureServer) -> None:
    server.faults = [Fault(), Fault(hang=60.0)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "WAN_HOME": str(desk.file.parent)}
    environment |= {"WAN_WEBUI_URL": server.address}
    command = [sys.executable, "-m", "wan_engine", "keyframes", str(desk.file)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        until = time.monotonic() + 60
        while len(server.asked) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert story_of(desk).missing() == (1, 2)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert story_of(desk).missing() == ()
    assert [asked["fields"]["prompt"] for asked in server.asked].count("a fox") == 1
    assert load_project(desk.file).settings.end_image.endswith(".png")
