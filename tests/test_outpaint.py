"""Outpainted films end to end: times, sound, scenes, masks, stopping and going on, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coded_films import CodedFilm, constant, number_of, read_clicks, varying, write_coded_film
from scene_films import Join, joined, texture_clip, write_film
from tiny_captioner import write_captioner
from untrained import Untrained, write_untrained
from wan_engine.errors import Cancelled, CapabilityError, InputError, MediaError, StorageError
from wan_engine.media.film_frames import film_times
from wan_engine.media.pictures import read_picture
from wan_engine.media.probe import every_frame, probe
from wan_engine.media.tools import find_ffmpeg, run_ffmpeg
from wan_engine.outpaint import OutpaintResult, make_outpaint, preview_outpaint, resume_outpaint
from wan_engine.plan.model import read_plan
from wan_engine.render.events import Event
from wan_engine.settings_outpaint import OutpaintSettings
from wan_engine.tools.outpaint.orders import OutpaintOrder

FAST: dict[str, Any] = {
    "backend": "dry_run",
    "right": 10.0,
    "bottom": 10.0,
    "split_scenes": False,
    "gradient_width": 3,
    "preset": "ultrafast",
    "encoder": "software",
    "crf": 0,
    "num_inference_steps": 2,
    "seed": 4,
}


@pytest.fixture
def order(tmp_path: Path) -> Callable[..., OutpaintOrder]:
    def make(film: Path, cuts: tuple[int, ...] | None = None, **changes: Any) -> OutpaintOrder:
        settings = OutpaintSettings(**{**FAST, "output_dir": str(tmp_path / "outputs"), **changes})
        return OutpaintOrder(film, settings, cuts)

    return make


def make(order: OutpaintOrder) -> OutpaintResult:
    return make_outpaint(order, lambda event: None, lambda: False)


def coded(tmp_path: Path, times: tuple[Fraction, ...], **changes: Any) -> Path:
    return write_coded_film(CodedFilm(tmp_path / "film.mp4", times, **changes))


TIMES = {
    "23.976": constant(45, Fraction(24000, 1001)),
    "varying": varying(45),
    "late": constant(45, Fraction(25), start=Fraction(1, 2)),
}


@pytest.mark.parametrize("kind", TIMES)
def test_every_frame_keeps_its_time_and_the_sound_its_place(kind: str, order: Any, tmp_path: Path) -> None:
    film = coded(tmp_path, TIMES[kind], tracks=2)
    made = make(order(film, left=0.0))
    times, own = film_times(made.film), film_times(film)
    assert len(times) == len(own) == 45
    assert max(abs(float(times.seconds(n) - own.seconds(n))) for n in range(45)) < 1e-4
    frames = list(every_frame(made.film))
    info = probe(film)
    assert {frame.shape for frame in frames} == {(124, 230, 3)}
    assert [number_of(frame[: info.height, : info.width]) for frame in frames] == list(range(45))
    for track in (0, 1):
        there, before = read_clicks(made.film, track), read_clicks(film, track)
        assert len(there) == len(before) >= 4
        assert max(abs(a - b) for a, b in zip(there, before, strict=True)) < 0.02


def test_what_is_kept_looks_as_before(order: Any, tmp_path: Path) -> None:
    film = coded(tmp_path, constant(12, Fraction(24)))
    made = make(order(film, pixel_format="yuv444p"))
    for frame, before in zip(every_frame(made.film), every_frame(film), strict=True):
        difference = np.abs(frame[:108, :204].astype(int) - before[:108, :204])
        assert difference.max() <= 4  # of the way to YUV and back


def test_a_rotated_film_is_set_upright(order: Any, tmp_path: Path) -> None:
    film, turned = coded(tmp_path, constant(8, Fraction(24))), tmp_path / "turned.mp4"
    run_ffmpeg(find_ffmpeg(), ["-display_rotation", "90", "-i", str(film), "-c", "copy", str(turned)])
    made = make(order(turned))
    info = probe(made.film)
    assert (info.width, info.height, info.rotation) == (124, 230, 0)
    first, before = (next(every_frame(path)) for path in (made.film, turned))
    assert np.abs(first[:204, :108].astype(int) - before[:204, :108]).mean() < 3


def test_colour_tags_and_the_shape_of_pixels_are_kept(order: Any, tmp_path: Path) -> None:
    import av

    film, tagged = coded(tmp_path, constant(6, Fraction(24))), tmp_path / "tagged.mp4"
    tags = "setparams=colorspace=bt470bg:color_primaries=bt470bg:color_trc=smpte170m:range=pc,setsar=16/15"
    run_ffmpeg(find_ffmpeg(), ["-i", str(film), "-vf", f"scale=out_range=pc,{tags}", "-c:v", "libx264", str(tagged)])

    def of(path: Path) -> tuple[Any, ...]:
        with av.open(str(path)) as opened:
            codec = opened.streams.video[0].codec_context
            shape = opened.streams.video[0].sample_aspect_ratio
            return codec.color_range, codec.colorspace, codec.color_primaries, codec.color_trc, shape

    made = make(order(tagged))
    assert of(made.film) == of(tagged) == (2, 5, 5, 6, Fraction(16, 15))
    first, before = (next(every_frame(path)) for path in (made.film, tagged))
    assert np.abs(first[:100, :200].astype(int) - before[:100, :200]).mean() < 3


def test_no_chunk_crosses_a_cut(order: Any, tmp_path: Path) -> None:
    frames, _ = joined([texture_clip(seed, 20) for seed in range(2)], [Join("cut")])
    film = write_film(tmp_path / "film.mp4", frames)
    chunks = {"batch_size": 13, "overlap": 5}
    found = make(order(film, split_scenes=True, detector="content", **chunks))
    clips = read_plan(found.plan).clips
    assert [(clip.start, clip.end, clip.continuity) for clip in clips] == [
        (0, 13, "cut"),
        (13, 20, "overlap"),
        (20, 33, "cut"),
        (33, 40, "overlap"),
    ]
    assert clips[0].seed == 4
    assert len({clip.seed for clip in clips}) == 4
    given = make(order(film, cuts=(10,), **chunks))
    assert [clip.start for clip in read_plan(given.plan).clips] == [0, 10, 23, 31, 39]
    assert not (given.folder / "clips").exists()


def test_a_mask_film_decides_each_frame(order: Any, tmp_path: Path) -> None:
    film = coded(tmp_path, constant(10, Fraction(24)))
    frames = np.zeros((10, 112, 208, 3), np.uint8)
    frames[5:, 60:90, 20:80] = 255
    mask = write_film(tmp_path / "mask.mp4", frames)
    changes = {"right": 0.0, "bottom": 0.0, "gradient_width": 0, "pixel_format": "yuv444p"}
    made = list(every_frame(make(order(film, mask=str(mask), **changes)).film))
    same = [np.abs(a.astype(int) - b).max() <= 4 for a, b in zip(made, every_frame(film), strict=True)]
    assert same == [True] * 5 + [False] * 5
    short = write_film(tmp_path / "short.mp4", frames[:9])
    with pytest.raises(InputError, match="has 9 frames, and the film 10"):
        make(order(film, mask=str(short), **changes))


@pytest.mark.slow
def test_each_chunk_has_its_caption(order: Any, tmp_path: Path) -> None:
    film = coded(tmp_path, constant(40, Fraction(24)))
    model = write_captioner(tmp_path / "captioner")
    made = make(order(film, caption_model=str(model), prompt="a film"))
    prompts = [clip.prompt for clip in read_plan(made.plan).clips]
    assert len(prompts) == 2
    assert all(prompt.startswith("a film, ") and len(prompt) > len("a film, ") for prompt in prompts)
    assert not any("No caption model" in note for note in made.notes)


class Stopper:
    """Wants to stop after so many steps."""

    def __init__(self, steps: int) -> None:
        self._left = steps
        self.folder = Path()

    def report(self, event: Event) -> None:
        if event.kind == "started":
            self.folder = Path(event.message)
        self._left -= event.kind == "step"

    def wanted(self) -> bool:
        return self._left <= 0


def test_a_stopped_film_goes_on_where_it_was(order: Any, tmp_path: Path) -> None:
    film = coded(tmp_path, constant(80, Fraction(24)))
    asked = order(film, keep_clips=True, num_inference_steps=3)
    whole = make(asked)
    stopper = Stopper(4)
    with pytest.raises(Cancelled):
        make_outpaint(asked, stopper.report, stopper.wanted)
    folder = stopper.folder
    assert not list(folder.glob("*.mp4"))
    assert sorted(path.name for path in (folder / "clips").iterdir()) == [
        "clip_0000.json",
        "clip_0000.mkv",
        "clip_0001.state.safetensors",
    ]
    events: list[Event] = []
    made = resume_outpaint(folder, events.append, lambda: False)
    assert sum(event.kind == "step" for event in events) == 3 * 3 - 4
    assert made.folder == folder
    assert all(np.array_equal(*pair) for pair in zip(every_frame(made.film), every_frame(whole.film), strict=True))
    # A finished film stays as it is, and nothing is made beside it.
    before, events = made.film.stat().st_mtime_ns, []
    assert resume_outpaint(folder, events.append, lambda: False).film.stat().st_mtime_ns == before
    assert not any(event.kind == "step" for event in events)
    made.film.unlink()
    assert resume_outpaint(folder, lambda event: None, lambda: False).film.is_file()


def test_going_on_takes_room_for_the_rest_alone(order: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = order(coded(tmp_path, constant(12, Fraction(24))), batch_size=5, overlap=1)
    stopper = Stopper(3)
    with pytest.raises(Cancelled):
        make_outpaint(asked, stopper.report, stopper.wanted)
    (path,) = stopper.folder.glob("*_plan.json")
    whole = read_plan(path).disk_bytes
    free = 20
    monkeypatch.setattr("wan_engine.storage.places.free_bytes", lambda path: free)
    with pytest.raises(StorageError, match=r"has 0.0 MB free, and \d.* are needed") as caught:
        resume_outpaint(stopper.folder, lambda event: None, lambda: False)
    assert "then go on with the film" in caught.value.remedy
    free = whole * 4 // 5
    with pytest.raises(StorageError, match="Free some space or set output_dir"):
        make(asked)
    assert resume_outpaint(stopper.folder, lambda event: None, lambda: False).film.is_file()


def test_a_film_whose_frames_are_not_found_again_is_refused_at_once(order: Any, tmp_path: Path) -> None:
    """An AVI holds no times; those of H.264's frames in it are guessed otherwise from one decoder to another."""
    film = write_coded_film(CodedFilm(tmp_path / "film.avi", constant(12, Fraction(25)), tracks=0))
    events: list[Event] = []
    with pytest.raises(MediaError, match=r"does not give its frame 11. Convert it to mp4 first"):
        make_outpaint(order(film), events.append, lambda: False)
    assert not any(event.kind == "step" for event in events)


def test_a_film_that_has_changed_is_not_gone_on_with(order: Any, tmp_path: Path) -> None:
    film = coded(tmp_path, constant(20, Fraction(24)))
    stopper = Stopper(1)
    with pytest.raises(Cancelled):
        make_outpaint(order(film), stopper.report, stopper.wanted)
    coded(tmp_path, constant(21, Fraction(24)))
    with pytest.raises(StorageError, match="has changed since"):
        resume_outpaint(stopper.folder, lambda event: None, lambda: False)
    with pytest.raises(StorageError, match="holds no outpaint"):
        resume_outpaint(tmp_path, lambda event: None, lambda: False)


def test_a_preview_is_one_frame(order: Any, tmp_path: Path) -> None:
    film = coded(tmp_path, constant(12, Fraction(24)))
    looks, places = preview_outpaint(order(film), lambda event: None, lambda: False, frame=7)
    assert set(looks) == {"before", "canvas", "mask", "after"}
    assert {path.parent for path in looks.values()} == {places.folder}
    after = read_picture(looks["after"], 230, 124, "stretch")
    assert number_of(after[:112, :208]) == 7
    with pytest.raises(InputError, match="has no frame 12"):
        preview_outpaint(order(film), lambda event: None, lambda: False, frame=12)


def test_what_is_wrong_is_found_before_anything_is_made(order: Any, tmp_path: Path) -> None:
    film = coded(tmp_path, constant(6, Fraction(24)))
    write_untrained(tmp_path / "plain", Untrained())
    (tmp_path / "text.mp4").write_text("no film", encoding="utf-8")
    wrong: list[tuple[type[Exception], str, OutpaintOrder]] = [
        (CapabilityError, "outpainting needs masked-video-to-video", order(film, model=str(tmp_path / "plain"))),
        (MediaError, "cannot be read", order(tmp_path / "text.mp4")),
        (MediaError, "is not there", order(tmp_path / "none.mp4")),
        (InputError, "there is no LoRA", order(film, loras="none: 1")),
        (InputError, "a film is outpainted on one device", order(film, devices="cpu, cpu")),
        (InputError, "a mirrored canvas is for sides", order(film, right=0, bottom=0, box="1,1,9,9", canvas="mirror")),
        (MediaError, "needs even sizes", order(film, right=0, bottom=0, target_width=231)),
        (InputError, "has 6 frames, and a cut is at 9", order(film, cuts=(9,))),
        (InputError, "mask", order(film, right=0, bottom=0, mask=str(tmp_path / "none.png"))),
    ]
    for kind, words, asked in wrong:
        with pytest.raises(kind, match=words):
            make(asked)
    assert not (tmp_path / "outputs").exists()


def test_the_settings_file_makes_the_film_again(order: Any, tmp_path: Path) -> None:
    film = coded(tmp_path, constant(9, Fraction(24)))
    made = make(order(film, canvas="mirror", seed=-1))
    assert any("mirrored at its border and blurred" in note for note in made.notes)
    values = json.loads(made.settings.read_text(encoding="utf-8"))
    assert (values["kind"], values["film"], values["canvas"]) == ("outpaint", str(film), "mirror")
    assert values["seed"] == read_plan(made.plan).seed >= 0
