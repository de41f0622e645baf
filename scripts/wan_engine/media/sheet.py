"""The contact sheet: for each prompt of a film a row of small pictures, with the prompt below them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.media.pictures import write_png
from wan_engine.storage.atomic import WholeOrNothing

if TYPE_CHECKING:
    from PIL.Image import Image

    from wan_engine.media.picture import Picture

LONG_SIDE = 208
"""Longer side of each picture of the sheet, in pixels."""
MOST_ROWS = 24
"""Rows of a sheet at most; of a film with more prompts, evenly chosen ones are shown."""

_GAP = 10
_FONT_SIZE = 15
_CAPTION_HEIGHT = 30
_PAPER, _INK = "#16181c", "#e6e6e6"


@dataclass(frozen=True)
class SheetRow:
    """What one row shows: film frames, which may repeat, and the text below them."""

    frames: tuple[int, ...]
    caption: str


class SheetWriter(WholeOrNothing):
    """Keeps the wanted frames of a film that passes by, small, and writes them as one PNG when it is closed."""

    def __init__(self, path: Path, rows: Sequence[SheetRow]) -> None:
        count = min(len(rows), MOST_ROWS)
        self._path = path
        self._rows = [rows[number * len(rows) // count] for number in range(count)]
        self._wanted = {frame for row in self._rows for frame in row.frames}
        self._kept: dict[int, Image] = {}
        self._number = 0

    def write(self, frame: Picture) -> None:
        """Take the next film frame."""
        if self._number in self._wanted:
            self._kept[self._number] = _small(frame)
        self._number += 1

    def close(self) -> None:
        """Write the sheet with the frames that came; without any there is none. Raises StorageError."""
        if self._kept:
            write_png(self._path, self._sheet())
        self._kept.clear()

    def abort(self) -> None:
        """Write nothing."""
        self._kept.clear()

    def _sheet(self) -> Picture:
        import numpy as np
        from PIL import Image, ImageDraw, ImageFont

        font: Any = ImageFont.load_default(size=_FONT_SIZE)
        rows = [row for row in self._rows if any(frame in self._kept for frame in row.frames)]
        width, height = next(iter(self._kept.values())).size
        columns, cell = max(len(row.frames) for row in rows), height + _CAPTION_HEIGHT
        sheet = Image.new("RGB", (columns * (width + _GAP) + _GAP, len(rows) * (cell + _GAP) + _GAP), _PAPER)
        draw = ImageDraw.Draw(sheet)
        for number, row in enumerate(rows):
            top = _GAP + number * (cell + _GAP)
            for column, frame in enumerate(row.frames):
                if frame in self._kept:
                    sheet.paste(self._kept[frame], (_GAP + column * (width + _GAP), top))
            draw.text((_GAP, top + height + 5), _one_line(row.caption, sheet.width), fill=_INK, font=font)
        return np.asarray(sheet, dtype=np.uint8)


def _small(frame: Picture) -> Image:
    """The picture scaled to the sheet; tiny ones are enlarged without smoothing, so that their pixels are seen."""
    from PIL import Image

    image = Image.fromarray(frame, "RGB")
    scale = LONG_SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS)


def _one_line(caption: str, width: int) -> str:
    """The caption cut to a width in pixels, which letters of this font take about half their size of."""
    return textwrap.shorten(caption, max(8, int((width - 2 * _GAP) / (_FONT_SIZE * 0.56))), placeholder=" ...")
