"""Measures how the VACE transformer keeps what is given and fills the rest, on captions that training never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wan_engine.tiny.judge import look, psnr
from wan_engine.tiny.masks import beginning, ends, within
from wan_engine.tiny.quality import CHANGED_BY, GIVEN, Examiner, Figure, eight_bits, mean_psnr, percent
from wan_engine.tiny.world import CAPTIONS, Clips, changed, gliding, render, steady, turning_after

if TYPE_CHECKING:
    import torch

_KEPT_GOAL = 30.0
"""Of the given area as it is made, in dB: before anyone pastes the given pixels over it."""
_GAP = (7, 19)
"""The first missing frame and the first one given behind."""
_HOLE = 0.25
"""Half of a hole's size as a share of the picture's."""


def filling(examiner: Examiner, transformer: Any) -> list[Figure]:
    """The figures of all jobs of VACE."""
    parts = (_going_on, _changing, _beside, _inside, _between, _keyframes, _nothing)
    figures = [figure for part in parts for figure in part(examiner, transformer)]
    return [*figures, *examiner.between("VACE, first and last picture", transformer, examiner.studio.control)]


def _going_on(examiner: Examiner, transformer: Any) -> list[Figure]:
    """Given beginnings, continued."""
    kind = f"VACE, {GIVEN} frames given"
    clips = steady(examiner.dice(), examiner.canvas, examiner.captions())
    made, kept = _filled(examiner, transformer, clips, beginning(examiner.canvas, _lengths(clips.caption)))
    shown = examiner.shown(kind, made, clips, first=GIVEN)
    return [_kept(kind, kept), *shown, examiner.followed(kind, made, clips)]


def _changing(examiner: Examiner, transformer: Any) -> list[Figure]:
    """Given beginnings, continued as another caption."""
    kind = f"VACE, {GIVEN} frames of another prompt given"
    captions = examiner.captions()
    before = changed(examiner.dice(), captions, 0.3)
    known = _lengths(captions)
    clips = turning_after(examiner.dice(), examiner.canvas, (before, captions), known, roomy=1.0)
    made, kept = _filled(examiner, transformer, clips, beginning(examiner.canvas, known))
    figures = [_kept(kind, kept)]
    # Counted from the first frame, and from the last given one as after a single given picture.
    for frame in (CHANGED_BY, GIVEN - 1 + CHANGED_BY):
        by_then = [look(pictures[frame]).shows(CAPTIONS[i]) for pictures, i in _each(made, clips)]
        figures.append(Figure(f"{kind}: change carried out by frame {frame}", percent(by_then), 90, "%"))
    return figures + examiner.shown(kind, made, clips, first=frame)


def _nothing(examiner: Examiner, transformer: Any) -> list[Figure]:
    """Whole clips, as text-to-video makes them."""
    clips = steady(examiner.dice(), examiner.canvas, examiner.captions())
    everything = beginning(examiner.canvas, clips.caption * 0)
    made = examiner.made(transformer, clips, examiner.studio.control(render(clips), everything))
    return examiner.shown("VACE, nothing given", made, clips, first=0)


def _beside(examiner: Examiner, transformer: Any) -> list[Figure]:
    """One side filled, left, right, top and bottom in turn: the border runs through where the shape is halfway.

    As the first part of a film, and as a later one, whose first frames were filled before.
    """
    import torch

    clips = steady(examiner.dice(), examiner.canvas, examiner.captions())
    x, y = _offsets(clips)
    side = torch.arange(len(x), device=x.device)[:, None, None] % 4
    fill = torch.where(side == 0, x < 0, torch.where(side == 1, x >= 0, torch.where(side == 2, y < 0, y >= 0)))
    whole = _always(examiner, fill)
    figures = []
    masks = {"": whole, f" behind {GIVEN} given frames": whole & beginning(examiner.canvas, _lengths(clips.caption))}
    for name, mask in masks.items():
        kind = f"VACE, a side filled{name}"
        made, kept = _filled(examiner, transformer, clips, mask)
        figures += [_kept(kind, kept), examiner.followed(kind, made, clips)]
    return figures


def _between(examiner: Examiner, transformer: Any) -> list[Figure]:
    """Frames missing between given ones, as where a seam is repaired."""
    import torch

    kind = f"VACE, {_GAP[1] - _GAP[0]} frames filled between others"
    clips = steady(examiner.dice(), examiner.canvas, examiner.captions())
    start, end = (torch.full_like(clips.caption, frame) for frame in _GAP)
    made, kept = _filled(examiner, transformer, clips, within(examiner.canvas, start, end))
    return [_kept(kind, kept), examiner.followed(kind, made, clips)]


def _keyframes(examiner: Examiner, transformer: Any) -> list[Figure]:
    """Any pictures given first, in the middle and last."""
    import torch

    captions = examiner.captions()
    before = changed(examiner.dice(), captions, 0.3)
    frame = examiner.canvas.frames // 2
    middle = torch.full_like(captions, frame)
    clips = gliding(examiner.dice(), examiner.canvas, before, captions, middle)
    fill = ends(examiner.canvas, captions) & ~within(examiner.canvas, middle, middle + 1)
    made, kept = _filled(examiner, transformer, clips, fill)
    quality = mean_psnr(made, render(clips), slice(frame, frame + 1))
    kind = "VACE, any three pictures given"
    return [_kept(kind, kept), Figure(f"{kind}: the middle one", quality, _KEPT_GOAL, "dB")]


def _inside(examiner: Examiner, transformer: Any) -> list[Figure]:
    """A hole filled, half as wide and high as the picture, around where the shape is halfway."""
    kind = "VACE, a hole filled"
    clips = steady(examiner.dice(), examiner.canvas, examiner.captions())
    x, y = _offsets(clips)
    wide, high = _HOLE * examiner.canvas.width, _HOLE * examiner.canvas.height
    fill = (x.abs() < wide) & (y.abs() < high)
    made, kept = _filled(examiner, transformer, clips, _always(examiner, fill))
    right = [all(look(picture).shows(CAPTIONS[i]) for picture in pictures[::8]) for pictures, i in _each(made, clips)]
    return [_kept(kind, kept), Figure(f"{kind}: as the text says", percent(right), 90, "%")]


def _filled(examiner: Examiner, transformer: Any, clips: Clips, fill: torch.Tensor) -> tuple[torch.Tensor, list[float]]:
    """The pictures made, and the PSNR of each clip's given pixels in dB, 60 at most."""
    truth = render(clips)
    made = examiner.made(transformer, clips, examiner.studio.control(truth, fill))
    trios = zip(eight_bits(made), eight_bits(truth), (~fill).cpu().numpy(), strict=True)
    return made, [min(psnr(one[given], other[given]), 60.0) for one, other, given in trios]


def _kept(kind: str, values: list[float]) -> Figure:
    return Figure(f"{kind}: kept area", sum(values) / len(values), _KEPT_GOAL, "dB")


def _lengths(captions: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.full_like(captions, GIVEN)


def _each(made: torch.Tensor, clips: Clips) -> list[tuple[Any, int]]:
    """Each clip's pictures in 8 bits and its caption."""
    return list(zip(eight_bits(made), clips.caption.tolist(), strict=True))


def _offsets(clips: Clips) -> tuple[torch.Tensor, torch.Tensor]:
    """How far pixels lie to the right of and below where the shape is halfway: (B, 1, width) and (B, height, 1)."""
    import torch

    centre = clips.centres[:, clips.canvas.frames // 2].round()
    across, down = (torch.arange(size, device=centre.device) for size in (clips.canvas.width, clips.canvas.height))
    return (across - centre[:, :1])[:, None, :], (down - centre[:, 1:])[:, :, None]


def _always(examiner: Examiner, fill: torch.Tensor) -> torch.Tensor:
    canvas = examiner.canvas
    return fill.expand(-1, canvas.height, canvas.width)[:, None].expand(-1, canvas.frames, -1, -1)
