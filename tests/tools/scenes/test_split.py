"""Splitting films: lists, names, files, resume, damage, and what is refused. With the detector that needs no torch."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from coded_films import CodedFilm, constant, number_of, write_coded_film
from scene_films import Join, joined, texture_clip, write_film
from wan_engine.errors import Cancelled, InputError, MediaError
from wan_engine.media.probe import probe
from wan_engine.media.sheet import SheetWriter
from wan_engine.render.events import Event
from wan_engine.settings_check import split_settings_from_mapping
from wan_engine.settings_split import SplitSettings
from wan_engine.tools.scenes.film_work import SplitOrder
from wan_engine.tools.scenes.inputs import find_films
from wan_engine.tools.scenes.names import check_pattern, scene_names, series_of
from wan_engine.tools.scenes.split import SplitResult, split_films
from wan_engine.tools.scenes.viewing import view_scenes


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three scenes: [0, 30), [30, 67), [67, 111)."""
    frames, _ = joined([texture_clip(seed, 30 + 7 * seed) for seed in range(3)], [Join("cut")] * 2)
    return write_film(tmp_path_factory.mktemp("films") / "a_b_c_S01_x.mp4", frames)


def settings(folder: Path, **values: object) -> SplitSettings:
    quick = {"detector": "content", "preset": "ultrafast", "height": 0, "output_dir": str(folder)}
    return split_settings_from_mapping({**quick, **values})


def split(order: SplitOrder, events: list[Event] | None = None) -> SplitResult:
    return split_films(order, (events if events is not None else []).append, lambda: False)


def test_a_film_becomes_files_and_lists(film: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    result = split(SplitOrder((film,), settings(tmp_path)), events)
    names = ["video-S01-000.mp4", "video-S01-001.mp4", "video-S01-002.mp4"]
    assert sorted(path.name for path in tmp_path.glob("video-*")) == names
    assert [probe(tmp_path / name).frames for name in names] == [30, 37, 44]
    values = json.loads((tmp_path / "scenes-S01.json").read_text())
    assert [(each["start"], each["end"]) for each in values["scenes"]] == [(0, 30), (30, 67), (67, 111)]
    assert [each["kind"] for each in values["transitions"]] == ["cut", "cut"]
    rows = list(csv.DictReader((tmp_path / "scenes-S01.csv").open()))
    assert [row["file"] for row in rows] == names
    assert float(rows[1]["start_seconds"]) == pytest.approx(30 / 24, abs=1e-4)
    assert (tmp_path / "scenes-S01.npz").is_file()
    assert (tmp_path / "scenes-S01-sheet.png").is_file()
    assert result.films[0].made == 3
    assert {event.kind for event in events} == {"started", "film_started", "step", "film_done"}
    done = [event.steps_done for event in events]
    assert done == sorted(done)
    assert done[-1] == events[-1].steps_total
    assert not list(tmp_path.glob(".wan-cut-*"))


def test_resume_makes_only_what_is_missing(film: Path, tmp_path: Path) -> None:
    order = SplitOrder((film,), settings(tmp_path), resume=True)
    split(order)
    times = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("video-*")}
    (tmp_path / "video-S01-001.mp4").unlink()
    events: list[Event] = []
    assert split(order, events).films[0].made == 1
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("video-*")}
    assert {name for name in times if times[name] != after[name]} == {"video-S01-001.mp4"}
    assert not [event for event in events if event.message.startswith("Finding")]
    # Other settings, other files; nothing of the earlier split stays.
    again = replace(order, settings=replace(order.settings, min_scene=34))
    assert split(again).films[0].made == 2
    assert len(list(tmp_path.glob("video-*"))) == 2


def test_scenes_by_hand(film: Path, tmp_path: Path) -> None:
    order = SplitOrder((film,), settings(tmp_path), scenes=((5, 20), (40, 111)))
    split(order)
    assert [probe(path).frames for path in sorted(tmp_path.glob("video-*"))] == [15, 71]
    for scenes in (((5, 5),), ((10, 20), (15, 30)), ((0, 112),)):
        with pytest.raises(InputError):
            split(replace(order, scenes=scenes))


def test_list_only_cuts_nothing(film: Path, tmp_path: Path) -> None:
    result = split(SplitOrder((film,), settings(tmp_path, list_only=True)))
    assert result.films[0].scenes == 3
    assert not list(tmp_path.glob("*.mp4"))
    assert (tmp_path / "scenes-S01-sheet.png").is_file()


def test_files_of_before_a_list_are_replaced_too(film: Path, tmp_path: Path) -> None:
    """As on the page: found and cut, found otherwise, cut again."""
    split(SplitOrder((film,), settings(tmp_path)))
    for _ in range(2):
        split(SplitOrder((film,), settings(tmp_path, list_only=True, min_scene=34), resume=True))
        assert len(list(tmp_path.glob("video-*"))) == 3, "a list alone removes nothing"
    split(SplitOrder((film,), settings(tmp_path, min_scene=34), resume=True, scenes=((0, 67), (67, 111))))
    assert [probe(path).frames for path in sorted(tmp_path.glob("video-*"))] == [67, 44]


def test_copies_tell_where_the_cuts_are(film: Path, tmp_path: Path) -> None:
    result = split(SplitOrder((film,), settings(tmp_path, copy=True)))
    assert "copied as it is" in result.notes[0]
    values = json.loads((tmp_path / "scenes-S01.json").read_text())
    for scene in values["scenes"]:
        assert probe(tmp_path / scene["file"]).frames == scene["end"] - scene["start"]


def test_a_damaged_film_does_not_stop_the_others(film: Path, tmp_path: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    (films / "bad.mp4").write_bytes(film.read_bytes()[:3000])
    (films / "good.mp4").write_bytes(film.read_bytes())
    (films / "notes.txt").write_text("no film")
    found = find_films([str(films)])
    assert [path.name for path in found] == ["bad.mp4", "good.mp4"]
    out = tmp_path / "out"
    result = split(SplitOrder(found, settings(out)))
    assert [each.error is None for each in result.films] == [False, True]
    assert any("bad.mp4" in note for note in result.notes)
    assert len(list(out.glob("video-good-*.mp4"))) == 3
    with pytest.raises(MediaError):
        split(SplitOrder(found[:1], settings(out)))


def test_two_films_of_one_series_stay_apart(film: Path, tmp_path: Path) -> None:
    other = tmp_path / "other_film_of_S01.mp4"
    other.write_bytes(film.read_bytes())
    out = tmp_path / "out"
    result = split(SplitOrder((film, other), settings(out, list_only=True)))
    assert [each.list and each.list.name for each in result.films] == ["scenes-S01.json", "scenes-S01-2.json"]


def test_a_stopped_split_is_gone_on_with(film: Path, tmp_path: Path) -> None:
    order = SplitOrder((film,), settings(tmp_path), resume=True)
    events: list[Event] = []
    with pytest.raises(Cancelled):
        split_films(order, events.append, lambda: any(event.message.startswith("Cutting") for event in events))
    kept = sorted(path.name for path in tmp_path.glob("video-*"))
    assert 1 <= len(kept) < 3
    assert split(order).films[0].made == 3 - len(kept)


def test_names() -> None:
    assert series_of(Path("a_b_c_S01_e.mkv")) == "S01"
    assert series_of(Path("a_b.mkv")) == "a_b"
    assert series_of(Path("a_b_c_.mkv")) == "a_b_c_"
    names = scene_names("{film} {scene} {start}-{end}", Path("my film.mp4"), "my_film", [(0, 9), (9, 12)], ".mp4")
    assert names == ["my_film_000_0-9.mp4", "my_film_001_9-12.mp4"]
    for wrong in ("video-{series}", "video-{scene}", "{series}-{scene}-{colour}"):
        with pytest.raises(InputError):
            check_pattern(wrong)


def test_a_film_whose_name_is_no_text_has_scenes_all_the_same() -> None:
    assert scene_names("{film}-{scene}", Path("b\udcff.mp4"), "b\udcff", [(0, 9)], ".mp4") == ["b_-000.mp4"]


def test_films_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError) as told:
        find_films([str(tmp_path / "no.mp4"), str(tmp_path / "*.mkv"), str(tmp_path)])
    assert len(told.value.problems) == 3
    with pytest.raises(InputError):
        find_films([])


def test_pictures_are_those_of_their_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the sheet and the page, whatever the container; a rounded time would show the frame before."""
    film = write_coded_film(CodedFilm(tmp_path / "film.ts", constant(60, Fraction(24000, 1001))))
    shown: list[int] = []
    monkeypatch.setattr(SheetWriter, "write", lambda _sheet, frame: shown.append(number_of(frame)))
    spans = ((0, 14), (14, 29), (29, 43), (43, 58), (58, 60))
    (made,) = split(SplitOrder((film,), settings(tmp_path, list_only=True), scenes=spans)).films
    assert shown == [start for start, _ in spans]
    assert made.list is not None
    view = view_scenes(made.list)
    assert [number_of(view.frame(number)) for number in (0, 13, 14, 59)] == [0, 13, 14, 59]
