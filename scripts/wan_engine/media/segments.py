"""Cuts a film into pieces, exact to the frame and in time, in one pass over the film.

ffmpeg's segment muxer is told moments half-way between two frames, so that no rounding of a time moves a cut; the
film's own times are kept (`-fps_mode passthrough`), so films of varying frame rate are cut as exactly as others.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from errno import ENOSPC
from fractions import Fraction
from os import strerror
from pathlib import Path

from wan_engine.errors import MediaError, StorageError
from wan_engine.media.encoders import SizedCoding, choose_encoder, encoder_format, quality_arguments
from wan_engine.media.frame_times import FrameTimes
from wan_engine.media.opening import FILM_CONTAINERS, film_stream, opened, sound_stream
from wan_engine.media.segment_run import SegmentRun
from wan_engine.media.small_frames import exact_ffmpeg, film_input, unheard_sound
from wan_engine.media.sound import BIT_RATE, SAMPLE_RATE
from wan_engine.media.tools import file_url
from wan_engine.storage.atomic import AtomicPath, storage_error

WORK_PREFIX = ".wan-cut-"
"""Begin of the names of the hidden folders; one that is left was of a process that was killed."""
MOST_PIECES = 300
"""Pieces cut in one pass at most: their times stand on the command line, which Windows limits to 32 kB."""

_MP4_VIDEO = ("h264", "hevc", "av1", "mpeg4", "vp9")
MP4_SOUND = ("aac", "mp3", "ac3", "eac3", "opus", "alac", "flac")
"""What an mp4 can hold as it is; other streams are copied into mkv."""


_INDEXED = frozenset({"mp4", "matroska", "avi"})
"""Containers in which ffmpeg seeks to key frames; in others, such as MPEG-TS, it may begin in the middle of a group."""


@dataclass(frozen=True)
class Piece:
    """The film's frames [start, end), to be put into a file; without a path they are thrown away."""

    start: int
    end: int
    path: Path | None


@dataclass(frozen=True)
class PieceCoding(SizedCoding):
    """How pieces are coded.

    width, height: both even for 4:2:0.  interlaced: frames that are said to be interlaced are made whole first, one for
    one, for scaling would mix their two halves.
    """

    sound: bool
    interlaced: bool

    def arguments(self, first_filters: str) -> list[str]:
        """ffmpeg's arguments for the pictures. Raises MediaError when no encoder works."""
        encoder = choose_encoder(exact_ffmpeg(), self)
        whole = "bwdif=mode=send_frame:deint=interlaced," if self.interlaced else ""
        shape = f"{first_filters}{whole}scale={self.width}:{self.height},format={encoder_format(encoder, self)}"
        tag = ["-tag:v", "hvc1"] if self.codec == "hevc" else []
        # No piece may refer to frames before it: x265 and NVENC take a forced key frame for less unless told. And
        # without B-frames a piece's first frame does not come to the muxer before the sound of the piece before it.
        alone = ["-forced-idr", "1", "-bf", "0"]
        return ["-vf", shape, "-c:v", encoder, *quality_arguments(encoder, self), *alone, *tag]


@dataclass(frozen=True)
class CutJob:
    """A film with its frames' times. coding: None copies the streams, and pieces begin at key frames alone.

    folder: where the pieces go; while they are written they lie in a hidden folder in it.
    """

    film: Path
    times: FrameTimes
    coding: PieceCoding | None
    folder: Path

    def has_index(self) -> bool:
        """Whether ffmpeg finds the key frame before a moment at once; otherwise it decodes from the beginning."""
        with opened(self.film, FILM_CONTAINERS) as container:
            return not _INDEXED.isdisjoint(container.format.name.split(","))

    def ending(self) -> str:
        """Of the pieces' names, with the dot. Raises MediaError for a film that cannot be opened."""
        if self.coding is not None:
            return ".mp4"
        with opened(self.film, FILM_CONTAINERS) as container:
            film, sound = film_stream(self.film, container), sound_stream(self.film, container)
            fits = film.codec_context.codec.canonical_name in _MP4_VIDEO
            if sound is not None:
                fits = fits and sound.codec_context.codec.canonical_name in MP4_SOUND
            return ".mp4" if fits else ".mkv"


def cut_pieces(
    job: CutJob, pieces: Sequence[Piece], done: Callable[[Piece], None], cancelled: Callable[[], bool]
) -> bool:
    """Write the pieces, which must be in order and not overlap; each appears whole, and `done` is told of it.

    Pieces that follow each other without a gap are cut in one pass; before a gap the film is searched anew. Gives
    False when `cancelled` ended it. Raises MediaError and StorageError.
    """
    for run in _runs(pieces) if job.coding else [_whole(pieces, len(job.times))]:
        if not _cut_run(job, run, done, cancelled):
            return False
    return True


def _runs(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    run: list[Piece] = []
    for piece in pieces:
        if run and (piece.start != run[-1].end or len(run) == MOST_PIECES):
            yield run
            run = []
        run.append(piece)
    if run:
        yield run


def _whole(pieces: Sequence[Piece], frames: int) -> list[Piece]:
    """All of the film in one run, for streams that are copied: the gaps between the wanted pieces have no path."""
    run: list[Piece] = []
    for piece in pieces:
        at = run[-1].end if run else 0
        run += [Piece(at, piece.start, None)] if piece.start > at else []
        run.append(piece)
    return [*run, Piece(run[-1].end, frames, None)] if run[-1].end < frames else run


def _cut_run(job: CutJob, run: list[Piece], done: Callable[[Piece], None], cancelled: Callable[[], bool]) -> bool:
    """Cut pieces that follow each other. Gives False when `cancelled` ended it."""
    folder, ending = job.folder, job.ending()
    try:
        work = tempfile.TemporaryDirectory(prefix=WORK_PREFIX, dir=folder)
    except OSError as error:
        raise storage_error(folder, error) from error
    with work as name, SegmentRun(_run_arguments(job, run, Path(name) / f"%06d{ending}")) as process:
        waiting = list(run)
        try:
            for number in process.finished(cancelled):
                piece = waiting.pop(0)
                _take(job, Path(name) / f"{number:06d}{ending}", piece)
                if piece.path is not None:
                    done(piece)
        except MediaError as error:
            if process.disk_is_full():
                raise _full(folder) from error
            raise
        if cancelled():
            return False
        reason = process.failure() or (f"{len(waiting)} of {len(run)} pieces were not written" if waiting else "")
        if reason and process.disk_is_full():
            raise _full(folder)
    if reason:
        raise MediaError(f"{job.film} cannot be cut: {reason}", "Take another codec, or repair the film")
    return True


def _full(folder: Path) -> StorageError:
    return storage_error(folder, OSError(ENOSPC, strerror(ENOSPC)))


def _take(job: CutJob, made: Path, piece: Piece) -> None:
    """Let a finished piece appear under its name, if it has all its frames."""
    if piece.path is None:
        made.unlink()
        return
    if job.coding is not None:
        frames = _packets(made)
        if frames != piece.end - piece.start:
            message = f"{piece.path.name} got {frames} of its {piece.end - piece.start} frames"
            raise MediaError(message, f"{job.film} may be damaged: convert it first")
    target = AtomicPath(piece.path)
    try:
        shutil.move(made, target.part)
    except OSError as error:
        raise storage_error(piece.path, error) from error
    target.commit()


def _packets(film: Path) -> int:
    """How many frames a film that we wrote holds, by its index."""
    with opened(film, FILM_CONTAINERS) as container:
        return int(film_stream(film, container).frames)


def _run_arguments(job: CutJob, run: list[Piece], target: Path) -> list[str]:
    """ffmpeg's arguments for one pass. Its times count from the moment searched for, the pieces' from their first."""
    times, first, last = job.times, run[0].start, run[-1].end
    origin = times.before(first) if first and job.has_index() else Fraction(0)
    begin, cuts = times.seconds(first) - origin, [times.before(piece.start) - origin for piece in run[1:]]
    seek = ["-ss", _stamp(origin)] if origin else []
    if job.coding is None:
        coded = ["-map", "0:V:0", "-map", "0:a?", "-c", "copy"]
    else:
        skipped = f"trim=start={_stamp(times.before(first))}," if first and not origin else ""
        end = None if last >= len(times) else times.seconds(last) - origin
        coded = [
            *("-map", "0:V:0", "-fps_mode", "passthrough", "-enc_time_base:v", "demux"),
            *("-frames:v", str(last - first), *(["-force_key_frames", _stamps(cuts)] if cuts else [])),
            *job.coding.arguments(skipped),
            *(["-map", "0:a?", *_sound(begin, end)] if job.coding.sound else ["-an"]),
        ]
    form = "mp4" if target.suffix == ".mp4" else "matroska"
    options = ["-segment_format_options", "movflags=+faststart"] if form == "mp4" else []
    places = ["-segment_times", _stamps([cut - begin for cut in cuts])] if cuts else ["-segment_time", "1000000"]
    return [
        *(*seek, *film_input(job.film), *coded, "-sn", "-dn", "-map_chapters", "-1"),
        # The muxer leaves the first piece's times as they are: they must begin at 0 by themselves.
        *("-output_ts_offset", _stamp(-begin), "-f", "segment", "-segment_format", form, *options),
        # Times below 0, of B-frames, are the pieces' own affair: moved here, all cuts would come too early.
        *(
            "-avoid_negative_ts",
            "disabled",
            "-reset_timestamps",
            "1",
            "-segment_list",
            "pipe:1",
            "-segment_list_type",
            "flat",
        ),
        *("-segment_list_flags", "live", *places, file_url(target)),
        *(unheard_sound(job.film) if job.coding and not job.coding.sound else []),
    ]


def _sound(start: Fraction, end: Fraction | None) -> list[str]:
    """The sound between two moments of the run, cut to the sample; gaps in it are filled, so that it stays in time."""
    until = f":end={_stamp(end)}" if end is not None else ""
    filters = f"aresample={SAMPLE_RATE}:async=1,atrim=start={_stamp(start)}{until}"
    # The encoder's run-in, before the first picture, would have the first piece begin with sound alone.
    run_in = f"noise=drop='lt(pts*tb,{_stamp(start)}-0.0001)'"
    return ["-filter:a", filters, "-c:a", "aac", "-b:a", BIT_RATE, "-bsf:a", run_in]


def _stamps(moments: Sequence[Fraction]) -> str:
    return ",".join(_stamp(moment) for moment in moments)


def _stamp(seconds: Fraction) -> str:
    return f"{float(seconds):.6f}"


def key_frames(film: Path, times: FrameTimes) -> list[int]:
    """The frames at which a copied piece can begin, by the file's index: nothing is decoded.

    Raises MediaError.
    """
    with opened(film, FILM_CONTAINERS) as container:
        stream = film_stream(film, container)
        start = Fraction(container.start_time or 0, 1_000_000)
        found = [
            packet.pts * packet.time_base - start
            for packet in container.demux(stream)
            if packet.is_keyframe and packet.pts is not None and not packet.is_discard
        ]
    return sorted({times.nearest(moment) for moment in found})
