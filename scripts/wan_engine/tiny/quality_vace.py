"""Measures how the VACE transformer keeps what is given and fills the rest, on captions that training never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wan_engine.tiny.judge import Sighting, look, psnr
from wan_engine.tiny.masks import beginning, ends
from wan_engine.tiny.quality import CHANGED_BY, Examiner, Figure, eight_bits, percent
from wan_engine.tiny.world import CAPTIONS, Clips, changed, render, steady, turning_after

if TYPE_CHECKING:
    import torch

_KEPT_GOAL = 30.0
"""Of the given area as it is made, in dB: before anyone pastes the given pixels over it."""
_GIVEN = 5
"""Frames of a given beginning."""
_NEAR = 3.0
"""Pixels that a shape may be off where it goes on."""
_HOLE = 0.25
"""Half of a hole's size as a share of the picture's."""


def filling(examiner: Examiner, transformer: Any) -> list[Figure]:
    """The figures of all jobs of VACE."""
    given = examiner.between("VACE, first and last picture", transformer, lambda truth: _ends(examiner, truth))
    figures = [*_going_on(examiner, transformer), *_changing(examiner, transformer), *given]
    return [*figures, *_beside(examiner, transformer), *_inside(examiner, transformer)]


def _ends(examiner: Examiner, truth: torch.Tensor) -> torch.Tensor:
    return examiner.studio.control(truth, ends(examiner.canvas, truth))


def _going_on(examiner: Examiner, transformer: Any) -> list[Figure]:
    """Given beginnings, continued."""
    kind = f"VACE, {_GIVEN} frames given"
    clips = steady(examiner.dice(), examiner.canvas, examiner.captions())
    made, kept = _filled(examiner, transformer, clips, beginning(examiner.canvas, _lengths(clips.caption)))
    return [_kept(kind, kept), *examiner.shown(kind, made, clips, first=_GIVEN)]


def _changing(examiner: Examiner, transformer: Any) -> list[Figure]:
    """Given beginnings, continued as another caption."""
    kind = f"VACE, {_GIVEN} frames of another prompt given"
    captions = examiner.captions()
    before = changed(examiner.dice(), captions, 0.3)
    known = _lengths(captions)
    clips = turning_after(examiner.dice(), examiner.canvas, (before, captions), known, roomy=1.0)
    made, kept = _filled(examiner, transformer, clips, beginning(examiner.canvas, known))
    figures = [_kept(kind, kept)]
    # Counted from the first frame, and from the last given one as after a single given picture.
    for frame in (CHANGED_BY, _GIVEN - 1 + CHANGED_BY):
        by_then = [look(pictures[frame]).shows(CAPTIONS[i]) for pictures, i in _each(made, clips)]
        figures.append(Figure(f"{kind}: change carried out by frame {frame}", percent(by_then), 90, "%"))
    return figures + examiner.shown(kind, made, clips, first=frame)


def _beside(examiner: Examiner, transformer: Any) -> list[Figure]:
    """One side filled, left, right, top and bottom in turn: the border runs through where the shape is halfway."""
    import torch

    kind = "VACE, a side filled"
    clips = steady(examiner.dice(), examiner.canvas, examiner.captions())
    x, y = _offsets(clips)
    side = torch.arange(len(x), device=x.device)[:, None, None] % 4
    fill = torch.where(side == 0, x < 0, torch.where(side == 1, x >= 0, torch.where(side == 2, y < 0, y >= 0)))
    made, kept = _filled(examiner, transformer, clips, _always(examiner, fill))
    pairs = zip(_each(made, clips), eight_bits(render(clips)), strict=True)
    on = [_same(pictures[::4], truth[::4], index) for (pictures, index), truth in pairs]
    return [_kept(kind, kept), Figure(f"{kind}: shape goes on across the border", percent(on), 90, "%")]


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

    return torch.full_like(captions, _GIVEN)


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


def _same(pictures: Any, truth: Any, caption: int) -> bool:
    """Whether every picture shows the caption's shape where the true one has it."""
    seen, there = ([look(picture) for picture in clip] for clip in (pictures, truth))
    return all(one.shows(CAPTIONS[caption]) and _near(one, other) for one, other in zip(seen, there, strict=True))


def _near(one: Sighting, other: Sighting) -> bool:
    return (one.x - other.x) ** 2 + (one.y - other.y) ** 2 <= _NEAR**2
