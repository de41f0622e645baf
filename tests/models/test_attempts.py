"""What was tried: ways in their order, each failure with its reason, the first error with the others below it."""

from __future__ import annotations

import pytest

from wan_engine.errors import ModelError
from wan_engine.models.attempts import Attempts, Way


def failing(error: Exception) -> Way:
    def go() -> None:
        raise error

    return Way(f"the way of {error}", go)


def never(error: Exception) -> bool:
    return False


def test_the_first_way_that_works_is_used() -> None:
    attempts = Attempts()
    ways = [failing(OSError("slow")), Way("the second", lambda: 7, bytes=2_000_000), failing(OSError("unused"))]
    assert attempts.first_of(ways, never) == 7
    failed, used = attempts.take()
    assert (failed.outcome, failed.reason) == ("failed", "OSError: slow")
    assert (used.what, used.outcome, used.reason, used.bytes) == ("the second", "used", "", 2_000_000)
    assert str(failed) == "the way of slow: failed: OSError: slow"
    assert str(used) == "the second: 0.0 s, 2.0 MB"
    assert attempts.take() == ()


def test_the_error_is_the_first_ones_with_the_others_below() -> None:
    attempts = Attempts()
    wanted = ModelError("the wanted way is shut", "Open it")
    with pytest.raises(ModelError) as caught:
        attempts.first_of([failing(wanted), failing(ValueError("no"))], never)
    assert caught.value.message == "the wanted way is shut. Also tried the way of no: ValueError: no"
    assert caught.value.remedy == "Open it"
    assert [attempt.outcome for attempt in attempts.take()] == ["failed", "failed"]


def test_a_final_error_is_raised_at_once_and_kept() -> None:
    attempts, error = Attempts(), RuntimeError("out of memory")
    with pytest.raises(RuntimeError) as caught:
        attempts.first_of([failing(error), Way("never tried", lambda: 1)], lambda problem: problem is error)
    assert caught.value is error
    assert [attempt.reason for attempt in attempts.take()] == ["RuntimeError: out of memory"]
