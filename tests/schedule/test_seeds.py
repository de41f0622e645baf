"""Seeds: Deforum's behaviours, once a prompt."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError
from wan_engine.schedule.seeds import SEED_RANGE, fixed_seed, part_seed, prompt_seeds
from wan_engine.schedule.timeline import Timeline
from wan_engine.settings import SETTINGS, Settings

FILM = Timeline(frames=100, fps=Fraction(16), seed=100)
STARTS = list(range(0, 100, 10))


def seeds(behavior: str, seed: int = 100, **more: Any) -> list[int]:
    settings = Settings(seed=seed, seed_behavior=behavior, **more)
    return prompt_seeds(settings, Timeline(100, Fraction(16), seed), STARTS)


@pytest.mark.parametrize(
    ("behavior", "n", "expected"),
    [
        ("iter", 1, [100, 101, 102, 103, 104, 105, 106, 107, 108, 109]),
        ("iter", 3, [100, 101, 101, 101, 102, 102, 102, 103, 103, 103]),
        ("ladder", 1, [100, 102, 101, 103, 102, 104, 103, 105, 104, 106]),
        ("alternate", 1, [100, 101] * 5),
        ("fixed", 1, [100] * 10),
    ],
)
def test_the_seed_goes_on_as_in_deforum(behavior: str, n: int, expected: list[int]) -> None:
    assert seeds(behavior, seed_iter_n=n) == expected


def test_recorded_seeds(deforum_cases: Callable[[str], list[dict[str, Any]]]) -> None:
    for case in deforum_cases("seed_behavior"):
        given_ = case["input"]
        settings = Settings(seed=given_["seed"], seed_behavior=given_["behavior"], seed_iter_n=given_["seed_iter_N"])
        assert prompt_seeds(settings, FILM, range(given_["frames"])) == case["expected"], case["id"]


def test_random_starts_with_the_seed_and_is_the_same_every_time() -> None:
    first = seeds("random")
    assert first[0] == 100
    assert len(set(first)) == len(first)
    assert seeds("random") == first
    assert seeds("random", seed=101)[1:] != first[1:]


def test_schedule_takes_its_values_at_the_prompts_first_frames() -> None:
    assert seeds("schedule", seed_schedule="0: (5), 90: (14)") == [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert seeds("schedule", seed_schedule="0: (5.9), 50: (s+t)")[::5] == [5, 150]


def test_schedule_draws_where_it_says_minus_one() -> None:
    default = seeds("schedule")
    assert default[0] == 100
    assert len(set(default)) == len(default)
    assert default == seeds("schedule")
    other_prompts = prompt_seeds(Settings(seed=100, seed_behavior="schedule"), FILM, [0, 50])
    assert other_prompts == [default[0], default[5]]


@pytest.mark.parametrize("text", ["0: (-2)", f"0: ({2**32})", "0: (s), 5: (foo)", "0: (1/(t-10))"])
def test_a_wrong_seed_schedule_is_an_error(text: str) -> None:
    with pytest.raises(InputError) as caught:
        seeds("schedule", seed_schedule=text)
    assert caught.value.problems[0].field == "seed_schedule"


@given(
    st.sampled_from(SETTINGS["seed_behavior"].choices),
    st.integers(0, SEED_RANGE - 1),
    st.integers(1, 5),
    st.lists(st.integers(0, 99), max_size=8),
)
def test_seeds_stay_in_range_and_repeat(behavior: str, seed: int, n: int, starts: list[int]) -> None:
    settings, film = Settings(seed=seed, seed_behavior=behavior, seed_iter_n=n), Timeline(100, Fraction(16), seed)
    found = prompt_seeds(settings, film, starts)
    assert len(found) == len(starts)
    assert all(0 <= value < SEED_RANGE for value in found)
    assert prompt_seeds(settings, film, starts) == found


def test_seeds_wrap_around() -> None:
    assert seeds("iter", seed=SEED_RANGE - 2)[:4] == [SEED_RANGE - 2, SEED_RANGE - 1, 0, 1]


def test_a_seed_that_is_not_set_is_refused() -> None:
    with pytest.raises(ValueError, match="fixed_seed"):
        prompt_seeds(Settings(seed=-1), FILM, [0])


@given(st.integers(0, SEED_RANGE - 1), st.sets(st.integers(0, 10_000), min_size=2))
def test_parts_have_seeds_of_their_own(seed: int, parts: set[int]) -> None:
    assert part_seed(seed, 0) == seed
    found = {part_seed(seed, part) for part in parts}
    assert len(found) == len(parts)
    assert all(0 <= value < SEED_RANGE for value in found)


def test_a_seed_is_drawn_once() -> None:
    drawn = fixed_seed(Settings(seed=-1))
    assert 0 <= drawn.seed < SEED_RANGE
    assert fixed_seed(drawn) == drawn
    assert len({fixed_seed(Settings(seed=-1)).seed for _ in range(4)}) > 1
    assert fixed_seed(Settings(seed=5)) == Settings(seed=5)
