"""Words for people."""

from __future__ import annotations

import pytest

from wan_engine.words import counted


@pytest.mark.parametrize(("number", "words"), [(0, "0 clips"), (1, "1 clip"), (2, "2 clips")])
def test_a_noun_stands_in_the_number_of_its_number(number: int, words: str) -> None:
    assert counted(number, "clip") == words
