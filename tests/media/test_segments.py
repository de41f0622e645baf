"""Cutting: every piece has exactly its frames, at their own times, with their own sound."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from coded_films import CodedFilm, constant, read_numbers, sound_errors, varying, write_coded_film
from wan_engine.errors import MediaError
from wan_engine.media.frame_times import FrameTimes
from wan_engine.media.probe import probe
from wan_engine.media.segments import CutJob, Piece, PieceCoding, cut_pieces, key_frames
from wan_engine.media.small_frames import SmallFrames
from wan_engine.media.tools import find_ffmpeg, run_ffmpeg

CODING = PieceCoding(208, 112, "h264", "software", 17, "veryfast", "yuv420p", sound=True, interlaced=False)
NTSC = Fraction(24000, 1001)


def times_of(film: Path) -> FrameTimes:
    with SmallFrames(film, 48, 27) as frames:
        count = sum(len(block) for block in frames)
        times = frames.times()
    assert count == len(times)
    return times


def cut(film: Path, spans: list[tuple[int, int]], folder: Path, coding: PieceCoding | None = CODING) -> list[Path]:
    job = CutJob(film, times_of(film), coding, folder)
    pieces = [Piece(start, end, folder / f"cut-{start}{job.ending()}") for start, end in spans]
    told: list[Piece] = []
    assert cut_pieces(job, pieces, told.append, lambda: False)
    assert told == pieces
    assert sorted(path.name for path in folder.iterdir()) == sorted(str(p.path and p.path.name) for p in pieces)
    return [piece.path for piece in pieces if piece.path]


def spans_of(count: int) -> list[tuple[int, int]]:
    return list(pairwise([0, 1, 14, 37, 61, count]))


def check_exact(paths: list[Path], spans: list[tuple[int, int]], times: tuple[Fraction, ...]) -> None:
    for path, (start, end) in zip(paths, spans, strict=True):
        numbers, seen = read_numbers(path)
        assert numbers == list(range(start, end)), path.name
        expected = [float(time - times[start]) for time in times[start:end]]
        # The pieces' clock ticks in milliseconds at the coarsest (mkv).
        assert [float(each - seen[0]) for each in seen] == pytest.approx(expected, abs=0.0011)
        assert float(seen[0]) < 0.022


FILMS = {
    "24": ("film.mp4", constant(90, Fraction(24))),
    "23.976": ("film.mp4", constant(90, NTSC)),
    "23.976 in mkv, whose clock is coarse": ("film.mkv", constant(90, NTSC)),
    "varying": ("film.mp4", varying(90)),
    "varying in mkv": ("film.mkv", varying(90)),
    "odd start": ("film.mkv", constant(90, NTSC, Fraction(7, 3))),
    "transport stream": ("film.ts", constant(90, Fraction(25))),
}


@pytest.mark.parametrize("name", FILMS)
def test_pieces_are_exact_and_in_time(name: str, tmp_path: Path) -> None:
    file, times = FILMS[name]
    film = write_coded_film(CodedFilm(tmp_path / file, times))
    folder = tmp_path / "cuts"
    folder.mkdir()
    spans = spans_of(len(times))
    paths = cut(film, spans, folder)
    check_exact(paths, spans, times)
    errors = [error for path in paths for error in sound_errors(path)]
    assert len(errors) >= 5
    assert max(errors) <= 0.02


@pytest.mark.parametrize("name", ["23.976", "varying", "transport stream"])
def test_single_pieces_are_searched_for(name: str, tmp_path: Path) -> None:
    file, times = FILMS[name]
    film = write_coded_film(CodedFilm(tmp_path / file, times))
    folder = tmp_path / "cuts"
    folder.mkdir()
    spans = [(13, 37), (50, 51), (61, 83)]
    paths = cut(film, spans, folder)
    check_exact(paths, spans, times)
    assert max(error for path in paths for error in sound_errors(path)) <= 0.02


def test_edit_list(tmp_path: Path) -> None:
    """A film whose beginning is hidden by an edit list, as cutting without re-encoding leaves it."""
    whole = write_coded_film(CodedFilm(tmp_path / "whole.mp4", constant(120, Fraction(24))))
    film = tmp_path / "film.mp4"
    run_ffmpeg(find_ffmpeg(), ["-ss", "0.63", "-i", str(whole), "-c", "copy", str(film)])
    shown, _ = read_numbers(film)
    own = sound_errors(film)[1]  # such a cut itself moves the sound
    hidden = 120 - len(times_of(film))
    assert hidden > 0
    folder = tmp_path / "cuts"
    folder.mkdir()
    spans = [(0, 20), (20, 61), (61, len(shown))]
    for path, (start, end) in zip(cut(film, spans, folder), spans, strict=True):
        assert read_numbers(path)[0] == shown[start:end]
        assert all(abs(error - own) <= 0.02 for error in sound_errors(path))


def test_two_tracks_of_sound_and_none(tmp_path: Path) -> None:
    for tracks in (0, 2):
        times = constant(60, Fraction(24))
        film = write_coded_film(CodedFilm(tmp_path / f"film-{tracks}.mkv", times, tracks=tracks))
        folder = tmp_path / f"cuts-{tracks}"
        folder.mkdir()
        spans = [(0, 25), (25, 60)]
        paths = cut(film, spans, folder)
        check_exact(paths, spans, times)
        for track in range(tracks):
            assert max(sound_errors(paths[1], track)) <= 0.02


def test_ten_bit_film_stays_ten_bit_when_asked(tmp_path: Path) -> None:
    times = constant(40, Fraction(24))
    film = write_coded_film(
        CodedFilm(
            tmp_path / "film.mkv",
            times,
            codec="libx265",
            pixel_format="yuv420p10le",
            extra={"preset": "ultrafast", "x265-params": "log-level=none"},
        )
    )
    coding = PieceCoding(208, 112, "hevc", "software", 0, "ultrafast", "yuv420p10le", sound=False, interlaced=False)
    folder = tmp_path / "cuts"
    folder.mkdir()
    spans = [(0, 11), (11, 40)]
    paths = cut(film, spans, folder, coding)
    check_exact(paths, spans, times)
    assert probe(paths[0]).codec == "hevc"
    assert not probe(paths[0]).has_audio


def test_rotated_film_is_set_upright(tmp_path: Path) -> None:
    flat = write_coded_film(CodedFilm(tmp_path / "flat.mp4", constant(30, Fraction(24))))
    film = tmp_path / "film.mp4"
    run_ffmpeg(find_ffmpeg(), ["-display_rotation", "90", "-i", str(flat), "-c", "copy", str(film)])
    info = probe(film)
    assert (info.width, info.height) == (112, 208)
    coding = PieceCoding(56, 104, "h264", "software", 17, "ultrafast", "yuv420p", sound=True, interlaced=False)
    folder = tmp_path / "cuts"
    folder.mkdir()
    made = probe(cut(film, [(0, 11), (11, 30)], folder, coding)[0])
    assert (made.width, made.height, made.rotation) == (56, 104, 0)


def test_interlaced_film_keeps_its_frames(tmp_path: Path) -> None:
    flat = write_coded_film(CodedFilm(tmp_path / "flat.mp4", constant(50, Fraction(25))))
    film = tmp_path / "film.mp4"
    run_ffmpeg(
        find_ffmpeg(),
        [
            "-i",
            str(flat),
            "-flags",
            "+ilme+ildct",
            "-x264opts",
            "tff=1",
            "-vf",
            "setfield=tff",
            "-preset",
            "ultrafast",
            str(film),
        ],
    )
    assert probe(film).interlaced
    coding = PieceCoding(208, 112, "h264", "software", 17, "ultrafast", "yuv420p", sound=True, interlaced=True)
    folder = tmp_path / "cuts"
    folder.mkdir()
    spans = [(0, 11), (11, 50)]
    paths = cut(film, spans, folder, coding)
    check_exact(paths, spans, constant(50, Fraction(25)))
    assert not probe(paths[0]).interlaced


@pytest.mark.parametrize("file", ["film.mp4", "film.mkv", "film.ts"])
def test_copies_begin_at_key_frames_and_say_which(file: str, tmp_path: Path) -> None:
    times = constant(90, Fraction(24))
    extra = {"bf": "2", "g": "20", "sc_threshold": "0", "preset": "veryfast"}
    film = write_coded_film(CodedFilm(tmp_path / file, times, extra=extra))
    keys = key_frames(film, times_of(film))
    assert keys == [0, 20, 40, 60, 80]
    folder = tmp_path / "cuts"
    folder.mkdir()
    spans = [(20, 40), (60, 90)]
    paths = cut(film, spans, folder, None)
    for path, (start, end) in zip(paths, spans, strict=True):
        assert read_numbers(path)[0] == list(range(start, end))


def test_damaged_film_leaves_no_piece(tmp_path: Path) -> None:
    film = write_coded_film(CodedFilm(tmp_path / "film.mp4", constant(60, Fraction(24))))
    times = times_of(film)
    film.write_bytes(film.read_bytes()[:4000])
    folder = tmp_path / "cuts"
    folder.mkdir()
    with pytest.raises(MediaError):
        cut_pieces(CutJob(film, times, CODING, folder), [Piece(0, 60, folder / "a.mp4")], lambda piece: None, bool)
    assert not list(folder.iterdir())


def test_cancelled_cut_ends_and_keeps_whole_pieces_alone(tmp_path: Path) -> None:
    film = write_coded_film(CodedFilm(tmp_path / "film.mp4", constant(200, Fraction(24))))
    folder = tmp_path / "cuts"
    folder.mkdir()
    told: list[Piece] = []
    pieces = [Piece(start, start + 20, folder / f"{start:03d}.mp4") for start in range(0, 200, 20)]
    job = CutJob(film, times_of(film), CODING, folder)
    assert not cut_pieces(job, pieces, told.append, lambda: len(told) >= 3)
    assert len(told) < 10
    assert sorted(folder.iterdir()) == [piece.path for piece in told]
    for piece in told:
        assert piece.path is not None
        assert read_numbers(piece.path)[0] == list(range(piece.start, piece.end))
