"""Reads and writes the lossless files in which finished clips wait for the film: FFV1 RGB in Matroska.

Every frame is a key frame, so any one is read alone. The file appears under its name only when it is whole, and one
that was cut later is noticed. Bytes changed inside it are not (the decoder hides them): compare the file's hash.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import MediaError
from wan_engine.storage.atomic import AtomicPath, WholeOrNothing, storage_error

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture

logger = logging.getLogger(__name__)

_PIXELS = "bgr0"
"""FFV1's name for 8-bit RGB; Picture's bytes in another order, so nothing is lost on the way."""
_REMEDY = "Render the clip again: its file is damaged"


class ClipWriter(WholeOrNothing):
    """Writes one clip frame by frame; `close` makes it appear, `abort` leaves nothing behind.

    As a context manager it closes at the end and aborts when an exception passes.
    path: ends in .mkv.  width, height: in pixels.  fps: the model's rate.
    """

    def __init__(self, path: Path, width: int, height: int, fps: Fraction) -> None:
        import av

        self._shape = (height, width, 3)
        self._target = AtomicPath(path)
        try:
            self._container = av.open(f"file:{self._target.part.absolute()}", "w", format="matroska")
        except OSError as error:
            raise storage_error(path, error) from error
        stream: Any = self._container.add_stream("ffv1", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, _PIXELS
        stream.codec_context.gop_size = 1
        stream.options = {"level": "3", "slices": "4"}
        self._stream = stream
        self._frames = 0
        self._open = True

    def write(self, frame: Picture) -> None:
        """Add a frame of the writer's size. Raises StorageError when the disk is full."""
        import av
        import numpy as np

        if frame.shape != self._shape or frame.dtype != np.uint8:
            raise ValueError(f"a frame of {frame.shape} {frame.dtype} is not {self._shape} uint8")
        try:
            self._mux(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24"))
        except OSError as error:
            raise storage_error(self._target.path, error) from error
        self._frames += 1

    def _mux(self, frame: Any) -> None:
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self) -> None:
        """Finish the file and make it appear under its name. Raises StorageError; then nothing is left."""
        if not self._open:
            return
        if not self._frames:
            self.abort()
            raise ValueError("a clip needs at least one frame")
        self._open = False
        try:
            self._mux(None)
            self._container.close()
        except OSError as error:
            self._target.discard()
            raise storage_error(self._target.path, error) from error
        self._target.commit()

    def abort(self) -> None:
        """Give up: the file never appears. Does nothing after `close`."""
        if not self._open:
            return
        self._open = False
        try:
            self._container.close()
        except OSError as error:
            logger.info("an aborted clip could not be closed, it is removed: %s", error)
        self._target.discard()


@dataclass(frozen=True)
class ClipInfo:
    """What a clip's file says. width, height: in pixels.  fps: the model's rate."""

    width: int
    height: int
    fps: Fraction
    frames: int


def clip_info(path: Path) -> ClipInfo:
    """Size, rate and number of frames of a clip, without decoding it. Raises MediaError."""
    with _opened(path) as (container, stream):
        frames = _frame_count(path, container, stream)
        return ClipInfo(stream.codec_context.width, stream.codec_context.height, Fraction(stream.average_rate), frames)


def read_clip(path: Path) -> Iterator[Picture]:
    """The clip's frames in order, one in memory at a time. Raises MediaError for a damaged or cut file."""
    with _opened(path) as (container, stream):
        count = 0
        for frame in container.decode(stream):
            yield frame.to_ndarray(format="rgb24")
            count += 1
        expected = _frame_count(path, container, stream)
        if count != expected:
            raise MediaError(f"{path} holds {count} of its {expected} frames", _REMEDY)


def clip_frame(path: Path, index: int) -> Picture:
    """Frame `index` of a clip, from 0, without decoding the others. Raises MediaError if it is not there."""
    with _opened(path) as (container, stream):
        packets = (packet for packet in container.demux(stream) if packet.size)
        for number, packet in enumerate(packets):
            if number == index:
                frames = [*stream.decode(packet), *stream.decode(None)]
                picture: Picture = frames[0].to_ndarray(format="rgb24")
                return picture
    raise MediaError(f"{path} has no frame {index}", _REMEDY)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """An open clip and its stream; every error of the library becomes a MediaError."""
    import av

    options = {"protocol_whitelist": "file", "format_whitelist": "matroska,webm"}
    try:
        with av.open(f"file:{path.absolute()}", options=options) as container:
            stream = container.streams.video[0]
            yield container, stream
    except (av.FFmpegError, IndexError) as error:
        raise MediaError(f"{path} cannot be read: {error}", _REMEDY) from error


def _frame_count(path: Path, container: Any, stream: Any) -> int:
    """How many frames the writer put in: the header's duration, written last, in frames of the stream's rate."""
    if container.duration is None or not stream.average_rate:
        raise MediaError(f"{path} was not finished", _REMEDY)
    count: int = round(Fraction(container.duration, 1_000_000) * stream.average_rate)
    return count
