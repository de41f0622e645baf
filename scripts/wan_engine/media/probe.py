"""Says what a film file is, gives its frames one by one, and its exact last one to go on from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import MediaError
from wan_engine.media.opening import FILM_CONTAINERS, film_stream, opened, sound_stream

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture

MAX_PIXELS = 8192 * 8192
"""Largest film picture that is opened."""
MAX_SECONDS = 24 * 3600
"""Longest film that is opened."""

_TAILS = (2, 20)
"""Seconds before the end at which the search for the last frame starts, one after the other; then the beginning."""
_HD_HEIGHT = 720
"""From this height on, a film that does not say so is bt709, else bt601, as players take it."""


@dataclass(frozen=True)
class MediaInfo:
    """What a film file is.

    container, codec: ffmpeg's names.  width, height: as it is seen, after rotation.  fps: exact average rate.
    duration: in seconds.  frames: as the container says, None if it does not.  rotation: degrees counter-clockwise.
    interlaced: its first frame is said to be two half pictures of different times.
    """

    container: str
    codec: str
    width: int
    height: int
    fps: Fraction
    duration: Fraction
    frames: int | None
    has_audio: bool
    rotation: int
    interlaced: bool = False


def probe(path: Path) -> MediaInfo:
    """Look at a film: read its header and decode one frame.

    Raises MediaError when it is no film, a playlist, of an unknown kind, damaged, too large or too long.
    """
    with opened(path, FILM_CONTAINERS) as container:
        stream = film_stream(path, container)
        _check_size(path, stream.codec_context.width, stream.codec_context.height)
        frame = next(container.decode(stream), None)
        if frame is None:
            raise MediaError(f"{path} holds no frame that can be decoded", "Take another film")
        fps = stream.average_rate or stream.guessed_rate
        if not fps:
            raise MediaError(f"{path} does not say its frame rate", "Convert it to mp4 first")
        turned = _quarter_turns(frame) % 2 == 1
        return MediaInfo(
            container=container.format.name,
            codec=stream.codec_context.codec.canonical_name,
            width=frame.height if turned else frame.width,
            height=frame.width if turned else frame.height,
            fps=Fraction(fps),
            duration=_duration(path, container, stream),
            frames=stream.frames or None,
            has_audio=sound_stream(path, container) is not None,
            rotation=_quarter_turns(frame) * 90,
            interlaced=bool(frame.interlaced_frame),
        )


def every_frame(path: Path) -> Iterator[Picture]:
    """The film's frames in the order they are seen, upright, RGB, in its own size. Raises MediaError like `probe`."""
    with opened(path, FILM_CONTAINERS) as container:
        stream = film_stream(path, container)
        _check_size(path, stream.codec_context.width, stream.codec_context.height)
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            yield upright(frame)


def last_frame(path: Path) -> Picture:
    """The film's exact last frame in the order it is seen, upright, RGB, in the film's own size.

    Only the end is decoded where the file can be searched. Raises MediaError like `probe`.
    """
    with opened(path, FILM_CONTAINERS) as container:
        stream = film_stream(path, container)
        _check_size(path, stream.codec_context.width, stream.codec_context.height)
        stream.thread_type = "AUTO"
        length = _duration(path, container, stream)
        for seconds in _TAILS:
            if seconds < length:
                frame = _last_after(container, stream, length - seconds)
                if frame is not None:
                    return upright(frame)
    # From the beginning, in a file opened anew: a seek that found nothing may have left the decoder at the end.
    with opened(path, FILM_CONTAINERS) as container:
        frame = _last(container.decode(film_stream(path, container)))
    if frame is None:
        raise MediaError(f"{path} holds no frame that can be decoded", "Take another film")
    return upright(frame)


def _last_after(container: Any, stream: Any, seconds: Fraction) -> Any:
    """The last frame, decoded from the key frame before `seconds`; None when the seek leads nowhere."""
    import av

    start = stream.start_time or 0
    try:
        container.seek(int(seconds / stream.time_base) + start, stream=stream, backward=True)
    except av.FFmpegError:
        return None  # the container has no index: the caller tries from further ahead
    return _last(container.decode(stream))


def _last(frames: Iterator[Any]) -> Any:
    """The last frame that is seen: decoders give frames in that order."""
    last = None
    for frame in frames:
        last = frame
    return last


def _check_size(path: Path, width: int, height: int) -> None:
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise MediaError(f"{path} is {width}x{height}, which cannot be opened", "Scale it down first")


def _duration(path: Path, container: Any, stream: Any) -> Fraction:
    """Length in seconds; the stream's own if it has one."""
    seconds = Fraction(0)
    if stream.duration:
        seconds = Fraction(stream.duration) * stream.time_base
    elif container.duration:
        seconds = Fraction(container.duration, 1_000_000)
    if seconds > MAX_SECONDS:
        raise MediaError(f"{path} is longer than {MAX_SECONDS // 3600} hours", "Cut it first")
    return seconds


def _quarter_turns(frame: Any) -> int:
    """How many quarter turns counter-clockwise set the frame upright, 0 to 3."""
    return int(round(frame.rotation / 90) % 4)


def upright(frame: Any) -> Picture:
    """RGB of one decoded frame, turned as the file says."""
    import numpy as np
    from av.video.reformatter import Colorspace, Interpolation

    unknown = frame.colorspace not in {member.value for member in Colorspace}
    space = Colorspace.ITU709 if unknown and frame.height >= _HD_HEIGHT else None
    # The default is quick and up to three values too dark, which would show at the seam.
    exact = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    picture = frame.reformat(format="rgb24", src_colorspace=space, interpolation=exact).to_ndarray()
    return np.ascontiguousarray(np.rot90(picture, _quarter_turns(frame)))
