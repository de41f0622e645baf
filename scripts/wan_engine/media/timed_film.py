"""Encodes frames with times of their own into a film, with the sound and the colour tags of the film they came from.

The frames go to ffmpeg as NUT, which holds a time for each, so that a film of varying frame rate keeps its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import MediaError
from wan_engine.media.encoders import Coding, Quality, choose_encoder, encoder_format, quality_arguments, sized
from wan_engine.media.opening import FILM_CONTAINERS, film_stream, opened
from wan_engine.media.pipe import FrameFormat, FramePipe
from wan_engine.media.segments import MP4_SOUND
from wan_engine.media.small_frames import exact_ffmpeg, film_input
from wan_engine.media.sound import BIT_RATE, SAMPLE_RATE
from wan_engine.media.tools import Ffmpeg, file_url
from wan_engine.storage.atomic import AtomicPath, WholeOrNothing

if TYPE_CHECKING:
    from wan_engine.media.frame_times import FrameTimes
    from wan_engine.media.picture import Picture

_MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}
"""ffmpeg's scaler's names of the colour matrices that a film's tag can say."""
_UNSAID = 2
_BT709, _BT601 = 1, 6
_FULL = 2
_HD_HEIGHT = 720


@dataclass(frozen=True)
class ColourTags:
    """What a film says of its colours, in ffmpeg's numbers: range, matrix, primaries and transfer; 2 is unsaid.

    The matrix is always one: what players take for a film of this height where it says none.
    pixel_shape: width of a pixel for its height.
    """

    range: int
    matrix: int
    primaries: int
    transfer: int
    pixel_shape: Fraction = Fraction(1)

    def filter(self, pixel_format: str) -> str:
        """Makes of RGB what the tags say."""
        full = "pc" if self.range == _FULL else "tv"
        shape = f"scale=out_color_matrix={_MATRICES[self.matrix]}:out_range={full}"
        tags = f"range={full}:colorspace={self.matrix}:color_primaries={self.primaries}:color_trc={self.transfer}"
        square = f"setsar={self.pixel_shape.numerator}/{self.pixel_shape.denominator}"
        return f"{shape}:flags=bicubic+accurate_rnd+full_chroma_int,format={pixel_format},setparams={tags},{square}"

    def arguments(self) -> list[str]:
        """The tags as ffmpeg's arguments."""
        full = "pc" if self.range == _FULL else "tv"
        said = {"colorspace": self.matrix, "color_primaries": self.primaries, "color_trc": self.transfer}
        pairs = [(f"-{name}", str(value)) for name, value in said.items()]
        return ["-color_range", full, *(word for pair in pairs for word in pair)]


def colour_tags(film: Path) -> ColourTags:
    """The tags of a film. Raises MediaError."""
    with opened(film, FILM_CONTAINERS) as container:
        stream = film_stream(film, container)
        codec, pixel_shape = stream.codec_context, Fraction(stream.sample_aspect_ratio or 1)
        usual = _BT709 if codec.height >= _HD_HEIGHT else _BT601
        matrix = codec.colorspace if codec.colorspace in _MATRICES else usual
        primaries, transfer = int(codec.color_primaries), int(codec.color_trc)
        return ColourTags(int(codec.color_range), int(matrix), primaries, transfer, pixel_shape)


@dataclass(frozen=True)
class TimedOptions:
    """What a film file is to be.

    source: film whose sound, all its tracks, is taken, and whose times and tags are kept.
    times: of its frames; one is written for each.
    """

    path: Path
    source: Path
    times: FrameTimes
    tags: ColourTags
    width: int
    height: int
    quality: Quality

    @property
    def coding(self) -> Coding:
        """As the encoders want it."""
        return sized(self.quality, self.width, self.height)


@dataclass(frozen=True)
class _TimedFormat(FrameFormat):
    """Frames in NUT. first: second at which the first one is shown."""

    first: Fraction = Fraction(0)

    def check(self) -> None:
        """Every time can be kept."""

    def arguments(self) -> list[str]:
        """The input as ffmpeg's arguments; it counts an input's times from its first frame."""
        return ["-itsoffset", f"{float(self.first):.6f}", "-f", "nut", "-i", "pipe:0"]


class _TimedPipe(FramePipe):
    """One ffmpeg that reads frames with times. tick: their unit in seconds."""

    def __init__(self, ffmpeg: Ffmpeg, frames: _TimedFormat, tick: Fraction, arguments: list[str]) -> None:
        import av

        super().__init__(ffmpeg, frames, arguments)
        self._container: Any = av.open(self._stdin, "w", format="nut")
        stream: Any = self._container.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = frames.width, frames.height, "rgb24"
        stream.time_base = stream.codec_context.time_base = tick
        self._stream = stream

    def write_at(self, frame: Picture, ticks: int) -> None:
        """Hand over a frame that is shown `ticks` after the first. Raises MediaError when ffmpeg has ended."""
        import av
        import numpy as np

        if frame.shape != self._shape or frame.dtype != np.uint8:
            raise ValueError(f"a frame of {frame.shape} {frame.dtype} is not {self._shape} uint8")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        picture.pts, picture.time_base = ticks, self._stream.codec_context.time_base
        try:
            for packet in self._stream.encode(picture):
                self._container.mux(packet)
        except (OSError, ValueError) as error:  # ValueError: `kill` in another thread has closed the pipe
            self.kill()
            raise self._failure() from error

    def finish(self) -> None:
        """Say that there are no more frames and wait for the end. Raises MediaError when ffmpeg failed."""
        try:
            self._container.close()
        except (OSError, ValueError) as error:
            self.kill()
            raise self._failure() from error
        super().finish()


class TimedFilm(WholeOrNothing):
    """A film that is encoded while its frames are made; it appears when it is closed with all of them.

    Raises MediaError when made, where no encoder works.
    """

    def __init__(self, options: TimedOptions) -> None:
        ffmpeg = exact_ffmpeg()
        self.encoder = choose_encoder(ffmpeg, options.coding)
        self._options = options
        self._written = 0
        self._ended = False
        self._target = AtomicPath(options.path)
        self._target.discard()
        times = options.times
        form = _TimedFormat(options.width, options.height, times.fps, times.seconds(0))
        self._pipe = _TimedPipe(ffmpeg, form, times.tick, _arguments(self.encoder, options, self._target.part))

    def write(self, frame: Picture) -> None:
        """Add the next frame. Waits while ffmpeg is busy. Raises MediaError when it failed."""
        ticks = self._options.times.ticks
        self._pipe.write_at(frame, int(ticks[self._written]) - int(ticks[0]))
        self._written += 1

    def close(self) -> None:
        """Finish the film. Raises MediaError when ffmpeg failed or frames are missing; then no file is left."""
        if self._ended:
            return
        if self._written != len(self._options.times):
            self.abort()
            message = f"the film got {self._written} of its {len(self._options.times)} frames"
            raise MediaError(message, "This is an error in the program: please report it")
        try:
            self._pipe.finish()
        except MediaError:
            self.abort()
            raise
        self._ended = True
        self._target.commit()

    def abort(self) -> None:
        """Give up: ffmpeg is ended and no file is left. Does nothing after `close`."""
        if self._ended:
            return
        self._ended = True
        self._pipe.kill()
        self._target.discard()


def check_coding(coding: Quality, width: int, height: int) -> str:
    """The encoder that will be used. Raises MediaError for sizes and formats that cannot be encoded here."""
    if "420" in coding.pixel_format and (width % 2 or height % 2):
        message = f"a film of {width}x{height} cannot be {coding.pixel_format}, which needs even sizes"
        raise MediaError(message, "Use an even width and height, or pixel_format yuv444p")
    return choose_encoder(exact_ffmpeg(), sized(coding, width, height))


def _arguments(encoder: str, options: TimedOptions, target: Path) -> list[str]:
    coding = options.coding
    tag = ["-tag:v", "hvc1"] if coding.codec == "hevc" else []  # the tag that Apple's players ask for
    return [
        *film_input(options.source),
        *("-map", "0:v:0", "-fps_mode", "passthrough", "-enc_time_base:v", "demux"),
        *("-vf", options.tags.filter(encoder_format(encoder, coding)), "-c:v", encoder),
        *(*quality_arguments(encoder, coding), *options.tags.arguments(), *tag),
        *("-map", "1:a?", *_sound(options.source), "-sn", "-dn", "-map_metadata", "1", "-map_chapters", "1"),
        *("-movflags", "+faststart", "-f", "mp4", file_url(target)),
        # ffmpeg counts the sound's times from the first of the streams that it uses, so it must use the pictures too.
        *("-map", "1:V:0", "-c", "copy", "-f", "null", "-"),
    ]


def _sound(film: Path) -> list[str]:
    """The sound as it is where an mp4 can hold it, else as AAC."""
    with opened(film, FILM_CONTAINERS) as container:
        codecs = {stream.codec_context.codec.canonical_name for stream in container.streams.audio}
    if codecs <= set(MP4_SOUND):
        return ["-c:a", "copy"]
    return ["-c:a", "aac", "-b:a", BIT_RATE, "-filter:a", f"aresample={SAMPLE_RATE}:async=1"]
