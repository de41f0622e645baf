"""What the chunks of one film are rendered from and put together with: the source, its canvas, its masks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from wan_engine.backends import ClipRequest
from wan_engine.backends.control import FILL, KEEP, Control, ControlFrame
from wan_engine.media.clipfile import read_clip
from wan_engine.media.film_frames import film_frames
from wan_engine.media.pictures import resized
from wan_engine.media.probe import every_frame
from wan_engine.plan.model import Clip
from wan_engine.render.chain import ChainJob
from wan_engine.render.clip_store import ClipStore
from wan_engine.seams.colour import Correction, corrected, learn
from wan_engine.seams.crossfade import settled
from wan_engine.tools.outpaint.canvas import Canvas
from wan_engine.tools.outpaint.chunks import Chunk, chunk_of
from wan_engine.tools.outpaint.geometry import Layout
from wan_engine.tools.outpaint.mixing import finished_frame, known_frame
from wan_engine.tools.outpaint.regions import Region, Share, Sharing

if TYPE_CHECKING:
    from wan_engine.media.frame_times import FrameTimes
    from wan_engine.media.picture import Picture

logger = logging.getLogger(__name__)

_COLOUR_SAMPLES = 5
"""Frames of a chunk, evenly spread, of which its colours are learned, beside those it has from the one before."""
_SETTLING = 8
"""Frames of a chunk over which it turns from what the chunk before made to its own. A VAE decodes the first frames of a
chunk without any before them, so even known ones come out a little otherwise."""


class Frames(Protocol):
    """What gives the pictures that are outpainted."""

    def frames(self, start: int, end: int) -> Iterator[Picture]:
        """The frames [start, end)."""


@dataclass(frozen=True)
class Source:
    """The film that is outpainted. times: of all its frames; None reads from its beginning, for a look at a few."""

    film: Path
    times: FrameTimes | None = None

    def frames(self, start: int, end: int) -> Iterator[Picture]:
        """The frames [start, end). Raises MediaError."""
        if self.times is None:
            return islice(every_frame(self.film), start, end)
        return film_frames(self.film, self.times, start, end)


@dataclass(frozen=True)
class Painting:
    """A film on its canvas."""

    source: Frames
    layout: Layout
    region: Region
    canvas: Canvas

    def frames(self, start: int, end: int) -> Iterator[tuple[Picture, Share]]:
        """The source's frames [start, end), each with how it is mixed."""
        sharing = Sharing(self.layout)
        sources, fills = self.source.frames(start, end), self.region.fills(start, end)
        for source, fill in zip(sources, fills, strict=True):
            yield source, sharing.of(fill)

    def control(self, chunk: Chunk, carried: tuple[Picture, ...]) -> Iterator[ControlFrame]:
        """What the model is shown of a chunk. carried: its known frames, of the model's size."""
        nothing = np.full((self.layout.work_height, self.layout.work_width), KEEP, np.uint8)
        for picture in carried:
            yield ControlFrame(picture, nothing)
        count = len(carried)
        for number, (source, share) in enumerate(self.frames(chunk.start, chunk.end), chunk.start):
            frame = ControlFrame(self.canvas.picture(source, share.fill, number), share.fill)
            yield frame
            count += 1
        for _ in range(count, chunk.frames):
            yield frame


@dataclass(frozen=True)
class Made:
    """A finished frame of the film, with what it was made from."""

    number: int
    source: Picture
    share: Share
    picture: Picture


class ChunkWork:
    """Renders and puts together the chunks of one film: `request` and `finished` as `ChainJob` wants them.

    match_colour: whether each chunk's change of colour is taken back.
    """

    def __init__(self, painting: Painting, store: ClipStore, match_colour: bool) -> None:
        self._painting = painting
        self._store = store
        self._match_colour = match_colour
        self._corrections: dict[int, Correction] = {}
        self._carried: tuple[Picture, ...] = ()

    @property
    def canvas(self) -> Canvas:
        """What the model is shown where it is to paint."""
        return self._painting.canvas

    def request(self, job: ChainJob, clip: Clip, before: Clip | None) -> ClipRequest:
        """What is asked of the backend: the chunk's control, which begins with the end of the chunk before."""
        chunk, layout = chunk_of(clip), self._painting.layout
        self._carried = carried = tuple(self._end_of(before, chunk)) if before is not None and chunk.known else ()
        control = Control(lambda: self._painting.control(chunk, carried), self._painting.canvas.shown)
        return ClipRequest(clip, layout.work_width, layout.work_height, control=control)

    def _end_of(self, before: Clip, chunk: Chunk) -> Iterator[Picture]:
        """The frames in front of a chunk as they are known by now: the source's own pixels, and what was made."""
        return self._known(before, chunk.first, chunk.start)

    def _known(self, clip: Clip, start: int, end: int) -> Iterator[Picture]:
        """The film frames [start, end) at the model's size, as a chunk on disk has them."""
        made, frames = self._made(clip, start, end), self._painting.frames(start, end)
        for picture, (source, share) in zip(made, frames, strict=True):
            yield known_frame(self._painting.layout, source, picture, share)

    def _made(self, clip: Clip, start: int, end: int) -> Iterator[Picture]:
        """What the model made of the film frames [start, end) in a chunk on disk, in the film's colours."""
        first, correction = chunk_of(clip).first, self._corrections.get(clip.index, Correction())
        for picture in islice(read_clip(self._store.film_file(clip)), start - first, end - first):
            yield corrected(picture, correction)

    def finished(self, clip: Clip) -> None:
        """A chunk is on disk, new or from before: learn what its colours lack."""
        if not self._match_colour:
            return
        pairs = list(self._pairs(clip))
        correction = learn([known for known, _ in pairs], [made for _, made in pairs])
        if correction.does_something:
            logger.info("Colours of chunk %d matched: %s", clip.index + 1, correction.words())
        self._corrections[clip.index] = correction

    def _pairs(self, clip: Clip) -> Iterator[tuple[Picture, Picture]]:
        """Known pictures and what the model made of them: the carried frames, and the source's part of some others."""
        chunk, box = chunk_of(clip), self._painting.layout.work_kept
        own = chunk.end - chunk.start
        wanted = {own * number // _COLOUR_SAMPLES for number in range(_COLOUR_SAMPLES)}
        made = read_clip(self._store.film_file(clip))
        yield from zip(self._carried, islice(made, chunk.known), strict=True)
        for number, (picture, (source, share)) in enumerate(
            zip(made, self._painting.frames(chunk.start, chunk.end), strict=False)
        ):
            if number in wanted:
                known = resized(source, box.width, box.height)
                fill = share.fill[box.part()][..., None] == FILL
                yield known, np.where(fill, known, picture[box.part()])

    def film_frames(self, clip: Clip) -> Iterator[Made]:
        """The finished frames that a chunk on disk owns, in order."""
        chunk, layout = chunk_of(clip), self._painting.layout
        frames = self._painting.frames(chunk.start, chunk.end)
        for number, (picture, (source, share)) in enumerate(zip(self._joined(clip), frames, strict=True), chunk.start):
            yield Made(number, source, share, finished_frame(layout, source, picture, share))

    def _joined(self, clip: Clip) -> Iterator[Picture]:
        """What the model made of a chunk's own frames, led over from the chunk before.

        The last one stays as it was made where another chunk goes on from it.
        """
        chunk, clips = chunk_of(clip), self._store.plan.clips
        made = self._made(clip, chunk.start, chunk.end)
        goes_on = clip.index + 1 < len(clips) and clips[clip.index + 1].chain == clip.chain
        frames = min(_SETTLING, clip.length - goes_on)
        if not chunk.known or frames < 1:
            return made
        last, own = (next(self._known(each, chunk.start - 1, chunk.start)) for each in (clips[clip.index - 1], clip))
        return settled(last, own, made, frames)
