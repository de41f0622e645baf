"""The list of a film's scenes: where each begins and ends and in which file it lies; as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wan_engine.errors import StorageError
from wan_engine.media.frame_times import FrameTimes
from wan_engine.storage.atomic import storage_error, write_json, write_text
from wan_engine.tools.scenes.transitions import Transition

VERSION = 1


@dataclass(frozen=True)
class Scene:
    """The film's frames [start, end), as they are seen, and the same in seconds from the film's start.

    file: name of its file in the list's folder, "" if none is to be made.
    """

    number: int
    start: int
    end: int
    start_seconds: float
    end_seconds: float
    file: str = ""


@dataclass(frozen=True)
class SceneList:
    """The scenes of a film.

    film: its path.  film_hash: SHA-256 of its content.  frames: how many it has.  fps: its average rate.
    detector: what found the scenes, "" for scenes given by hand.  recipe: hash of all that decides the scene files.
    earlier: files of earlier splits that lay there still when scenes were only listed; the next cutting removes them.
    """

    film: str
    film_hash: str
    series: str
    frames: int
    fps: float
    width: int
    height: int
    detector: str
    scenes: tuple[Scene, ...]
    transitions: tuple[Transition, ...]
    settings: dict[str, Any]
    recipe: str
    notes: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    version: int = VERSION

    def as_dict(self) -> dict[str, Any]:
        """The list as JSON-able values."""
        return {"version": self.version, **asdict(self)}


def scenes_between(transitions: Sequence[Transition], frames: int, keep_all: bool) -> list[tuple[int, int]]:
    """Start and end of each scene. keep_all: transitions are parted in their middle, else their frames are left out."""
    ends = [(each.middle, each.middle) if keep_all else (each.start, each.end) for each in transitions]
    starts = [0, *(after for _, after in ends)]
    return [(start, end) for start, end in zip(starts, [*(before for before, _ in ends), frames], strict=True)]


def with_times(spans: Sequence[tuple[int, int]], times: FrameTimes, files: Sequence[str]) -> tuple[Scene, ...]:
    """The scenes of these spans. files: their names, in order, or empty."""
    names = files or [""] * len(spans)
    return tuple(
        Scene(number, start, end, round(float(times.seconds(start)), 6), round(float(times.seconds(end)), 6), name)
        for number, ((start, end), name) in enumerate(zip(spans, names, strict=True))
    )


def write_list(folder: Path, scenes: SceneList) -> tuple[Path, Path]:
    """Write the JSON and the CSV; gives their paths. Raises StorageError."""
    json_path, csv_path = (list_path(folder, scenes.series, ending) for ending in (".json", ".csv"))
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["scene", "start_frame", "end_frame", "start_seconds", "end_seconds", "seconds", "file"])
    for each in scenes.scenes:
        length = f"{each.end_seconds - each.start_seconds:.6f}"
        rows.writerow([each.number, each.start, each.end, each.start_seconds, each.end_seconds, length, each.file])
    write_text(csv_path, table.getvalue())
    write_json(json_path, scenes.as_dict())
    return json_path, csv_path


def list_path(folder: Path, series: str, ending: str) -> Path:
    """A file about all scenes of a film: `scenes-<series>.json` and so on."""
    return folder / f"scenes-{series}{ending}"


def read_list(path: Path) -> SceneList | None:
    """A list that was written before, None if there is none. Raises StorageError for one that cannot be read."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["version"] > VERSION:
            raise StorageError(f"{path} is of a newer version", "Update wan-engine")
        scenes = tuple(Scene(**each) for each in values.pop("scenes"))
        transitions = tuple(Transition(**each) for each in values.pop("transitions"))
        texts = {name: tuple(values.get(name, ())) for name in ("notes", "earlier")}
        return SceneList(**{**values, **texts, "scenes": scenes, "transitions": transitions})
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(path, error, "read") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageError(f"{path} is no list of scenes: {error}", "Move it away or choose another folder") from error
