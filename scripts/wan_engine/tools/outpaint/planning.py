"""Settings, a film and its scenes become a plan: chunks as clips of mode vace, and what each is rendered with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction

from wan_engine.errors import CapabilityError, InputError, Problem
from wan_engine.families import Lineup, ModelCard
from wan_engine.plan.distilled import with_preset
from wan_engine.plan.loras import check_loras, clip_loras
from wan_engine.plan.model import Clip, Plan
from wan_engine.plan.needs import FLOAT_BYTES, LATENT_CHANNELS, LATENT_SCALE, STATE_ARRAYS
from wan_engine.plan.timing import LATENT_STRIDE
from wan_engine.schedule.film_schedule import FilmSchedule, read_schedule
from wan_engine.schedule.seeds import part_seed
from wan_engine.settings import Settings
from wan_engine.settings_model import ModelSettings
from wan_engine.settings_outpaint import OutpaintSettings
from wan_engine.tools.outpaint.chunks import Chunk, check_lengths, lay_chunks
from wan_engine.tools.outpaint.geometry import Layout

CHUNK_FPS = Fraction(16)
"""Rate written into the chunks' files, where nobody looks at it: the film's own times are kept elsewhere."""
LARGEST_RATE_PART = 100_000
"""Largest denominator of a film's average rate."""
_TEMPLATE_NAMES = ("{prompt}", "{caption}")
_TEMPLATE_PARTS = re.compile(r"(\{prompt\}|\{caption\})")


@dataclass(frozen=True)
class FilmLength:
    """How many frames the film has and its average rate."""

    frames: int
    fps: Fraction


def film_settings(settings: OutpaintSettings, length: FilmLength, layout: Layout) -> Settings:
    """The same models, sampling and texts as the settings of a film, for all that reads those."""
    shared = {entry.name: getattr(settings, entry.name) for entry in fields(ModelSettings)}
    return Settings(
        **shared,
        prompts={"0": settings.prompt},
        negative_prompt=settings.negative_prompt,
        max_frames=max(1, length.frames),
        fps=str(length.fps),
        width=layout.work_width,
        height=layout.work_height,
        steps=str(settings.num_inference_steps or ""),
        guidance_scale=str(settings.guidance_scale or ""),
        flow_shift=settings.flow_shift,
        sampler=settings.sampler,
        distilled=settings.distilled,
        seed=settings.seed,
        batch_name="outpaint",
        output_dir=settings.output_dir,
    )


def check_template(settings: OutpaintSettings) -> None:
    """Raise InputError unless both texts have their place in the template of captions."""
    missing = [name for name in _TEMPLATE_NAMES if name not in settings.caption_template]
    if settings.caption_model.strip() and missing:
        message = f"{missing[0]} is not in the template"
        raise InputError(Problem(message, 'Write it as "{prompt}, {caption}"', field="caption_template"))


def with_caption(prompt: str, caption: str, template: str) -> str:
    """The prompt of a chunk; without one of the two texts, the other alone."""
    if not (prompt and caption):
        return prompt or caption
    texts = {"{prompt}": prompt, "{caption}": caption}
    return "".join(texts.get(part, part) for part in _TEMPLATE_PARTS.split(template))


@dataclass(frozen=True)
class Planner:
    """Makes plans of one film.

    layout: its canvas.  models: what is there.  loras: paths of the LoRAs that are there, by name.
    """

    settings: OutpaintSettings
    length: FilmLength
    layout: Layout
    models: Lineup
    loras: Mapping[str, str]

    def chunks(self, scenes: Sequence[tuple[int, int]]) -> list[Chunk]:
        """The chunks of scenes [start, end). Raises InputError for lengths that no model makes."""
        settings, native = self.settings, vace_card(self.models).family.native_frames
        length = check_lengths(settings.batch_size, settings.overlap, native)
        return list(lay_chunks(scenes, length, settings.overlap))

    def plan(self, scenes: Sequence[tuple[int, int]], captions: Mapping[int, str], notes: Sequence[str] = ()) -> Plan:
        """The film's plan. captions: by number of chunk.

        Raises InputError with what is wrong in texts and LoRAs, CapabilityError without a VACE model.
        """
        film = with_preset(film_settings(self.settings, self.length, self.layout))
        schedule = read_schedule(film)
        check_loras(schedule, self.loras)
        chunks = self.chunks(scenes)
        clips = [self._clip(film, schedule, number, chunk, captions) for number, chunk in enumerate(chunks)]
        return Plan(
            fps=self.length.fps,
            model_fps=CHUNK_FPS,
            frames=self.length.frames,
            width=self.layout.work_width,
            height=self.layout.work_height,
            resample=film.resample,
            image_fit=film.image_fit,
            clips=tuple(clips),
            notes=(*schedule.notes, *self.layout.notes, *notes),
            models={"vace": vace_card(self.models).name},
            seed=self.settings.seed,
            disk_bytes=self._disk_bytes(chunks),
        )

    def _clip(
        self, film: Settings, schedule: FilmSchedule, number: int, chunk: Chunk, captions: Mapping[int, str]
    ) -> Clip:
        family = vace_card(self.models).family
        prompt = schedule.prompts.at(0)
        # A guidance that the user set holds for both experts.
        second = None if schedule.guidance_scale else family.guidance_scale_2
        overlap = self.settings.overlap if chunk.known and self.settings.overlap > 1 else 0
        return Clip(
            index=number,
            start=chunk.start,
            end=chunk.end,
            mode="vace",
            frames=chunk.frames,
            intervals=chunk.frames - max(1, overlap),
            arrives=chunk.end,
            prompt=with_caption(prompt.positive, captions.get(number, ""), self.settings.caption_template),
            negative=prompt.negative,
            seed=part_seed(self.settings.seed, number),
            steps=int(schedule.steps.at(0)) if schedule.steps else family.steps,
            guidance_scale=schedule.guidance_scale.at(0) if schedule.guidance_scale else family.guidance_scale,
            guidance_scale_2=schedule.guidance_scale_2.at(0) if schedule.guidance_scale_2 else second,
            flow_shift=film.flow_shift or family.flow_shift(self.layout.work_width, self.layout.work_height),
            sampler=schedule.sampler.at(0),
            continuity=("overlap" if overlap else "last_frame") if chunk.known else "cut",
            chain=chunk.scene,
            loras=clip_loras(schedule, 0, self.loras),
            overlap=overlap,
            overlap_noise=film.overlap_noise if overlap else 0,
        )

    def _disk_bytes(self, chunks: Sequence[Chunk]) -> int:
        """Raw RGB of all chunks, and two states of the longest one: what they take at worst."""
        pixels = self.layout.work_width * self.layout.work_height
        longest = (max(chunk.frames for chunk in chunks) - 1) // LATENT_STRIDE + 1
        state = STATE_ARRAYS * FLOAT_BYTES * longest * LATENT_CHANNELS * pixels // LATENT_SCALE**2
        return sum(chunk.frames for chunk in chunks) * pixels * 3 + 2 * state


def vace_card(models: Lineup) -> ModelCard:
    """The model that outpaints. Raises CapabilityError if there is none."""
    if not models.can("vace"):
        message = f"outpainting needs masked-video-to-video, and the models here do {models.words()} only"
        raise CapabilityError(message, "Set model to a VACE model, or vace_module to the VACE blocks for it")
    return models.card("vace")
