"""A user's values become checked settings or a list of every problem, never another exception."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError, Problem
from wan_engine.settings import SETTINGS, Settings
from wan_engine.settings_check import nearest_name, settings_from_mapping

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.text("0123456789.-/e_ "))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3), max_leaves=5
)


def problems_of(values: dict[str, Any], file: str = "") -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        settings_from_mapping(values, file)
    return caught.value.problems


@given(st.dictionaries(st.sampled_from([*SETTINGS, "promps"]), VALUES, max_size=4))
def test_any_value_is_taken_or_refused(values: dict[str, Any]) -> None:
    try:
        settings = settings_from_mapping(values, "film.json")
    except InputError as error:
        for problem in error.problems:
            assert problem.field in values
            assert problem.remedy
            assert problem.file == "film.json"
            assert len(problem.message) < 300
    else:
        assert isinstance(settings, Settings)
        assert settings_from_mapping({name: getattr(settings, name) for name in values}) == settings


@pytest.mark.parametrize("name", SETTINGS)
def test_a_number_too_long_to_write_is_refused(name: str) -> None:
    for value in (10**5000, [10**5000], {10**5000: 10**5000}):
        assert all(len(str(problem)) < 1000 for problem in problems_of({name: value}))


def test_what_is_not_given_has_its_default() -> None:
    assert settings_from_mapping({}) == Settings()


def test_all_problems_come_together() -> None:
    found = problems_of({"crf": 99, "promps": {}, "codec": "vp9", "prompts": {"0": 1, "9": None}}, "film.json")
    assert [(problem.field, problem.key) for problem in found] == [
        ("crf", ""),
        ("promps", ""),
        ("codec", ""),
        ("prompts", "0"),
        ("prompts", "9"),
    ]


@pytest.mark.parametrize(
    ("name", "given", "checked"),
    [
        ("max_frames", "240", 240),
        ("max_frames", 240.0, 240),
        ("flow_shift", "1e1", 10.0),
        ("make_gif", "Yes", True),
        ("make_gif", "off", False),
        ("codec", " HEVC ", "hevc"),
        ("fps", 24, "24"),
        ("fps", " 30000/1001 ", "30000/1001"),
        ("guidance_scale", 5, "5"),
        ("guidance_scale", 5.5, "5.5"),
        ("guidance_scale", "0: (5), 9: (7)", "0: (5), 9: (7)"),
        ("prompts", {0: "a", "max_f": "b"}, {"0": "a", "max_f": "b"}),
    ],
)
def test_values_are_read(name: str, given: Any, checked: Any) -> None:
    value = getattr(settings_from_mapping({name: given}), name)
    assert value == checked
    assert type(value) is type(checked)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("max_frames", 1.5, "not a whole number"),
        ("max_frames", 0, "0 is out of range. Give 1 to 1000000 frames"),
        ("max_frames", True, "not a number"),
        ("max_frames", "many", "not a number"),
        ("flow_shift", float("nan"), "not a number"),
        ("flow_shift", "inf", "not a number"),
        ("make_gif", "perhaps", "neither true nor false"),
        ("make_gif", 1, "neither true nor false"),
        ("codec", "vp9", "Give one of h264, hevc, gif, png"),
        ("codec", None, "it has no value"),
        ("fps", "1e400", "not a frame rate"),
        ("fps", True, "not a frame rate"),
        ("fps", 0.5, "0.5 is out of range. Give 1 to 240 frames/s"),
        ("guidance_scale", [5], "not a schedule"),
        ("guidance_scale", True, "not a schedule"),
        ("guidance_scale", float("inf"), "not a number"),
        ("guidance_scale", -5, "-5 is out of range. Give 0 to 100"),
        ("sampler", 5, "5 is not text"),
        ("model", 5, "5 is not text. Put it in quotes"),
        ("model", "a\x00b", "NUL"),
        ("prompts", ["a"], "not an object of key and text"),
        ("prompts", {0: "a", "0": "b"}, "the key stands twice"),
        ("prompts", {"0": "a\x00"}, "NUL"),
        ("seed", 2**32, "Give -1 to 4294967295"),
    ],
)
def test_the_problem_says_what_to_do(name: str, given: Any, words: str) -> None:
    (problem,) = problems_of({name: given})
    assert problem.field == name
    assert words in str(problem)
    assert problem.remedy


def test_an_unknown_name_gets_the_nearest_one() -> None:
    (problem,) = problems_of({"Guidance_Scael": 5})
    assert problem.remedy == 'Did you mean "guidance_scale"?'
    assert nearest_name("zzz", ("fps", "seed")) == "Known names: fps, seed"
