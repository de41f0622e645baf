"""Cuts the scenes of one film into files, as the settings say, and makes the sheet of their first frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.errors import MediaError
from wan_engine.media.encoders import choose_encoder
from wan_engine.media.film_frames import film_frame
from wan_engine.media.probe import MediaInfo, every_frame
from wan_engine.media.segments import CutJob, Piece, PieceCoding, cut_pieces, key_frames
from wan_engine.media.sheet import MOST_ROWS, SheetRow, SheetWriter
from wan_engine.media.small_frames import exact_ffmpeg
from wan_engine.render.events import CancelCheck, stopped
from wan_engine.settings_split import SplitSettings
from wan_engine.tools.scenes.curve import Curve
from wan_engine.tools.scenes.scene_list import Scene, SceneList

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture

_ROW = 6
"""Pictures in a row of the sheet."""


@dataclass(frozen=True)
class FilmFile:
    """A film that is split. info: as `probe` found it."""

    path: Path
    info: MediaInfo


def piece_coding(settings: SplitSettings, film: FilmFile) -> PieceCoding | None:
    """How the scene files are coded; None copies the streams. Raises MediaError for what cannot be encoded here."""
    if settings.copy:
        return None
    info, height = film.info, settings.height or film.info.height
    whole = "420" in settings.pixel_format
    coding = PieceCoding(
        width=_even(info.width * height / info.height) if settings.height or whole else info.width,
        height=_even(height) if whole else height,
        codec=settings.codec,
        encoder=settings.encoder,
        crf=settings.crf,
        preset=settings.preset,
        pixel_format=settings.pixel_format,
        sound=settings.audio,
        interlaced=info.interlaced,
    )
    choose_encoder(exact_ffmpeg(), coding)
    return coding


def _even(value: float) -> int:
    return max(2, 2 * round(value / 2))


def at_key_frames(spans: Sequence[tuple[int, int]], film: FilmFile, curve: Curve) -> list[tuple[int, int]]:
    """The scenes as streams can be copied: begin and end at the key frame nearest to where they should.

    A scene of which nothing is left is not there.
    """
    places = sorted({0, *key_frames(film.path, curve.times), len(curve.times)})
    moved = [tuple(min(places, key=lambda place: abs(place - edge)) for edge in span) for span in spans]
    return [(start, end) for start, end in moved if start < end]


def cut_scenes(job: CutJob, scenes: Sequence[Scene], made: Callable[[Scene], None], cancelled: CancelCheck) -> None:
    """Write the files of these scenes. made: told of each when it is whole. Raises MediaError and others."""
    by_path = {job.folder / each.file: each for each in scenes}
    pieces = [Piece(each.start, each.end, path) for path, each in by_path.items()]

    def done(piece: Piece) -> None:
        assert piece.path is not None
        made(by_path[piece.path])

    if pieces and not cut_pieces(job, pieces, done, cancelled):
        raise stopped()


def write_sheet(path: Path, scenes: SceneList, job: CutJob, cancelled: CancelCheck) -> None:
    """Write the contact sheet: the first frame of each scene; of very many scenes, of evenly chosen rows of them.

    Taken from the scene files, where finding it is quick, else from the job's film. Raises MediaError, StorageError and
    Cancelled.
    """
    rows = [scenes.scenes[number : number + _ROW] for number in range(0, len(scenes.scenes), _ROW)]
    count = min(len(rows), MOST_ROWS)
    shown = [rows[number * len(rows) // count] for number in range(count)]
    sheet_rows = []
    for number, row in enumerate(shown):
        at = sum(len(each) for each in shown[:number])
        words = f"{row[0].number:03d} to {row[-1].number:03d}, from {row[0].start_seconds:.2f} s"
        sheet_rows.append(SheetRow(tuple(range(at, at + len(row))), words))
    with SheetWriter(path, sheet_rows) as sheet:
        for scene in (scene for row in shown for scene in row):
            if cancelled():
                raise stopped()
            sheet.write(_first_frame(scene, job))


def _first_frame(scene: Scene, job: CutJob) -> Picture:
    cut = job.folder / scene.file
    if scene.file and cut.is_file():
        return next(every_frame(cut))
    try:
        return film_frame(job.film, job.times, scene.start)
    except MediaError as error:
        raise MediaError(f"no picture of scene {scene.number}: {error.message}", error.remedy) from error
