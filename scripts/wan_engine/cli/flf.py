"""The verb `flf`: a film from pictures with times, by flags or a keyframe project."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer

from wan_engine.cli.flags import verb
from wan_engine.cli.inputs import FLAGS_PLACE
from wan_engine.cli.plan_view import show_notes
from wan_engine.cli.render import Outcome, show_film, watched
from wan_engine.cli.screen import Screen, one_line
from wan_engine.errors import InputError, Problem
from wan_engine.settings_check import as_switch


@dataclass(frozen=True)
class _Flag:
    """One flag, by the name it has in keyframe projects. metavar: "" for a switch.  is_path: it counts from here."""

    name: str
    metavar: str
    help: str
    is_path: bool = False


_FLAGS = (
    _Flag("keyframes", "PAIRS", 'Pictures and their seconds: "a.png:0.0,b.png:3.0".'),
    _Flag("prompt", "TEXT", "The prompt of all segments."),
    _Flag("sub_prompts", "TEXTS", 'A prompt for each segment, "|" between them.'),
    _Flag("ckpt_dir", "PATH", "The first-last-frame model. Without it the embedded small model is used.", is_path=True),
    _Flag("size", "W*H", "Size of the film in pixels, such as 1280*720."),
    _Flag("fps", "RATE", "Frames a second of the film; default 24."),
    _Flag("sample_steps", "INTEGER", "Denoising steps."),
    _Flag("sample_shift", "NUMBER", "Shift of the noise schedule."),
    _Flag("sample_guide_scale", "NUMBER", "How strongly the prompt is followed."),
    _Flag("base_seed", "INTEGER", "Seed of the first segment; each later one adds one. -1 draws it."),
    _Flag("num_gpus", "INTEGER", "GPUs that render segments side by side, each in a process of its own."),
    _Flag("gpu_ids", "NUMBERS", "Which GPUs, such as 0,1; without it the first ones."),
    _Flag("output_dir", "PATH", "Folder of films; default outputs.", is_path=True),
    _Flag("smoothing_method", "NAME", "temporal_filter, optical_flow or none."),
    _Flag("offload_model", "", "Keep the model out of the GPU while it is not used."),
    _Flag("t5_cpu", "", "Encode texts on the CPU."),
    _Flag("enable_smoothing", "", "Soften the joins of the segments; on unless --no_smoothing is given."),
    _Flag("no_smoothing", "", "Leave the joins as they are."),
    _Flag("keep_intermediates", "", "Keep the segments without loss beside the film."),
)
_CONFIG = _Flag("config", "FILE", "A keyframe project, YAML or JSON; flags win over it.")
_OWN = (
    _Flag("output", "FILE", "Where the finished film is put; default output_final.mp4.", is_path=True),
    _Flag("resume_from", "INTEGER", "Make this segment, from 1, and all later ones again; the rest is kept."),
    _Flag("force_regenerate", "", "Make everything again."),
)
_AGAIN = "run the same command again, without --resume_from and --force_regenerate"
"""How a film that was stopped is gone on with, so that it is put at its place too."""


def flf(screen: Screen, **given: Any) -> None:
    """Make a film from keyframes. One that was stopped is gone on with when it is asked for again."""
    from wan_engine.film import plan_film
    from wan_engine.keyframes import Again, copy_film, keyframe_project, make_keyframe_film, told_of_keyframes
    from wan_engine.schedule.keyframes import OF_THE_VERB
    from wan_engine.schedule.seeds import fixed_seed

    folder = Path(given["config"]).expanduser().absolute().parent if given["config"] else Path.cwd()
    values = _values(given)
    with _placed(given):
        output, segment, anew = (values.pop(name, None) for name in OF_THE_VERB)
        again = Again(_segment(segment), _switch(anew))
        project = keyframe_project(values, folder)
        target = _target(output, folder, ".gif" if project.settings.codec == "gif" else ".mp4")
        with told_of_keyframes(project.settings):
            plan = plan_film(fixed_seed(project.settings))
    show_notes(screen, screen.err, project.notes)
    with _placed(given), watched(screen, plan, _AGAIN) as (report, cancelled):
        made = make_keyframe_film(project.settings, report, cancelled, again)
    copy_film(made, target)
    if made.film is not None and not screen.json:
        screen.line(screen.out, f"Keyframe film: {one_line(str(target.absolute()))}")
    show_film(screen, Outcome(str(given["config"] or "command line"), made, project.notes))


@contextmanager
def _placed(given: dict[str, Any]) -> Iterator[None]:
    """Problems that are found inside name the project file, if there is one, unless they are of a flag."""
    try:
        yield
    except InputError as error:
        places = (FLAGS_PLACE if given.get(problem.field) else given["config"] for problem in error.problems)
        placed = (
            replace(problem, file=problem.file or place or "")
            for problem, place in zip(error.problems, places, strict=True)
        )
        raise InputError(placed) from error


def _segment(value: Any) -> int:
    if value is None:
        return 0
    text = str(value)
    if not text.strip().isdecimal() or int(text) < 1:
        problem = Problem(f"{text!r} is no number of a segment", "Segments count from 1", field="resume_from")
        raise InputError(problem)
    return int(text)


def _switch(value: Any) -> bool:
    switch = as_switch(value) if value is not None else False
    if switch is None:
        raise InputError(Problem(f"{value!r} is no switch", "Write true or false", field="force_regenerate"))
    return switch


def _target(output: Any, folder: Path, ending: str) -> Path:
    """Where the finished film is put. ending: what a film of this codec's name ends in."""
    target = folder / Path(str(output or Path.cwd() / f"output_final{ending}")).expanduser()
    if target.is_dir():
        problem = Problem(
            f'"{output}" is a folder', f"Give the name of a film, such as my_video{ending}", field="output"
        )
        raise InputError(problem)
    if target.suffix.lower() != ending:
        raise InputError(Problem(f'"{output}" does not end in {ending}', "The film is of that kind", field="output"))
    return target


def _values(given: dict[str, Any]) -> dict[str, Any]:
    """The project file's values with the flags over them; paths of flags count from the current folder."""
    from wan_engine.schedule.keyframes import pairs_from_words
    from wan_engine.schedule.project import values_of_file

    values = values_of_file(Path(given["config"]).expanduser()) if given["config"] else {}
    for flag in (*_OWN, *_FLAGS):
        value = given[flag.name]
        if value in (None, False):
            continue
        values[flag.name] = str(Path(value).expanduser().absolute()) if flag.is_path else value
    if given["keyframes"]:
        here = Path.cwd()
        pairs = pairs_from_words(given["keyframes"])
        values["keyframes"] = [[str(here / Path(image).expanduser()), seconds] for image, seconds in pairs]
    if values.pop("no_smoothing", False):
        values["enable_smoothing"] = False
    if "keep_intermediates" not in values:
        values.setdefault("keep_clips", True)
    return values


def _signature() -> inspect.Signature:
    entries = [inspect.Parameter("screen", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Screen)]
    for flag in (_CONFIG, *_OWN, *_FLAGS):
        names = dict.fromkeys((f"--{flag.name}", f"--{flag.name.replace('_', '-')}"))
        default: Any = None if flag.metavar else False
        option = typer.Option(default, *names, metavar=flag.metavar or None, help=flag.help, show_default=False)
        kind = str | None if flag.metavar else bool
        entries.append(inspect.Parameter(flag.name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=kind))
    return inspect.Signature(entries)


# One parameter a flag, as the verbs of typer want them, from the table above.
flf.__signature__ = _signature()  # type: ignore[attr-defined]
flf_verb = verb()(flf)
