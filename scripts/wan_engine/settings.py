"""The one table of user settings: a dataclass whose fields carry label, range and help.

The command line's flags, the settings page of the docs, the API schema and the tab are made from this table, so a
setting is declared once. `settings_check.settings_from_mapping` turns a user's values into a checked
`Settings`; values that are schedules are only checked for their type there, `schedule` reads their text.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from typing import Any

from wan_engine import settings_shared as shared
from wan_engine.setting_spec import SettingSpec as SettingSpec
from wan_engine.setting_spec import parse_fps as parse_fps
from wan_engine.setting_spec import setting, spec_of
from wan_engine.settings_film import FilmSettings
from wan_engine.settings_model import ModelSettings

PROJECT_VERSION = 1
"""Version of the project file schema; a file with a higher one is refused."""


@dataclass(frozen=True)
class Settings(ModelSettings, FilmSettings):
    """Everything a user can set for a film. Names are the keys of project files and, with dashes, of flags.

    The bases hold the first settings: a dataclass puts the fields of its last base first.
    """

    steps: str = setting(
        "",
        "schedule",
        "Steps",
        "sampling",
        "Denoising steps, by clip. Empty takes the family's own.",
        minimum=1,
        maximum=1000,
    )
    guidance_scale: str = setting(
        "",
        "schedule",
        "Guidance scale",
        "sampling",
        "How strongly the prompt is followed (CFG), by clip; 1 switches it off. Empty takes the family's own.",
        minimum=0,
        maximum=100,
    )
    guidance_scale_2: str = setting(
        "",
        "schedule",
        "Guidance scale, low noise",
        "sampling",
        "Guidance of the second expert of Wan 2.2 A14B, by clip. Empty takes the family's own.",
        minimum=0,
        maximum=100,
    )
    flow_shift: float = shared.flow_shift("sampling")
    sampler: str = setting(
        "unipc",
        "text_schedule",
        "Sampler",
        "sampling",
        "By clip. distilled is Euler on even timesteps (1000, 750, 500, 250 for 4 steps), as distilled models want it.",
        choices=("unipc", "euler", "distilled"),
    )
    distilled: str = shared.distilled(
        "sampling",
        "Sampling of a model, or LoRA, that was distilled to a few steps. lightx2v_4 is 4 steps of the sampler "
        "distilled, shift 5, no guidance; what you set yourself wins.",
    )
    seed: int = shared.seed(
        "sampling",
        "Start of the random numbers; -1 draws one and writes it into the plan.",
    )
    seed_behavior: str = setting(
        "iter",
        "choice",
        "Seed behaviour",
        "sampling",
        "How the seed goes on from prompt to prompt, as in Deforum.",
        choices=("iter", "ladder", "alternate", "fixed", "random", "schedule"),
    )
    seed_iter_n: int = setting(
        1, "int", "Seed iter N", "sampling", "With iter: prompts that share a seed.", minimum=1, maximum=100_000
    )
    seed_schedule: str = setting(
        '0:(s), 1:(-1), "max_f-2":(-1), "max_f-1":(s)',
        "schedule",
        "Seed schedule",
        "sampling",
        "With the behaviour schedule: the seed by frame; -1 is a random one.",
        minimum=-1,
        maximum=2**32 - 1,
    )

    batch_name: str = setting(
        "film",
        "text",
        "Batch name",
        "output",
        "Folder of the films inside the output folder; {timestring}, {seed} and other settings are filled in.",
    )
    output_dir: str = shared.output_dir("output")
    codec: str = setting(
        "h264",
        "choice",
        "Codec",
        "output",
        "H.264 or HEVC in mp4, an animated GIF, or png for numbered pictures alone.",
        choices=("h264", "hevc", "gif", "png"),
    )
    encoder: str = shared.encoder("output")
    crf: int = shared.crf("output")
    preset: str = shared.preset("output", "slow")
    pixel_format: str = shared.pixel_format("output")
    save_frames: bool = setting(
        False, "bool", "Save frames", "output", "Also write <timestring>_000000000.png and so on."
    )
    make_gif: bool = setting(False, "bool", "Make GIF", "output", "Also write an animated GIF.")
    subtitles: bool = setting(True, "bool", "Subtitles", "output", "Write the prompts as .srt beside the film.")
    soundtrack: str = setting("", "path", "Soundtrack", "output", "Sound or film file whose sound the film gets.")
    soundtrack_offset: float = setting(
        0.0,
        "float",
        "Soundtrack offset",
        "output",
        "Second of the film at which the sound starts; a negative one leaves out the sound's beginning.",
        minimum=-36_000,
        maximum=36_000,
        unit="seconds",
    )
    keep_clips: bool = setting(
        False, "bool", "Keep clips", "output", "Keep the lossless clips after the film is finished."
    )

    @property
    def film_fps(self) -> Fraction:
        """The film's exact frame rate, in frames a second."""
        return parse_fps(self.fps)


SETTINGS: dict[str, SettingSpec] = {entry.name: spec_of(entry) for entry in fields(Settings)}
"""The table, by name, in the order in which settings are shown."""

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(spec.group for spec in SETTINGS.values()))
"""The groups in the order in which they are shown."""


def settings_to_mapping(settings: Settings) -> dict[str, Any]:
    """The settings as JSON-able values that `settings_from_mapping` reads back to an equal object."""
    return asdict(settings)
