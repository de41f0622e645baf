"""The verb `keyframes`: makes the pictures that a storyboard lacks, or some of them again."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from wan_engine.cli.flags import Flags, verb
from wan_engine.cli.inputs import FLAGS_PLACE
from wan_engine.cli.screen import Screen, command_words, one_line
from wan_engine.cli.story_view import show_story, story_watched
from wan_engine.settings_check import picture_settings_from_mapping
from wan_engine.settings_pictures import PICTURE_SETTINGS, PictureSettings


@verb(with_settings=True, table=PICTURE_SETTINGS)
def keyframes(
    screen: Screen,
    flags: Flags,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A storyboard: YAML or JSON.")],
    redo: Annotated[
        list[int] | None,
        typer.Option(metavar="NUMBER", help="Make this keyframe again with another seed; may be given several times."),
    ] = None,
) -> None:
    """Make the keyframe pictures of a storyboard that are missing. Locked ones stay; the file names what is made."""
    from wan_engine.schedule.storyboard_file import storyboard_to_values
    from wan_engine.storyboard.pictures import to_be_redone
    from wan_engine.storyboard.services import load_services
    from wan_engine.storyboard.story import Desk, make_story_pictures

    again = f"What is made is kept; to go on: {command_words('wan-engine', 'keyframes', file)}"
    with story_watched(screen, again) as (report, cancelled):
        desk = Desk(Path(file).expanduser().absolute(), load_services(), report, cancelled)
        story = desk.load().storyboard
        assert story is not None
        changed = replace(story, pictures=_changed(asdict(story.pictures), flags))
        made = make_story_pictures(desk, to_be_redone(changed, redo or ()))
    if screen.json:
        screen.document({"file": str(desk.file), "storyboard": storyboard_to_values(made)})
        return
    show_story(screen, screen.out, made)
    screen.line(screen.out, f"Pictures: {one_line(str(desk.pictures))}", style="green")


def _changed(settings: dict[str, Any], flags: Flags) -> PictureSettings:
    return picture_settings_from_mapping({**settings, **flags}, file=FLAGS_PLACE)
