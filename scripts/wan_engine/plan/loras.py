"""Which LoRAs each clip is rendered with: names become files, of the setting and of the prompt's tags."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath

from wan_engine.errors import InputError, ProblemList
from wan_engine.plan.model import ClipLora
from wan_engine.schedule.film_schedule import FilmSchedule
from wan_engine.schedule.loras import LoraWeight

_SUFFIX = ".safetensors"
_NEAREST = 3
_NOISE = re.compile(r"(?:^|[\W_])(high|low)(?:$|[\W_]|noise)", re.IGNORECASE)
"""How the files of Wan 2.2's LoRAs say which expert they are for: `..._high_noise.safetensors`, `...-LOW`."""


def check_loras(schedule: FilmSchedule, library: Mapping[str, str]) -> None:
    """Raises InputError for every LoRA of the film that is not in the library.

    library: path by name, as from `models.lora.library`.
    """
    problems = ProblemList()
    starts = [span.start for span in schedule.prompts.spans]
    tags = [tag for start in starts for tag in schedule.prompts.at(start).loras]
    named = {lora.place: lora for lora in [*(lora.at(0) for lora in schedule.loras), *tags]}
    for lora in named.values():
        try:
            _found(lora, library)
        except InputError as error:
            problems.extend(error)
    problems.raise_if_any()


def clip_loras(schedule: FilmSchedule, frame: int, library: Mapping[str, str]) -> tuple[ClipLora, ...]:
    """The LoRAs at a film frame, without those of weight 0; a LoRA the prompt names has the prompt's weight.

    Raises InputError for weights out of range there, and names that are not in the library.
    """
    tagged = _by_path(schedule.prompts.at(frame).loras, library)
    general = _by_path((lora.at(frame) for lora in schedule.loras), library)
    overruled = {path for path, _ in tagged}
    used = {key: lora for key, lora in general.items() if key[0] not in overruled} | tagged
    return tuple(lora for lora in used.values() if lora.weight)


def _by_path(loras: Iterable[LoraWeight], library: Mapping[str, str]) -> dict[tuple[str, str], ClipLora]:
    """The LoRAs by path and expert; of two for the same the last counts."""
    found = {}
    for lora in loras:
        name, path = _found(lora, library)
        expert = lora.expert or guessed_expert(name) or "both"
        found[path, expert] = ClipLora(name, path, lora.weight, expert)
    return found


def guessed_expert(name: str) -> str:
    """The expert that a LoRA's name says it is for, `high` or `low`; "" if it names none or both."""
    words = {word.lower() for word in _NOISE.findall(PurePath(name).name)}
    return words.pop() if len(words) == 1 else ""


def _found(lora: LoraWeight, library: Mapping[str, str]) -> tuple[str, str]:
    """Name in the library and path. A name may leave out its folder, its ending and capitals, if it stays clear."""
    wanted = lora.name.replace("\\", "/").strip("/")
    if wanted.lower().endswith(_SUFFIX):
        wanted = wanted[: -len(_SUFFIX)]
    if wanted in library:
        return wanted, library[wanted]
    folded = wanted.casefold()
    same = [name for name in library if name.casefold() == folded]
    same = same or [name for name in library if name.casefold().endswith(f"/{folded}")]
    if len(same) == 1:
        return same[0], library[same[0]]
    if same:
        message = f'"{lora.name}" may be one of {len(same)} LoRAs: {", ".join(sorted(same)[:_NEAREST])}'
        raise InputError(lora.problem(message, "Write its folder too"))
    raise InputError(lora.problem(f'there is no LoRA "{lora.name}"', _nearest(wanted, library)))


def _nearest(wanted: str, library: Mapping[str, str]) -> str:
    if not library:
        return "No LoRA was found at all: set lora_dir to the folder they lie in"
    by_word = {word.casefold(): name for name in library for word in (name, PurePath(name).name)}
    close = difflib.get_close_matches(wanted.casefold(), list(by_word), n=_NEAREST, cutoff=0.5)
    names = list(dict.fromkeys(by_word[word] for word in close))
    if names:
        return "Did you mean " + " or ".join(f'"{name}"' for name in names) + "?"
    first = sorted(library)[:_NEAREST]
    return f"There are {len(library)}, such as " + ", ".join(f'"{name}"' for name in first)
