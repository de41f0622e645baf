"""Encodes clips of the shapes world and their captions into pools that the transformers learn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from wan_engine.tiny.masks import continued_clips, filled_clips, latent_masks
from wan_engine.tiny.networks import decode, encode, make_tokenizer, whole_clips
from wan_engine.tiny.world import (
    CAPTIONS,
    TRAINED,
    Canvas,
    Caption,
    Clips,
    Dice,
    changed,
    render,
    steady,
    turning,
)

if TYPE_CHECKING:
    import torch

Job = Literal["t2v", "i2v", "vace"]

CANVASES: tuple[tuple[Canvas, int], ...] = tuple(
    (Canvas(width, height, frames), share * often)
    for width, height, share, lengths in (
        (64, 64, 6, ((9, 1), (17, 3), (25, 4), (33, 2))),
        (96, 64, 4, ((17, 1), (25, 1))),
        (64, 96, 4, ((17, 1), (25, 1))),
        (128, 64, 4, ((17, 1), (25, 1))),
        (64, 128, 4, ((17, 1), (25, 1))),
    )
    for frames, often in lengths
)
"""Sizes of clips and how often each is drawn."""
TEXT_TOKENS = 24
"""More than the longest caption has. The pipelines pad texts to 512; see `train_video`."""


@dataclass(frozen=True)
class Pool:
    """Encoded clips of one canvas, ready to be drawn from.

    latents: (N, 16, t, h, w), normalised.  tokens: (N, TEXT_TOKENS).  condition: of the given pictures, for `i2v`
    (N, 20, t, h, w), for `vace` (N, 96, t, h, w), for `t2v` None.
    """

    latents: torch.Tensor
    tokens: torch.Tensor
    condition: torch.Tensor | None


class Studio:
    """Makes pools: draws clips and their captions, and encodes both.

    vae: trained, with its latents' figures.  device: where all of it happens.
    """

    def __init__(self, vae: Any, device: str, seed: int) -> None:
        import torch

        self._vae = vae
        self._dice = Dice.of(seed, device)
        self._tokenizer = make_tokenizer()
        figures = (vae.config.latents_mean, vae.config.latents_std)
        self._mean, self._deviation = (torch.tensor(f, device=device).view(1, -1, 1, 1, 1) for f in figures)

    def pools(self, job: Job, clips: int) -> list[Pool]:
        """A pool for each canvas, `clips` in all."""
        total = sum(share for _, share in CANVASES)
        return [self._pool(job, canvas, max(16, clips * share // total)) for canvas, share in CANVASES]

    def _pool(self, job: Job, canvas: Canvas, clips: int) -> Pool:
        import torch

        batch = min(clips, max(4, 64 * 64 * 64 * 25 // (canvas.width * canvas.height * canvas.frames)))
        parts = [self._part(job, canvas, batch) for _ in range(math.ceil(clips / batch))]
        latents, tokens, conditions = zip(*parts, strict=True)
        condition = None if job == "t2v" else torch.cat(conditions)
        return Pool(torch.cat(latents), torch.cat(tokens), condition)

    def _part(self, job: Job, canvas: Canvas, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        dice = self._dice
        if job == "t2v":
            # Clips that change have a word of their own here, so that plain captions never begin as something else.
            caption, turns = dice.choice(TRAINED, count), bool(dice.chance(0.12, 1))
            before = changed(dice, caption, 0.4)
            clips = turning(dice, canvas, before, caption) if turns else steady(dice, canvas, caption)
            return self.latents(render(clips)), self._texts(clips, "then " if turns else ""), None
        draw, given = (filled_clips, self.control) if job == "vace" else (continued_clips, self.condition)
        clips, fill = draw(dice, canvas, count)
        pictures = render(clips)
        latents = self.latents(pictures)
        return latents, self._texts(clips, ""), given(self._worn(pictures, latents), fill)

    def latents(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures (B, 3, T, height, width) as normalised latents in half precision."""
        import torch

        with torch.no_grad(), whole_clips():
            return ((encode(self._vae, pictures) - self._mean) / self._deviation).half()

    def pictures(self, latents: torch.Tensor) -> torch.Tensor:
        """Normalised latents as pictures from -1 to 1."""
        import torch

        with torch.no_grad(), whole_clips():
            return decode(self._vae, latents.float() * self._deviation + self._mean).clamp(-1, 1)

    def condition(self, pictures: torch.Tensor, fill: torch.Tensor) -> torch.Tensor:
        """What the image-to-video pipeline makes of pictures whose frames to `fill` are empty: (B, 20, t, h, w).

        Their mask, 1 where a frame is given, and their latents.
        """
        import torch

        latents = self.latents(pictures * ~fill[:, None])
        known = ~fill[:, :, 0, 0]
        # The first frame is four of a latent frame's frames.
        mask = torch.cat([known[:, :1].expand(-1, 4), known[:, 1:]], 1).reshape(len(known), -1, 4).transpose(1, 2)
        return torch.cat([mask[..., None, None].expand(-1, -1, -1, *latents.shape[-2:]).half(), latents], 1)

    def control(self, pictures: torch.Tensor, fill: torch.Tensor) -> torch.Tensor:
        """What WanVACEPipeline makes of pictures that are empty where they are to fill: (B, 96, t, h, w).

        Latents of what is given, latents of what is to change (here an empty clip), and the mask.
        """
        import torch

        given = self.latents(pictures * ~fill[:, None])
        empty = self.latents(torch.zeros_like(pictures[:1])).expand_as(given)
        return torch.cat([given, empty, latent_masks(fill).half()], 1)

    def _worn(self, pictures: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Half of the batches begin, as clips of a film do, with a picture that was decoded, with its small faults."""
        import torch

        if bool(self._dice.chance(0.5, 1)):
            return pictures
        noise = torch.randn(latents.shape, generator=self._dice.generator, device=latents.device)
        return self.pictures(latents + 0.15 * float(self._dice.uniform(1)) * noise)

    def _texts(self, clips: Clips, before: str) -> torch.Tensor:
        import torch

        habits = self._dice.uniform(len(clips.caption)).tolist()
        captions = [CAPTIONS[index] for index in clips.caption.tolist()]
        texts = [before + _phrase(caption, habit) for caption, habit in zip(captions, habits, strict=True)]
        return torch.tensor(tokens_of(self._tokenizer, texts), device=clips.caption.device)


def tokens_of(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Tokens of texts, padded to TEXT_TOKENS."""
    rows: list[list[int]] = tokenizer(
        list(texts), padding="max_length", max_length=TEXT_TOKENS, truncation=True
    ).input_ids
    return rows


def _phrase(caption: Caption, habit: float) -> str:
    """The caption as people might write it. habit: 0 to 1; most of the range gives the whole text."""
    words = {"grey": "gray"} if habit * 1000 % 1 < 0.3 else {}
    place = " ".join(words.get(word, word) for word in caption.place.split())
    whole = f"{caption.thing} {caption.action} on {place}"
    ways = (
        (0.80, whole),
        (0.86, f"{caption.thing} {caption.action}"),
        (0.89, place),
        (0.92, caption.thing),
        (0.96, f"{whole} with other words after it"),
        (1.01, f"some other words before {whole}"),
    )
    return next(text for limit, text in ways if habit < limit)
