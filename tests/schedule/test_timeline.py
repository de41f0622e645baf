"""The one rule for max_f."""

from __future__ import annotations

from fractions import Fraction

import pytest

from wan_engine.schedule.timeline import Timeline


@pytest.mark.parametrize(("frames", "max_f"), [(1, 0), (2, 1), (120, 119)])
def test_max_f_is_the_number_of_the_last_frame(frames: int, max_f: int) -> None:
    assert Timeline(frames, Fraction(16), 0).max_f == max_f
