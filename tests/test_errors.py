"""Problems say where they are, errors carry all of them, and exit codes are those of the module's tree."""

from __future__ import annotations

import inspect
import json
import pickle
import re

import pytest

from wan_engine import errors
from wan_engine.errors import InputError, Problem, ProblemList, WanError

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, WanError)]


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("it is wrong"), "it is wrong"),
        (Problem("it is wrong", "Mend it"), "it is wrong. Mend it"),
        (Problem("bad", field="prompts", key="30", column=7), 'prompts, key "30", column 7: bad'),
        (Problem("bad", "Mend it", file="film.json", line=2, column=1), "film.json, line 2, column 1: bad. Mend it"),
    ],
)
def test_problem_names_its_place(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_input_error_carries_every_problem() -> None:
    first, second = Problem("one", field="fps"), Problem("two", field="seed", column=3)
    error = InputError([first, second])
    assert error.problems == (first, second)
    assert str(error).splitlines() == ["fps: one", "seed, column 3: two"]
    told = json.loads(json.dumps(error.as_dict()))
    assert [(each["field"], each["message"], each["column"]) for each in told["problems"]] == [
        ("fps", "one", None),
        ("seed", "two", 3),
    ]
    assert told["error"] == "InputError"


def test_input_error_takes_one_problem_but_not_none() -> None:
    assert InputError(Problem("one")).problems == (Problem("one"),)
    with pytest.raises(ValueError, match="at least one"):
        InputError([])


def test_input_errors_pass_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(InputError([Problem("one", field="fps"), Problem("two")])))
    assert (str(error), len(error.problems)) == ("fps: one\ntwo", 2)


def test_problem_list_raises_once_with_all() -> None:
    problems = ProblemList()
    problems.raise_if_any()
    assert not problems
    problems.add(Problem("one"))
    problems.extend(InputError([Problem("two"), Problem("three")]))
    assert problems
    with pytest.raises(InputError) as caught:
        problems.raise_if_any()
    assert [problem.message for problem in caught.value.problems] == ["one", "two", "three"]


def test_message_and_remedy_read_as_sentences() -> None:
    error = errors.ModelError("there is no model", "Give one")
    assert str(error) == "there is no model. Give one"
    assert error.as_dict() == {"error": "ModelError", "message": "there is no model", "remedy": "Give one"}
    assert str(errors.RenderError("it failed")) == "it failed"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_exit_codes_are_documented(kind: type[WanError]) -> None:
    """In the tree of the module's docstring, where a kind without a number has its parent's."""
    tree = re.search(rf"{kind.__name__}  .*?(?:exit code (\d+))?$", errors.__doc__ or "", re.MULTILINE)
    assert tree, "it is missing in the tree"
    inherits = "exit_code" not in vars(kind) or kind is WanError
    assert tree[1] == (None if inherits else str(kind.exit_code))
