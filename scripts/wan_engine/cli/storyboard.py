"""The verb `storyboard`: a long prompt planned into a storyboard's file, and perhaps rendered at once."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wan_engine.cli.flags import Flags, verb
from wan_engine.cli.inputs import FLAGS_PLACE
from wan_engine.cli.plan_view import show_notes
from wan_engine.cli.screen import Screen, command_words, one_line
from wan_engine.cli.story_view import show_story, story_watched
from wan_engine.errors import InputError, Problem
from wan_engine.settings import SETTINGS, SettingSpec
from wan_engine.settings_check import checked_values
from wan_engine.settings_pictures import PICTURE_SETTINGS, PictureSettings
from wan_engine.settings_planning import PLANNING_SETTINGS, PlanningSettings

if TYPE_CHECKING:
    from wan_engine.cli.render import Outcome
    from wan_engine.schedule.storyboard import Storyboard
    from wan_engine.storyboard.planner import Ask
    from wan_engine.storyboard.story import Desk

_ENDINGS = (".txt", ".md", ".text")
_LONGEST_NAME = 255

_OWN: dict[str, SettingSpec] = {**PLANNING_SETTINGS, "provider": PICTURE_SETTINGS["provider"]}
"""The settings that have a flag here beside those of the film."""


@verb(with_settings=True, table={**_OWN, **SETTINGS})
def storyboard(
    screen: Screen,
    flags: Flags,
    text: Annotated[
        str, typer.Argument(metavar="TEXT|FILE", help="The long prompt, or a text file that holds it; - reads stdin.")
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The storyboard's file.")
    ] = "story.yaml",
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what it would take and cost; ask nobody.")] = False,
    enhance: Annotated[bool, typer.Option("--enhance", help="Only make TEXT a richer prompt, by the model.")] = False,
) -> None:
    """Plan a long prompt into a storyboard: segments, keyframes, durations. The file can be edited, then rendered."""
    from wan_engine.storyboard.services import load_services
    from wan_engine.storyboard.story import Desk

    wanted, ask = _ask(_read(text), flags)
    if enhance:
        _enhance(screen, ask.text)
    elif estimate:
        _estimate(screen, ask, wanted.planner)
    else:
        file = Path(output).expanduser().absolute()
        if file.exists():
            raise InputError(Problem("it is there already", "Give another --output, or remove it first", file=output))
        _make(screen, ask, wanted, Desk(file, load_services()))


def _ask(text: str, flags: Flags) -> tuple[PlanningSettings, Ask]:
    """What is wanted, the flags sorted to the tables they are of. Raises InputError with all that is wrong."""
    from wan_engine.storyboard.planner import Ask

    checked = checked_values({**_OWN, **SETTINGS}, flags, FLAGS_PLACE)
    wanted = PlanningSettings(**{name: value for name, value in checked.items() if name in PLANNING_SETTINGS})
    pictures = PictureSettings(**{name: value for name, value in checked.items() if name == "provider"})
    film = _film({name: value for name, value in checked.items() if name not in _OWN})
    return wanted, Ask(text, wanted.seconds, wanted.segments, film, pictures)


def _read(text: str) -> str:
    """The prompt: what stands in a file of this name, in standard input, or the words themselves."""
    import sys

    from wan_engine.schedule.text_file import read_text

    if text == "-":
        return sys.stdin.read()
    is_name = len(text) < _LONGEST_NAME and "\n" not in text
    if is_name and (Path(text).suffix.lower() in _ENDINGS or Path(text).is_file()):
        return read_text(Path(text))
    return text


def _film(flags: Flags) -> dict[str, Any]:
    """The flags as settings of the storyboard's film; paths count from the current folder."""
    from wan_engine.schedule.project import with_folder
    from wan_engine.settings_check import settings_from_mapping

    settings = with_folder(settings_from_mapping(flags, file=FLAGS_PLACE), Path.cwd())
    return {name: getattr(settings, name) for name in flags}


def _enhance(screen: Screen, prompt: str) -> None:
    from wan_engine.storyboard.llm.client import LlmClient
    from wan_engine.storyboard.llm.planner import enhanced
    from wan_engine.storyboard.services import load_services

    made = enhanced(LlmClient(load_services()["planner"]), prompt)
    if screen.json:
        screen.document({"prompt": made})
    else:
        screen.line(screen.out, made)


def _estimate(screen: Screen, ask: Ask, planner: str) -> None:
    from wan_engine.storyboard.offers import estimate_pictures
    from wan_engine.storyboard.services import load_services
    from wan_engine.storyboard.story import estimate_story

    services = load_services()
    found = estimate_story(ask, planner, services)
    pictures = estimate_pictures(ask.pictures.provider, found.segments + 1, services)
    if screen.json:
        screen.document({**asdict(found), "pictures": asdict(pictures)})
        return
    screen.line(screen.out, found.words)
    screen.line(screen.out, pictures.words)


def _make(screen: Screen, ask: Ask, wanted: PlanningSettings, desk: Desk) -> None:
    """Plan, show, and go on as far as is wanted; with `--json` one document tells all of it."""
    from wan_engine.cli.render import show_film
    from wan_engine.schedule.storyboard_file import storyboard_to_values
    from wan_engine.storyboard.story import plan_story

    with story_watched(screen, "Run it again") as (report, cancelled):
        planned = plan_story(ask, wanted.planner, replace(desk, report=report, cancelled=cancelled))
    if not screen.json:
        show_story(screen, screen.out, planned.storyboard)
        screen.line(screen.out, f"Written: {one_line(str(desk.file))}", style="green")
    story = planned.storyboard if wanted.upto == "storyboard" else make_missing(screen, str(desk.file))
    outcome = render_story(screen, str(desk.file), {}) if wanted.upto == "film" else None
    if screen.json:
        usage = asdict(planned.usage) if planned.usage else None
        document = {"file": str(desk.file), "storyboard": storyboard_to_values(story), "usage": usage}
        screen.document({**document, "notes": list(planned.notes), "film": outcome.as_dict() if outcome else None})
    elif outcome:
        show_film(screen, outcome)
    elif wanted.upto == "pictures":
        show_story(screen, screen.out, story)


def make_missing(screen: Screen, file: str) -> Storyboard:
    """The storyboard of a file, once the pictures it lacks are made. Raises what making them raises."""
    from wan_engine.storyboard.services import load_services
    from wan_engine.storyboard.story import Desk, make_story_pictures

    again = f"What is there is kept; to go on: {command_words('wan-engine', 'render', file)}"
    with story_watched(screen, again) as (report, cancelled):
        return make_story_pictures(Desk(Path(file), load_services(), report, cancelled))


def render_story(screen: Screen, file: str, flags: Flags) -> Outcome:
    """The film of a storyboard's file: its missing pictures first. One that was begun before is gone on with.

    flags: settings that win over the file's. Raises whatever both steps raise.
    """
    from wan_engine.cli.inputs import problems_placed, read_project
    from wan_engine.cli.render import Outcome, watched
    from wan_engine.film import plan_film
    from wan_engine.keyframes import make_keyframe_film
    from wan_engine.schedule.seeds import fixed_seed

    make_missing(screen, file)
    project = read_project(file, flags)
    with problems_placed(project, flags):
        plan = plan_film(fixed_seed(project.settings))
        show_notes(screen, screen.err, project.notes)
        with watched(screen, plan) as (report, cancelled):
            return Outcome(file, make_keyframe_film(project.settings, report, cancelled), project.notes)
