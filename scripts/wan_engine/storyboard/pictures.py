"""Makes the keyframe pictures that a storyboard lacks, one after the other, each kept as soon as it is there.

A picture's file is named after everything that decides it, so that after a crash, or when an old seed comes back, none
is made twice. What a user locked is never made again.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from wan_engine.errors import MediaError, Problem, ProblemList
from wan_engine.media.pictures import picture_size, read_picture, write_png
from wan_engine.render.events import CancelCheck, Event, Report, stopped
from wan_engine.schedule.storyboard import Storyboard, StoryKeyframe, keyframe_prompt
from wan_engine.storage.atomic import remove_leftovers, storage_error, write_bytes
from wan_engine.storage.hashes import file_hash, value_hash
from wan_engine.storage.lock import folder_lock
from wan_engine.storyboard.keyframes import PictureProvider, PictureRequest, ProviderError

log = logging.getLogger(__name__)

_SEEDS = 2**32
_MOST_WAIT = 120.0
"""Seconds that a provider may ask to be left alone before a picture is given up."""
_FIRST_WAIT = 1.0
_POLL = 0.1


@dataclass(frozen=True)
class PictureWork:
    """What making pictures needs.

    folder: where they go.  width, height: of the film, in pixels.  save: called with the storyboard after each picture.
    ready: called before each picture; returns when the provider may compute.
    """

    provider: PictureProvider
    folder: Path
    width: int
    height: int
    report: Report
    cancelled: CancelCheck
    save: Callable[[Storyboard], None]
    ready: Callable[[], None]


def with_seed(story: Storyboard) -> Storyboard:
    """The storyboard with a drawn seed where it asks for one, so that its pictures can be made again."""
    if story.pictures.seed >= 0:
        return story
    return replace(story, pictures=replace(story.pictures, seed=secrets.randbelow(_SEEDS)))


def to_be_redone(story: Storyboard, numbers: Collection[int]) -> Storyboard:
    """The storyboard with these keyframes' pictures taken out and other seeds drawn. Raises InputError."""
    problems = ProblemList()
    for number in sorted(set(numbers)):
        if not 0 <= number < len(story.keyframes):
            remedy = f"They count from 0 to {len(story.keyframes) - 1}"
            problems.add(Problem("there is no such keyframe", remedy, field="redo", key=str(number)))
            continue
        keyframe = story.keyframes[number]
        if keyframe.locked:
            problems.add(Problem("the keyframe is locked", "Unlock it first", field="redo", key=str(number)))
        story = story.with_keyframe(number, replace(keyframe, image="", seed=secrets.randbelow(_SEEDS)))
    problems.raise_if_any()
    return story


def check_pictures(story: Storyboard, provider: PictureProvider) -> None:
    """Raise InputError with everything that would stop a picture, and what `provider.check` raises."""
    problems = ProblemList()
    missing = story.missing()
    for number, keyframe in enumerate(story.keyframes):
        for problem in _problems(story, number, keyframe, provider, number in missing):
            problems.add(problem)
    problems.raise_if_any()
    if missing:
        provider.check()


def _problems(
    story: Storyboard, number: int, keyframe: StoryKeyframe, provider: PictureProvider, missing: bool
) -> Iterator[Problem]:
    field, key = ("segments.last", str(number)) if number else ("opening", "")
    for name in ("image", "mask"):
        path = getattr(keyframe, name)
        if path and not Path(path).is_file():
            remedy = "Give the path of a file that is there, or leave it out"
            yield Problem(f'there is no file "{path[:200]}"', remedy, f"{field}.{name}", key)
    if not missing:
        return
    if provider.name == "files":
        remedy = "Give its path as image, or let another provider make it"
        yield Problem("there is no picture, and the provider files makes none", remedy, f"{field}.image", key)
    elif not keyframe.description.strip():
        yield Problem("there is nothing to make a picture of", "Describe it", f"{field}.description", key)
    strength = _strength(story, number)
    if strength and not provider.changes:
        remedy = "Set strength to 0, or take another provider"
        yield Problem(f"{provider.name} makes pictures from words alone", remedy, f"{field}.strength", key)
    if keyframe.mask and not strength:
        yield Problem("a mask keeps a part of the keyframe before", "Give a strength too", f"{field}.mask", key)
    elif keyframe.mask and not provider.masks:
        yield Problem(f"{provider.name} takes no masks", "Remove it, or take another provider", f"{field}.mask", key)


def make_pictures(story: Storyboard, work: PictureWork) -> Storyboard:
    """The storyboard with every picture there, after `check_pictures` found nothing wrong.

    A picture that its provider refuses does not stop the others. Raises ProviderError with all of those at the end,
    Cancelled within a step, StorageError.
    """
    missing = story.missing()
    errors: list[ProviderError] = []
    try:
        work.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(work.folder, error, "make the folder") from error
    with folder_lock(work.folder):
        remove_leftovers(work.folder)
        for done, number in enumerate(missing):
            if _strength(story, number) and not story.keyframes[number - 1].image:
                continue  # it is made out of one that failed
            try:
                story = _made(story, number, work, (done, len(missing)))
            except ProviderError as error:
                errors.append(ProviderError(f"keyframe {number}: {error.message}", error.remedy))
                work.report(Event("note", str(errors[-1])))
                if error.for_all:
                    break
    if errors:
        raise _together(errors, story)
    return story


def _together(errors: list[ProviderError], story: Storyboard) -> ProviderError:
    left = story.missing()
    more = f"; {len(left)} of {len(story.keyframes)} keyframes left without a picture, the others are kept"
    return ProviderError("; ".join(error.message for error in errors) + more, errors[0].remedy)


def _made(story: Storyboard, number: int, work: PictureWork, place: tuple[int, int]) -> Storyboard:
    """The storyboard with this keyframe's picture, made now or found from before."""
    done, count = place
    request = picture_request(story, number, work)
    target = work.folder / f"keyframe_{number:02d}_{_request_hash(request, work.provider)[:12]}.png"
    found = target.is_file()
    if not found:
        work.report(_event("keyframe", f"Keyframe {number}: {request.prompt}", done, count))
        _try(work, request, story.pictures.attempts, target)
    story = story.with_keyframe(number, replace(story.keyframes[number], image=str(target)))
    work.save(story)
    words = "is there already" if found else "made"
    told = _event("keyframe_done", f"Keyframe {number} {words}: {target.name}", done + 1, count)
    width, height = picture_size(target)
    preview = read_picture(target, width, height, "stretch")
    work.report(replace(told, preview=preview, data={"number": number, "image": str(target)}))
    return story


def _event(kind: str, message: str, done: int, count: int) -> Event:
    return Event(kind, message, clip=min(done, count - 1), clips=count, steps_done=done, steps_total=count)


def picture_request(story: Storyboard, number: int, work: PictureWork) -> PictureRequest:
    """What the provider is asked for a keyframe."""
    keyframe, pictures = story.keyframes[number], story.pictures
    own = work.provider.size(work.width, work.height)
    strength = _strength(story, number)
    return PictureRequest(
        prompt=keyframe_prompt(story, number),
        width=pictures.width or own[0],
        height=pictures.height or own[1],
        negative=pictures.negative,
        seed=keyframe.seed if keyframe.seed is not None else (pictures.seed + number) % _SEEDS,
        steps=pictures.steps,
        guidance=pictures.guidance,
        start=Path(story.keyframes[number - 1].image) if strength else None,
        strength=strength,
        mask=Path(keyframe.mask) if keyframe.mask else None,
    )


def _strength(story: Storyboard, number: int) -> float:
    """How much a keyframe changes the one before; 0 for one that is made of words alone."""
    own = story.keyframes[number].strength
    return 0.0 if number == 0 else story.pictures.strength if own is None else own


def _request_hash(request: PictureRequest, provider: PictureProvider) -> str:
    files = {"start": request.start, "mask": request.mask}
    hashes = {name: file_hash(path) if path else "" for name, path in files.items()}
    return value_hash([provider.name, provider.identity(), {**vars(request), **hashes}])


def _try(work: PictureWork, request: PictureRequest, attempts: int, target: Path) -> None:
    """Have the picture made and keep it; a provider that is busy or out of reach is asked again."""
    wait = _FIRST_WAIT
    for attempt in range(1, attempts + 1):
        if work.cancelled():
            raise stopped()
        try:
            work.ready()
            _keep(work.provider.make(request, work.cancelled), target)
            return
        except ProviderError as error:
            pause = wait if error.after is None else error.after
            if not error.again or attempt == attempts or pause > _MOST_WAIT:
                raise
            work.report(Event("note", f"{error.message}; asked again in {pause:g} s"))
            _pause(pause, work.cancelled)
            wait *= 2


def _pause(seconds: float, cancelled: CancelCheck) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if cancelled():
            raise stopped()
        time.sleep(min(_POLL, seconds))


def _keep(data: bytes, target: Path) -> None:
    """Write a provider's answer as PNG, after it was read as a whole picture. Raises ProviderError, StorageError."""
    answer = target.with_suffix(".part")
    write_bytes(answer, data)
    try:
        width, height = picture_size(answer)
        write_png(target, read_picture(answer, width, height, "stretch"))
    except MediaError as error:
        reason = error.message.replace(str(answer), "its answer")
        raise ProviderError(f"the provider sent no whole picture: {reason}", "Try again", again=True) from error
    finally:
        answer.unlink(missing_ok=True)
