"""Windows: every frame counts once, in order, with its true neighbours."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.tools.scenes.windows import windows


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(1, 30), st.integers(1, 12))
def test_cores_are_the_film(lengths: list[int], core: int, margin: int) -> None:
    total = sum(lengths)
    film = np.arange(total, dtype=np.uint8).reshape(-1, 1)
    edges = np.cumsum([0, *lengths])
    blocks = [film[first:end] for first, end in pairwise(edges)]
    cores, at = [], 0
    for window in windows(blocks, core, margin):
        inner = window[margin:-margin]
        places = np.clip(np.arange(at - margin, at + len(inner) + margin), 0, total - 1)
        assert (window[:, 0] == places).all()
        cores.append(inner)
        at += len(inner)
    assert at == total
    assert all(len(each) == core for each in cores[:-1])
