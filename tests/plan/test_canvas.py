"""Picture sizes: the family's own, the user's rounded down, several families at once."""

from __future__ import annotations

import pytest

from wan_engine.families import FAMILIES
from wan_engine.plan.canvas import Canvas, choose_canvas
from wan_engine.settings import Settings


def _canvas(width: int, height: int, *families: str) -> Canvas:
    return choose_canvas(Settings(width=width, height=height), [FAMILIES[name] for name in families])


@pytest.mark.parametrize(
    ("width", "height", "family", "size"),
    [
        (0, 0, "wan2.1-t2v-1.3b", (832, 480)),
        (0, 0, "wan2.2-ti2v-5b", (1280, 704)),
        (480, 832, "wan2.1-t2v-1.3b", (480, 832)),
        (1280, 720, "wan2.1-t2v-14b", (1280, 720)),
        (0, 576, "wan2.1-t2v-14b", (832, 576)),
    ],
)
def test_sizes_that_fit_stay(width: int, height: int, family: str, size: tuple[int, int]) -> None:
    assert _canvas(width, height, family) == Canvas(*size)


def test_others_are_rounded_down_and_noted() -> None:
    assert _canvas(1280, 720, "wan2.2-ti2v-5b") == Canvas(
        1280, 704, ("Height 720 became 704: Wan 2.2 TI2V 5B needs multiples of 32",)
    )
    assert _canvas(1, 1023, "wan2.1-t2v-1.3b") == Canvas(
        16, 1008, ("Width 1 became 16; Height 1023 became 1008: Wan 2.1 T2V 1.3B needs multiples of 16",)
    )


def test_the_first_family_gives_the_size_and_all_give_the_multiple() -> None:
    assert _canvas(0, 0, "wan2.1-t2v-14b", "wan2.2-ti2v-5b") == Canvas(832, 480)
    assert _canvas(848, 480, "wan2.1-t2v-14b", "wan2.2-ti2v-5b") == Canvas(
        832, 480, ("Width 848 became 832: Wan 2.1 T2V 14B and Wan 2.2 TI2V 5B need multiples of 32",)
    )
