"""Cuts the text of a keyed schedule into its entries and puts each on its film frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wan_engine.errors import Problem, ProblemList
from wan_engine.schedule.documents import listed
from wan_engine.schedule.keys import frame_of_key
from wan_engine.schedule.timeline import Timeline
from wan_engine.schedule.tokens import ExpressionError

MAX_LENGTH = 400_000
"""Longest schedule in characters: some twenty thousand keys."""

MAX_PROBLEMS = 50
"""After so many problems the rest of a schedule is not read."""


@dataclass(frozen=True)
class Entry:
    """One `key: value` of a schedule.

    head: the text in front of the colon, blanks included.  value: the text behind it, up to a second colon.
    head_at, value_at: how many characters of the schedule stand before them.
    """

    head: str
    value: str
    head_at: int
    value_at: int

    @property
    def key(self) -> str:
        """The key as the user wrote it, for messages."""
        return self.head.strip()[:80]


@dataclass(frozen=True)
class Layout:
    """The entries that count, by film frame in rising order.

    notes: what was left out.  problems: keys that cannot be read; reported together with those of the values.
    """

    frames: tuple[int, ...]
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def problem_in(entry: Entry, field: str, error: ExpressionError, before: int) -> Problem:
    """A problem in the part of an entry that has `before` characters of the schedule in front of it."""
    return Problem(error.message, error.remedy, field=field, key=entry.key, column=before + error.column)


def layout(text: str, timeline: Timeline, field: str) -> Layout:
    """The entries of a schedule on their frames, by Deforum's rules.

    The last of several entries for a frame counts, and keys outside the film do not, unless there are no others. Text
    without a colon is one value for the whole film. Raises InputError for an empty or far too long text.
    """
    problems = ProblemList()
    if len(text) > MAX_LENGTH:
        problems.add(Problem(f"the schedule is {len(text)} characters long", f"Use at most {MAX_LENGTH}", field=field))
    elif not text.strip(" \t\r\n,"):
        problems.add(Problem("the schedule is empty", 'Write a value, or keys and values: "0: (1), 30: (2)"', field))
    problems.raise_if_any()
    if ":" not in text:
        return Layout((0,), (Entry("", _without_trailing_commas(text), 0, 0),))
    placed: list[tuple[int, Entry]] = []
    cut: list[Entry] = []
    for entry in _entries(text, field, cut, problems):
        try:
            placed.append((frame_of_key(entry.head, timeline), entry))
        except ExpressionError as error:
            problems.add(problem_in(entry, field, error, entry.head_at))
            stop_if_many(problems, field)
    notes = [f"{field}: what follows a second colon is left out: {listed([entry.key for entry in cut])}"] if cut else []
    by_frame = _inside(placed, timeline, field, notes)
    frames = tuple(sorted(by_frame))
    return Layout(frames, tuple(by_frame[frame] for frame in frames), tuple(notes), tuple(problems))


def stop_if_many(problems: ProblemList, field: str) -> None:
    """Raise what has been found once it is more than anyone reads, so that a huge broken text costs little."""
    if sum(1 for _ in problems) >= MAX_PROBLEMS:
        problems.add(Problem("there may be more problems", "Correct these first", field=field))
        problems.raise_if_any()


def _entries(text: str, field: str, cut: list[Entry], problems: ProblemList) -> Iterable[Entry]:
    """The entries in the order of the text; those with more than one colon are put into `cut` as well."""
    for at, piece in _pieces(text):
        head, colon, rest = piece.partition(":")
        if colon:
            value, colon, _ = rest.partition(":")
            entry = Entry(head, _without_trailing_commas(value), at, at + len(head) + 1)
            if colon:
                cut.append(entry)
            yield entry
        elif head.strip():
            column = at + len(head) - len(head.lstrip()) + 1
            message = f'"{head.strip()[:40]}" has no key'
            problems.add(Problem(message, 'Write "0:" in front of it', field=field, column=column))


def _pieces(text: str) -> Iterable[tuple[int, str]]:
    """The entries' texts with the characters in front of each.

    A comma begins a new entry only if a key with balanced brackets and a colon come before the next comma; so commas
    inside functions and words stay where they are, and a bracket that is never closed ends with its entry.
    """
    start = end = 0
    for part in text.split(","):
        head, colon, _ = part.partition(":")
        if end and colon and _balanced(head):
            yield start, text[start : end - 1]
            start = end
        end += len(part) + 1
    yield start, text[start:]


def _balanced(text: str) -> bool:
    if "(" not in text and ")" not in text:
        return True
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _without_trailing_commas(text: str) -> str:
    return text.rstrip(" \t\r\n,")


def _inside(placed: list[tuple[int, Entry]], timeline: Timeline, field: str, notes: list[str]) -> dict[int, Entry]:
    by_frame = dict(placed)
    if len(by_frame) < len(placed):
        earlier = [entry.key for frame, entry in placed if by_frame[frame] is not entry]
        notes.append(f"{field}: given again further on, where the last value counts: {listed(earlier)}")
    inside = {frame: entry for frame, entry in by_frame.items() if 0 <= frame < timeline.frames}
    outside = sorted(by_frame.keys() - inside.keys())
    if not outside:
        return inside
    film = f"frames 0 to {timeline.max_f}"
    if not inside:
        nearest = by_frame[min((frame for frame in outside if frame > 0), default=outside[-1])]
        notes.append(f'{field}: no key lies within the film ({film}); the value of "{nearest.key}" is used throughout')
        return {0: nearest}
    notes.append(f"{field}: outside the film ({film}), not used: {listed([by_frame[f].key for f in outside])}")
    return inside
