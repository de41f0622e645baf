"""Owns the shapes world: what the small model knows, the captions it understands, and clips with exact positions.

A clip shows one shape that moves by one pixel a frame and stops at the border. A clip may begin as one caption's shape
and turn into another's within a few frames, as clips of a film do that go on from the last picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

COLOURS = {
    "red": (0.9, 0.15, 0.15),
    "green": (0.15, 0.75, 0.2),
    "blue": (0.15, 0.3, 0.95),
    "yellow": (0.95, 0.85, 0.1),
    "magenta": (0.85, 0.15, 0.8),
    "cyan": (0.1, 0.8, 0.85),
}
"""RGB from 0 to 1."""
SHAPES = ("circle", "square", "triangle")
MOTIONS = {"right": (1, 0), "left": (-1, 0), "up": (0, -1), "down": (0, 1), "still": (0, 0)}
"""Pixels a frame, across and down."""
BACKGROUNDS = {"black": (0.05, 0.05, 0.05), "white": (0.95, 0.95, 0.95), "grey": (0.5, 0.5, 0.5)}

SMALLEST, LARGEST = 8.0, 12.0
"""Radius of a shape in pixels: half the height of a circle."""
MORPH_FRAMES = 5
"""Frames in which one caption's shape turns into another's."""
LATENT_FRAMES = 4
"""Frames of a latent frame after the first: a clip with a longer given beginning turns within one."""
SEAM_STEP = 6.0
"""Pixels, across and down, that a shape may be beside its way behind a seam."""
_MARGIN = 2.0


@dataclass(frozen=True)
class Caption:
    """What a clip shows. Each field is a key of the tables above."""

    colour: str
    shape: str
    motion: str
    background: str

    @property
    def thing(self) -> str:
        """`a red circle`"""
        return f"a {self.colour} {self.shape}"

    @property
    def action(self) -> str:
        """`moves right` or `stays still`"""
        return "stays still" if self.motion == "still" else f"moves {self.motion}"

    @property
    def place(self) -> str:
        """`a black background`"""
        return f"a {self.background} background"

    @property
    def text(self) -> str:
        """The whole prompt: `a red circle moves right on a black background`"""
        return f"{self.thing} {self.action} on {self.place}"


CAPTIONS = tuple(Caption(*names) for names in product(COLOURS, SHAPES, MOTIONS, BACKGROUNDS))
"""Every caption there is, 270 of them. Clips name captions by their index here."""

_HELD_OUT_EVERY = 9


def held_out(index: int) -> bool:
    """Whether training never sees this caption: about one in nine, spread over all colours, shapes and motions."""
    background, rest = index % 3, index // 3
    motion, rest = rest % 5, rest // 5
    shape, colour = rest % 3, rest // 3
    return (2 * colour + 5 * shape + 7 * motion + 3 * background + colour * shape) % _HELD_OUT_EVERY == 0


TRAINED = tuple(index for index in range(len(CAPTIONS)) if not held_out(index))
HELD_OUT = tuple(index for index in range(len(CAPTIONS)) if held_out(index))


@dataclass(frozen=True)
class Canvas:
    """Size of clips: pixels and frames."""

    width: int
    height: int
    frames: int


@dataclass(frozen=True)
class Clips:
    """A batch of clips.

    before, caption: (B,) indices into CAPTIONS, of the start and of the rest; equal where nothing changes.
    centres: (B, T, 2) x and y of the shape in pixels.  change: (B, T) share of `caption` in a frame, 0 to 1.
    radius: (B,) in pixels.
    """

    canvas: Canvas
    before: torch.Tensor
    caption: torch.Tensor
    centres: torch.Tensor
    change: torch.Tensor
    radius: torch.Tensor


@dataclass(frozen=True)
class Dice:
    """Random numbers on a device, the same for the same seed."""

    generator: torch.Generator

    @classmethod
    def of(cls, seed: int, device: str = "cpu") -> Dice:
        """Fresh ones for a seed."""
        import torch

        return cls(torch.Generator(device).manual_seed(seed))

    def uniform(self, *shape: int) -> torch.Tensor:
        """Numbers from 0 to 1."""
        import torch

        return torch.rand(shape, generator=self.generator, device=self.generator.device)

    def choice(self, options: tuple[int, ...], count: int) -> torch.Tensor:
        """`count` of the options, each as likely as the others."""
        import torch

        device = self.generator.device
        picks = torch.randint(len(options), (count,), generator=self.generator, device=device)
        return torch.tensor(options, device=device)[picks]

    def chance(self, share: float, count: int) -> torch.Tensor:
        """`count` truth values, of which `share` are true on average."""
        return self.uniform(count) < share


def motion_in(text: str) -> tuple[int, int]:
    """Pixels a frame, across and down, of the motion that a text names; (0, 0) for none."""
    named = (MOTIONS[word] for word in text.lower().split() if word in MOTIONS)
    return next(named, (0, 0))


def steady(dice: Dice, canvas: Canvas, caption: torch.Tensor, roomy: float = 1.0) -> Clips:
    """Clips of one caption each. A share `roomy` of them starts where the whole way fits into the picture."""
    import torch

    radius = _radius(dice, len(caption))
    start = _start(dice, canvas, caption, radius, roomy)
    change = torch.ones(len(caption), canvas.frames, device=caption.device)
    return Clips(canvas, caption, caption, _way(canvas, caption, start, radius), change, radius)


def turning(dice: Dice, canvas: Canvas, before: torch.Tensor, caption: torch.Tensor, roomy: float = 0.75) -> Clips:
    """Clips whose first picture shows `before` and which turn into `caption` from then on."""
    radius = _radius(dice, len(caption))
    start = _start(dice, canvas, caption, radius, roomy)
    return Clips(canvas, before, caption, _way(canvas, caption, start, radius), _change(canvas, caption), radius)


def turning_after(
    dice: Dice, canvas: Canvas, captions: tuple[torch.Tensor, torch.Tensor], known: torch.Tensor, roomy: float = 0.75
) -> Clips:
    """Clips that show the first caption for `known` (B,) frames and turn into the second in the next latent frame."""
    import torch

    before, caption = captions
    radius = _radius(dice, len(caption))
    low, high = (bound[:, None] for bound in _bounds(canvas, radius))
    frame = torch.arange(canvas.frames, device=caption.device)
    since = frame - (known[:, None] - 1)
    back = _speed(before)[:, None] * since.clamp(max=0)[..., None]
    turn = _start(dice, canvas, caption, radius, roomy)[:, None]
    # Back from where it turns to the first frame and no further than the border, then the same way forth.
    start = torch.minimum(torch.maximum(turn + back[:, :1], low), high)
    turn = torch.minimum(torch.maximum(start - back[:, :1], low), high)
    ways = turn + torch.where((since < 0)[..., None], back, _speed(caption)[:, None] * since[..., None])
    centres = torch.minimum(torch.maximum(ways, low), high)
    return Clips(canvas, before, caption, centres, (since / LATENT_FRAMES).clamp(0, 1), radius)


def gliding(
    dice: Dice, canvas: Canvas, before: torch.Tensor, caption: torch.Tensor, middle: torch.Tensor | None = None
) -> Clips:
    """Clips from any picture to any other: the shape changes at once and glides straight to where the last one is.

    middle: (B,) frames in which it passes through any third place on its way; without them it goes straight.
    """
    import torch

    radius = _radius(dice, len(caption))
    low, high = _bounds(canvas, radius)
    first, last = (low + dice.uniform(len(caption), 2) * (high - low) for _ in range(2))
    frame = torch.arange(canvas.frames, device=caption.device)
    share = (frame / max(1, canvas.frames - 1)).expand(len(caption), -1)[..., None]
    centres = torch.lerp(first[:, None], last[:, None], share)
    if middle is not None:
        through = low + dice.uniform(len(caption), 2) * (high - low)
        there = (frame / middle[:, None])[..., None].clamp(max=1)
        on = ((frame - middle[:, None]) / (canvas.frames - 1 - middle[:, None]))[..., None].clamp(min=0)
        centres = torch.lerp(torch.lerp(first[:, None], through[:, None], there), last[:, None], on)
    return Clips(canvas, before, caption, centres, _change(canvas, caption), radius)


def displaced(dice: Dice, clips: Clips, start: torch.Tensor, end: torch.Tensor) -> Clips:
    """The clips with a step in their way: from frame `end` (B,) on they are up to SEAM_STEP pixels beside it.

    They go there evenly between the frames `start` - 1 and `end`, as a repaired seam of a film does.
    """
    import torch

    frame = torch.arange(clips.canvas.frames, device=clips.caption.device)
    share = ((frame - start[:, None] + 1) / (end - start + 1)[:, None]).clamp(0, 1)
    aside = SEAM_STEP * (2 * dice.uniform(len(clips.caption), 1, 2) - 1)
    low, high = (bound[:, None] for bound in _bounds(clips.canvas, clips.radius))
    centres = torch.minimum(torch.maximum(clips.centres + share[..., None] * aside, low), high)
    return replace(clips, centres=centres)


def together(*parts: Clips) -> Clips:
    """Batches of one canvas as one."""
    import torch

    names = ("before", "caption", "centres", "change", "radius")
    return Clips(parts[0].canvas, *(torch.cat([getattr(part, name) for part in parts]) for name in names))


def changed(dice: Dice, caption: torch.Tensor, background: float) -> torch.Tensor:
    """Trained captions to turn from. A share `1 - background` of them keeps the background of `caption`."""
    import torch

    count = len(caption)
    other = dice.choice(TRAINED, count)
    kept = other - other % 3 + caption % 3
    known = torch.zeros(len(CAPTIONS), dtype=torch.bool, device=caption.device)
    known[list(TRAINED)] = True
    keep = ~dice.chance(background, count) & known[kept]
    return torch.where(keep, kept, other)


def render(clips: Clips) -> torch.Tensor:
    """The clips' pictures: (B, 3, T, height, width) from -1 to 1, edges smoothed over one pixel."""
    import torch

    device = clips.centres.device
    down = torch.arange(clips.canvas.height, device=device) + 0.5
    across = torch.arange(clips.canvas.width, device=device) + 0.5
    x = across[None, None, None, :] - clips.centres[..., 0, None, None]
    y = down[None, None, :, None] - clips.centres[..., 1, None, None]
    share = clips.change[:, :, None, None]
    radius = clips.radius[:, None, None, None]
    looks = [_look(index) for index in (clips.before, clips.caption)]
    edges = [_distance(look.shape, x, y, radius) for look in looks]
    cover = (0.5 - torch.lerp(edges[0], edges[1], share)).clamp(0, 1)[:, None]
    mixed = clips.change[:, None, :, None, None]
    thing = torch.lerp(looks[0].colour, looks[1].colour, mixed)
    place = torch.lerp(looks[0].background, looks[1].background, mixed)
    return torch.lerp(place, thing, cover) * 2 - 1


@dataclass(frozen=True)
class _Look:
    colour: torch.Tensor
    background: torch.Tensor
    shape: torch.Tensor


def _look(caption: torch.Tensor) -> _Look:
    colours, places = (_table(table.values(), caption) for table in (COLOURS, BACKGROUNDS))
    colour = colours[caption // (len(CAPTIONS) // len(COLOURS))]
    return _Look(_pixels(colour), _pixels(places[caption % 3]), caption // 15 % 3)


def _pixels(rgb: torch.Tensor) -> torch.Tensor:
    return rgb[:, :, None, None, None]


def _table(rows: Any, like: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.tensor(list(rows), dtype=torch.float32, device=like.device)


def _distance(shape: torch.Tensor, x: torch.Tensor, y: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
    """Distance from the shape's edge in pixels, negative inside. The triangle stands on its base."""
    import torch

    circle = torch.sqrt(x * x + y * y) - radius
    square = torch.maximum(x.abs(), y.abs()) - 0.9 * radius
    # The sides rise two for one, so their normal is (2, -1) / sqrt(5).
    triangle = torch.maximum((2 * x.abs() - y) / 5**0.5 - 0.45 * radius, y - 0.9 * radius)
    kind = shape[:, None, None, None]
    return torch.where(kind == 0, circle, torch.where(kind == 1, square, triangle))


def _change(canvas: Canvas, caption: torch.Tensor) -> torch.Tensor:
    import torch

    frame = torch.arange(canvas.frames, device=caption.device)
    return (frame / MORPH_FRAMES).clamp(0, 1).expand(len(caption), -1)


def _radius(dice: Dice, count: int) -> torch.Tensor:
    return SMALLEST + dice.uniform(count) * (LARGEST - SMALLEST)


def _bounds(canvas: Canvas, radius: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where centres may be, so that the shape keeps off the border: (B, 2) each."""
    import torch

    low = (radius + _MARGIN)[:, None].expand(-1, 2)
    size = torch.tensor([canvas.width, canvas.height], dtype=torch.float32, device=radius.device)
    return low, size - low


def _speed(caption: torch.Tensor) -> torch.Tensor:
    return _table(MOTIONS.values(), caption)[caption // 3 % 5]


def _start(dice: Dice, canvas: Canvas, caption: torch.Tensor, radius: torch.Tensor, roomy: float) -> torch.Tensor:
    """First centres: anywhere, or for a share `roomy` where the way fits, as far as it can."""
    import torch

    low, high = _bounds(canvas, radius)
    way = _speed(caption) * (canvas.frames - 1)
    room_low = torch.minimum(low - way.clamp(max=0), high)
    room_high = torch.maximum(high - way.clamp(min=0), low)
    roomy_start = dice.chance(roomy, len(caption))[:, None]
    low, high = torch.where(roomy_start, room_low, low), torch.where(roomy_start, room_high, high)
    # A way longer than the picture leaves no room: start at the border it moves away from.
    low, high = torch.where(low > high, torch.where(way > 0, high, low), low), torch.maximum(low, high)
    high = torch.where((low + 0 * high) > high, low, high)
    return low + dice.uniform(len(caption), 2) * (high - low)


def _way(canvas: Canvas, caption: torch.Tensor, start: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
    import torch

    low, high = _bounds(canvas, radius)
    frame = torch.arange(canvas.frames, device=caption.device)
    ways = start[:, None] + _speed(caption)[:, None] * frame[None, :, None]
    return torch.minimum(torch.maximum(ways, low[:, None]), high[:, None])
