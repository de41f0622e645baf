"""Everything of a film that goes by frame, read from the settings: prompts, seeds, steps, guidance, sampler, images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from wan_engine.errors import InputError, ProblemList
from wan_engine.schedule.keyed import NumberSchedule, WordSchedule
from wan_engine.schedule.keys import parse_key
from wan_engine.schedule.loras import LoraSchedule, read_loras
from wan_engine.schedule.prompts import PromptSchedule
from wan_engine.schedule.seeds import prompt_seeds
from wan_engine.schedule.timeline import Timeline
from wan_engine.settings import SETTINGS, Settings

T = TypeVar("T")


@dataclass(frozen=True)
class GuidedImage:
    """A picture the film shows on one frame. key: as the user wrote it, "" for the end image."""

    key: str
    frame: int
    path: str


@dataclass(frozen=True)
class FilmSchedule:
    """The film's schedules, all read and checked.

    steps, guidance_scale, guidance_scale_2: None where the settings are empty and the model family decides.
    seeds: one for each of `prompts.spans`.  images: by frame, one a frame, the end image on the last.
    loras: those of the setting; the prompts have their own.  notes: what was ignored or chosen, for the user.
    """

    timeline: Timeline
    prompts: PromptSchedule
    steps: NumberSchedule | None
    guidance_scale: NumberSchedule | None
    guidance_scale_2: NumberSchedule | None
    sampler: WordSchedule
    seeds: tuple[int, ...]
    images: tuple[GuidedImage, ...]
    notes: tuple[str, ...] = ()
    loras: tuple[LoraSchedule, ...] = ()


def read_schedule(settings: Settings, file: str = "") -> FilmSchedule:
    """The schedules of checked settings whose seed is drawn (0 or more; `seeds.fixed_seed`).

    Raises InputError with every problem of all of them; `file` is named in each.
    """
    if settings.seed < 0:
        raise ValueError("the seed must be drawn before the schedule is read")
    timeline = Timeline(settings.max_frames, settings.film_fps, settings.seed)
    reader = _Reader(settings, timeline)
    prompts = reader.part(
        lambda: PromptSchedule.parse(settings.prompts, timeline, settings.positive_prompt, settings.negative_prompt)
    )
    starts = tuple(span.start for span in prompts.spans) if prompts else (0,)
    steps = reader.number("steps", starts)
    guidance_scale = reader.number("guidance_scale", starts)
    guidance_scale_2 = reader.number("guidance_scale_2", starts)
    sampler = reader.part(
        lambda: WordSchedule.parse(settings.sampler, timeline, "sampler", SETTINGS["sampler"].choices)
    )
    seeds = reader.part(lambda: prompt_seeds(settings, timeline, starts))
    images = reader.images()
    loras = reader.loras(starts)
    if reader.problems:
        raise InputError(replace(problem, file=problem.file or file) for problem in reader.problems)
    assert prompts is not None
    assert sampler is not None
    assert seeds is not None
    notes = (*prompts.notes, *sampler.notes, *reader.notes)
    return FilmSchedule(
        timeline, prompts, steps, guidance_scale, guidance_scale_2, sampler, tuple(seeds), images, notes, loras
    )


class _Reader:
    """Reads one part after the other and keeps what is wrong with them."""

    def __init__(self, settings: Settings, timeline: Timeline) -> None:
        self._settings = settings
        self._timeline = timeline
        self.problems = ProblemList()
        self.notes: list[str] = []

    def part(self, read: Callable[[], T]) -> T | None:
        """What `read` returns, or None with its problems noted."""
        try:
            return read()
        except InputError as error:
            self.problems.extend(error)
            return None

    def number(self, name: str, starts: tuple[int, ...]) -> NumberSchedule | None:
        """The schedule of a setting, in its range at each of `starts`; None when the setting is empty."""
        text: str = getattr(self._settings, name)
        return self.part(lambda: self._number(name, text, starts)) if text.strip() else None

    def _number(self, name: str, text: str, starts: tuple[int, ...]) -> NumberSchedule:
        spec = SETTINGS[name]
        schedule = NumberSchedule.parse(text, self._timeline, name, minimum=spec.minimum, maximum=spec.maximum)
        schedule.check(starts)
        self.notes.extend(schedule.notes)
        return schedule

    def loras(self, starts: tuple[int, ...]) -> tuple[LoraSchedule, ...]:
        """The LoRAs of the setting, with their weights in range at each of `starts`."""
        found = self.part(lambda: read_loras(self._settings.loras, self._timeline)) or ()
        for lora in found:
            self.part(lambda lora=lora: [lora.at(start) for start in starts])  # type: ignore[misc]
            self.notes.extend(lora.notes)
        return found

    def images(self) -> tuple[GuidedImage, ...]:
        """The guided images by frame and the end image on the last; of two on one frame the last given."""
        found: dict[int, GuidedImage] = {}
        for key, path in self._settings.guided_images.items():
            frame = self.part(lambda key=key: parse_key(key, self._timeline, "guided_images"))  # type: ignore[misc]
            if frame is None:
                continue
            if not 0 <= frame < self._timeline.frames:
                film = f"frames 0 to {self._timeline.max_f}"
                self.notes.append(f'guided_images: key "{key}" is frame {frame}, outside the film ({film}): not used')
                continue
            self._put(found, GuidedImage(key, frame, path))
        if self._settings.end_image:
            self._put(found, GuidedImage("", self._timeline.max_f, self._settings.end_image))
        return tuple(image for _, image in sorted(found.items()))

    def _put(self, found: dict[int, GuidedImage], image: GuidedImage) -> None:
        if image.frame in found:
            name = f'key "{image.key}"' if image.key else "end_image"
            old = found[image.frame].key
            self.notes.append(f'guided_images: key "{old}" and {name} are both frame {image.frame}; the last is used')
        found[image.frame] = image
