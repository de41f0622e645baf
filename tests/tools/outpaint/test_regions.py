"""What is made anew and how it is mixed in: sides, boxes, pictures and films as masks; feathers along borders alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scene_films import write_film
from wan_engine.errors import InputError, MediaError
from wan_engine.media.pictures import write_png
from wan_engine.settings_outpaint import OutpaintSettings
from wan_engine.tools.outpaint.canvas import Grey, Mirror, Noise
from wan_engine.tools.outpaint.geometry import Layout, lay_out
from wan_engine.tools.outpaint.mixing import finished_frame, known_frame
from wan_engine.tools.outpaint.regions import Share, Sharing, region_of


def layout(**values: object) -> Layout:
    return lay_out((64, 48), OutpaintSettings(**values), 16)  # type: ignore[arg-type]


def share_of(made: Layout, mask: str = "") -> Share:
    return Sharing(made).of(next(region_of(made, mask).fills(0, 1)))


def picture(height: int, width: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_feather_lies_inside_the_film_along_the_sides_that_are_added() -> None:
    made = layout(right=50, gradient_width=4)
    share = share_of(made)
    assert share.kept.shape == (48, 96, 1)
    row = share.kept[20, :, 0]
    assert (row[:60] == 1).all()
    assert np.allclose(row[60:64], [0.8, 0.6, 0.4, 0.2], atol=1e-6)
    assert not row[64:].any()
    # The mask that the model sees is hard, and reaches half of the feather into the film.
    assert set(np.unique(share.fill)) == {0, 255}
    assert (share.fill[:, :62] == 0).all()
    assert (share.fill[:, 62:] == 255).all()


def test_without_a_feather_the_border_is_sharp() -> None:
    share = share_of(layout(left=50, gradient_width=0))
    assert set(np.unique(share.kept)) == {0, 1}
    assert (share.fill[:, :32] == 255).all()
    assert (share.fill[:, 32:] == 0).all()


def test_what_is_cut_off_is_left_to_the_model_and_feathers_nothing() -> None:
    made = lay_out((64, 40), OutpaintSettings(right=50, gradient_width=4), 16)
    assert (made.work_height, made.used_height) == (48, 40)
    share = share_of(made)
    assert (share.fill[40:] == 255).all()
    assert (share.fill[:40, :60] == 0).all()
    assert (share.kept[39, :60] == 1).all()


def test_a_box_is_a_hole() -> None:
    share = share_of(layout(box="16,16,16,16", gradient_width=3))
    assert (share.fill[16:32, 16:32] == 255).all()
    assert share.kept[24, 24, 0] == 0
    assert share.kept[24, 13, 0] == pytest.approx(0.75)
    assert share.kept[24, 12, 0] == 1


def test_pixels_behind_the_feather_are_the_films_own() -> None:
    made = layout(left=50, right=50, gradient_width=4)
    share, source, painted = share_of(made), picture(48, 64), picture(48, 128, 2)
    frame = finished_frame(made, source, painted, share)
    assert np.array_equal(frame[:, 36:92], source[:, 4:60])
    assert np.array_equal(frame[:, :32], painted[:, :32])
    mixed = 0.4 * source[:, 1].astype(float) + 0.6 * painted[:, 33]
    assert np.abs(frame[:, 33] - mixed).max() <= 0.5 + 1e-4
    assert np.array_equal(known_frame(made, source, painted, share), frame)


def test_a_model_that_works_smaller_leaves_the_films_pixels_alone() -> None:
    made = layout(left=50, right=50, gradient_width=4, scale_factor=0.5)
    share, source, painted = share_of(made), picture(48, 64), picture(made.work_height, made.work_width, 2)
    frame = finished_frame(made, source, painted, share)
    assert frame.shape == (48, 128, 3)
    assert np.array_equal(frame[:, 36:92], source[:, 4:60])
    assert known_frame(made, source, painted, share).shape == painted.shape


def test_a_mask_picture_is_white_where_something_is_made(tmp_path: Path) -> None:
    made = layout(mask="m.png", gradient_width=0)
    mask = np.zeros((24, 32, 3), np.uint8)
    mask[:, 16:] = 255
    write_png(tmp_path / "m.png", mask)
    share = share_of(made, str(tmp_path / "m.png"))
    assert (share.kept[:, :32] == 1).all()
    assert not share.kept[:, 32:].any()
    write_png(tmp_path / "black.png", mask * 0)
    with pytest.raises(InputError, match="no white parts"):
        region_of(made, str(tmp_path / "black.png"))
    with pytest.raises(MediaError, match="not there"):
        region_of(made, str(tmp_path / "none.png"))


def test_a_mask_film_goes_by_frame(tmp_path: Path) -> None:
    frames = np.zeros((10, 48, 64, 3), np.uint8)
    for number in range(10):
        frames[number, :, 6 * number : 6 * number + 10] = 255
    region = region_of(layout(mask="m"), str(write_film(tmp_path / "m.mp4", frames)))
    fills = list(region.fills(4, 7))
    assert [int(fill[20].argmax()) // 6 for fill in fills] == [4, 5, 6]
    region.check(10)
    with pytest.raises(InputError, match="has 10 frames, and the film 11"):
        region.check(11)


def test_the_canvases_show_the_film_where_it_is_known() -> None:
    made = layout(left=50, right=50, gradient_width=4)
    share, source = share_of(made), picture(48, 64)
    fill = share.fill > 0
    noise = Noise(made, [picture(48, 128, 5), picture(48, 128, 6)])
    for canvas in (Grey(made), Mirror(made), noise):
        shown = canvas.picture(source, share.fill, 3)
        assert np.array_equal(shown[~fill], np.pad(source, ((0, 0), (32, 32), (0, 0)))[~fill]), canvas
    assert np.array_equal(noise.picture(source, share.fill, 3)[fill], noise.pictures[1][fill])
    assert not Grey(made).shown


def test_a_mirrored_canvas_continues_the_film() -> None:
    made = layout(left=150, right=150)
    source = np.zeros((48, 64, 3), np.uint8)
    source[:, 32:] = 200
    ground = Mirror(made).ground(source, 0)
    assert ground.shape == (48, 256, 3)
    # Right of the film lies its bright half mirrored, then the dark one, and so on.
    assert ground[24, 96 + 64 + 10].min() > 150
    assert ground[24, 96 + 64 + 54].max() < 50
