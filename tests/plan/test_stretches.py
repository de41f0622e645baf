"""Where the film is cut: at prompts and pictures, but not before a picture on its last frame."""

from __future__ import annotations

import pytest

from wan_engine.plan.pictures import StartPicture
from wan_engine.plan.stretches import stretches
from wan_engine.schedule.prompts import PromptSpan


@pytest.mark.parametrize(
    ("prompts", "pictures", "expected"),
    [
        ([0], [], [(0, 0, 100, 100)]),
        ([0, 40], [], [(0, 0, 40, 40), (1, 40, 100, 100)]),
        ([0, 40], [20, 40, 60], [(0, 0, 20, 20), (0, 20, 40, 40), (1, 40, 60, 60), (1, 60, 100, 100)]),
        ([0], [99], [(0, 0, 100, 99)]),
        ([0], [98, 99], [(0, 0, 98, 98), (0, 98, 100, 99)]),
        ([0, 99], [99], [(0, 0, 99, 99), (1, 99, 100, 100)]),
    ],
)
def test_places(prompts: list[int], pictures: list[int], expected: list[tuple[int, int, int, int]]) -> None:
    spans = [PromptSpan(str(start), start, end) for start, end in zip(prompts, [*prompts[1:], 100], strict=True)]
    given = {frame: StartPicture(image=f"{frame}.png") for frame in pictures}
    found = stretches(spans, given)
    assert [(place.prompt, place.start, place.end, place.arrives) for place in found] == expected
    for place in found:
        assert place.first_picture == given.get(place.start)
        assert place.last_picture == given.get(place.arrives)
        assert place.ends_film_on_picture == (place.arrives == 99 and place.end == 100)
