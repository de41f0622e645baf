"""Stretches of film become clips: their modes, how they join, which chain they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from wan_engine.families import Lineup, Mode
from wan_engine.plan.continuity import Joining, Start, Way, arrives_in, can_arrive, mode_for, whole_latents
from wan_engine.plan.inside import pins
from wan_engine.plan.model import ClipPicture
from wan_engine.plan.pace import Pace
from wan_engine.plan.pictures import StartPicture
from wan_engine.plan.refusals import no_arrival, no_room, no_start
from wan_engine.plan.stretches import Stretch
from wan_engine.plan.timing import frames_asked, intervals, pinned_intervals, split


@dataclass(frozen=True)
class Piece:
    """A clip without its prompt and sampling values; most fields are those of `Clip`.

    prompt: number of its prompt span.  first_picture, last_picture: the pictures its ends are.
    way: how it follows the clip before.  spare: model frames asked for behind the one that is handed over.
    jumps_to: the picture at its end that the film cuts to because the clip cannot arrive there.
    """

    prompt: int
    start: int
    end: int
    arrives: int
    mode: Mode
    intervals: int
    starts_from: Start
    way: Way
    first_picture: StartPicture | None
    last_picture: StartPicture | None
    jumps_to: StartPicture | None = None
    overlap: int = 0
    spare: int = 0
    inside: tuple[ClipPicture, ...] = ()
    chain: int = 0
    part: int = 0
    parts: int = 1

    @property
    def last(self) -> int:
        """The model frame that is film frame `arrives`."""
        return max(0, self.overlap - 1) + self.intervals

    @property
    def frames(self) -> int:
        """Frames asked of the model."""
        return frames_asked(self.last + self.spare)


def lay_pieces(stretches: Iterable[Stretch], joining: Joining, pace: Pace) -> list[Piece]:
    """The film's clips in order. Raises CapabilityError, InputError where a stretch cannot be rendered as asked."""
    joiner = _Joiner(joining, pace)
    pieces = [piece for stretch in stretches for piece in joiner.pieces(stretch)]
    return _joined(_numbered(pieces), joining)


def _numbered(pieces: Sequence[Piece]) -> list[Piece]:
    numbered: list[Piece] = []
    chain = -1
    for _, of_prompt in groupby(pieces, key=lambda piece: piece.prompt):
        parts = list(of_prompt)
        for part, piece in enumerate(parts):
            chain += piece.starts_from != "clip"
            numbered.append(replace(piece, chain=chain, part=part, parts=len(parts)))
    return numbered


def _joined(pieces: Sequence[Piece], joining: Joining) -> list[Piece]:
    """The pieces with their overlaps, as long as the clips before have frames for them, and their spare ends."""
    joined: list[Piece] = []
    for number, piece in enumerate(pieces):
        if piece.way == "overlap":
            overlap = whole_latents(min(joining.overlap, joined[-1].last + 1))
            piece = replace(piece, overlap=overlap) if overlap > 1 else replace(piece, way="last_frame")
        hands_over = number + 1 < len(pieces) and pieces[number + 1].starts_from == "clip"
        joined.append(replace(piece, spare=joining.spare if hands_over and not piece.last_picture else 0))
    return joined


@dataclass(frozen=True)
class _Joiner:
    """Decides about one stretch at a time."""

    joining: Joining
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
        return "text" if self._way(stretch, final) == "cut" else "clip"

    def _way(self, stretch: Stretch, final: bool) -> Way:
        """How such a clip follows the one before, unless it starts from a picture or the film with it."""
        return self.joining.continuity.way(self.lineup, final and stretch.last_picture is not None)

    def _mode(self, stretch: Stretch, first: bool, final: bool) -> Mode:
        """The mode that such a clip needs, whether or not a model for it is there."""
        if stretch.inside:
            return "vace"
        arrives = final and stretch.last_picture is not None
        return mode_for(self.lineup, self._start(stretch, first, final), self._way(stretch, final), arrives)

    def _beside(self, stretch: Stretch, first: bool, final: bool) -> int:
        """Model frames that such a clip is asked for at most beside its own: those it repeats, and spare ones."""
        repeats = self._start(stretch, first, final) == "clip" and self._way(stretch, final) == "overlap"
        hands_over = any(self.joining.continuity.hands_over(self.lineup, arrives) for arrives in (False, True))
        return (self.joining.overlap - 1 if repeats else 0) + (self.joining.spare if hands_over else 0)

    def _cuts(self, stretch: Stretch) -> tuple[int, ...]:
        """Film frames where the stretch's clips begin, and where the last one arrives."""
        if stretch.inside:  # as much as one clip holds
            return stretch.start, stretch.arrives
        whole = self._mode(stretch, first=True, final=True)
        least = 2 if self._must_arrive(stretch) else 1
        if least == 1 and self.lineup.can(whole):
            if stretch.arrives - stretch.start <= self._longest(stretch, [(True, True)]):
                return stretch.start, stretch.arrives
        elif least == 1:
            # A picture or text that nothing can start from; a shorter clip would not help.
            start = self._start(stretch, first=True, final=True)
            raise no_start(self.lineup, self.joining.continuity, stretch, start)
        longest = self._longest(stretch, [(True, True), (True, False), (False, False), (False, True)])
        return split(stretch.start, stretch.arrives, longest, least)

    def _longest(self, stretch: Stretch, places: Iterable[tuple[bool, bool]]) -> int:
        """Film frames that clips at all of these places (first, final) of the stretch can span."""
        able = [place for place in places if self.lineup.can(self._mode(stretch, *place))]
        return self.pace.longest((self._mode(stretch, *place), self._beside(stretch, *place)) for place in able)

    def _must_arrive(self, stretch: Stretch) -> bool:
        """Whether a clip from text must hand over to one more clip, which can go to the picture at the end.

        Where another clip follows, a cut to the picture does as well unless cuts are refused.
        """
        if self._start(stretch, first=True, final=True) != "text":
            return False
        if not stretch.last_picture or not can_arrive(self.lineup):
            return False
        if not (stretch.ends_film_on_picture or self.joining.continuity.jump == "refused"):
            return False
        if not self.joining.continuity.hands_over(self.lineup, True):
            return False
        if stretch.arrives - stretch.start < 2:
            raise no_room(stretch)
        return True

    def _piece(self, stretch: Stretch, span: tuple[int, int], *, first: bool, final: bool) -> Piece:
        start, arrives = span
        mode = self._mode(stretch, first, final)
        starts_from = self._start(stretch, first, final)
        continuity = self.joining.continuity
        if not self.lineup.can(mode):
            raise no_start(self.lineup, continuity, stretch, starts_from)
        to_picture = final and stretch.last_picture is not None
        pinned = to_picture and starts_from != "text" and arrives_in(mode)
        jumps_to = stretch.last_picture if to_picture and not pinned else None
        if jumps_to and (stretch.ends_film_on_picture or continuity.jump == "refused"):
            raise no_arrival(self.lineup, continuity, stretch)
        length, rate = arrives - start, self.pace.rate
        limit = self.pace.limit(mode, self._beside(stretch, first, final))
        spans = pinned_intervals(length, rate, limit) if pinned else intervals(length, rate)
        inside: tuple[ClipPicture, ...] = ()
        if stretch.inside:
            *places, (_, spans) = pins(stretch, pinned, rate)
            pictures = (picture.image for _, picture in stretch.inside)
            inside = tuple(ClipPicture(*place, image) for place, image in zip(places, pictures, strict=True))
        return Piece(
            prompt=stretch.prompt,
            start=start,
            end=stretch.end if final else arrives,
            arrives=arrives,
            mode=mode,
            intervals=spans,
            inside=inside,
            starts_from=starts_from,
            way=self._way(stretch, final) if starts_from == "clip" else "cut",
            first_picture=stretch.first_picture if first else None,
            last_picture=stretch.last_picture if pinned else None,
            jumps_to=jumps_to,
        )
