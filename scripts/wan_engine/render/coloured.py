"""Corrects the colours of a clip on its way to the disk: held to those it goes on from, pulled back to its chain's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.backends import ClipRequest
from wan_engine.media.clipfile import ClipWriter, clip_frame, read_clip
from wan_engine.plan.model import Clip, Plan
from wan_engine.render.clip_store import ClipStore
from wan_engine.seams.colour import Colours, Correction, corrected, learn, pull

if TYPE_CHECKING:
    from wan_engine.backends import Picture
    from wan_engine.render.clip import ChainJob

_LOOKED_AT = 8
"""Frames of a clip from which its colours are taken."""


def coloured(job: ChainJob, request: ClipRequest, store: ClipStore, frames: Iterator[Picture]) -> Iterator[Picture]:
    """The clip's frames in the colours its plan asks for.

    Where the end of the clip has a say, by the picture it arrives at or by what it is pulled back to, all frames are
    kept on disk first: the correction goes evenly from that of the first frame to that of the last.
    """
    clip = request.clip
    arrives = request.end_image is not None
    if not clip.hold_colour and (arrives or not clip.pin_colour):
        return frames
    if not clip.pin_colour and not arrives:
        return _held(job, request, frames)
    return _turned(job, request, store.folder / f"clip_{clip.index:04d}_raw.mkv", frames)


def _held(job: ChainJob, request: ClipRequest, frames: Iterator[Picture]) -> Iterator[Picture]:
    """The frames with the colours that the known first ones tell, as far as they do."""
    known = _known(request)
    first = list(islice(frames, len(known)))
    correction = learn(known[: len(first)], first)
    _say(job, request.clip, correction, correction)
    for frame in chain(first, frames):
        yield corrected(frame, correction)


def _turned(job: ChainJob, request: ClipRequest, raw: Path, frames: Iterator[Picture]) -> Iterator[Picture]:
    """The frames with a correction that goes on from the first to the last. raw: where they wait for it."""
    clip, plan = request.clip, job.plan
    try:
        raw.parent.mkdir(parents=True, exist_ok=True)
        with ClipWriter(raw, plan.width, plan.height, plan.model_fps) as writer:
            for frame in frames:
                job.stop_if_cancelled()
                writer.write(frame)
        known = _known(request) if clip.hold_colour else []
        first = last = learn(known, list(islice(read_clip(raw), len(known))))
        if request.end_image is not None:
            last = learn([request.end_image], [clip_frame(raw, clip.last)])
        elif clip.pin_colour:
            last = pull(_chain_colours(job, clip, raw, first), clip.pin_colour).after(first)
        _say(job, clip, first, last)
        for number, frame in enumerate(read_clip(raw)):
            share = max(0.0, (number - clip.first) / clip.intervals)
            yield corrected(frame, first.towards(last, share))
    finally:
        raw.unlink(missing_ok=True)


def _known(request: ClipRequest) -> list[Picture]:
    """The pictures that the clip's first frames are."""
    if request.control is None:
        return list(request.known)
    return [frame.picture for frame in takewhile(lambda frame: not frame.mask.any(), request.control.read())]


def _chain_colours(job: ChainJob, clip: Clip, raw: Path, held: Correction) -> list[Colours]:
    """The colours of the clips that show this one's text in its chain, up to this one, as it will be held."""
    before = [_colours(job, job.store.film_file(each), each) for each in _before(job.plan, clip)]
    own = Colours.of([corrected(frame, held) for frame in _looks(raw, clip)])
    return [*before, own]


def _before(plan: Plan, clip: Clip) -> list[Clip]:
    """The clips right before this one that are of its chain and its text, in order."""
    found: list[Clip] = []
    for each in reversed(plan.clips[: clip.index]):
        if (each.chain, each.prompt) != (clip.chain, clip.prompt):
            break
        found.insert(0, each)
    return found


def _colours(job: ChainJob, path: Path, clip: Clip) -> Colours:
    if path not in job.colours:
        job.colours[path] = Colours.of(_looks(path, clip))
    return job.colours[path]


def _looks(path: Path, clip: Clip) -> list[Picture]:
    """Some frames of a clip's file, evenly spread."""
    count = min(_LOOKED_AT, clip.intervals + 1)
    places = (clip.first + round(number * clip.intervals / max(1, count - 1)) for number in range(count))
    return [clip_frame(path, place) for place in places]


def _say(job: ChainJob, clip: Clip, first: Correction, last: Correction) -> None:
    if not (first.does_something or last.does_something):
        return
    words = first.words() if first == last else f"from {first.words()} to {last.words()}"
    job.progress.say("note", clip, f"Colour of clip {clip.index + 1} held: {words}")
