"""Reads ComfyUI's extra_model_paths.yaml: further folders of models, as ComfyUI itself understands the file."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

PATHS_FILE = "extra_model_paths.yaml"
"""Name of the file in ComfyUI's folder."""

_MAX_BYTES = 1_000_000
_NO_FOLDERS = ("base_path", "base_paths", "is_default", "all_model_folders", "custom_nodes")
_OF_OTHERS = ("configs", "controlnet", "embeddings", "gligen", "hypernetworks", "upscale_models", "vae_approx")
"""Kinds of folders that no part of a Wan model lies in."""

log = logging.getLogger(__name__)


def comfy_folders(file: Path) -> list[Path]:
    """The folders that the file names and that are there, those of groups with `is_default` first.

    A damaged file is logged and names none. After `utils/extra_config.py` of ComfyUI: variables of the environment and
    `~` in base_path, paths below base_path or else below the file's folder, several of one kind on lines of their own.
    """
    try:
        groups = _groups(file)
    except (OSError, ValueError, TypeError, yaml.YAMLError, RecursionError) as error:
        log.warning("%s cannot be read and is left out: %s", file, error)
        return []
    groups.sort(key=lambda group: not group.get("is_default"))
    found = [path for group in groups for path in _paths(group, file.absolute().parent)]
    return [path for path in dict.fromkeys(found) if path.is_dir()]


def _groups(file: Path) -> list[Mapping[Any, Any]]:
    if file.stat().st_size > _MAX_BYTES:
        raise ValueError("it is too large")
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    if content is not None and not isinstance(content, dict):
        raise TypeError("it holds no groups of paths")
    return [group for group in (content or {}).values() if isinstance(group, dict)]


def _paths(group: Mapping[Any, Any], place: Path) -> Iterator[Path]:
    base = place
    given = group.get("base_path")
    if isinstance(given, str) and given.strip():
        base = place / _expanded(given)
    for kind, text in group.items():
        if kind in _NO_FOLDERS or kind in _OF_OTHERS or not isinstance(text, str) or "\x00" in text:
            continue
        yield from (base / _expanded(line) for line in text.split("\n") if line.strip())


def _expanded(text: str) -> Path:
    path = Path(os.path.expandvars(text.strip()))
    try:
        return path.expanduser()
    except RuntimeError:
        return path  # ~ of a user who is not known here: it is not there either
