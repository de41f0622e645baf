"""Measures the small model on captions that training never saw, and writes the figures as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wan_engine.tiny.judge import Sighting, direction, look, psnr
from wan_engine.tiny.masks import beginning, ends
from wan_engine.tiny.networks import LATENT_CHANNELS, make_scheduler, make_tokenizer
from wan_engine.tiny.pools import Studio, tokens_of
from wan_engine.tiny.train_video import pad_cheaply, read_texts, velocity
from wan_engine.tiny.world import CAPTIONS, HELD_OUT, Canvas, Clips, Dice, changed, gliding, render, steady, turning

if TYPE_CHECKING:
    import numpy as np
    import torch

EXAMINED = Canvas(64, 64, 25)
CHANGED_BY = 8
"""The frame by which a clip must show its own caption when it began with another's picture."""
GIVEN = 5
"""Frames of a given beginning."""
_NEAR = 3.0
"""Pixels that a shape may be off where it goes on."""


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, what came out and what it should be. places: behind the point."""

    what: str
    value: float
    goal: float
    unit: str
    places: int = 1

    def line(self) -> str:
        """As a line of a Markdown table."""
        return f"| {self.what} | {self.value:.{self.places}f} {self.unit} | {self.goal:g} {self.unit} |"


@dataclass(frozen=True)
class Sampler:
    """How clips are made: steps of UniPC and the scale of guidance."""

    steps: int = 8
    guidance_scale: float = 1.5

    def latents(self, transformer: Any, texts: Any, tokens: torch.Tensor, condition: Any, canvas: Canvas) -> Any:
        """Latents of clips for tokens (B, TEXT_TOKENS) and a condition as in a Pool, or None."""
        import torch

        device = tokens.device
        shape = (len(tokens), LATENT_CHANNELS, (canvas.frames + 3) // 4, canvas.height // 8, canvas.width // 8)
        latents = torch.randn(shape, generator=torch.Generator(device).manual_seed(5), device=device)
        empty = torch.tensor(tokens_of(make_tokenizer(), [""]), device=device).expand(len(tokens), -1)
        scheduler = make_scheduler()
        scheduler.set_timesteps(self.steps, device=device)
        pad_cheaply(transformer, True)
        with torch.no_grad():
            embeddings = [read_texts(texts, t) for t in (tokens, empty)]
            for timestep in scheduler.timesteps:
                times = timestep.expand(len(tokens))
                with_text, without = (
                    velocity(transformer, latents, condition, timestep=times, encoder_hidden_states=embedding)
                    for embedding in embeddings
                )
                guided = without + self.guidance_scale * (with_text - without)
                latents = scheduler.step(guided, timestep, latents, return_dict=False)[0]
        pad_cheaply(transformer, False)
        return latents


@dataclass(frozen=True)
class Examiner:
    """Measures a model.

    canvas: of the clips.  clips: how many of each kind.  sampler: how they are made.
    """

    studio: Studio
    texts: Any
    device: str
    canvas: Canvas = EXAMINED
    clips: int = 200
    sampler: Sampler = Sampler()

    def vae(self) -> list[Figure]:
        """How well clips survive encoding and decoding."""
        figures = []
        for frames in (17, 33):
            canvas = replace(self.canvas, frames=frames)
            truth = render(steady(self.dice(), canvas, self.captions()))
            made = self.studio.pictures(self.studio.latents(truth))
            figures.append(Figure(f"VAE, {frames} frames", mean_psnr(made, truth, slice(None)), 35, "dB"))
        return figures

    def text(self, transformer: Any) -> list[Figure]:
        """Whether clips show what their texts say."""
        clips = steady(self.dice(), self.canvas, self.captions())
        made = self.made(transformer, clips, None)
        return self.shown("text to video", made, clips, first=0)

    def image(self, transformer: Any) -> list[Figure]:
        """Whether clips begin with the given picture and go on as their texts say, with and without a change."""
        clips = steady(self.dice(), self.canvas, self.captions())
        truth = render(clips)
        made = self.made(transformer, clips, self._after(truth, 1))
        figures = [Figure("image to video: first picture", mean_psnr(made, truth, slice(0, 1)), 33, "dB")]
        figures += self.shown("image to video", made, clips, first=0)
        captions = self.captions()
        clips = turning(self.dice(), self.canvas, changed(self.dice(), captions, 0.3), captions, roomy=1.0)
        made = self.made(transformer, clips, self._after(render(clips), 1))
        by_then = [look(pictures[CHANGED_BY]) for pictures in eight_bits(made)]
        shown = [s.shows(CAPTIONS[i]) for s, i in zip(by_then, clips.caption.tolist(), strict=True)]
        figures.append(Figure(f"prompt change carried out by frame {CHANGED_BY}", percent(shown), 90, "%"))
        figures += self.shown("after a change", made, clips, first=CHANGED_BY)
        return [*figures, *self._image_frames(transformer)]

    def _image_frames(self, transformer: Any) -> list[Figure]:
        """Whether clips with several first frames given keep them and go on in their motion."""
        kind = f"image to video, {GIVEN} frames given"
        clips = steady(self.dice(), self.canvas, self.captions())
        truth = render(clips)
        made = self.made(transformer, clips, self._after(truth, GIVEN))
        kept = Figure(f"{kind}: these", mean_psnr(made, truth, slice(0, GIVEN)), 33, "dB")
        return [kept, *self.shown(kind, made, clips, first=GIVEN), self.followed(kind, made, clips)]

    def _after(self, truth: torch.Tensor, known: int) -> torch.Tensor:
        import torch

        lengths = torch.full((len(truth),), known, device=truth.device)
        return self.studio.condition(truth, beginning(self.canvas, lengths))

    def between(
        self, what: str, transformer: Any, given: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    ) -> list[Figure]:
        """Whether clips meet their first and last picture. given: `Studio.condition` or `Studio.control`."""
        figures = []
        captions = self.captions()
        before = changed(self.dice(), captions, 0.3)
        kinds = {
            what: steady(self.dice(), self.canvas, captions),
            f"{what} of two captions": gliding(self.dice(), self.canvas, before, captions),
        }
        for name, clips in kinds.items():
            truth = render(clips)
            made = self.made(transformer, clips, given(truth, ends(self.canvas, clips.caption)))
            figures.append(Figure(f"{name}: first", mean_psnr(made, truth, slice(0, 1)), 31, "dB"))
            figures.append(Figure(f"{name}: last", mean_psnr(made, truth, slice(-1, None)), 31, "dB"))
        return figures

    def dice(self) -> Dice:
        """The same numbers at every call."""
        return Dice.of(99, self.device)

    def captions(self) -> torch.Tensor:
        """Captions that training never saw."""
        return self.dice().choice(HELD_OUT, self.clips)

    def made(self, transformer: Any, clips: Clips, condition: Any) -> torch.Tensor:
        """What the transformer makes of the clips' texts and a condition: pictures from -1 to 1."""
        import torch

        sentences = [CAPTIONS[index].text for index in clips.caption.tolist()]
        tokens = torch.tensor(tokens_of(make_tokenizer(), sentences), device=self.device)
        latents = self.sampler.latents(transformer, self.texts, tokens, condition, clips.canvas)
        return torch.cat([self.studio.pictures(part) for part in latents.split(32)])

    def shown(self, kind: str, made: torch.Tensor, clips: Clips, first: int) -> list[Figure]:
        """Colour, shape, background and direction from frame `first` on."""
        seen = [[look(picture) for picture in pictures[first::8]] for pictures in eight_bits(made)]
        captions = [CAPTIONS[index] for index in clips.caption.tolist()]
        goals = {"colour": 98, "shape": 90, "background": 98}
        figures = []
        for part, goal in goals.items():
            right = [_all_are(s, part, getattr(c, part)) for s, c in zip(seen, captions, strict=True)]
            figures.append(Figure(f"{kind}: {part}", percent(right), goal, "%"))
        ways = [direction(s) == c.motion for s, c in zip(seen, captions, strict=True)]
        return [*figures, Figure(f"{kind}: direction", percent(ways), 98, "%")]

    def followed(self, kind: str, made: torch.Tensor, clips: Clips) -> Figure:
        """In how many clips every fourth picture shows the caption's shape where the true clip has it."""
        captions = clips.caption.tolist()
        clip_pairs = zip(eight_bits(made), eight_bits(render(clips)), captions, strict=True)
        right = [_same(pictures[::4], truth[::4], caption) for pictures, truth, caption in clip_pairs]
        return Figure(f"{kind}: shape goes on where it should be", percent(right), 90, "%")


def _same(pictures: Any, truth: Any, caption: int) -> bool:
    seen, there = ([look(picture) for picture in clip] for clip in (pictures, truth))
    return all(one.shows(CAPTIONS[caption]) and _near(one, other) for one, other in zip(seen, there, strict=True))


def _near(one: Sighting, other: Sighting) -> bool:
    return (one.x - other.x) ** 2 + (one.y - other.y) ** 2 <= _NEAR**2


def _all_are(seen: list[Sighting], part: str, value: str) -> bool:
    return all(getattr(sighting, part) == value for sighting in seen)


def percent(values: list[bool]) -> float:
    """How many are true, in percent."""
    return 100 * sum(values) / len(values)


def eight_bits(pictures: torch.Tensor) -> np.ndarray[Any, Any]:
    """(B, T, height, width, 3) in 8 bits."""
    clips = ((pictures + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 4, 1)
    return clips.cpu().numpy()


def mean_psnr(made: torch.Tensor, truth: torch.Tensor, frames: slice) -> float:
    """The clips' mean PSNR over these frames in dB; one of more than 60 counts as 60."""
    pairs = zip(eight_bits(made), eight_bits(truth), strict=True)
    values = [min(psnr(one[frames], other[frames]), 60.0) for one, other in pairs]
    return sum(values) / len(values)
