"""The pictures a film starts from, arrives at and passes: which frame each is on, and that its file is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wan_engine.errors import Problem
from wan_engine.schedule.film_schedule import GuidedImage
from wan_engine.settings import Settings


@dataclass(frozen=True)
class StartPicture:
    """What a clip starts from or arrives at: a picture, the last frame of a film, or the film's own first frame.

    Exactly one of the three is given.
    """

    image: str = ""
    video: str = ""
    name: str = ""
    """The setting, and key, it comes from: for messages."""
    film_start: bool = False


FILM_START = StartPicture(name="the film's first frame, as loop asks,", film_start=True)
"""What the last clip of a film that loops arrives at."""


def image_name(image: GuidedImage) -> str:
    """The setting and key of a picture, for messages: `guided image "40"` or `end_image`."""
    return f'guided image "{image.key}"' if image.key else "end_image"


def pictures_by_frame(settings: Settings, images: Iterable[GuidedImage]) -> dict[int, StartPicture]:
    """The pictures that film frames are, by frame; the film's start image or video stands at frame 0."""
    found = {image.frame: StartPicture(image=image.path, name=image_name(image)) for image in images}
    if settings.init_image:
        found[0] = StartPicture(image=settings.init_image, name="init_image")
    elif settings.init_video:
        found[0] = StartPicture(video=settings.init_video, name="init_video")
    return found


def start_problems(settings: Settings) -> Iterable[Problem]:
    """What is wrong with the start and end files, without the schedule's guided images."""
    if settings.init_image and settings.init_video:
        message = "the film cannot start from init_image and from init_video"
        yield Problem(message, "Give one of the two", field="init_video")
    start = "init_image" if settings.init_image else "init_video" if settings.init_video else ""
    if settings.max_frames == 1 and settings.end_image and start:
        message = "a film of one frame starts and ends on the same picture"
        yield Problem(message, f"Remove end_image or {start}", field="end_image")
    if settings.loop and settings.end_image:
        message = "a film that loops ends on its own first frame, not on end_image"
        yield Problem(message, "Remove end_image, or switch loop off", field="loop")
    for name in ("init_image", "init_video", "end_image"):
        yield from _missing(getattr(settings, name), name)


def guided_problems(settings: Settings, images: Iterable[GuidedImage]) -> Iterable[Problem]:
    """What is wrong with the guided images: two for the first frame, files that are not there."""
    for image in images:
        if not image.key:
            continue  # the end image, seen by start_problems
        yield from _missing(image.path, "guided_images", image.key)
        if settings.loop and 0 < image.frame == settings.max_frames - 1:
            message = "a film that loops goes on to its own first frame from its last one, which this picture is"
            yield Problem(
                message, "Move it to an earlier frame, or switch loop off", field="guided_images", key=image.key
            )
        if image.frame == 0 and (settings.init_image or settings.init_video):
            given = "init_image" if settings.init_image else "init_video"
            message = f"the film's first frame is given by this picture and by {given}"
            yield Problem(message, "Give one of the two", field="guided_images", key=image.key)


def _missing(path: str, field: str, key: str = "") -> Iterable[Problem]:
    if not path:
        return
    if "://" in path:
        yield Problem(f'"{path}" is an address', "Download it and give the file's path", field=field, key=key)
        return
    try:
        there = Path(path)
        if there.is_file():
            return
        message = f'"{path}" is a folder, not a file' if there.is_dir() else f'there is no file "{path}"'
    except (OSError, ValueError) as error:
        message = f'"{path}" cannot be used as a path ({error})'
    yield Problem(message, "Give the path of a file that is there", field=field, key=key)
