"""Where films lie on their canvases: sizes, sides, shapes, boxes, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError
from wan_engine.settings_outpaint import OutpaintSettings
from wan_engine.tools.outpaint.geometry import Box, Layout, lay_out

VGA = (640, 480)


def layout(source: tuple[int, int] = VGA, **values: Any) -> Layout:
    return lay_out(source, OutpaintSettings(**values), 16)


@pytest.mark.parametrize(
    ("values", "size", "kept"),
    [
        ({}, (1280, 720), Box(160, 0, 960, 720)),
        ({"target_width": 1280, "target_height": 480}, (1280, 480), Box(320, 0, 640, 480)),
        ({"target_width": 800}, (800, 480), Box(80, 0, 640, 480)),
        ({"target_height": 800}, (640, 800), Box(0, 160, 640, 480)),
        ({"target_width": 1920, "target_height": 1080, "source_fit": "keep"}, (1920, 1080), Box(640, 300, 640, 480)),
        ({"aspect": "16:9"}, (854, 480), Box(107, 0, 640, 480)),
        ({"aspect": "9/16"}, (640, 1138), Box(0, 329, 640, 480)),
        ({"aspect": "2.39", "position": "left"}, (1148, 480), Box(0, 0, 640, 480)),
        ({"aspect": "16:9", "position": "bottom_right"}, (854, 480), Box(214, 0, 640, 480)),
        ({"left": 50}, (960, 480), Box(320, 0, 640, 480)),
        ({"right": 25, "top": 10, "bottom": 20}, (800, 624), Box(0, 48, 640, 480)),
    ],
)
def test_the_ways_to_say_how_large_it_is(values: dict[str, Any], size: tuple[int, int], kept: Box) -> None:
    made = layout(**values)
    assert ((made.width, made.height), made.kept) == (size, kept)
    assert made.hole is None


def test_the_model_works_on_multiples_and_more_is_cut_off() -> None:
    made = layout((1440, 1080), target_width=1920, target_height=1080)
    assert (made.work_width, made.work_height, made.used_width, made.used_height) == (1920, 1088, 1920, 1080)
    assert made.work_kept == made.kept == Box(240, 0, 1440, 1080)
    assert "The model makes 1920x1088, of which 1920x1080 are used" in made.notes


def test_the_model_may_work_smaller() -> None:
    made = layout((1440, 1080), target_width=1920, target_height=1080, scale_factor=0.5)
    assert (made.work_width, made.work_height, made.used_width, made.used_height) == (960, 544, 960, 540)
    assert made.work_kept == Box(120, 0, 720, 540)
    assert made.scale == 0.5
    assert (made.width, made.height) == (1920, 1080)


def test_a_small_film_is_said_to_be_scaled() -> None:
    assert "The film of 640x480 is scaled to 960x720 on the canvas" in layout().notes
    assert not any("scaled" in note for note in layout(aspect="16:9").notes)


def test_a_feather_leaves_something_of_the_film() -> None:
    assert layout(aspect="16:9").feather == 25
    small = layout((64, 64), aspect="2:1")
    assert small.feather == 16
    assert any("a quarter of what is kept" in note for note in small.notes)
    # Only borders count: below and above nothing is added.
    assert layout((400, 40), left=10).feather == 25


def test_a_box_and_a_mask_keep_the_size() -> None:
    made = layout(box="40, 40, 320, 180")
    assert ((made.width, made.height), made.hole) == (VGA, Box(40, 40, 320, 180))
    assert layout(mask="m.png").kept == Box(0, 0, *VGA)


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"aspect": "16:9", "left": 5}, "left", "aspect and left both say"),
        ({"mask": "m.png", "bottom": 5}, "mask", "bottom and mask both say"),
        ({"target_width": 900, "mask": "m.png"}, "mask", "target_width and mask both say"),
        ({"aspect": "4:3"}, "aspect", "nothing to make"),
        ({"target_width": 640}, "target_width", "nothing to make"),
        ({"aspect": "wide"}, "aspect", "no shape of a picture"),
        ({"aspect": "0:9"}, "aspect", "no shape of a picture"),
        ({"aspect": "1e999999"}, "aspect", "no shape of a picture"),
        ({"aspect": "16:9:4"}, "aspect", "no shape of a picture"),
        ({"aspect": "100:1"}, "aspect", "no shape of a picture"),
        ({"target_width": 600, "target_height": 600, "source_fit": "keep"}, "target_width", "does not fit on 600x600"),
        ({"box": "1,2,3"}, "box", "no box"),
        ({"box": "0,0,641,10"}, "box", "does not lie inside"),
        ({"box": "-1,0,10,10"}, "box", "does not lie inside"),
        ({"target_width": 8192, "target_height": 8192, "scale_factor": 1.0, "left": 0}, "", ""),
    ],
)
def test_what_cannot_be_is_said(values: dict[str, Any], field: str, words: str) -> None:
    if not field:
        assert layout(**values).width == 8192
        return
    with pytest.raises(InputError, match=words) as caught:
        layout(**values)
    assert caught.value.problems[0].field == field
    assert caught.value.problems[0].remedy


def test_a_canvas_that_is_too_large_is_refused() -> None:
    with pytest.raises(InputError, match="too large"):
        layout((8192, 8192), left=100)


@given(
    st.tuples(st.integers(16, 2000), st.integers(16, 2000)),
    st.tuples(*[st.floats(0, 100)] * 4),
    st.floats(0.1, 4),
    st.sampled_from([16, 32]),
)
def test_every_layout_fits_together(
    source: tuple[int, int], sides: tuple[float, float, float, float], scale: float, multiple: int
) -> None:
    left, right, top, bottom = sides
    settings = OutpaintSettings(left=left, right=right, top=top, bottom=bottom, scale_factor=scale)
    try:
        made = lay_out(source, settings, multiple)
    except InputError as error:
        assert "nothing to make" in str(error)  # noqa: PT017
        return
    if not any(sides):
        return  # the toolkit's size
    assert made.width % 2 == made.height % 2 == 0
    assert made.kept.right <= made.width
    assert made.kept.bottom <= made.height
    assert (made.kept.width, made.kept.height) == source
    assert made.work_width % multiple == made.work_height % multiple == 0
    assert 0 <= made.work_width - made.used_width < multiple
    assert 0 <= made.work_height - made.used_height < multiple
    assert made.work_kept.right <= made.used_width
    assert made.work_kept.bottom <= made.used_height
