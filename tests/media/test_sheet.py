"""The contact sheet shows the wanted frames, and only those, whatever the film's size and number of prompts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wan_engine.media.sheet import LONG_SIDE, MOST_ROWS, SheetRow, SheetWriter


def sheet_of(path: Path, rows: list[SheetRow], frames: int = 20, size: tuple[int, int] = (48, 64)) -> Image.Image:
    """A sheet of a film whose frames get greener."""
    with SheetWriter(path, rows) as writer:
        for number in range(frames):
            writer.write(np.full((*size, 3), (0, 10 * number % 256, 0), np.uint8))
    return Image.open(path).convert("RGB")


def greens(sheet: Image.Image) -> set[int]:
    """The greens of pure pictures on the sheet."""
    pixels = np.asarray(sheet).reshape(-1, 3)
    pure = pixels[(pixels[:, 0] == 0) & (pixels[:, 2] == 0)]
    return {int(green) for green in np.unique(pure[:, 1])}


def test_the_wanted_frames_are_shown(tmp_path: Path) -> None:
    rows = [SheetRow((3, 7), "first"), SheetRow((7, 19), "second")]
    assert greens(sheet_of(tmp_path / "a.png", rows)) == {30, 70, 190}


def test_a_film_that_ended_early_shows_what_there_is(tmp_path: Path) -> None:
    rows = [SheetRow((3, 7), "first"), SheetRow((15, 19), "never reached")]
    short = sheet_of(tmp_path / "a.png", rows, frames=5)
    assert greens(short) == {30}
    assert short.height < sheet_of(tmp_path / "b.png", rows).height


def test_small_pictures_are_enlarged_and_large_ones_made_smaller(tmp_path: Path) -> None:
    small = sheet_of(tmp_path / "a.png", [SheetRow((0,), "a")], 1, (48, 64))
    large = sheet_of(tmp_path / "b.png", [SheetRow((0,), "a")], 1, (960, 1280))
    assert small.size == large.size
    assert small.width > LONG_SIDE


def test_the_caption_is_drawn_below(tmp_path: Path) -> None:
    plain = np.asarray(sheet_of(tmp_path / "a.png", [SheetRow((3,), "")]))
    written = np.asarray(sheet_of(tmp_path / "b.png", [SheetRow((3,), "a red circle")]))
    assert not np.array_equal(plain, written)
    assert np.array_equal(plain[: LONG_SIDE // 2], written[: LONG_SIDE // 2])


@pytest.mark.parametrize("caption", ["word " * 500, "x" * 900, "\n\t\u0001\U0001f600", "[red] <b>"])
def test_any_caption_can_be_drawn(tmp_path: Path, caption: str) -> None:
    assert greens(sheet_of(tmp_path / "a.png", [SheetRow((3,), caption)])) == {30}


def test_a_film_with_very_many_prompts_gets_a_bounded_sheet(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path / "a.png", [SheetRow((number,), "a") for number in range(500)], 500)
    assert sheet.height < MOST_ROWS * (LONG_SIDE + 60)


def test_a_film_that_fails_leaves_no_sheet(tmp_path: Path) -> None:
    def fail() -> None:
        with SheetWriter(tmp_path / "a.png", [SheetRow((0,), "a")]) as writer:
            writer.write(np.zeros((48, 64, 3), np.uint8))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not (tmp_path / "a.png").exists()
