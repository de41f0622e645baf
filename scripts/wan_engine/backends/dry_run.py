"""A backend that draws each clip's prompt, number and frame instead of rendering: no model, no torch.

For a quick look at a film's pacing and for tests; the same plan gives the same pictures, and they say what they are.
It takes the plan's steps like any backend, so that progress, cancelling and resuming can be seen.
"""

from __future__ import annotations

import colorsys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wan_engine.backends import Backend, ClipRequest, ClipRun, RunState
from wan_engine.backends.control import KEEP
from wan_engine.plan.model import Plan

if TYPE_CHECKING:
    from PIL import Image

    from wan_engine.backends import Picture

_HUE_STEP = 0.381966
"""Golden ratio conjugate squared: neighbouring clips get colours far apart, however many there are."""


class DryRunBackend(Backend):
    """Draws clips. Needs nothing, so it resolves to its own name alone."""

    def resolve(self, plan: Plan) -> dict[str, Any]:
        return {"backend": "dry_run"}

    def start(self, request: ClipRequest, state: RunState | None = None) -> ClipRun:
        return DryRun(request, state.step if state else 0)

    def close(self) -> None:
        """Nothing is held."""


class DryRun(ClipRun):
    """One clip drawn: its colour by number, its prompt as text, a bar for the time that has passed in it.

    What is known of its frames by a control stands over that.
    """

    def __init__(self, request: ClipRequest, steps_done: int) -> None:
        self.request = request
        self.steps_done = steps_done

    def step(self) -> None:
        self.steps_done += 1

    def state(self) -> RunState:
        return RunState(step=self.steps_done)

    def preview(self) -> Picture:
        return next(self.frames())

    def frames(self) -> Iterator[Picture]:
        import numpy as np

        card, request = self._card(), self.request
        drawn = (np.asarray(self._frame(card, number), np.uint8) for number in range(request.clip.frames))
        if request.control is None:
            yield from drawn
            return
        known = request.control.checked(request.clip, request.width, request.height)
        for frame, picture in zip(known, drawn, strict=True):
            yield np.where(frame.mask[..., None] == KEEP, frame.picture, picture)

    def _card(self) -> Image.Image:
        """What all frames of the clip share: colour, clip number, mode and prompt."""
        from PIL import Image, ImageDraw

        width, height, clip = self.request.width, self.request.height, self.request.clip
        red, green, blue = colorsys.hsv_to_rgb(clip.index * _HUE_STEP % 1.0, 0.55, 0.35)
        card = Image.new("RGB", (width, height), (round(red * 255), round(green * 255), round(blue * 255)))
        font = _font(height / 14)
        characters = max(8, int(width / (font.size * 0.55)))
        title = f"clip {clip.index + 1}  {clip.mode}  dry run"
        lines = [title, *textwrap.wrap(clip.prompt, characters)[:8]]
        ImageDraw.Draw(card).multiline_text((width // 24, height // 24), "\n".join(lines), fill="white", font=font)
        return card

    def _frame(self, card: Image.Image, number: int) -> Image.Image:
        from PIL import ImageDraw

        width, height, clip = self.request.width, self.request.height, self.request.clip
        frame = card.copy()
        draw = ImageDraw.Draw(frame)
        bar = max(2, height // 20)
        done = width * min(number, clip.last) // clip.last
        draw.rectangle((0, height - bar, done, height), fill="white")
        text = f"frame {number} of {clip.frames}"
        draw.text((width // 24, height - 3 * bar), text, fill="white", font=_font(height / 14))
        return frame


def _font(size: float) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size=max(6.0, size))
