"""Chunks: every frame is owned once, lengths are the model's, and none crosses a cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError
from wan_engine.tools.outpaint.chunks import SHORTEST, Chunk, check_lengths, lay_chunks


def test_a_scene_of_several_chunks() -> None:
    chunks = list(lay_chunks([(0, 200)], 81, 5))
    assert chunks == [Chunk(0, 0, 81, 0, 81), Chunk(0, 81, 157, 5, 81), Chunk(0, 157, 200, 6, 49)]
    assert [chunk.first for chunk in chunks] == [0, 76, 151]


def test_a_scene_shorter_than_a_chunk_has_frames_behind_its_end() -> None:
    assert list(lay_chunks([(0, 3), (3, 12)], 81, 5)) == [Chunk(0, 0, 3, 0, 5), Chunk(1, 3, 12, 0, 9)]


def test_the_toolkits_batches_of_five_with_one_in_common() -> None:
    chunks = list(lay_chunks([(0, 14)], 5, 1))
    assert [(chunk.start, chunk.end, chunk.known) for chunk in chunks] == [
        (0, 5, 0),
        (5, 9, 1),
        (9, 13, 1),
        (13, 14, 4),
    ]


@given(
    st.lists(st.integers(1, 120), min_size=1, max_size=6),
    st.integers(1, 20).map(lambda k: 4 * k + 1),
    st.sampled_from([1, 5, 9, 13, 17]),
)
def test_chunks_cover_the_film(lengths: list[int], length: int, overlap: int) -> None:
    if overlap >= length:
        return
    ends = [sum(lengths[: number + 1]) for number in range(len(lengths))]
    scenes = list(zip([0, *ends], ends, strict=False))
    chunks = list(lay_chunks(scenes, length, overlap))
    assert chunks[0].start == 0
    assert chunks[-1].end == ends[-1]
    assert all(before.end == after.start for before, after in pairwise(chunks))
    for before, chunk in pairwise([None, *chunks]):
        start, end = scenes[chunk.scene]
        assert start <= chunk.first
        assert chunk.start < chunk.end <= end
        assert chunk.frames % 4 == 1
        assert SHORTEST <= chunk.frames <= max(length, SHORTEST)
        if chunk.known:
            assert before is not None
            assert before.scene == chunk.scene
            assert overlap <= chunk.known <= overlap + 3
            assert chunk.first >= before.first
            # No frame is made that is not shown.
            assert chunk.known + chunk.end - chunk.start == chunk.frames
        else:
            assert chunk.start == start
            assert chunk.frames - (chunk.end - chunk.start) < max(4, SHORTEST)


@pytest.mark.parametrize(
    ("lengths", "field"), [((80, 5), "batch_size"), ((1, 1), "batch_size"), ((81, 6), "overlap"), ((13, 13), "overlap")]
)
def test_lengths_that_no_model_makes(lengths: tuple[int, int], field: str) -> None:
    with pytest.raises(InputError) as caught:
        check_lengths(*lengths, native=81)
    assert caught.value.problems[0].field == field


def test_without_a_length_it_is_the_familys() -> None:
    assert check_lengths(0, 5, 81) == 81
    assert check_lengths(5, 1, 81) == 5
