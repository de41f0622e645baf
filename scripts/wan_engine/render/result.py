"""What was made of a plan and where it lies, and how it is known that a film is finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wan_engine.plan.model import Plan, plan_to_json
from wan_engine.plan.seam import seam_notes
from wan_engine.settings import Settings
from wan_engine.storage.hashes import file_hash, value_hash
from wan_engine.storage.places import FilmPlaces


@dataclass(frozen=True)
class FilmResult:
    """What was made and where it lies; None for what was not asked for.

    folder: holds everything.  film: the mp4, or the GIF when that is the codec.  sheet: the contact sheet.
    frames: folder of numbered pictures.
    """

    folder: Path
    film: Path | None
    plan: Path
    settings: Path
    sheet: Path
    subtitles: Path | None = None
    gif: Path | None = None
    frames: Path | None = None
    notes: tuple[str, ...] = ()

    def is_there(self) -> bool:
        """Whether all its files are there; of the numbered pictures only the folder is looked at."""
        made = (self.film, self.sheet, self.subtitles, self.gif, self.frames)
        return all(path.exists() for path in made if path is not None)


FINISHED = "finished"
"""Key of the plan's resolved values that says for which plan and settings the film was finished."""
FILES = "files"
"""Key of the plan's resolved values that holds the hashes of the user's files, by path, that the film is made of."""


def fingerprint(plan: Plan, asked: Mapping[str, Any]) -> str:
    """A hash of all that decides the film's files. asked: what it was made of, as JSON-able values."""
    resolved = {name: value for name, value in plan.resolved.items() if name != FINISHED}
    return value_hash([plan_to_json(replace(plan, resolved=resolved, seams=())), dict(asked)])


def file_hashes(plan: Plan, settings: Settings) -> dict[str, str]:
    """What `FILES` holds: pictures, films and sound that the film is made of. Raises StorageError."""
    pictures = (path for clip in plan.clips for path in (clip.start_image, clip.init_video, clip.end_image))
    inside = (picture.image for clip in plan.clips for picture in clip.pictures)
    return {path: file_hash(Path(path)) for path in filter(None, {*pictures, *inside, settings.soundtrack})}


def has_other_files(plan: Plan) -> bool:
    """Whether a file that the film was made of has another content now; one that is gone tells nothing."""
    there = ((Path(path), known) for path, known in plan.resolved.get(FILES, {}).items() if Path(path).is_file())
    return any(file_hash(path) != known for path, known in there)


def film_result(plan: Plan, settings: Settings, places: FilmPlaces) -> FilmResult:
    """What the settings ask for and where it lies."""
    of_seams = seam_notes(plan.seams, plan.fps) if settings.backend == "wan" else ()
    return FilmResult(
        folder=places.folder,
        film={"png": None, "gif": places.gif}.get(settings.codec, places.film),
        plan=places.plan,
        settings=places.settings,
        sheet=places.sheet,
        subtitles=places.subtitles if settings.subtitles else None,
        gif=places.gif if settings.make_gif or settings.codec == "gif" else None,
        frames=places.folder if settings.save_frames or settings.codec == "png" else None,
        notes=(*plan.notes, *of_seams),
    )
