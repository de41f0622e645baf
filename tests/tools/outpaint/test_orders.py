"""Project files of kind outpaint: read with their paths, written and read back, refused with all that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wan_engine.errors import InputError
from wan_engine.settings_outpaint import OutpaintSettings
from wan_engine.tools.outpaint.orders import OutpaintOrder, orders_of_file, orders_of_values, scenes_of_cuts

TOOLKIT = """
kind: outpaint
film: films/old.mp4
target_width: 1280
target_height: 720
scale_factor: 1
num_inference_steps: 9
guidance_scale: 5.0
flow_shift: 5.0
batch_size: 5
overlap: 1
gradient_width: 25
prompt: a beach at noon
negative_prompt: blurry
cuts: [48, 120]
"""


def test_the_toolkits_names_are_read(tmp_path: Path) -> None:
    file = tmp_path / "wide.yaml"
    file.write_text(TOOLKIT, encoding="utf-8")
    (order,) = orders_of_file(file, {"seed": "7", "guidance_scale": "1"})
    assert order.film == tmp_path / "films" / "old.mp4"
    assert order.cuts == (48, 120)
    settings = order.settings
    assert (settings.target_width, settings.batch_size, settings.overlap, settings.num_inference_steps) == (
        1280,
        5,
        1,
        9,
    )
    assert (settings.seed, settings.guidance_scale, settings.flow_shift) == (7, 1.0, 5.0)


def test_an_order_reads_back_as_it_was(tmp_path: Path) -> None:
    settings = OutpaintSettings(aspect="16:9", mask="m.png", model="models/vace", model_dirs="a\nb", seed=3)
    order = OutpaintOrder(Path("old.mp4"), settings, (4,)).definite()
    assert Path(order.settings.mask).is_absolute()
    file = tmp_path / "o.json"
    file.write_text(order.as_text(), encoding="utf-8")
    assert orders_of_file(file, {}) == [order]
    drawn = OutpaintOrder(Path("old.mp4"), OutpaintSettings()).definite()
    assert 0 <= drawn.settings.seed < 2**32


def test_several_films_are_several_orders() -> None:
    orders = orders_of_values({"films": ["a.mp4", "b.mp4"], "aspect": "16:9"})
    assert [order.film.name for order in orders] == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "schedule", "film": "a"}, "not for outpainting"),
        ({"version": 2, "film": "a"}, "version '2' cannot be read"),
        ({}, "no film is named"),
        ({"film": "a", "cuts": [5, 5]}, "no frames in order"),
        ({"film": "a", "cuts": ["5"]}, "no frames in order"),
        ({"films": ["a", "b"], "cuts": [5]}, "cuts are given for several films"),
        ({"film": "a", "targt_width": 5}, 'Did you mean "target_width"'),
        ({"film": "a", "crf": 99, "overlap": 40}, "(?s)crf.*overlap"),
    ],
)
def test_what_is_wrong_is_said(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        orders_of_values(values)


def test_scenes_lie_between_cuts() -> None:
    assert scenes_of_cuts((4, 9), 12) == [(0, 4), (4, 9), (9, 12)]
    assert scenes_of_cuts((), 12) == [(0, 12)]
    with pytest.raises(InputError, match="has 12 frames, and a cut is at 12"):
        scenes_of_cuts((12,), 12)
