"""Decides where things lie: the output folder and every file of one film."""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from wan_engine.errors import StorageError
from wan_engine.settings import Settings
from wan_engine.storage.atomic import storage_error
from wan_engine.storage.names import NAME_BYTES, fill_name, template_values, timestring

logger = logging.getLogger(__name__)

_WINDOWS_PATH = 260
"""Longest path that programs without long path support can open on Windows."""
_LONGEST_INSIDE = len("/20240101000000/20240101000000_000000000.00000000.part.png")
"""Room that names inside a film's folder need."""
_TRIES = 1000
"""Seconds tried before giving up on a free folder name; more films a second do not start."""


@dataclass(frozen=True)
class FilmPlaces:
    """The files of one film, with Deforum's names. `folder` is `<outputs>/<batch name>/<timestring>`."""

    folder: Path

    @property
    def timestring(self) -> str:
        """The run's time, YYYYMMDDHHMMSS, with which all names begin."""
        return self.folder.name

    def named(self, ending: str) -> Path:
        """A further file of this film."""
        return self.folder / f"{self.timestring}{ending}"

    @property
    def film(self) -> Path:
        """The film, mp4."""
        return self.named(".mp4")

    @property
    def partial(self) -> Path:
        """The finished beginning of a film that was stopped, mp4."""
        return self.named("_partial.mp4")

    @property
    def gif(self) -> Path:
        """The animated GIF."""
        return self.named(".gif")

    @property
    def subtitles(self) -> Path:
        """The prompts as subtitles."""
        return self.named(".srt")

    @property
    def sheet(self) -> Path:
        """The contact sheet: a picture for each prompt."""
        return self.named("_sheet.png")

    @property
    def plan(self) -> Path:
        """The plan, with the values that were resolved when rendering began."""
        return self.named("_plan.json")

    @property
    def settings(self) -> Path:
        """The settings, readable as a project file."""
        return self.named("_settings.json")

    @property
    def preview(self) -> Path:
        """The latest preview picture."""
        return self.named("_preview.png")

    @property
    def clips(self) -> Path:
        """Folder of the lossless clips and their state files."""
        return self.folder / "clips"

    def frame(self, number: int) -> Path:
        """The picture of film frame `number`, from 0: nine digits."""
        return self.named(f"_{number:09d}.png")


def outputs_root(settings: Settings) -> Path:
    """Where films go: the setting `output_dir`, else `outputs` in the current folder. Not made here."""
    chosen = settings.output_dir.strip()
    return Path(chosen).expanduser().absolute() if chosen else Path.cwd() / "outputs"


def film_folder(settings: Settings, now: datetime) -> FilmPlaces:
    """Make the folder of a new film: `<outputs>/<batch name>/<timestring>`.

    Two films of one second take two folders: the later one takes the next free second. Settings with a resolved
    seed and size give a batch name with the resolved values. Raises StorageError.
    """
    root = outputs_root(settings)
    for tries in range(_TRIES):
        moment = now + timedelta(seconds=tries)
        name = fill_name(settings.batch_name, template_values(settings, moment), _name_room(root))
        folder = root / name / timestring(moment)
        try:
            _inside(root, folder.parent).mkdir(parents=True, exist_ok=True)
            folder.mkdir()
        except FileExistsError as error:
            if not folder.parent.is_dir():
                raise storage_error(folder.parent, error, "make the folder") from error
            continue
        except OSError as error:
            raise storage_error(folder, error, "make the folder") from error
        return FilmPlaces(folder)
    raise StorageError(f"no free name for a film in {root}", "Choose another batch_name")


def open_film_folder(folder: Path) -> FilmPlaces:
    """The places of a film that was begun before. Raises StorageError if there is no such folder."""
    if not folder.is_dir():
        raise StorageError(f"{folder} is not a film's folder", "Give the folder that holds the film's plan")
    return FilmPlaces(folder.absolute())


def free_bytes(path: Path) -> int:
    """Free bytes on the disk on which `path` lies or would lie. Raises StorageError."""
    place = path.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError as error:
        raise storage_error(place, error, "read the free space of") from error


def check_free_space(
    path: Path, needed: int, remedy: str = "Free some space or set output_dir to another disk"
) -> None:
    """Raise StorageError when the disk of `path` has less than `needed` bytes free."""
    free = free_bytes(path)
    if free < needed:
        message = f"the disk of {path} has {size_words(free)} free, and {size_words(needed)} are needed"
        raise StorageError(message, remedy)


def size_words(count: int) -> str:
    """A number of bytes for people: `1.5 GB` of 10^9 bytes, `20.0 MB` of 10^6."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _name_room(root: Path) -> int:
    """Longest batch name whose film files can still be opened, in bytes."""
    if os.name != "nt":
        return NAME_BYTES
    return max(1, min(NAME_BYTES, _WINDOWS_PATH - len(str(root)) - 1 - _LONGEST_INSIDE))


def _inside(root: Path, folder: Path) -> Path:
    """`folder`, checked to lie in `root` after links are followed: a link in the output folder must not lead out."""
    if not folder.resolve().is_relative_to(root.resolve()):
        raise StorageError(f"{folder} leads out of the output folder {root}", "Choose another batch_name")
    return folder
