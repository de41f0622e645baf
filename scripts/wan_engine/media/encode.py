"""Film frames become files as they come: the film with its sound, the animated GIF, the numbered pictures."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from wan_engine.errors import MediaError
from wan_engine.media.encoders import choose_encoder, encoder_format, quality_arguments
from wan_engine.media.pictures import write_png
from wan_engine.media.pipe import FrameFormat, FramePipe
from wan_engine.media.sound import check_soundtrack, sound_arguments
from wan_engine.media.tools import INPUT_OPTIONS, file_url, find_ffmpeg, run_ffmpeg
from wan_engine.storage.atomic import AtomicPath, WholeOrNothing

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture

# The frames are sRGB; players take films for bt709 with limited range, so they are made and marked so.
_COLOUR_FILTER = (
    "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,format={},"
    "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
)
_COLOUR_TAGS = ["-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]

GIF_FASTEST = 50
"""Frames a second of a GIF at most: its clock ticks in hundredths, and browsers slow down shorter delays than two."""


@dataclass(frozen=True)
class EncodeOptions:
    """What a film file is to be.

    frames: how many will be written; the sound is cut to that length.  codec: h264 or hevc.
    encoder: auto, nvenc or software.  crf: 0 is lossless, 51 the worst.  preset, pixel_format: as in the settings.
    soundtrack: a sound or film file.  soundtrack_offset: second of the film at which it starts; negative leaves out
    the sound's beginning.
    """

    path: Path
    width: int
    height: int
    fps: Fraction
    frames: int
    codec: str = "h264"
    encoder: str = "auto"
    crf: int = 17
    preset: str = "slow"
    pixel_format: str = "yuv420p"
    soundtrack: Path | None = None
    soundtrack_offset: float = 0.0

    @property
    def format(self) -> FrameFormat:
        """The frames that are written."""
        return FrameFormat(self.width, self.height, self.fps)


def check_encoding(options: EncodeOptions) -> str:
    """Try everything that can be tried before there are frames; gives the name of the encoder that will be used.

    Raises MediaError for a size or rate the format cannot hold, an encoder that does not work, a soundtrack that
    cannot be read.
    """
    options.format.check()
    if "420" in options.pixel_format and (options.width % 2 or options.height % 2):
        message = f"a film of {options.width}x{options.height} cannot be {options.pixel_format}, which needs even sizes"
        raise MediaError(message, "Use an even width and height, or pixel_format yuv444p")
    if options.soundtrack is not None:
        check_soundtrack(options.soundtrack, options.soundtrack_offset)
    return choose_encoder(find_ffmpeg(), options)


def _film_arguments(encoder: str, options: EncodeOptions, target: Path) -> list[str]:
    sound_in: list[str] = []
    sound_out: list[str] = ["-an"]
    if options.soundtrack is not None:
        seconds = options.frames / options.fps
        sound_in, sound_out = sound_arguments(options.soundtrack, options.soundtrack_offset, seconds)
    tag = ["-tag:v", "hvc1"] if options.codec == "hevc" else []  # the tag that Apple's players ask for
    return [
        *sound_in,
        *("-map", "0:v:0", "-vf", _COLOUR_FILTER.format(encoder_format(encoder, options)), "-c:v", encoder),
        *quality_arguments(encoder, options),
        *_COLOUR_TAGS,
        *tag,
        *sound_out,
        *("-movflags", "+faststart", "-f", "mp4", file_url(target)),
    ]


class FilmEncoder(WholeOrNothing):
    """Encodes a film while its frames are made. The file appears when it is closed with all its frames.

    As a context manager it closes at the end and aborts when an exception passes. Raises MediaError when made, for
    everything `check_encoding` finds.
    """

    def __init__(self, options: EncodeOptions) -> None:
        self.encoder = check_encoding(options)
        self._options = options
        self._written = 0
        self._ended = False
        self._target = AtomicPath(options.path)
        # The ffmpeg of an engine that was killed may still be writing there: it keeps its own, nameless file.
        self._target.discard()
        arguments = _film_arguments(self.encoder, options, self._target.part)
        self._pipe = FramePipe(find_ffmpeg(), options.format, arguments)

    def write(self, frame: Picture) -> None:
        """Add the next film frame. Waits while ffmpeg is busy. Raises MediaError when it failed."""
        self._pipe.write(frame)
        self._written += 1

    def close(self) -> None:
        """Finish the film. Raises MediaError when ffmpeg failed or frames are missing; then no file is left."""
        if self._ended:
            return
        if self._written != self._options.frames:
            self.abort()
            message = f"the film got {self._written} of its {self._options.frames} frames"
            raise MediaError(message, "This is an error in the program: please report it")
        self._end_pipe()
        self._target.commit()

    def close_early(self, path: Path) -> None:
        """End the film with the frames it has, under another name; without frames there is no file.

        Raises MediaError when ffmpeg failed.
        """
        if not self._written:
            self.abort()
            return
        self._end_pipe()
        try:
            with AtomicPath(path) as part:
                _copy_beginning(self._target.part, part, self._written / self._options.fps)
        finally:
            self._target.discard()

    def _end_pipe(self) -> None:
        try:
            self._pipe.finish()
        except MediaError:
            self.abort()
            raise
        self._ended = True

    def abort(self) -> None:
        """Give up: ffmpeg is ended and no file is left. May be called from another thread."""
        self._ended = True
        self._pipe.kill()
        self._target.discard()


def _copy_beginning(film: Path, target: Path, seconds: Fraction) -> None:
    """Copy a film without coding it again, cut at `seconds`: the sound was made for the film's whole length."""
    end = ["-t", f"{float(seconds):.6f}", "-movflags", "+faststart", "-f", "mp4"]
    run_ffmpeg(find_ffmpeg(), [*INPUT_OPTIONS, "-i", file_url(film), "-map", "0", "-c", "copy", *end, file_url(target)])


def write_gif(path: Path, frames: Callable[[], Iterator[Picture]], fps: Fraction) -> None:
    """Write an animated GIF with a palette of its own, in two passes.

    frames: gives a fresh iterator over all frames each time; it is asked twice, so that none is kept in memory.
    More than 50 frames a second are thinned out to 50. Raises MediaError.
    """
    thin = f"fps={GIF_FASTEST}," if fps > GIF_FASTEST else ""
    with tempfile.TemporaryDirectory(prefix="wan-gif-") as folder, AtomicPath(path) as part:
        palette = Path(folder) / "palette.png"
        _pass(frames(), fps, ["-vf", "palettegen=stats_mode=full", "-frames:v", "1", file_url(palette)])
        use = ["-lavfi", f"[0:v]{thin}null[film];[film][1:v]paletteuse", "-f", "gif", "-loop", "0", file_url(part)]
        _pass(frames(), fps, [*INPUT_OPTIONS, "-i", file_url(palette), *use])


def _pass(frames: Iterator[Picture], fps: Fraction, arguments: list[str]) -> None:
    first = next(frames, None)
    if first is None:
        raise ValueError("a GIF needs at least one frame")
    height, width = first.shape[:2]
    pipe = FramePipe(find_ffmpeg(), FrameFormat(width, height, fps), arguments)
    try:
        for frame in chain([first], frames):
            pipe.write(frame)
        pipe.finish()
    except BaseException:
        pipe.kill()
        raise


class FrameSaver:
    """Writes numbered pictures on a few threads, a few waiting at most.

    name: gives the file of a frame's number.  first: number of the first frame written.
    As a context manager it waits for the last picture; an error of any picture is raised by the next call.
    """

    def __init__(self, name: Callable[[int], Path], first: int = 0) -> None:
        workers = max(1, min(4, os.cpu_count() or 1))
        self._name = name
        self._number = first
        self._room = threading.BoundedSemaphore(2 * workers)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="save-frame")
        self._error: BaseException | None = None

    def write(self, frame: Picture) -> None:
        """Have the next frame written. Waits while too many wait. Raises StorageError of an earlier one."""
        self._raise_error()
        self._room.acquire()
        self._pool.submit(write_png, self._name(self._number), frame).add_done_callback(self._done)
        self._number += 1

    def _done(self, finished: Future[None]) -> None:
        self._error = self._error or finished.exception()
        self._room.release()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Wait for all pictures. Raises StorageError when one could not be written."""
        self._pool.shutdown(wait=True)
        self._raise_error()

    def __enter__(self) -> FrameSaver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)
        if kind is None:
            self._raise_error()
