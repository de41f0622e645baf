"""Knows where models may lie: given folders, ComfyUI's and the WebUIs' trees, the Hugging Face cache, a file's own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wan_engine.home import state_home
from wan_engine.models.catalog.comfy import PATHS_FILE, comfy_folders

DEPTH = 6
"""Folders below a place are searched so deep: a release's shards in ComfyUI's own sub-folders are four down."""

PART_FOLDERS = frozenset(
    (
        *("wan", "diffusers", "stable-diffusion", "checkpoints", "diffusion_models", "unet", "transformer"),
        *("text_encoders", "text_encoder", "clip", "clip_vision", "image_encoder", "vae", "lora", "loras"),
        *("tokenizer", "google", "high_noise_model", "low_noise_model"),
    )
)
"""Folders, in small letters, in which parts lie that belong to a file beside them: of the WebUIs, ComfyUI, releases."""

LORA_FOLDERS = ("lora", "loras")

_INSTALLS = ("main.py", "webui.py", "launch.py", "folder_paths.py", PATHS_FILE)
"""Files that tell a program's folder from a folder of models."""
_LEVELS_UP = 3


@dataclass(frozen=True)
class Place:
    """A folder to be searched, and how many folders deep; 0 looks at its own files only."""

    folder: Path
    depth: int = DEPTH


def places_of(
    folders: Sequence[Path], home: Path | None = None, environ: Mapping[str, str] = os.environ
) -> list[Place]:
    """Where to look: the given folders with what they point to, the state folder's models, the Hugging Face cache.

    A program's folder (ComfyUI, a WebUI) stands for its `models`; extra_model_paths.yaml in it, or beside its models,
    adds the folders it names. Folders that are not there are left out.  home: the state folder, else the usual one.
    """
    found = [*(each for folder in folders for each in _led_to(folder)), (home or state_home(environ)) / "models"]
    found += _snapshots(hub_cache(environ))
    return [Place(folder) for folder in dict.fromkeys(found) if folder.is_dir()]


def extra_roots(
    folders: Sequence[Path], home: Path | None = None, environ: Mapping[str, str] = os.environ
) -> tuple[Path, ...]:
    """What `places_of` adds to the given folders, as far as it is there: the roots that files found there lie in."""
    added = [each for folder in folders for each in _led_to(folder) if each not in folders]
    added += [each for each in ((home or state_home(environ)) / "models", hub_cache(environ)) if each not in folders]
    return tuple(each for each in dict.fromkeys(added) if each.is_dir())


def places_near(file: Path, stop: Sequence[Path] = ()) -> list[Place]:
    """Where the other parts of a model may lie whose transformer is `file`: its folder, and the usual ones beside it.

    stop: folders that are not left upwards.
    """
    found = []
    ancestors = list(file.absolute().parents[: _LEVELS_UP + 1])
    for level, ancestor in enumerate(ancestors):
        found.append(Place(ancestor, 0))
        found += [Place(inner, 2) for inner in _folders_in(ancestor) if inner.name.lower() in PART_FOLDERS]
        if ancestor in stop or (level and (ancestor.parent == ancestor or ancestor == Path.home())):
            break
    return list(dict.fromkeys(found))


def lora_folders(folders: Sequence[Path]) -> list[Path]:
    """The folders of LoRAs among the given ones and directly in them."""
    found = []
    for folder in (each for given in folders for each in _led_to(given)):
        candidates = [folder, *_folders_in(folder)]
        found += [each for each in candidates if each.name.lower() in LORA_FOLDERS]
    return list(dict.fromkeys(found))


def hub_cache(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of repositories in the Hugging Face cache, by the variables that huggingface_hub reads."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if environ.get(name, "").strip():
            return _expanded(environ[name])
    if environ.get("HF_HOME", "").strip():
        return _expanded(environ["HF_HOME"]) / "hub"
    cache = environ.get("XDG_CACHE_HOME", "").strip()
    return (_expanded(cache) if cache else Path.home() / ".cache") / "huggingface" / "hub"


def _expanded(text: str) -> Path:
    return Path(os.path.expandvars(text.strip())).expanduser().absolute()


def _led_to(folder: Path) -> Iterator[Path]:
    inner = folder / "models"
    if inner.is_dir() and any((folder / name).is_file() for name in _INSTALLS):
        yield inner
    else:
        yield folder
    for file in (folder / PATHS_FILE, folder.parent / PATHS_FILE):
        if file.is_file():
            yield from comfy_folders(file)


def _snapshots(hub: Path) -> Iterator[Path]:
    """The snapshot of each model's repository that `refs/main` names, or the newest one."""
    for repository in _folders_in(hub):
        if not repository.name.startswith("models--"):
            continue
        snapshots = _folders_in(repository / "snapshots")
        try:
            revision = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            revision = ""
        chosen = [each for each in snapshots if each.name == revision]
        yield from chosen or sorted(snapshots, key=lambda each: each.stat().st_mtime)[-1:]


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(Path(entry.path) for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return []  # not there, or not ours to read: nothing in it can be used either
