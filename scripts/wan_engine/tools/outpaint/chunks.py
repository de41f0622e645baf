"""Lays scenes out in chunks of 4k+1 frames; each begins with frames of the one before, and none crosses a cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wan_engine.errors import InputError, Problem
from wan_engine.plan.continuity import whole_latents
from wan_engine.plan.model import Clip
from wan_engine.plan.timing import LATENT_STRIDE

SHORTEST = 5
"""Frames of the shortest chunk: a model that makes video is asked for more than one picture."""


@dataclass(frozen=True)
class Chunk:
    """One call of the model.

    start, end: the film frames it owns.  known: frames in front of them that the chunk before has made.
    frames: asked of the model, 4k+1. Those behind `end` of a scene shorter than that show its last frame on, and are
    dropped; any other chunk ends with its scene by taking more known frames.
    """

    scene: int
    start: int
    end: int
    known: int
    frames: int

    @property
    def first(self) -> int:
        """The film frame that its frame 0 is."""
        return self.start - self.known


def lay_chunks(scenes: Sequence[tuple[int, int]], length: int, overlap: int) -> Iterator[Chunk]:
    """The chunks of scenes [start, end), in order. length: 4k+1.  overlap: 1, 5, 9 and so on, below length."""
    for number, (start, end) in enumerate(scenes):
        at = start
        while at < end:
            if at == start:
                frames = min(length, max(SHORTEST, _up(end - start)))
                yield Chunk(number, start, min(end, start + frames), 0, frames)
                at = min(end, start + frames)
            else:
                # Shorter at the scene's end: up to three more known frames fill the model's last latent frame.
                frames = min(length, _up(overlap + end - at))
                stop = min(end, at + frames - overlap)
                yield Chunk(number, at, stop, frames - (stop - at), frames)
                at = stop


def _up(frames: int) -> int:
    """The least 4k+1 that is this many."""
    return -(-(frames - 1) // LATENT_STRIDE) * LATENT_STRIDE + 1


def chunk_of(clip: Clip) -> Chunk:
    """The chunk that a clip of a plan is (see `planning.outpaint_plan`)."""
    known = 0 if clip.continuity == "cut" else clip.frames - clip.length
    return Chunk(clip.chain, clip.start, clip.end, known, clip.frames)


def check_lengths(batch_size: int, overlap: int, native: int) -> int:
    """The length of chunks, the native one where none is set. Raises InputError for lengths that no model can make."""
    length = batch_size or native
    if whole_latents(length) != length or length < SHORTEST:
        near = max(SHORTEST, whole_latents(length))
        message = f"{length} is no 4k+1 of {SHORTEST} or more"
        raise InputError(Problem(message, f"Give {near} or {near + 4}", field="batch_size"))
    if whole_latents(overlap) != overlap:
        message = f"{overlap} frames do not fill whole latent frames"
        raise InputError(Problem(message, "Give 1, 5, 9, 13 or 17", field="overlap"))
    if overlap >= length:
        message = f"an overlap of {overlap} frames leaves nothing of a chunk of {length}"
        raise InputError(Problem(message, "Give a shorter overlap or a larger batch_size", field="overlap"))
    return length
