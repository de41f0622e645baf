"""Lists the LoRA files of a folder by the names that users call them."""

from __future__ import annotations

import os
from pathlib import Path

from wan_engine.errors import InputError, Problem
from wan_engine.home import state_home
from wan_engine.models.catalog.places import lora_folders
from wan_engine.models.lora.layout import SUFFIX
from wan_engine.setting_spec import path_lines
from wan_engine.settings import Settings

_MOST_FOLDERS = 10_000


def find_loras(settings: Settings) -> dict[str, str]:
    """The LoRAs a film can use, path by name: of `lora_dir`, or of the state folder and the folders of models.

    Of two with one name the state folder's is taken, then the first folder's. Raises InputError when the folder of the
    settings is not there.
    """
    if not settings.lora_dir:
        folders = [Path(line).expanduser() for line in path_lines(settings.model_dirs)]
        found: dict[str, str] = {}
        for place in (state_home() / "loras", *lora_folders(folders)):
            found = list_loras(place) | found
        return found
    folder = Path(settings.lora_dir).expanduser()
    if not folder.is_dir():
        problem = Problem(f'there is no folder "{settings.lora_dir}"', "Give the folder LoRAs lie in", field="lora_dir")
        raise InputError(problem)
    return list_loras(folder)


def list_loras(folder: Path) -> dict[str, str]:
    """Path by name of every safetensors file in the folder and the folders in it, links followed.

    A name is the path below the folder, with / between folders and without the ending. Only names are read.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen or len(seen) >= _MOST_FOLDERS:  # a link that leads back
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        for file in sorted(files):
            if file.lower().endswith(SUFFIX):
                path = Path(place) / file
                found[path.relative_to(folder).with_suffix("").as_posix()] = str(path)
    return found
