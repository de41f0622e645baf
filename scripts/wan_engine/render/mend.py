"""Mends the seams that can be seen, when all clips of a film are there and before it is encoded.

Each way to mend is a member of `MENDERS`. The clips stay as they were rendered: what mends a seam is a patch beside
them, kept only if the seam is better with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from wan_engine.backends import ClipRequest
from wan_engine.backends.control import FILL, KEEP, Control, ControlFrame
from wan_engine.media.clipfile import ClipWriter, read_clip
from wan_engine.plan.model import Clip, Repair
from wan_engine.plan.repairs import MOST_RETRIES, Window
from wan_engine.plan.seam import Seam, Version
from wan_engine.plan.timing import LATENT_STRIDE
from wan_engine.render.clip import ChainJob, render_clip
from wan_engine.render.patch import Patch
from wan_engine.render.seam_look import seam_at
from wan_engine.schedule.seeds import part_seed
from wan_engine.seams.colour import ANOTHER_SCENE, corrected, learn
from wan_engine.seams.crossfade import carried, faded
from wan_engine.seams.steps import difference, look_at

if TYPE_CHECKING:
    from wan_engine.backends import Picture

_FADED = 8
"""Model frames over which a clip's last picture fades in the next one, where they have no other frames in common."""


@dataclass(frozen=True)
class Mended:
    """What one trial makes. frames: model frames around the seam.  lead: how many of them lie before it.

    seed: of the noise, None where none is drawn: another trial would be the same.
    """

    frames: Sequence[Picture]
    lead: int
    seed: int | None = None


def mend_seams(job: ChainJob) -> None:
    """Mend a film's seams in their order. The clips of all chains are finished.

    Raises Cancelled within a step of the wish; what was made is on disk and used again.
    """
    if job.plan.seam_repair == "none":
        return
    for frame, join in job.plan.joins().items():
        job.stop_if_cancelled()
        seam = seam_at(job.store, frame) if join.kind != "cut" else None
        if seam is not None and seam.shows:
            _mend(job, seam)


def _mend(job: ChainJob, seam: Seam) -> None:
    """Try to mend one seam, again with other seeds as far as the budget goes, and keep what is best."""
    before, clip = job.plan.beside(seam.frame)
    if difference(look_at(_tail(job, before, 1)[0]), look_at(_head(job, clip, 1)[0])) > ANOTHER_SCENE:
        job.progress.say("note", clip, f"Seam at frame {seam.frame} is left as it is: another scene begins there")
        return
    tried: list[tuple[Seam, Version, Patch]] = []
    while mended := MENDERS[job.plan.seam_repair](job, seam, len(tried)):
        patch = _written(job, clip, mended, len(tried))
        found = _measured(job, seam, patch)
        tried.append((found, found.version(job.plan.seam_repair, mended.seed), patch))
        if not found.shows or mended.seed is None or len(tried) > MOST_RETRIES or not job.seams.left:
            break
        job.seams.left -= 1
    best = min((found for found, _, _ in tried), key=lambda found: found.rank, default=seam)
    kept = best if best.rank < seam.rank else seam
    for found, version, patch in tried:
        if found is kept:
            job.store.patches[clip.index] = patch
        job.seams.add(seam, replace(version, kept=found is kept))
    if tried:
        job.progress.say("note", clip, _words(job.plan.seam_repair, seam, best, kept is best))


def _measured(job: ChainJob, seam: Seam, patch: Patch) -> Seam:
    """The seam with this patch, which is taken away again. A patch makes no seam unmeasurable."""
    index = job.plan.beside(seam.frame)[1].index
    job.store.patches[index] = patch
    found = seam_at(job.store, seam.frame)
    del job.store.patches[index]
    assert found is not None
    return found


def _written(job: ChainJob, clip: Clip, mended: Mended, number: int) -> Patch:
    path = job.store.patch_file(clip, number)
    with ClipWriter(path, job.plan.width, job.plan.height, job.plan.model_fps) as writer:
        for frame in mended.frames:
            writer.write(frame)
    return Patch(path, mended.lead)


def _faded(job: ChainJob, seam: Seam, _number: int) -> Mended:
    """A flow-aligned cross-fade: over the frames that both clips have, or over the first ones of the new clip."""
    before, clip = job.plan.beside(seam.frame)
    common = clip.overlap - 1
    if common > 0:
        ahead = _tail(job, before, common)
        made = faded(ahead, list(islice(job.store.frames(clip), common)))
        return Mended([*made, *_head(job, clip, 1)], common)
    following = _head(job, clip, min(_FADED, clip.intervals))
    return Mended(carried(job.store.hand_over(before), following), 0)


def _made_anew(job: ChainJob, seam: Seam, number: int) -> Mended | None:
    """The frames around the seam, made by VACE with both sides in view; the clips' own colours are held."""
    repair = next((repair for repair in job.plan.repairs if repair.frame == seam.frame), None)
    if repair is None:
        return None
    window = repair.window
    asked = replace(repair.clip, seed=part_seed(repair.clip.seed, number))
    known = _known(job, repair)
    store = job.store.mended.take(number) if number else job.store.mended
    job.progress.one_more(asked)
    job.progress.say("note", asked, f"Mending the seam at frame {seam.frame}: {_figures(seam)}")
    made_anew = _made_frames(window, is_given=seam.kind in ("keyframe", "loop"))
    shown = [
        ControlFrame(picture, np.full(picture.shape[:2], FILL if at in made_anew else KEEP, np.uint8))
        for at, picture in enumerate(known)
    ]
    render_clip(job, ClipRequest(asked, job.plan.width, job.plan.height, control=Control.of(shown)), store)
    made = _in_colour(known, list(read_clip(store.film_file(asked))), window)
    middle = range(window.before, window.before + window.middle)
    return Mended([made[at] if at in made_anew else known[at] for at in middle], window.lead, asked.seed)


def _made_frames(window: Window, is_given: bool) -> set[int]:
    """The frames of the window to be made anew.

    is_given: the picture at the seam is one that stands on its own frame. It stays as the clip has it, with the others
    of its latent frame: VACE's mask tells whole latent frames apart.
    """
    middle = set(range(window.before, window.before + window.middle))
    seam = window.before + window.lead
    stays = LATENT_STRIDE - window.lead % LATENT_STRIDE if is_given else 0
    return middle - set(range(seam, seam + stays))


def _known(job: ChainJob, repair: Repair) -> list[Picture]:
    """The clips' own frames over the whole window, those to be made anew among them."""
    before, clip = job.plan.beside(repair.frame)
    window = repair.window
    return [
        *_tail(job, before, window.before + window.lead),
        *_head(job, clip, window.middle - window.lead + window.behind),
    ]


def _in_colour(known: Sequence[Picture], made: Sequence[Picture], window: Window) -> list[Picture]:
    """The made frames with the colours of the given ones: from those before the seam evenly to those behind it."""
    middle = window.before + window.middle
    first = learn(known[: window.before], made[: window.before])
    last = learn(known[middle:], made[middle:])
    shares = [(at - window.before + 1) / (window.middle + 1) for at in range(window.frames)]
    return [corrected(frame, first.towards(last, min(1, max(0, at)))) for frame, at in zip(made, shares, strict=True)]


MENDERS: dict[str, Callable[[ChainJob, Seam, int], Mended | None]] = {"cross_fade": _faded, "vace": _made_anew}
"""The ways to mend a seam: each makes the frames of its `number`th trial, None where it cannot."""


def _tail(job: ChainJob, clip: Clip, count: int) -> list[Picture]:
    """The last model frames of a clip before the one that the next clip owns."""
    return list(islice(job.store.frames(clip), clip.last - count, clip.last))


def _head(job: ChainJob, clip: Clip, count: int) -> list[Picture]:
    """The first model frames of a clip that the film shows."""
    return list(islice(job.store.frames(clip), clip.first, clip.first + count))


def _figures(seam: Seam) -> str:
    return f"{seam.grade}, difference {seam.difference:.2f}, motion {seam.motion:.2f}"


def _words(how: str, seam: Seam, best: Seam, is_kept: bool) -> str:
    """What came of a seam, for the notes."""
    name = {"vace": "VACE", "cross_fade": "a cross-fade"}[how]
    place = f"Seam at frame {seam.frame}"
    if not is_kept:
        return f"{place} is left as it is ({_figures(seam)}): {name} made it no better ({_figures(best)})"
    return f"{place} mended by {name}: {_figures(seam)}; now {_figures(best)}"
