"""How long a clip may be: native lengths, the user's own limit, rates that cannot work."""

from __future__ import annotations

import pytest

from wan_engine.errors import InputError
from wan_engine.plan.pace import Pace, paces
from wan_engine.settings import Settings


def _pace(lineup, models: str, **settings) -> Pace:
    return paces(Settings(**settings), lineup(models))[0]


@pytest.mark.parametrize(
    ("models", "fps", "seconds", "limit", "longest"),
    [
        ("t2v", "16", 0.0, 80, 80),
        ("t2v", "60", 0.0, 80, 301),
        ("t2v", "24000/1001", 0.0, 80, 120),
        ("t2v", "1", 0.0, 80, 5),
        ("5b", "24", 0.0, 120, 120),
        ("t2v", "16", 2.0, 32, 32),
        ("t2v", "16", 2.1, 33, 33),
        ("t2v", "30", 2.0, 32, 60),
        ("t2v", "16", 0.1, 4, 4),
        ("t2v", "1", 0.5, 16, 1),
        ("t2v", "16", 60.0, 80, 80),
    ],
)
def test_longest_clip(lineup, models: str, fps: str, seconds: float, limit: int, longest: int) -> None:
    pace = _pace(lineup, models, fps=fps, clip_duration=seconds)
    assert pace.limit("t2v") == limit
    assert pace.longest([("t2v", 0)]) == longest


def test_frames_asked_for_besides_shorten_clips_but_not_below_the_users_length(lineup) -> None:
    pace = _pace(lineup, "tiny+vace")
    assert (pace.limit("vace"), pace.limit("vace", 16), pace.longest([("t2v", 0), ("vace", 16)])) == (32, 16, 16)
    assert _pace(lineup, "tiny+vace", clip_duration=1.0).limit("vace", 16) == 16
    assert _pace(lineup, "tiny+vace", clip_duration=0.5).limit("vace", 16) == 8


def test_an_overlap_and_a_spare_end_that_fill_a_clip_are_the_users_error(lineup) -> None:
    with pytest.raises(InputError) as caught:
        _pace(lineup, "tiny+vace").limit("vace", 32)
    assert str(caught.value) == (
        "spare_frames: Wan-Tiny makes clips of 33 frames, and the overlap and the spare end take 32 of them. "
        "Give smaller overlap_frames or spare_frames"
    )


def test_a_film_frame_longer_than_a_clip_is_the_users_error(lineup) -> None:
    pace = _pace(lineup, "t2v", fps="1", model_fps="240")
    with pytest.raises(InputError) as caught:
        pace.longest([("t2v", 0)])
    assert str(caught.value) == (
        "model_fps: at 240 frames a second one frame of the film is 240 frames of the model, which makes 81 at most. "
        "Give 80 or less, 0 for the model's own rate, or raise fps"
    )


def test_the_users_rate_goes_before_the_families(lineup) -> None:
    assert [pace.model_fps for pace in paces(Settings(model_fps="12.5"), lineup("5b+a14b"))] == [12.5]
    assert [pace.model_fps for pace in paces(Settings(), lineup("5b+a14b"))] == [24, 16]
    assert [pace.model_fps for pace in paces(Settings(), lineup("all"))] == [16]
