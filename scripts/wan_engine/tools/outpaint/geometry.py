"""Where a film lies on its larger canvas, in pixels of the finished film and of the picture that the model makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from wan_engine.errors import InputError, Problem
from wan_engine.settings_outpaint import OutpaintSettings

TOOLKIT_SIZE = (1280, 720)
"""Size of the outpainted film when nothing says another: that of the Wan outpaint toolkit."""
MOST_PIXELS = 8192 * 8192
_SIDES = ("left", "right", "top", "bottom")
_LONGEST_RATIO = 20


@dataclass(frozen=True)
class Box:
    """A rectangle, in pixels from the upper left corner."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column behind it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row below it."""
        return self.top + self.height

    def part(self) -> tuple[slice, slice]:
        """Its rows and columns of an array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def scaled(self, across: float, down: float) -> Box:
        """The same place on a picture that is scaled; its edges are rounded, one pixel at least stays."""
        right, bottom = max(1, round(self.right * across)), max(1, round(self.bottom * down))
        left, top = min(round(self.left * across), right - 1), min(round(self.top * down), bottom - 1)
        return Box(left, top, right - left, bottom - top)


@dataclass(frozen=True)
class Layout:
    """The canvas, twice: the finished film's, and the model's.

    width, height: of the finished film.  kept: where the source lies on it.
    work_width, work_height: of what the model makes, multiples of what its family can do.  work_kept: the source there.
    used_width, used_height: the part of what the model makes, from its upper left corner, that is the film.
    hole: of the source, where a box is made anew.  feather: pixels over which source and new picture are mixed.
    """

    width: int
    height: int
    kept: Box
    work_width: int
    work_height: int
    work_kept: Box
    used_width: int
    used_height: int
    feather: int
    hole: Box | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of_film(cls, width: int, height: int) -> Layout:
        """A film without anything around it."""
        whole = Box(0, 0, width, height)
        return cls(width, height, whole, width, height, whole, width, height, 0)

    @property
    def scale(self) -> float:
        """Model pixels for a film pixel."""
        return self.used_width / self.width


def lay_out(source: tuple[int, int], settings: OutpaintSettings, multiple: int) -> Layout:
    """The canvas for a film of this width and height. multiple: that the model's width and height must be of.

    Raises InputError with what cannot be, such as two ways to say the size, or a canvas with nothing to fill.
    """
    width, height, kept, hole = _canvas(source, settings)
    if width * height > MOST_PIXELS or max(width, height) > 4 * 8192:
        raise _wrong(f"a canvas of {width}x{height} is too large", "Ask for less", _size_field(settings))
    factor = settings.scale_factor
    used = max(1, round(width * factor)), max(1, round(height * factor))
    work = _up(used[0], multiple), _up(used[1], multiple)
    feather = min(settings.gradient_width, *_sides_of(kept, hole, (width, height)))
    notes = list(_notes(source, kept, (width, height), used, work))
    if feather < settings.gradient_width:
        notes.append(f"The feather of {settings.gradient_width} pixels became {feather}, a quarter of what is kept")
    scaled = kept.scaled(used[0] / width, used[1] / height)
    return Layout(width, height, kept, work[0], work[1], scaled, used[0], used[1], feather, hole, tuple(notes))


def _up(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple


def _canvas(source: tuple[int, int], settings: OutpaintSettings) -> tuple[int, int, Box, Box | None]:
    """Width and height of the finished film, the source's place on it, and the box that is made anew."""
    ways = list(_ways(settings))
    if len(ways) > 1:
        message = f"{' and '.join(ways[:2])} both say what is filled"
        raise _wrong(message, f"Give one of them: leave out {ways[1]}", ways[1])
    way = ways[0] if ways else "target_width"
    width, height = source
    whole = Box(0, 0, width, height)
    if way == "mask":
        return width, height, whole, None
    if way == "box":
        return width, height, whole, _box(settings.box, whole)
    if way in _SIDES:
        kept, size = _with_sides(source, settings)
    elif way == "aspect":
        kept, size = _placed(source, _of_aspect(source, settings.aspect), settings.position)
    else:
        target = (settings.target_width or width, settings.target_height or height) if ways else TOOLKIT_SIZE
        kept, size = _placed(_fitted(source, target, settings.source_fit), target, settings.position)
    if (kept.width, kept.height) == size:
        message = f"the film fills {size[0]}x{size[1]} already: there is nothing to make"
        raise _wrong(message, "Give another target_width and target_height, an aspect, or a side in per cent", way)
    return *size, kept, None


def _ways(settings: OutpaintSettings) -> Iterator[str]:
    """The settings by which it is said what is filled, one for each way."""
    if settings.target_width or settings.target_height:
        yield "target_width"
    if settings.aspect.strip():
        yield "aspect"
    side = next((name for name in _SIDES if getattr(settings, name)), None)
    if side is not None:
        yield side
    if settings.mask.strip():
        yield "mask"
    if settings.box.strip():
        yield "box"


def _size_field(settings: OutpaintSettings) -> str:
    return next(_ways(settings), "target_width")


def _with_sides(source: tuple[int, int], settings: OutpaintSettings) -> tuple[Box, tuple[int, int]]:
    """Sides in per cent of the source; of an odd number of pixels one more is added, as most films need even sizes."""
    width, height = source
    left, top = round(width * settings.left / 100), round(height * settings.top / 100)
    right, bottom = round(width * settings.right / 100), round(height * settings.bottom / 100)
    return Box(left, top, width, height), (_even(left + width + right), _even(top + height + bottom))


def _of_aspect(source: tuple[int, int], text: str) -> tuple[int, int]:
    """The smallest size of this shape that holds the source."""
    width, height = source
    ratio = _ratio(text)
    if width < height * ratio:
        return _even(round(height * ratio)), _even(height)
    return _even(width), _even(round(width / ratio))


def _ratio(text: str) -> Fraction:
    across, colon, down = text.strip().replace("/", ":").partition(":")
    wrong = _wrong(f'"{text[:40]}" is no shape of a picture', "Write it as 16:9 or 2.39", "aspect")
    if len(text) > _LONGEST_RATIO:
        raise wrong
    try:
        ratio = Fraction(across.strip()) / Fraction(down.strip() if colon else 1)
    except (ValueError, ZeroDivisionError) as error:
        raise wrong from error
    if not Fraction(1, 10) <= ratio <= 10:
        raise wrong
    return ratio


def _fitted(source: tuple[int, int], target: tuple[int, int], fit: str) -> tuple[int, int]:
    """The size that the source has on the canvas."""
    if fit == "keep":
        if source[0] > target[0] or source[1] > target[1]:
            message = f"a film of {source[0]}x{source[1]} does not fit on {target[0]}x{target[1]}"
            raise _wrong(message, "Ask for a larger size, or set source_fit to contain", "target_width")
        return source
    factor = min(Fraction(target[0], source[0]), Fraction(target[1], source[1]))
    across, down = (min(most, max(1, round(side * factor))) for side, most in zip(source, target, strict=True))
    return across, down


def _placed(size: tuple[int, int], canvas: tuple[int, int], position: str) -> tuple[Box, tuple[int, int]]:
    free = canvas[0] - size[0], canvas[1] - size[1]
    left = 0 if "left" in position else free[0] if "right" in position else free[0] // 2
    top = 0 if "top" in position else free[1] if "bottom" in position else free[1] // 2
    return Box(left, top, *size), canvas


def _box(text: str, whole: Box) -> Box:
    try:
        left, top, width, height = (int(part) for part in text.split(","))
    except ValueError as error:
        raise _wrong(f'"{text[:60]}" is no box', "Write left, top, width, height: 40,40,320,180", "box") from error
    box = Box(left, top, width, height)
    if min(left, top) < 0 or min(width, height) < 1 or box.right > whole.width or box.bottom > whole.height:
        message = f"the box {text} does not lie inside the film of {whole.width}x{whole.height}"
        raise _wrong(message, "Give a box inside it", "box")
    return box


def _sides_of(kept: Box, hole: Box | None, size: tuple[int, int]) -> tuple[int, ...]:
    """How wide a feather can be: a quarter of the kept picture across each border."""
    if hole is not None or (kept.width, kept.height) == size:
        return (min(size) // 4,)
    across = (kept.width // 4,) if kept.width < size[0] else ()
    down = (kept.height // 4,) if kept.height < size[1] else ()
    return (*across, *down)


def _even(side: int) -> int:
    return side + side % 2


def _notes(
    source: tuple[int, int], kept: Box, size: tuple[int, int], used: tuple[int, int], work: tuple[int, int]
) -> Iterator[str]:
    if (kept.width, kept.height) != source:
        yield f"The film of {source[0]}x{source[1]} is scaled to {kept.width}x{kept.height} on the canvas"
    if used != size:
        yield f"The model works at {used[0]}x{used[1]}; what it made is scaled to {size[0]}x{size[1]}"
    if work != used:
        yield f"The model makes {work[0]}x{work[1]}, of which {used[0]}x{used[1]} are used"


def _wrong(message: str, remedy: str, field: str) -> InputError:
    return InputError(Problem(message, remedy, field=field))
