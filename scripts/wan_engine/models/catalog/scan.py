"""Walks through places and lists what may be a model: weight files, indexes of shards, folders with configs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wan_engine.errors import ModelError
from wan_engine.models.catalog.places import Place
from wan_engine.models.component import CONFIG, component_kind
from wan_engine.models.files import shards
from wan_engine.models.folder import INDEX
from wan_engine.models.headers.read import INDEX_ENDING, WEIGHT_ENDINGS

_TOKENIZER = "tokenizer_config.json"
_VOCABULARIES = ("tokenizer.json", "spiece.model")

MOST_FOLDERS = 20_000
"""Folders are looked into up to this number; whoever gives the root of a disk gets an answer all the same."""


@dataclass
class Sighting:
    """What a walk came past.

    weights: files, and the index for all of its shards.  components: folders of single components with their config.
    models: folders of whole models in the diffusers layout.  tokenizers: folders of tokenizers.
    """

    weights: list[Path] = field(default_factory=list)
    components: list[Path] = field(default_factory=list)
    models: list[Path] = field(default_factory=list)
    tokenizers: list[Path] = field(default_factory=list)


def walk(places: Iterable[Place]) -> Sighting:
    """What lies in the places, by path, each once. Links are followed, but into no folder twice."""
    found = Sighting()
    depths: dict[tuple[int, int], int] = {}
    for place in places:
        _look(place.folder, place.depth, found, depths)
    for listed in (found.weights, found.components, found.models, found.tokenizers):
        listed[:] = dict.fromkeys(listed)
    return found


def _look(folder: Path, depth: int, found: Sighting, depths: dict[tuple[int, int], int]) -> None:
    try:
        status = folder.stat()
        key = (status.st_dev, status.st_ino)
        # A folder that was only looked at from above is looked at again, deeper.
        if depths.get(key, -1) >= depth or len(depths) > MOST_FOLDERS:
            return
        depths[key] = depth
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        files = [entry.name for entry in entries if entry.is_file()]
        inner = [entry.path for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:
        return  # not there, or not ours to read: nothing in it can be used either
    if _TOKENIZER in files and any(name in files for name in _VOCABULARIES):
        found.tokenizers.append(folder)
    if INDEX in files:
        found.models.append(folder)
    elif CONFIG in files and component_kind(folder):
        found.components.append(folder)
        return
    else:
        found.weights += _weights(folder, files)
    if depth > 0 or INDEX in files:
        for path in inner:
            _look(Path(path), max(depth - 1, 0), found, depths)


def _weights(folder: Path, names: list[str]) -> Iterator[Path]:
    """The weight files of a folder, an index in the place of its shards."""
    covered: set[Path] = set()
    for name in names:
        if name.endswith(".safetensors" + INDEX_ENDING):
            # What is wrong is said of the index when it is read; the shards that are there are then looked at alone.
            with contextlib.suppress(ModelError):
                covered |= set(shards(folder / name))
            yield folder / name
    for name in names:
        if name.lower().endswith(WEIGHT_ENDINGS) and folder / name not in covered:
            yield folder / name
