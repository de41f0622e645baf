"""Renders a clip again with another seed while its seam is bad, as far as the budget goes, and keeps the best take.

Nothing but the clips is kept on disk: a film that goes on measures them again and comes to the same takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wan_engine.backends import ClipRequest
from wan_engine.plan.model import Clip
from wan_engine.plan.repairs import MOST_RETRIES
from wan_engine.plan.seam import Seam
from wan_engine.render.clip import ChainJob, render_clip
from wan_engine.render.seam_look import seam_at
from wan_engine.schedule.seeds import part_seed

_TAKE_PART = 2_000_003
"""Stands for the part number in the seed of the first take more: no prompt has that many parts."""


def render_best(job: ChainJob, request: ClipRequest) -> None:
    """Render a clip, and again while one of its seams has faults; the store then gives the best of the takes.

    Raises Cancelled within a step of the wish, with the state of the take on disk.
    """
    clip = request.clip
    render_clip(job, request, job.store)
    if not job.plan.seam_retries:
        return
    takes = [_seams(job, clip)]
    if not takes[0]:
        return
    while any(map(_is_faulty, takes[-1])) and len(takes) <= MOST_RETRIES and job.seams.left:
        job.seams.left -= 1
        again = replace(request, clip=replace(clip, seed=take_seed(clip, len(takes))))
        job.progress.one_more(clip)
        job.progress.say("note", clip, f"{_words(clip, takes[-1])}; rendered again with seed {again.clip.seed}")
        render_clip(job, again, job.store.take(len(takes)))
        job.store.chosen[clip.index] = len(takes)
        takes.append(_seams(job, clip))
    best = min(range(len(takes)), key=lambda take: _rank(takes[take]))
    job.store.chosen[clip.index] = best
    if len(takes) > 1:
        job.progress.say("note", clip, f"{_words(clip, takes[best])}; take {best + 1} of {len(takes)} is kept")
    for number, seam in enumerate(takes[0]):
        versions = [take[number].version("render", take_seed(clip, at)) for at, take in enumerate(takes)]
        job.seams.versions[seam.frame] = [replace(made, kept=at == best) for at, made in enumerate(versions)]


def take_seed(clip: Clip, take: int) -> int:
    """The seed of a clip's take; the first, 0, has the plan's."""
    return part_seed(clip.seed, _TAKE_PART + take - 1) if take else clip.seed


def _seams(job: ChainJob, clip: Clip) -> list[Seam]:
    """The seams that show once this clip is there and that another take of it may better, measured."""
    joins = job.plan.joins()
    frames = [clip.start] if clip.index and joins[clip.start].kind != "cut" else []
    frames += [job.plan.frames] if clip.loops else []
    if job.seams.inside:
        frames = [frame for frame in frames if job.plan.beside(frame)[0].chain == clip.chain]
    there = [frame for frame in frames if job.store.film_file(job.plan.beside(frame)[0]).is_file()]
    return [seam for seam in (seam_at(job.store, frame) for frame in there) if seam is not None]


def _is_faulty(seam: Seam) -> bool:
    return next(seam.faults(), None) is not None


def _rank(seams: Sequence[Seam]) -> tuple[int, int, float]:
    """The smaller, the better: the worst grade, then how many seams are to be mended, then all figures."""
    grades, showing, far = zip(*(seam.rank for seam in seams), strict=True)
    return max(grades), sum(showing), sum(far)


def _words(clip: Clip, seams: Sequence[Seam]) -> str:
    """What is seen of a take, for the notes."""
    figures = " and ".join(
        f"seam at frame {seam.frame} {seam.grade} (difference {seam.difference:.2f}, motion {seam.motion:.2f})"
        for seam in seams
    )
    return f"Clip {clip.index + 1}: {figures}"
