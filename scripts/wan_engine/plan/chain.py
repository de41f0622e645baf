"""Stretches of film become clips: their modes, how they join, which chain they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from wan_engine.families import Lineup, Mode
from wan_engine.plan.continuity import Continuity
from wan_engine.plan.pace import Pace
from wan_engine.plan.pictures import StartPicture
from wan_engine.plan.refusals import Start, no_arrival, no_room, no_start
from wan_engine.plan.stretches import Stretch
from wan_engine.plan.timing import frames_asked, intervals, pinned_intervals, split


@dataclass(frozen=True)
class Piece:
    """A clip without its prompt and sampling values; most fields are those of `Clip`.

    prompt: number of its prompt span.  first_picture, last_picture: the pictures its ends are.
    jumps_to: the picture at its end that the film cuts to because the clip cannot arrive there.
    """

    prompt: int
    start: int
    end: int
    arrives: int
    mode: Mode
    intervals: int
    starts_from: Start
    first_picture: StartPicture | None
    last_picture: StartPicture | None
    jumps_to: StartPicture | None = None
    chain: int = 0
    part: int = 0
    parts: int = 1

    @property
    def frames(self) -> int:
        """Frames asked of the model."""
        return frames_asked(self.intervals)


def lay_pieces(stretches: Iterable[Stretch], continuity: Continuity, pace: Pace) -> list[Piece]:
    """The film's clips in order. Raises CapabilityError, InputError where a stretch cannot be rendered as asked."""
    joiner = _Joiner(continuity, pace)
    pieces = [piece for stretch in stretches for piece in joiner.pieces(stretch)]
    return _numbered(pieces)


def _numbered(pieces: Sequence[Piece]) -> list[Piece]:
    numbered: list[Piece] = []
    chain = -1
    for _, of_prompt in groupby(pieces, key=lambda piece: piece.prompt):
        parts = list(of_prompt)
        for part, piece in enumerate(parts):
            chain += piece.starts_from != "clip"
            numbered.append(replace(piece, chain=chain, part=part, parts=len(parts)))
    return numbered


@dataclass(frozen=True)
class _Joiner:
    """Decides about one stretch at a time."""

    continuity: Continuity
    pace: Pace

    @property
    def lineup(self) -> Lineup:
        return self.pace.lineup

    def pieces(self, stretch: Stretch) -> Iterable[Piece]:
        """The clips of one stretch."""
        cuts = self._cuts(stretch)
        last = len(cuts) - 2
        for number, span in enumerate(pairwise(cuts)):
            yield self._piece(stretch, span, first=number == 0, final=number == last)

    def _start(self, stretch: Stretch, first: bool, final: bool) -> Start:
        """What a stretch's first or later, last or earlier clip starts from."""
        if first and stretch.first_picture:
            return "picture"
        if first and stretch.start == 0:
            return "text"
        arrives = final and stretch.last_picture is not None
        return "clip" if self.continuity.hands_over(self.lineup, arrives) else "text"

    def _mode(self, stretch: Stretch, first: bool, final: bool) -> Mode:
        """The mode that such a clip needs, whether or not a model for it is there."""
        if self._start(stretch, first, final) == "text":
            return "t2v"
        return "flf2v" if final and stretch.last_picture and self.lineup.can("flf2v") else "i2v"

    def _cuts(self, stretch: Stretch) -> tuple[int, ...]:
        """Film frames where the stretch's clips begin, and where the last one arrives."""
        whole = self._mode(stretch, first=True, final=True)
        least = 2 if whole == "t2v" and self._must_arrive(stretch) else 1
        if least == 1 and self.lineup.can(whole):
            if stretch.arrives - stretch.start <= self.pace.longest([whole]):
                return stretch.start, stretch.arrives
        elif least == 1:
            # A picture or text that nothing can start from; a shorter clip would not help.
            raise no_start(self.lineup, self.continuity, stretch, self._start(stretch, first=True, final=True))
        modes = {whole, *(self._mode(stretch, *place) for place in ((True, False), (False, False), (False, True)))}
        return split(stretch.start, stretch.arrives, self.pace.longest(modes), least)

    def _must_arrive(self, stretch: Stretch) -> bool:
        """Whether a clip from text must hand over to one more clip, which can go to the picture at the end.

        Where another clip follows, a cut to the picture does as well unless cuts are refused.
        """
        if not stretch.last_picture or not self.lineup.can("flf2v"):
            return False
        if not (stretch.ends_film_on_picture or self.continuity.jump == "refused"):
            return False
        if not self.continuity.hands_over(self.lineup, True):
            return False
        if stretch.arrives - stretch.start < 2:
            raise no_room(stretch)
        return True

    def _piece(self, stretch: Stretch, span: tuple[int, int], *, first: bool, final: bool) -> Piece:
        start, arrives = span
        mode = self._mode(stretch, first, final)
        starts_from = self._start(stretch, first, final)
        if not self.lineup.can(mode):
            raise no_start(self.lineup, self.continuity, stretch, starts_from)
        pinned = mode == "flf2v"
        jumps_to = stretch.last_picture if final and not pinned else None
        if jumps_to and (stretch.ends_film_on_picture or self.continuity.jump == "refused"):
            raise no_arrival(self.lineup, self.continuity, stretch)
        length, rate = arrives - start, self.pace.rate
        return Piece(
            prompt=stretch.prompt,
            start=start,
            end=stretch.end if final else arrives,
            arrives=arrives,
            mode=mode,
            intervals=pinned_intervals(length, rate, self.pace.limit(mode)) if pinned else intervals(length, rate),
            starts_from=starts_from,
            first_picture=stretch.first_picture if first else None,
            last_picture=stretch.last_picture if pinned else None,
            jumps_to=jumps_to,
        )
