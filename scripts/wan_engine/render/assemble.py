"""Finished clips become the film: resampled in time and encoded beside the rendering, in film order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.media.encode import EncodeOptions, FilmEncoder, FrameSaver, check_encoding, write_gif
from wan_engine.media.sheet import SheetRow, SheetWriter
from wan_engine.media.subtitles import write_srt
from wan_engine.plan.model import Clip, Plan
from wan_engine.plan.seam import Seam
from wan_engine.render.background import Background
from wan_engine.render.clip_store import ClipStore
from wan_engine.render.events import CancelCheck, stopped
from wan_engine.render.seam_look import film_frames
from wan_engine.seams.meter import SeamMeter
from wan_engine.seams.smooth import smoothed
from wan_engine.settings import Settings
from wan_engine.storage.places import FilmPlaces

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture


Sink = FilmEncoder | FrameSaver | SheetWriter | SeamMeter
"""What takes a film's frames as they come."""


def encode_options(plan: Plan, settings: Settings, path: Path) -> EncodeOptions | None:
    """How the film file is encoded; None when no film file is asked for (codec gif or png)."""
    if settings.codec not in ("h264", "hevc"):
        return None
    return EncodeOptions(
        path=path,
        width=plan.width,
        height=plan.height,
        fps=plan.fps,
        frames=plan.frames,
        codec=settings.codec,
        encoder=settings.encoder,
        crf=settings.crf,
        preset=settings.preset,
        pixel_format=settings.pixel_format,
        soundtrack=Path(settings.soundtrack).expanduser() if settings.soundtrack else None,
        soundtrack_offset=settings.soundtrack_offset,
    )


def check_output(plan: Plan, settings: Settings) -> None:
    """Try the encoder and the soundtrack before anything is rendered. Raises MediaError."""
    options = encode_options(plan, settings, Path("film.mp4"))
    if options is not None:
        check_encoding(options)


def clip_frames(store: ClipStore, clip: Clip) -> Iterator[Picture]:
    """The film frames a finished clip owns, in order: its model frames at the times the plan gives."""
    return film_frames(store, clip, clip.start, clip.end)


def _sheet_rows(plan: Plan) -> list[SheetRow]:
    """The contact sheet: of each prompt four frames, evenly spread over its time."""
    return [
        SheetRow(tuple(start + (end - start) * eighth // 8 for eighth in (1, 3, 5, 7)), clip.prompt)
        for start, end, clip in plan.prompt_spans()
    ]


class Assembler(Background):
    """Makes the film's files from its clips, in a thread of its own, as far as the clips are there.

    Clips may become ready in any order. Leaving the context waits for the last frame; when it is left by an exception
    (a stop, an error) or the user stops the encoding itself, the finished beginning is closed as
    `<timestring>_partial.mp4`. An error of the encoder is raised by the next `clip_ready` or on leaving.
    """

    def __init__(self, settings: Settings, places: FilmPlaces, store: ClipStore, cancelled: CancelCheck) -> None:
        super().__init__("assemble")
        self._settings = settings
        self._places = places
        self._store = store
        self._plan = store.plan
        self._cancelled = cancelled
        self._ready: set[int] = set()
        self._meter = SeamMeter(self._plan.joins())

    @property
    def seams(self) -> tuple[Seam, ...]:
        """What the film's seams look like; all of them when the film is whole."""
        return self._meter.seams

    def clip_ready(self, clip: Clip) -> None:
        """The clip's frames are on disk."""
        with self.changed:
            self.raise_error()
            self._ready.add(clip.index)
            self.changed.notify()

    def all_ready(self) -> None:
        """Every clip's frames are on disk, and will not change any more."""
        for clip in self._plan.clips:
            self.clip_ready(clip)

    def work(self) -> None:
        """Encode clip after clip, then write what is made from the whole film."""
        options = encode_options(self._plan, self._settings, self._places.film)
        with ExitStack() as stack:
            sheet = SheetWriter(self._places.sheet, _sheet_rows(self._plan))
            sinks: list[Sink] = [stack.enter_context(sheet), stack.enter_context(self._meter)]
            if options is not None:
                sinks.append(stack.enter_context(FilmEncoder(options)))
            if self._settings.save_frames or self._settings.codec == "png":
                sinks.append(stack.enter_context(FrameSaver(self._places.frame)))
            for frame in self._softened(self._frames_in_time()):
                self._stop_if_cancelled(sinks)
                for sink in sinks:
                    sink.write(frame)
            if len(self._ready) < len(self._plan.clips):
                self._close_early(sinks)
                return
        self._write_extras()

    def _frames_in_time(self) -> Iterator[Picture]:
        """The film's frames as its clips become ready; it ends early when the rendering does."""
        for clip in self._plan.clips:
            if not self._wait_for(clip):
                return
            yield from clip_frames(self._store, clip)

    def _softened(self, frames: Iterator[Picture]) -> Iterator[Picture]:
        """The frames with their joins smoothed as the settings ask; wanted cuts stay sharp."""
        joins = [frame for frame, join in self._plan.joins().items() if join.kind not in ("cut", "loop")]
        return smoothed(frames, joins, self._settings.smoothing)

    def _wait_for(self, clip: Clip) -> bool:
        with self.changed:
            while clip.index not in self._ready and not self.failed:
                self.changed.wait()
            return clip.index in self._ready

    def _stop_if_cancelled(self, sinks: list[Sink]) -> None:
        """While clips are rendered the renderer takes the wish, and what is ready is still encoded."""
        if len(self._ready) == len(self._plan.clips) and self._cancelled():
            self._close_early(sinks)
            raise stopped()

    def _close_early(self, sinks: list[Sink]) -> None:
        for sink in sinks:
            if isinstance(sink, FilmEncoder):
                sink.close_early(self._places.partial)

    def _write_extras(self) -> None:
        """What is made from the whole film."""
        if self._settings.make_gif or self._settings.codec == "gif":
            write_gif(self._places.gif, lambda: self._softened(self._all_frames()), self._plan.fps)
        if self._settings.subtitles:
            spans = [(start, end, clip.prompt) for start, end, clip in self._plan.prompt_spans()]
            write_srt(self._places.subtitles, spans, self._plan.fps)
        self._places.partial.unlink(missing_ok=True)

    def _all_frames(self) -> Iterator[Picture]:
        for clip in self._plan.clips:
            yield from clip_frames(self._store, clip)


class Draft(Assembler):
    """Encodes the clips as they are rendered although their seams are still to be mended: for a film that is stopped.

    Left by an exception, it closes what is finished as `<timestring>_partial.mp4`. Left otherwise it leaves no file:
    the film itself comes now.
    """

    def __init__(self, settings: Settings, places: FilmPlaces, store: ClipStore, cancelled: CancelCheck) -> None:
        super().__init__(settings, places, replace(store, patches={}), cancelled)

    def work(self) -> None:
        """Encode clip after clip until the film is stopped or no more needed."""
        options = encode_options(self._plan, self._settings, self._places.film)
        if options is None:
            return
        encoder = FilmEncoder(options)
        try:
            for frame in self._softened(self._frames_in_time()):
                if self.closing and not self.failed:
                    break
                encoder.write(frame)
            with self.changed:
                self.changed.wait_for(lambda: self.closing)
            if self.failed:
                encoder.close_early(self._places.partial)
        finally:
            encoder.abort()
